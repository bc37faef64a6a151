#!/usr/bin/env python3
"""Compares resmgr.toml(5) with the agent's own table of keys: names and defaults.

Usage: tests/lint/manual_test.py AGENT_PROGRAM MANUAL_PAGE
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile


def documented(page):
    """section.key -> default, as the environment would have it."""
    keys, section = {}, None
    for line in page.read_text().splitlines():
        heading = re.match(r"\.SS \[(\w+)\]$", line)
        if heading:
            section = heading.group(1)
        key = re.match(r'\.BR (\w+) " = " (.*)$', line)
        if key:
            text = key.group(2).replace(r"\(dq", '"').replace("\\ ", " ")
            value = json.loads(text)  # of these types, TOML's values look like JSON's
            if isinstance(value, list):
                text = ",".join(value)
            elif isinstance(value, str):
                text = value
            keys[f"{section}.{key.group(1)}"] = text
    return keys


def known(agent):
    with tempfile.NamedTemporaryFile(suffix=".toml") as empty:
        shown = subprocess.run([agent, "--config", empty.name, "config", "show"], check=True,
                               capture_output=True, text=True, env={}).stdout
    return {key: value for key, value, _ in (line.split("\t") for line in shown.splitlines())}


def main(agent, page):
    in_page, in_agent = documented(pathlib.Path(page)), known(agent)
    faults = [f"'{key}' is not in {page}" for key in in_agent if key not in in_page]
    faults += [f"'{key}' is in {page}, and the agent does not know it"
               for key in in_page if key not in in_agent]
    faults += [f"the default of '{key}' is '{in_agent[key]}', and {page} says '{value}'"
               for key, value in in_page.items() if in_agent.get(key, value) != value]
    if not in_agent:
        faults.append("'config show' printed nothing")
    print("\n".join(faults) if faults else f"{len(in_page)} keys are documented as they are")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
