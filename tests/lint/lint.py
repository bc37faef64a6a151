#!/usr/bin/env python3
"""Holds the tree to its layout: who may include whom, where a library's headers may stand, and a
few rules of style that no compiler checks.

Usage: tests/lint/lint.py [ROOT]      prints 'file:line: what is wrong', and ends with 1 if any is
       tests/lint/lint.py --self-test  shows that each rule can fail
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOMS = [
    # (files that begin with this, what of our own they may include beside their own room)
    # The first that fits counts.
    ("agent/journal/", ["common/"]),
    ("agent/engine/", ["common/"]),
    ("agent/catalog/", ["common/"]),
    ("agent/identity/", ["common/"]),
    ("agent/sinks/", ["common/", "agent/journal/", "agent/identity/user_directory.h",
                     "agent/identity/user_profiles.h"]),
    ("agent/tasks/", ["common/", "agent/journal/", "agent/catalog/", "agent/engine/engine.h",
                      "agent/engine/labels.h"]),
    ("agent/api/", ["common/", "agent/journal/", "agent/tasks/", "agent/catalog/",
                    "agent/identity/", "agent/sinks/status.h"]),
    ("agent/", [""]),  # directly in agent/ stands what puts the rest together
    ("cli/", ["common/"]),
    ("common/", []),
    ("tests/", [""]),
]

LIBRARIES = [
    # (name, what its includes look like, the files that may hold them)
    ("SQLite", r"SQLiteCpp/|sqlite3\.h", ["agent/journal/", "tests/"]),
    ("libpqxx", r"pqxx/|libpq-fe\.h", ["agent/sinks/postgres_", "tests/"]),
    ("simdjson", r"simdjson\.h", ["agent/sinks/postgres_rows"]),
    ("cpp-httplib", r"httplib\.h", ["common/http"]),
    ("Boost", r"boost/", ["agent/api/"]),
    ("OpenSSL", r"openssl/", ["agent/identity/", "common/crypto", "tests/"]),
    ("toml++", r"toml\+\+/|toml\.hpp|tomlplusplus/", ["common/config", "agent/catalog/"]),
    ("CLI11", r"CLI/", ["cli/", "agent/main.cc"]),
    ("spdlog", r"spdlog/|fmt/", ["common/log"]),
    ("libsystemd", r"systemd/", ["agent/main.cc", "agent/watchdog.cc"]),
    ("prometheus-cpp", r"prometheus/", ["agent/api/metrics"]),
    ("GoogleTest", r"gtest/|gmock/", ["tests/"]),
]

# Longer than that for a reason, which stands beside the name.
LONG_FILES = {
}
MAX_LINES = 300
MAX_TEST_LINES = 500  # a list of cases grows, and hides nothing
MAX_COLUMNS = 100

# Built from pieces, so that this file does not hold what it looks for.
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|GTEST_" r"SKIP|DIS" r"ABLED_\w*)\b")
VAGUE_NAME = re.compile(r"\b(?:class|struct)\s+(\w*(?:Manager|Helper|Utils?))\b")
INTERFACE_NAME = re.compile(r"\b(?:class|struct)\s+(I[A-Z][a-z]\w*)\s*(?:\{|final|:)")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
OWN_FOLDERS = ("agent/", "cli/", "common/", "tests/")
FILE_NAME = re.compile(r"^[a-z0-9_]+\.(?:h|cc)$")


def is_ours(include):
    return include.startswith(OWN_FOLDERS)


def allowed_by_table(path, include):
    if include.rsplit("/", 1)[0] == path.rsplit("/", 1)[0]:
        return True
    for room, may in ROOMS:
        if path.startswith(room):
            own = room.endswith("/") and room != "agent/" and include.startswith(room)
            return own or include.startswith(tuple(may))
    return False


def check_includes(path, lines):
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quote, include = found.groups()
        if quote == '"' and is_ours(include):
            if not allowed_by_table(path, include):
                yield number, f"may not include '{include}': the include table forbids it"
            continue
        if quote == '"' and "/" not in include:
            yield number, f"includes '{include}' without its folder: write the path from the root"
        for name, pattern, may in LIBRARIES:
            if re.match(pattern, include) and not path.startswith(tuple(may)):
                yield number, f"includes '{include}': {name} stays behind {' or '.join(may)}"


def check_guard(path, lines):
    guard = "RESMGR_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"
    text = "\n".join(lines)
    if f"#ifndef {guard}\n#define {guard}\n" not in text + "\n":
        yield 1, f"lacks the header guard '{guard}'"
    elif not text.rstrip().endswith(f"#endif  // {guard}"):
        yield len(lines), f"does not end with '#endif  // {guard}'"


def check_text(path, lines):
    is_code = path.endswith((".h", ".cc"))
    for number, line in enumerate(lines, 1):
        mark = MARKS.search(line)
        if mark:
            yield number, f"holds the mark '{mark.group(1)}': finish it, or file it elsewhere"
        if line != line.rstrip():
            yield number, "ends in white space"
        if not is_code:
            continue
        if "\t" in line:
            yield number, "holds a tab"
        if len(line) > MAX_COLUMNS and "http" not in line and "R\"" not in line:
            yield number, f"has {len(line)} columns, more than {MAX_COLUMNS}"
        for pattern in (VAGUE_NAME, INTERFACE_NAME):
            name = pattern.search(line)
            if name:
                yield number, f"names a type '{name.group(1)}': say what it is"
        if path.endswith(".h") and re.match(r"\s*using\s+namespace\b", line):
            yield number, "opens a namespace for everyone who includes it"


def check_file(path, text):
    lines = text.split("\n")
    if text and not text.endswith("\n"):
        yield len(lines), "does not end with a newline"
    else:
        lines = lines[:-1]
    yield from check_text(path, lines)
    if not path.endswith((".h", ".cc")):
        return
    if not FILE_NAME.match(path.rsplit("/", 1)[1]):
        yield 1, "is not named in snake_case with .h or .cc"
    yield from check_includes(path, lines)
    if path.endswith(".h"):
        yield from check_guard(path, lines)
    limit = MAX_TEST_LINES if path.startswith("tests/") else MAX_LINES
    if len(lines) > limit and path not in LONG_FILES:
        yield len(lines), f"has {len(lines)} lines, more than {limit}: could it be two files?"


def files_of(root):
    """What git knows or would add; without git, everything outside build/."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    if listed.returncode == 0:
        names = sorted(set(listed.stdout.decode().split("\0")) - {""})
    else:
        names = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    skipped = ("build/", ".git/")
    return [n for n in names if not n.startswith(skipped) and (root / n).is_file()]


def faults_of(root):
    names = files_of(root)
    for name in names:
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        for number, what in check_file(name, text):
            yield f"{name}:{number}: {what}"
    for name in LONG_FILES:
        if name not in names:
            yield f"tests/lint/lint.py:1: LONG_FILES lists '{name}', which is not there"


def self_test():
    guard = "#ifndef RESMGR_{0}_H_\n#define RESMGR_{0}_H_\n{1}#endif  // RESMGR_{0}_H_\n"
    good = {
        "common/a.h": guard.format("COMMON_A", ""),
        "agent/tasks/b.cc": '#include "agent/engine/engine.h"\n#include "common/a.h"\n',
        "agent/journal/c.cc": "#include <SQLiteCpp/SQLiteCpp.h>\n",
        "agent/agent.cc": '#include "agent/api/server.h"\n',
        "cli/commands/list.cc": '#include "cli/app.h"\n#include "cli/commands/commands.h"\n',
    }
    bad = {
        "common/d.cc": '#include "agent/api/server.h"\n',
        "cli/e.cc": '#include "agent/tasks/plan.h"\n',
        "agent/tasks/f.cc": '#include "agent/engine/docker_engine.h"\n',
        "agent/api/g.cc": '#include "agent/engine/engine.h"\n',
        "agent/sinks/u.cc": '#include "agent/settings.h"\n',
        "agent/engine/h.cc": "#include <httplib.h>\n",
        "agent/tasks/i.cc": "#include <boost/asio.hpp>\n",
        "common/j.cc": "#include <sqlite3.h>\n",
        "common/k.h": guard.format("COMMON_OTHER", ""),
        "common/l.cc": "int x;  // TO" "DO\n",
        "common/m.cc": "int x;\n" * (MAX_LINES + 1),
        "tests/v.cc": "int x;\n" * (MAX_TEST_LINES + 1),
        "common/n.cc": "int x;",
        "common/o.cc": "int x; \n",
        "common/p.cc": "class TaskManager;\n",
        "common/q.cc": "int x;  // " + "y" * MAX_COLUMNS + "\n",
        "common/Upper.cc": "int x;\n",
        "common/r.h": guard.format("COMMON_R", "using namespace std;\n"),
        "common/s.cc": '#include "ids.h"\n',
        "tests/t.cc": "TEST(A, DIS" "ABLED_b) {}\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**good, **bad}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        faulty = {line.split(":")[0] for line in faults_of(root)
                  if not line.startswith("tests/lint/")}
    wrong = [f"{name}: a fault was not seen" for name in bad if name not in faulty]
    wrong += [f"{name}: a fault was seen where there is none" for name in good if name in faulty]
    print("\n".join(wrong) if wrong else f"{len(bad)} planted faults were seen")
    return 1 if wrong else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    root = pathlib.Path(arguments[0] if arguments else __file__ + "/../../..").resolve()
    faults = list(faults_of(root))
    print("\n".join(faults) if faults else f"{len(files_of(root))} files are as they should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
