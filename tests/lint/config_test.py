#!/usr/bin/env python3
"""Holds the shipped resmgr.toml to the agent: every key stands in it once, commented out, with its
default; and the agent takes the file, as it is and with every key in force.

Usage: tests/lint/config_test.py AGENT_PROGRAM CONFIG_FILE
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

KEY = re.compile(r"^#(\w+) = ", re.MULTILINE)


def shown(agent, text):
    """section.key -> (value, where it came from), or why the agent does not take that text."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([agent, "--config", file.name, "config", "show", "--output", "json"],
                              capture_output=True, text=True, check=False, env={})
    if done.returncode != 0:
        return {}, done.stderr
    return {key["key"]: (key["value"], key["origin"]) for key in json.loads(done.stdout)}, ""


def keys_of(text):
    section = None
    for line in text.splitlines():
        heading = re.match(r"\[(\w+)\]$", line)
        section = heading.group(1) if heading else section
        key = KEY.match(line)
        if key:
            yield f"{section}.{key.group(1)}"


def may_stand_in_a_file(agent, key):
    section, name = key.split(".")
    return any(not shown(agent, f"[{section}]\n{name} = {value}\n")[1]
               for value in ('""', "[]", "false", "0", '"1s"', '"1GiB"', '"info"'))


def main(agent, path):
    text = pathlib.Path(path).read_text()
    defaults, fault = shown(agent, "")
    untouched, fault_as_it_is = shown(agent, text)
    in_force, fault_in_force = shown(agent, KEY.sub(r"\1 = ", text))
    faults = [f"the agent refuses it: {what}"
              for what in (fault, fault_as_it_is, fault_in_force) if what]
    if untouched != defaults:
        faults.append("as it is, it changes something")
    names = list(keys_of(text))
    faults += [f"'{key}' is there twice" for key in set(names) if names.count(key) > 1]
    for key, (value, _) in defaults.items():
        if key in names and in_force.get(key, (value, ""))[0] != value:
            faults.append(f"the default of '{key}' is '{value}', and not '{in_force[key][0]}'")
        if key not in names and may_stand_in_a_file(agent, key):
            faults.append(f"'{key}' is not there")
    if not names:
        faults.append("it has no keys")
    print("\n".join(f"{path}: {fault}" for fault in faults) or f"{len(names)} keys are as they are")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
