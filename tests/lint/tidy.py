#!/usr/bin/env python3
"""Runs clang-tidy over our translation units, one a core, and remembers which were clean.

Usage: tests/lint/tidy.py BUILD_DIR [FILE…]
BUILD_DIR holds compile_commands.json. A unit is checked again when what the preprocessor makes of
it, its command, .clang-tidy or clang-tidy itself changed. The stamps lie in ~/.cache/resmgr-tidy and
don't depend on where the tree lies, so that another clone finds what this one checked.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys


def command_words(entry):
    words = entry["arguments"] if "arguments" in entry else shlex.split(entry["command"])
    return words[1:] if os.path.basename(words[0]) == "ccache" else words


ROOT = pathlib.Path(__file__).resolve().parents[2]
STAMPS = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache",
                      "resmgr-tidy")


def stamp_of(entry, salt):
    words = command_words(entry)
    cut = words.index("-o")
    words = words[:cut] + words[cut + 2:]
    # Without line markers, so that the place of the clone does not count; tidy looks at comments
    # (NOLINT), so they stay.
    made = subprocess.run(words + ["-E", "-P", "-C"], cwd=entry["directory"], capture_output=True,
                          check=False)
    if made.returncode != 0:
        return None
    text = salt + " ".join(words).encode() + made.stdout
    return hashlib.sha256(text.replace(str(ROOT).encode(), b"")).hexdigest()


def check(entry, build, salt):
    """The faults as text; empty if there are none."""
    name = stamp_of(entry, salt)
    stamp = STAMPS / name if name else None
    if stamp and stamp.exists():
        return ""
    done = subprocess.run(["clang-tidy", "--quiet", "--extra-arg=-Wno-unknown-warning-option",
                           "-p", str(build), entry["file"]],
                          capture_output=True, text=True, check=False)
    if done.returncode == 0:
        if stamp:
            stamp.touch()
        return ""
    return f"{entry['file']}:\n{done.stdout}{done.stderr}"


def main(arguments):
    build = pathlib.Path(arguments[0]).resolve()
    chosen = {str(pathlib.Path(name).resolve()) for name in arguments[1:]}
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        name = pathlib.Path(entry["file"])
        ours = name.is_relative_to(ROOT) and not name.is_relative_to(ROOT / "build")
        if ours and (not chosen or str(name) in chosen):
            entries[str(name)] = entry
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    salt = version + (ROOT / ".clang-tidy").read_bytes()
    STAMPS.mkdir(parents=True, exist_ok=True)
    # The biggest first, so that none is left alone at the end.
    ordered = sorted(entries.values(), key=lambda e: -os.path.getsize(e["file"]))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [text for text in pool.map(lambda e: check(e, build, salt), ordered) if text]
    print("\n".join(faults) if faults else f"{len(ordered)} units are clean")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
