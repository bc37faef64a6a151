#!/usr/bin/env python3
"""Measures, and writes the report: what tests/bench/run starts once all is built."""

import argparse
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import figures
import machine
import report
import sections
import stand
import targets


def end(number, _):
    """What was started is ended on the way out."""
    sys.exit(128 + number)


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], choices=sections.NAMES, metavar="NAME",
                        help="some of: " + ", ".join(sections.NAMES))
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all works")
    parser.add_argument("--dir", default="/tmp", type=pathlib.Path,
                        help="where the data lie while it measures (default: /tmp): 10 GB of them, "
                             "on the disk that matters")
    parser.add_argument("--out", default=stand.ROOT / "build/bench", type=pathlib.Path,
                        help="where the report goes (default: build/bench)")
    given = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=given.dir))
    # PostgreSQL's user has to get through.
    directory.chmod(0o711)
    began = time.time()
    about = {"began": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(began)),
             "quick": given.quick, "only": given.only, **machine.describe(directory)}
    run = sections.Run(figures.Figures(), directory, given.quick, given.only)
    try:
        about["failed"] = sections.measure(run)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    about["took"] = (f"{(time.time() - began) / 60:.0f} minutes"
                     + (", a quick run with small sizes" if given.quick else ""))
    rows = targets.rows_of(run.figures)
    files = report.write(given.out, about, rows, run.figures)
    for row in rows:
        if row["verdict"] != "not measured":
            print(f"{row['verdict']:7} {row['what']}: {row['measured']}  [{row['target']}]")
    print("\n".join(f"wrote {file}" for file in files))
    return 1 if about["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
