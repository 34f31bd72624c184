#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_sanitizers.py VICTIM SYSTEM SANITIZERS - sees that each sanitizer this preset is built with ends a program that
does what it is there to find, and says so: otherwise a suite that passes under it says nothing."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from begun import once_more   # noqa: E402

victim, system, sanitizers = sys.argv[1:]
UNDEFINED = {   # on Linux and on Windows, where the words are those of tests/support/windows/ubsan.c
    "overflow": (r"signed integer overflow: 2147483647 \+ 1", r"signed overflow: 2147483647 \+ 1 \('int'\)"),
    "shift": (r"shift exponent 40 is too large", r"shift of 1 \('int'\) by 40"),
    "divide": (r"division by zero", r"signed overflow: 1 / 0 \('int'\)"),
    "index": (r"index 7 out of bounds for type 'int\[4\]'|index 7 out of bounds", r"index 7 of an array that is 'int"),
    "misaligned": (r"load of misaligned address", r"use of 0x[0-9a-f]+ as '.*int', which is aligned to 4"),
    "null": (r"load of null pointer", r"use of NULL as '.*int'"),
    "bool": (r"load of value 5, which is not a valid value", r"a value that its type does not have: 5 \('_Bool'\)"),
}
expected = {}
if "undefined" in sanitizers:
    for kind, texts in UNDEFINED.items():
        expected[kind] = r"victim\.c:\d+:\d+: runtime error: (" + texts[system == "windows"] + ")"
if "address" in sanitizers:
    expected["leak"] = r"LeakSanitizer: detected memory leaks[^$]*victim_leak"
    expected["after_free"] = r"heap-use-after-free[^$]*victim_after_free"
if "thread" in sanitizers:
    expected["race"] = r"data race[^$]*victim_thread"

environment = dict(os.environ)
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):   # a log elsewhere hides it from here
    environment.pop(name, None)
command = ["wine", victim] if system == "windows" else [victim]


def run(*arguments):
    return once_more(ran, [*command, *arguments])


def ran(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=environment, timeout=100, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


wrong = [] if expected else [f"nothing is known of -fsanitize={sanitizers}"]
code, output = run()
if code != 0:
    wrong.append(f"it does nothing wrong, and ends with {code}: {output}")
for kind, pattern in expected.items():
    code, output = run(kind)
    if code == 0 or (system == "windows" and code != 99):
        wrong.append(f"{kind}: exit code {code}")
    if not re.search(pattern, output):
        wrong.append(f"{kind}: not said: {pattern}\nbut: {output}")
    if "nobody minded" in output and kind != "leak" and kind != "race":
        wrong.append(f"{kind}: it went on")
print("\n".join(wrong) if wrong else f"OK: {len(expected)} kinds")
sys.exit(1 if wrong else 0)
