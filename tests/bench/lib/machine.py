"""What it was measured on."""

import os
import pathlib
import platform
import re
import subprocess

import stand


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "-"
    return (done.stdout + done.stderr).strip().split("\n")[0]


def version_in(text):
    found = re.search(r"\d+(\.\d+)+", text)
    return found.group() if found else text


def field(file, name):
    for line in pathlib.Path(file).read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return "-"


def package(name):
    file = stand.EXPRESS / f"node_modules/{name}/package.json"
    found = re.search(r'"version": "([^"]+)"', file.read_text()) if file.exists() else None
    return found.group(1) if found else "-"


def describe(directory):
    """{machine, versions}, each {name: text}."""
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 1024 ** 2
    postgres = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return {
        "machine": {
            "processor": field("/proc/cpuinfo", "model name"),
            "cores": str(os.cpu_count()),
            "memory": f"{memory:.1f} GiB",
            "kernel": platform.release(),
            "file system of the data": first_line("stat", "-f", "-c", "%T", str(directory)),
            "load average at the start": f"{os.getloadavg()[0]:.2f}",
        },
        "versions": {
            "resmgr": first_line("git", "-C", str(stand.ROOT), "describe", "--always", "--dirty"),
            "Docker": first_line("docker", "version", "--format",
                                 "{{.Server.Version}}, command {{.Client.Version}}"),
            "Node.js": first_line("node", "--version"),
            "Express": package("express"),
            "pg": package("pg"),
            "jsonwebtoken": package("jsonwebtoken"),
            "PostgreSQL": version_in(first_line(str(postgres[-1]), "--version")) if postgres else "-",
            "wrk": version_in(first_line("wrk", "-v")),
        },
    }
