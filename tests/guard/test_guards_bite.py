#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sees the guards bite, on figures made by hand: counts that are further apart than they may be, either way, and rates
below their floor twice. And sees them let pass what is within their bounds.
"""
import contextlib
import io
import sys

import instructions
import rates

MADE_WITH = "gcc 1.2, glibc 3, valgrind-4, x86"
KEPT = {"one_encode": 100.0, "other_decode": 20.5}
SAID = f"made with {MADE_WITH}\none_encode 10\nother_decode 4\n"
DUMPS = """events: Ir
part: 1
desc: Trigger: --dump-after=count_measured
summary: 1000
fn=(1) count_measured
totals: 1000
part: 2
desc: Trigger: --dump-after=count_measured
summary: 82
totals: 82
part: 3
desc: Trigger: Program termination
summary: 7
totals: 7
"""
wrong = []


def expect(true, what):
    if not true:
        wrong.append(what)


def judged(found, made_with=MADE_WITH):
    return instructions.judge(instructions.written(MADE_WITH, KEPT), made_with, found)


def times(factor, name="one_encode"):
    return {**KEPT, name: KEPT[name] * factor}


def counts():
    expect(instructions.read(instructions.written(MADE_WITH, KEPT)) == (MADE_WITH, KEPT), "what is written is not read")
    expect(instructions.per_operation(SAID, DUMPS) == KEPT, "callgrind's file is misread")
    try:
        instructions.per_operation(SAID + "third_work 10\n", DUMPS)
        wrong.append("a work that was not counted is not missed")
    except SystemExit:
        pass
    for factor, code in ((1.0, 0), (1.04, 0), (0.96, 0), (1.06, 1), (0.94, 1)):
        for name in KEPT:
            found, said = judged(times(factor, name))
            expect(found == code, f"{name} times {factor} ends with {found}, not {code}")
            expect((f"{name}: " in said and "--write" in said) or code == 0, f"{name} times {factor} is not named")
    expect(judged({**KEPT, "new_work": 3.0})[0] == 1, "work that is not kept passes")
    expect(judged({"one_encode": 100.0})[0] == 1, "work that is no longer counted passes")
    code, said = judged(times(2), "gcc 1.3, glibc 3, valgrind-4, x86")
    expect(code == 77 and "SKIP: " in said and "200.00" in said, "another compiler is compared, or hides its figures")


def rate(*ratios):
    """(verdict, measurements asked for) where these are what one measurement after the other finds."""
    asked, left = [], list(ratios)

    def measured(rounds, longer):
        asked.append((rounds, longer))
        return left.pop(0), 900.0, 1000.0

    with contextlib.redirect_stdout(io.StringIO()) as said:
        verdict = rates.judge(rates.Row("made by hand", []), 0.45, measured)
    for word in ("floor 0.45", "900 messages/s", "1,000"):
        expect(word in said.getvalue(), f"{word} is not said")
    return verdict, asked


def floors():
    few, many = rates.MEASUREMENTS
    expect(many > few, "what is in doubt is not measured longer")
    expect(rate(0.45) == (0.45, [few]), "a ratio at the floor does not pass at once")
    expect(rate(0.44, 0.46) == (0.46, [few, many]), "what is below is not measured once more")
    expect(rate(0.44, 0.44) == (None, [few, many]), "what is below twice passes")


counts()
floors()
print("\n".join(wrong) or "OK: the guards bite")
sys.exit(1 if wrong else 0)
