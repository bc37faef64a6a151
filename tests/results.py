#!/usr/bin/env python3
"""Counts what a run of CTest came to, GoogleTest's cases one by one.

Usage: tests/results.py DIR…
In each DIR are a run's ctest.xml, of 'ctest --output-junit', and what GTEST_OUTPUT=json:DIR/ made; of
a test that several runs have, the last counts. Prints 'PASSED FAILED'. What did not run, or was
skipped, counts as failed and is named on standard error; so does a program that ended badly though
its cases passed, and one without a case.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree


def cases_of(file):
    """(name, fault or None) of each case of a program."""
    for suite in json.loads(file.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            name = f"{suite['name']}.{case['name']}"
            if "failures" in case:
                yield name, "failed"
            elif case["result"] != "COMPLETED":
                yield name, "was not run to its end: " + case["result"].lower()
            else:
                yield name, None


def results_of(test, gtest_dir):
    name, status = test.get("name"), test.get("status")
    file = gtest_dir / f"{name}.json"
    if status not in ("run", "fail"):
        yield name, "was not run: " + str(status)
    elif not file.exists():
        yield name, None if status == "run" else "failed"
    else:
        cases = list(cases_of(file))
        yield from ((f"{name}: {case}", fault) for case, fault in cases)
        if not cases:
            yield name, "has no case"
        elif status == "fail" and not any(fault for _, fault in cases):
            yield name, "ended badly, though its cases passed"


def tests_of(run):
    """Name to results of a run's tests."""
    file = run / "ctest.xml"
    if not file.exists():
        return {"ctest": [("ctest", f"left no {file}")]}
    tests = xml.etree.ElementTree.parse(file).getroot().iter("testcase")
    return {test.get("name"): list(results_of(test, run)) for test in tests}


def main(*runs):
    tests = {}
    for run in runs:
        tests.update(tests_of(pathlib.Path(run)))
    results = [result for of_test in tests.values() for result in of_test]
    if not results:
        results = [("ctest", "found no test")]
    for name, fault in results:
        if fault:
            print(f"   {name}: {fault}", file=sys.stderr)
    failed = sum(1 for _, fault in results if fault)
    print(len(results) - failed, failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
