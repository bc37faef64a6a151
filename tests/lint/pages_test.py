#!/usr/bin/env python3
"""Compares resmgr-agent(8) with the program's own --help, and resmgr-services(5) with the keys that
the catalog reads.

Usage: tests/lint/pages_test.py AGENT_PROGRAM SOURCE_DIR
"""

import pathlib
import re
import subprocess
import sys

GIVEN = {"--help", "--version"}


def offered(agent, *command):
    """The options and commands of the program and of each of its commands."""
    text = subprocess.run([agent, *command, "--help"], check=True, capture_output=True, text=True,
                          env={}).stdout
    options = set(re.findall(r"^\s+(?:-\w,)?(--[a-z-]+)", text, re.MULTILINE)) - GIVEN
    _, _, listed = text.partition("Subcommands:")
    commands = set()
    for name in re.findall(r"^  (\w+)\s", listed, re.MULTILINE):
        commands.add(" ".join([*command, name]))
        deeper, more = offered(agent, *command, name)
        options |= deeper
        commands |= more
    return options, commands


def check_agent(agent, page):
    text = page.read_text().replace(r"\-", "-")
    options, commands = offered(agent)
    if not options or not commands:
        yield f"'{agent} --help' offers nothing"
    explained = set(re.findall(r"^\.TP\n\.B[IR]* [^\n]*?(--[a-z-]+)", text, re.MULTILINE)) - GIVEN
    told = set(re.findall(r"--[a-z-]+", text))
    yield from (f"{page.name} does not explain {option}" for option in options - told)
    yield from (f"{page.name} explains {option}, which there is not" for option in explained - options)
    titles = set(re.findall(r"^\.TP\n\.B[IR]? \"?([a-z]+(?: [a-z]+)?)\b", text, re.MULTILINE))
    yield from (f"{page.name} does not explain '{command}'" for command in sorted(commands)
                if command not in titles and not any(other.startswith(command + " ")
                                                     for other in commands))


def keys_read(source):
    """section -> keys; '' is the top of the file."""
    text = (source / "agent" / "catalog" / "service_reader.cc").read_text()
    words = lambda listed: set(re.findall(r'"(\w+)"', listed))
    keys = {"": words(re.search(r'document, "",\s*\{([^}]*)\}', text).group(1))}
    for section, listed in re.findall(r'top\.tables?\("(\w+)",\s*\{([^}]*)\}', text):
        keys[section] = words(listed)
    return keys


def keys_explained(page):
    keys, section = {"": set()}, ""
    text = page.read_text()
    text = text[text.index(".SH KEYS"):]
    text = text[:text.index("\n.SH ", 1)]
    for heading, key in re.findall(r"^\.SS \[+(\w+)\]+$|^\.TP\n\.BR? (\w+)(?= \" = \"|$)", text,
                                   re.MULTILINE):
        if heading:
            section = heading
            keys[section] = set()
        else:
            keys[section].add(key)
    return keys


def check_services(source):
    read, explained = keys_read(source), keys_explained(source / "man" / "resmgr-services.5")
    # A table in one line, explained where it stands.
    inline = read.pop("probe")
    explained[""] -= inline
    for section in sorted(read | explained):
        known, told = read.get(section, set()), explained.get(section, set())
        tables = set(read) if section == "" else set()
        yield from (f"resmgr-services(5) does not explain [{section}] {key}"
                    for key in sorted(known - told - tables))
        yield from (f"resmgr-services(5) explains [{section}] {key}, which is not read"
                    for key in sorted(told - known))


def main(agent, source):
    source = pathlib.Path(source)
    faults = [*check_agent(agent, source / "man" / "resmgr-agent.8"), *check_services(source)]
    print("\n".join(faults) or "the pages tell what there is")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
