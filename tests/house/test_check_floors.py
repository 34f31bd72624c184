#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sees tools/check_floors.py bite: one small tree for each fault it must find, and one in which there is none."""
import pathlib
import subprocess
import sys
import tempfile

CHECKER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_floors.py"
SPDX = "/* SPDX-License-Identifier: MIT */\n"

GOOD = {
    "engine/include/pipeport_status.h": "#include <stdint.h>\n",
    "engine/include/pipeport.h": '#include "pipeport_status.h"\n',
    "engine/base/memory.h": '#include "engine/include/pipeport.h"\n',
    "engine/base/memory.c": '#include "engine/base/memory.h"\n#include <mimalloc.h>\n',
    "engine/port/port.h": '#include "engine/base/memory.h"\n',
    "engine/port/windows/win.h": "#include <windows.h>\n",
    "engine/flow/sendq.h": '#include "engine/base/memory.h"\n',
    "engine/conn/conn.h": '#include "engine/flow/sendq.h"\n#include "engine/port/port.h"\n',
}
FIVE = "int a, int b, int c, int (*d)(int, int), int e"
FAULTS = {
    "a floor names the floor above": ("engine/base/memory.h", '#include "engine/conn/conn.h"\n', "may not include"),
    "flow names port": ("engine/flow/sendq.h", '#include "engine/port/port.h"\n', "may not include"),
    "a public header needs the repository": ("engine/include/pipeport.h", '#include "engine/base/memory.h"\n',
                                             "not beside it"),
    "an include is relative": ("engine/flow/sendq.h", '#include "sendq.h"\n', "root of the repository"),
    "a folder is new": ("engine/attic/old.h", "", "no folder"),
    "a system header above the port": ("engine/conn/conn.h", "#include <unistd.h>\n", "only a folder of the system"),
    "a second door to windows.h": ("engine/port/windows/pipe.c", "#include <windows.h>\n", "one door"),
    "a second door to the heap": ("engine/flow/sendq.c", "#include <mimalloc.h>\n", "one door"),
    "a system switch above the port": ("engine/conn/conn.c", "#ifdef _WIN32\n#endif\n", "only the port knows"),
    "a circle": ("engine/base/memory.h", '#include "engine/base/ring.h"\n', "circle"),
    "a long line": ("engine/base/ring.c", "/* " + "x" * 120 + " */\n", "columns"),
    "a long file": ("engine/base/ring.c", "int x;\n" * 500, "501 lines"),
    "a long function": ("engine/base/ring.c", "int f(void)\n{\n" + "    f();\n" * 59 + "}\n", "61 lines, 60"),
    "many parameters": ("engine/base/ring.c", f"int f({FIVE}, int f)\n{{\n}}\n", "6 parameters"),
    "a note to oneself": ("engine/base/ring.c", "/* TO" "DO */\n", "note"),
    "a tab": ("engine/base/ring.c", "int f(void)\n{\n\treturn 1;\n}\n", "tab"),
}
ALLOWED = {
    "a function of 60 lines": ("engine/base/ring.c", "int f(void)\n{\n" + "    f();\n" * 58 + "}\n"),
    "five parameters, one a function": ("engine/base/ring.c", f"int f({FIVE})\n{{\n}}\n"),
    "a file of 500 lines": ("engine/base/ring.c", "int x;\n" * 499),
}


def verdict(extra):
    """(exit code, output) of the checker over the good tree and one file more (or other)."""
    with tempfile.TemporaryDirectory() as folder:
        tree = dict(GOOD)
        tree["engine/base/ring.h"] = '#include "engine/base/memory.h"\n' if extra and "ring.h" in extra[1] else ""
        if extra:
            tree[extra[0]] = tree.get(extra[0], "") + extra[1]
        for name, text in tree.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SPDX + text)
        done = subprocess.run([sys.executable, str(CHECKER), folder], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


def main():
    wrong = []
    for what, extra in {"the good tree": None, **ALLOWED}.items():
        code, output = verdict(extra)
        if code != 0:
            wrong.append(f"{what}: refused\n{output}")
    for what, (name, text, expected) in FAULTS.items():
        code, output = verdict((name, text))
        if code != 1 or expected not in output:
            wrong.append(f"{what}: not found\n{output}")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "engine/base/ring.h"
        path.parent.mkdir(parents=True)
        path.write_text("int x;\n")
        done = subprocess.run([sys.executable, str(CHECKER), folder], capture_output=True, text=True, check=False)
        if "SPDX" not in done.stdout:
            wrong.append("a file without its SPDX line: not found")
    print("\n".join(wrong) or f"OK: {len(FAULTS) + 1} faults found, {len(ALLOWED) + 1} good trees passed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
