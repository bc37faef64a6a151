#!/usr/bin/env python3
"""Makes the packages of a tree that was built, and looks at what is in them, at what they say of
themselves, and at the service unit.

Usage: tests/packages/contents_test.py SOURCE_DIR BUILD_DIR
"""

import pathlib
import re
import subprocess
import sys
import tempfile

CONFIGURATION = {"/etc/resmgr/resmgr.toml", "/etc/resmgr/services.d/hello.toml",
                 "/etc/resmgr/services.d/jupyter.toml", "/etc/resmgr/services.d/terminal.toml"}
IMAGES = {f"/usr/share/resmgr/{path}" for path in (
    "images/hello/Dockerfile", "images/hello/build", "images/hello/index.html",
    "images/jupyter/build", "images/terminal/build", "lib/common.sh", "lib/debian.sh",
    "lib/debian-image.sh")}
DOCUMENTS = {"changelog.Debian.gz", "changelog.gz", "copyright"}
# Debian 13 has units under /usr/lib, as packages see it.
UNIT = re.compile(r"(/usr)?/lib/systemd/system/resmgr-agent\.service")
FILES = {
    "resmgr": {
        "/usr/bin/resmgr", "/usr/share/man/man1/resmgr.1.gz",
        "/usr/share/bash-completion/completions/resmgr.bash",
        "/usr/share/fish/vendor_completions.d/resmgr.fish",
        "/usr/share/zsh/vendor-completions/_resmgr",
    },
    "resmgr-agent": CONFIGURATION | IMAGES | {
        "/usr/sbin/resmgr-agent", "/usr/share/man/man5/resmgr-services.5.gz",
        "/usr/share/man/man5/resmgr.toml.5.gz", "/usr/share/man/man8/resmgr-agent.8.gz",
        "/usr/lib/sysusers.d/resmgr-agent.conf", "/usr/lib/tmpfiles.d/resmgr-agent.conf",
    },
}
FIELDS = {  # what they must hold
    "resmgr": {"Section": "admin", "Priority": "optional", "Depends": "libc6 (>="},
    "resmgr-agent": {"Section": "admin", "Priority": "optional", "Depends": "libsqlite3-0 (>=",
                     "Recommends": "docker.io"},
}


def run(*command, check=True):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout if check else (done.returncode, done.stdout)


def unpack(package, folder):
    run("dpkg-deb", "--raw-extract", package, folder)
    return {"/" + str(path.relative_to(folder)): path for path in sorted(folder.rglob("*"))
            if not path.is_dir() and path.relative_to(folder).parts[0] != "DEBIAN"}


def check_files(name, files):
    documents = f"/usr/share/doc/{name}/"
    kept = {path for path in files if not path.startswith(documents) and not UNIT.fullmatch(path)}
    yield from (f"{name}: '{path}' is not in it" for path in FILES[name] - kept)
    yield from (f"{name}: '{path}' is in it" for path in kept - FILES[name])
    yield from (f"{name}: '{documents}{document}' is not in it" for document in DOCUMENTS
                if documents + document not in files)
    if name == "resmgr-agent" and len([path for path in files if UNIT.fullmatch(path)]) != 1:
        yield f"{name}: the unit is not in it"


def check_control(name, package, folder):
    for field, part in FIELDS[name].items():
        value = run("dpkg-deb", "--field", package, field).strip()
        if part not in value:
            yield f"{name}: its {field} is '{value}', without '{part}'"
    marked = folder / "DEBIAN" / "conffiles"
    marked = set(marked.read_text().split()) if marked.exists() else set()
    if marked != (CONFIGURATION if name == "resmgr-agent" else set()):
        yield f"{name}: its conffiles are {sorted(marked)}"


def check_program(program):
    head = run("readelf", "--wide", "--file-header", "--dynamic", "--sections", program)
    for what, found in {"a position of its own": "Type:.*DYN", "binding at its start": "BIND_NOW",
                        "stripped symbols": r"\A(?!.*\.symtab)"}.items():
        if not re.search(found, head, re.DOTALL if found.startswith(r"\A") else 0):
            yield f"'{program.name}' lacks {what}"
    if re.search(r"\((RPATH|RUNPATH)\)", head):
        yield f"'{program.name}' looks for libraries where it was built"


def check_unit(unit, readme, work):
    # On a machine where nothing is installed its program is not there.
    copy = work / unit.name
    copy.write_text(unit.read_text().replace("/usr/sbin/resmgr-agent", "/bin/true"))
    code, told = run("systemd-analyze", "--man=no", "verify", copy, check=False)
    if code != 0 or told.strip():
        yield f"the unit: {told.strip()}"
    told = run("systemd-analyze", "security", "--offline=true", "--no-pager", copy)
    score = float(re.search(r"Overall exposure level.*: ([0-9.]+)", told).group(1))
    named = re.search(r"systemd-analyze security`? scores it ([0-9.]+)", readme.read_text())
    if not named:
        yield "README does not name the unit's score"
    elif score > float(named.group(1)):
        yield f"the unit's score is {score}, and README says {named.group(1)}"


def development(packages):
    return {name for name in packages if name.endswith("-dev") or name.startswith("libjs-")}


def check_source(source):
    """What is said twice is the same."""
    debian = source / "packaging" / "debian"
    version = re.search(r"project\(resmgr VERSION ([0-9.]+)", (source / "CMakeLists.txt").read_text())
    changes = (debian / "changelog").read_text()
    if not changes.startswith(f"resmgr ({version.group(1)}) "):
        yield f"packaging/debian/changelog does not begin with version {version.group(1)}"
    wanted = re.search(r"Build-Depends:\n((?: .*\n)+)", (debian / "control").read_text()).group(1)
    wanted = development(re.findall(r"^ ([a-z0-9.+-]+)", wanted, re.MULTILINE))
    installed = development(run(source / "packaging" / "install-deps", "--build", "--list").split())
    if wanted != installed:
        yield f"Build-Depends and install-deps differ in {sorted(wanted ^ installed)}"


def check_packages(source, build, work):
    run(source / "packaging" / "build-deb", "--no-install", "--built", build, "--output", work)
    for name in FILES:
        packages = list(work.glob(f"{name}_*.deb"))
        if len(packages) != 1:
            yield f"{name}: there are {len(packages)} packages of it"
            continue
        folder = work / name
        files = unpack(packages[0], folder)
        yield from check_files(name, files)
        yield from check_control(name, packages[0], folder)
        for path, file in files.items():
            if re.match(r"/usr/s?bin/", path):
                yield from check_program(file)
            if UNIT.fullmatch(path):
                yield from check_unit(file, source / "README.md", work)
    code, told = run("lintian", "--allow-root", "--fail-on", "error", *work.glob("*.changes"),
                     check=False)
    if code != 0:
        yield f"lintian: {told}"


def main(source, build):
    source = pathlib.Path(source).resolve()
    with tempfile.TemporaryDirectory() as work:
        faults = [*check_source(source), *check_packages(source, build, pathlib.Path(work))]
    print("\n".join(faults) or "the packages are as they should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
