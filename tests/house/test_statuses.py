#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every status of pipeport_status.h that a caller can meet is demanded by a test, from the public API.

Looked for is a line of tests/unit or tests/system that demands the status (an assertion of Criterion, EXPECT, AWAIT or
life_expect_end) from what the public API gives: an answer of pipeport_*, or of the helpers below that return one, the
`why` of an end, of `failed`, or the count of ends by status.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMANDS = r"\b(?:cr_(?:assert|expect)\w*|EXPECT|AWAIT|AWAIT_FOR|life_expect_end)\("
# helpers that hand on the answer of a pipeport_* function: each must do so, see below
HELPERS = ("life_send", "life_dial", "life_try_serve", "names_serve", "names_dial", "server_start_where",
           "client_start_where")
GIVES = (r"\bpipeport_\w+\(|\b(?:" + "|".join(HELPERS) + r")\(|"
         r"\bend(?:\.|->)why\b|\bfailed_why\b|\bended\[|life_expect_end\(")


def demanded(text, status):
    """The number of the first line that demands the status, or None. An assertion may go over several lines."""
    for found in re.finditer(DEMANDS, text):
        assertion = text[found.start():text.index(";", found.start())]
        if re.search(rf"\bPIPEPORT_{status}\b", assertion) and re.search(GIVES, assertion):
            return text.count("\n", 0, found.start()) + 1
    return None


def main():
    header = (ROOT / "engine/include/pipeport_status.h").read_text()
    statuses = re.findall(r"^    PIPEPORT_(\w+) = \d+", re.search(r"typedef enum pipeport_status \{.*?\}", header,
                                                                  re.DOTALL).group(0), re.MULTILINE)
    tests = {path: path.read_text() for folder in ("unit", "system")
             for path in sorted((ROOT / "tests" / folder).glob("*.c"))}
    support = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.c"))
    wrong = [] if len(statuses) > 10 else [f"only {len(statuses)} statuses were found in pipeport_status.h"]
    for helper in HELPERS:
        body = re.search(rf"^(?:static )?pipeport_status {helper}\(.*?^\}}", support, re.DOTALL | re.MULTILINE)
        if not body or not re.search(r"\bpipeport_\w+_start\(|\bpipeport_send\(", body.group(0)):
            wrong.append(f"{helper} does not hand on what the public API answers")
    for status in statuses:
        places = [(path, demanded(text, status)) for path, text in tests.items()]
        places = [f"{path.relative_to(ROOT)}:{line}" for path, line in places if line]
        if not places:
            wrong.append(f"no test demands PIPEPORT_{status} from the public API")
        elif len(sys.argv) > 1:
            print(f"{status}: {', '.join(places)}")
    print("\n".join(wrong) if wrong else f"OK: {len(statuses)} statuses")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
