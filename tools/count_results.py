#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count_results.py PRESET RESULTS [SANITIZER_REPORTS] - one line a test: `PRESET passed|failed|skipped NAME[: why]`.
count_results.py --said RESULTS - the end of what each program said that failed.

RESULTS holds ctest.xml (JUnit, from ctest) and one NAME.tap for each Criterion program. A program counts by its tests;
it fails besides if ctest says so and none of its tests does (a crash of the runner, a time-out), or if it planned more
tests than it reported. Each report that a sanitizer left fails. A test that is no Criterion program may say more about
itself in a line that begins with `NOTE: `.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree

SAID_LINES, SAID_COLUMNS = 30, 300


def tap_lines(text):
    """[(outcome, name, why)] of a TAP file, with a failure for tests that were planned and never reported."""
    found = []
    planned = re.search(r"^1\.\.(\d+)", text, re.MULTILINE)
    for line in text.splitlines():
        hit = re.match(r"(not )?ok - (\S+)\s*(.*)", line)
        if not hit:
            continue
        refused, name, rest = hit.groups()
        skip = re.search(r"# SKIP\s*(.*)", rest)
        if refused:
            found.append(("failed", name, rest.strip()))
        elif skip:
            found.append(("skipped", name, skip.group(1).strip() or "no reason given"))
        else:
            found.append(("passed", name, ""))
    if not planned:
        found.append(("failed", "plan", "the program ended before it began"))
    elif int(planned.group(1)) > len(found):
        found.append(("failed", "plan", f"{len(found)} of {planned.group(1)} tests were reported"))
    elif not found:
        found.append(("failed", "plan", "the program has no test"))
    return found


def cases_of(results):
    return xml.etree.ElementTree.parse(results / "ctest.xml").getroot().iter("testcase")


def said(results):
    for case in cases_of(results):
        if case.get("status") == "fail":
            lines = (case.findtext("system-out") or "").strip().splitlines()
            end = f", at the end of {len(lines)} lines" if len(lines) > SAID_LINES else ""
            yield f"{case.get('name')} said{end}:"
            yield from (f"    {line[:SAID_COLUMNS]}" for line in lines[-SAID_LINES:] or ["nothing"])


def count(results, reports):
    lines = []
    for case in cases_of(results):
        name, status = case.get("name"), case.get("status")
        tap = results / f"{name}.tap"
        output = case.findtext("system-out") or ""
        if tap.exists():
            tests = tap_lines(tap.read_text(errors="replace"))
            lines += [(outcome, f"{name} {test}", why) for outcome, test, why in tests]
            if status == "fail" and not any(outcome == "failed" for outcome, _, _ in tests):
                lines.append(("failed", name, "its tests passed, the program did not"))
        elif status == "run":
            note = re.search(r"^NOTE: *(.*)", output, re.MULTILINE)
            lines.append(("passed", name, note.group(1) if note else ""))
        elif status in ("notrun", "disabled") and case.find("skipped") is not None:
            skip = re.search(r"SKIP: *(.*)", output)
            skipped = skip is not None
            lines.append(("skipped" if skipped else "failed", name, skip.group(1) if skipped else "it did not run"))
        else:
            why = re.search(r"^again: .*", output, re.MULTILINE)
            lines.append(("failed", name, why.group(0) if why else ""))
    for report in sorted(reports.iterdir()) if reports and reports.is_dir() else []:
        summary = re.search(r"SUMMARY: .*|runtime error: .*", report.read_text(errors="replace"))
        lines.append(("failed", report.name, summary.group(0) if summary else "a sanitizer's report"))
    return lines


def main(preset, results, reports=None):
    if preset == "--said":
        print(*said(pathlib.Path(results)), sep="\n")
        return
    for outcome, name, why in count(pathlib.Path(results), pathlib.Path(reports) if reports else None):
        print(f"{preset} {outcome} {name}" + (f": {why}" if why else ""))


if __name__ == "__main__":
    main(*sys.argv[1:])
