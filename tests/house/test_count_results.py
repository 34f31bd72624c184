#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sees tools/count_results.py count what passed, failed and was skipped, and what ended before it could say so; and
show what those said that failed."""
import pathlib
import subprocess
import sys
import tempfile

COUNTER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "count_results.py"
JUNIT = """<?xml version="1.0"?><testsuite>
<testcase name="test_good" status="run"/><testcase name="test_bad" status="fail"/>
<testcase name="test_short" status="run"/><testcase name="test_mute" status="fail"/>
<testcase name="test_late" status="fail"/><testcase name="test_empty" status="run"/>
<testcase name="house_a" status="run"/><testcase name="house_b" status="fail"><system-out>
""" + "\n".join(f"line {i}" for i in range(40)) + """</system-out></testcase>
<testcase name="house_c" status="notrun"><skipped/><system-out>SKIP: no tool\n</system-out></testcase>
<testcase name="fuzz_a" status="run"><system-out>...
NOTE: 7 executions
OK
</system-out></testcase>
<testcase name="fuzz_b" status="fail"><system-out>FAILED: x
again: fuzz_b x
</system-out></testcase>
<testcase name="house_d" status="notrun"><skipped/><system-out>Unable to find executable</system-out></testcase>
</testsuite>"""
TAPS = {
    "test_good": "1..2\n# Criterion\nok - a::b \nok - a::c  # SKIP Wine ignores it\n",
    "test_bad": "1..2\nok - a::b \nnot ok - a::c unexpected signal\n",
    "test_short": "1..3\nok - a::b \n",
    "test_mute": "",
    "test_late": "1..1\nok - a::b \n",
    "test_empty": "1..0\n",
}
EXPECTED = """p passed test_good a::b
p skipped test_good a::c: Wine ignores it
p passed test_bad a::b
p failed test_bad a::c: unexpected signal
p passed test_short a::b
p failed test_short plan: 1 of 3 tests were reported
p failed test_mute plan: the program ended before it began
p passed test_late a::b
p failed test_late: its tests passed, the program did not
p failed test_empty plan: the program has no test
p passed house_a
p failed house_b
p skipped house_c: no tool
p passed fuzz_a: 7 executions
p failed fuzz_b: again: fuzz_b x
p failed house_d: it did not run
p failed report.7: SUMMARY: a race
"""

SAID = """test_bad said:
    nothing
test_mute said:
    nothing
test_late said:
    nothing
house_b said, at the end of 40 lines:
""" + "".join(f"    line {i}\n" for i in range(10, 40)) + """fuzz_b said:
    FAILED: x
    again: fuzz_b x
"""


def heard(*arguments):
    return subprocess.run([sys.executable, str(COUNTER), *arguments], capture_output=True, text=True, check=True).stdout


with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    (root / "reports").mkdir()
    (root / "reports/report.7").write_text("WARNING\nSUMMARY: a race\n")
    (root / "ctest.xml").write_text(JUNIT)
    for name, text in TAPS.items():
        (root / f"{name}.tap").write_text(text)
    counted = heard("p", str(root), str(root / "reports"))
    for found, expected in ((counted, EXPECTED), (heard("--said", str(root)), SAID)):
        if found != expected:
            print(f"expected\n{expected}\nfound\n{found}")
            sys.exit(1)
print("OK: everything is counted")
