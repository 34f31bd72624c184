#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sees tests/system/checks.py and house.py begin programs under a false Wine: once more what ended with 1 and without a
word, and nothing else; and not the second time; and hear them without what Wine says. Then what keeps no pace: it may
at first, and not for ever.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HOUSE = pathlib.Path(__file__).resolve().parent
# As often as SILENT says it ends with 1 and without a word; then it says WORDS and ends with CODE.
WINE = """#!/bin/bash
echo begun >>"$COUNTED"
[ "$(wc -l <"$COUNTED")" -le "$SILENT" ] && exit 1
printf "$WORDS"
exit $CODE
"""
WAYS = {
    "ran": "code, said, _ = checks.ran(command, 'x')",
    "heard": "it = checks.begin(command, 'x'); said = ''.join(iter(it.hear, '')); code = it.wait()",
    "communicated": "it = checks.begin(command, 'x'); said, _ = it.communicate(timeout=60); code = it.returncode",
    "by a house test": "import house; code, said = house.run([command, 'x'])",
    "by ctest": "import begun; code = begun.main([command, 'x'])",
    "a terminal": "code = int('b' not in checks.said_on_terminal(command, 'x'))",
}
HEARING = ("ran", "heard", "communicated", "by a house test")   # These give `said`.
NOISE = "wine client error:dc: write: Bad file descriptor\\n"
# command, SILENT, WORDS, CODE: how often it is begun, what it ends with.
EXPECTED = (("wine", 0, "a\\nb\\n", 0, 1, 0), ("wine", 1, "a\\nb\\n", 0, 2, 0), ("wine", 2, "a\\nb\\n", 0, 2, 1),
            ("wine", 0, "a\\n", 1, 1, 1), ("./wine", 1, "a\\nb\\n", 0, 1, 1))
# command, SILENT, WORDS, CODE: what is heard of it; of what Wine runs it is begun twice.
HEARD = (("wine", 1, f"a\\n{NOISE}{NOISE}b\\n", 0, "a b"), ("wine", 0, NOISE, 1, ""),
         ("./wine", 0, f"a\\n{NOISE}", 0, f"a {NOISE[:-2]}"))
PACED = "tries = iter(range(9)); code, said = checks.paced(lambda: next(tries), lambda given: given >= {}), ''"

wrong = []
with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    (root / "wine").write_text(WINE)
    (root / "wine").chmod(0o755)
    counted = root / "counted"

    def outcome(way, command="wine", **environment):
        counted.write_text("")
        program = f"import checks; command = {command!r}; {way}; print('ENDED', code, flush=True)"
        done = subprocess.run([sys.executable, "-B", "-c", program, "program", "windows", "x"], capture_output=True,
                              text=True, check=False, cwd=root, timeout=100,
                              env={**os.environ, **environment, "PATH": f"{folder}:{os.environ['PATH']}",
                                   "PYTHONPATH": f"{HOUSE.parent / 'system'}:{HOUSE}", "COUNTED": str(counted)})
        return done.stdout, done.stdout.count("once more"), done.stdout.rpartition("ENDED ")[2].strip(), done.stderr

    for name, way in WAYS.items():
        for command, silent, words, code, begun, ended in EXPECTED:
            said, anew, found, objected = outcome(way, command, SILENT=str(silent), WORDS=words, CODE=str(code))
            if (len(counted.read_text().splitlines()), anew, found) != (begun, begun - 1, str(ended)):
                wrong.append(f"{name}, {command}, silent {silent} times: to be begun {begun} times and to end with "
                             f"{ended}, not\n{counted.read_text()}{said}{objected}")
    for name in HEARING:
        for command, silent, words, code, heard in HEARD:
            said, anew, found, objected = outcome(f"{WAYS[name]}; code = ' '.join(said.split())", command,
                                                  SILENT=str(silent), WORDS=words, CODE=str(code))
            if (anew, found) != (int(command == "wine"), heard):
                wrong.append(f"{name}, {command}, which says {words}: to be heard as {heard!r}:\n{said}{objected}")
    for least, given in ((0, 0), (4, 4), (5, 4)):   # The fifth attempt is the last.
        said, _, found, objected = outcome(PACED.format(least))
        if found != str(given) or said.count("did not keep") != min(least, 5):
            wrong.append(f"a pace that is kept at attempt {least} gave {found}:\n{said}{objected}")
print("\n".join(wrong) or "OK")
sys.exit(1 if wrong else 0)
