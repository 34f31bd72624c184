#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_floors.py [ROOT] - holds the tree against the house rules. Exit 0: the house stands; 1: the faults are printed.

Floors: a folder may include itself and the folders written beside it, nothing else. The table IS the architecture: to
change the architecture, change the table, in its own commit, with the reason. System headers belong to folders named
windows or linux, and to what lies in them; the heap has one door; no circle between files.
Form: an SPDX line first, a bound on lines, columns, functions and parameters, no notes to oneself.
"""
import pathlib
import re
import sys

MAY_INCLUDE = {
    "protocol":               [],
    "engine/include":         [],
    "engine/base":            ["engine/include"],
    "engine/port":            ["engine/base", "engine/include"],
    "engine/port/windows":    ["engine/port", "engine/base", "engine/include"],
    "engine/port/linux":      ["engine/port/linux/epoll", "engine/port/linux/uring", "engine/port", "engine/base",
                               "engine/include"],
    "engine/port/linux/epoll": ["engine/port/linux", "engine/port", "engine/base", "engine/include"],
    "engine/port/linux/uring": ["engine/port/linux", "engine/port", "engine/base", "engine/include"],
    "engine/flow":            ["engine/base", "engine/include", "protocol"],
    "engine/conn":            ["engine/flow", "engine/port", "engine/base", "engine/include", "protocol"],
    "engine/api":             ["protocol", "engine/conn", "engine/flow", "engine/base", "engine/include"],
    "bench":                  ["engine/include"],
    "bench/generator":        ["engine/include", "protocol", "bench", "tools/pipeport"],
    "bench/generator/windows": ["bench/generator", "bench"],
    "bench/generator/linux":  ["bench/generator", "bench"],
    "bench/windows":          ["bench"],   # the bare loops: the system, and no library
    "bench/linux":            ["bench"],
    "bench/peers":            ["bench"],   # others' libraries, under the same load
    "bench/peers/windows":    ["bench/peers", "bench/windows", "bench"],
    "bench/peers/linux":      ["bench/peers", "bench/linux", "bench"],
    "tools/pipeport":         ["engine/include", "protocol"],
    "tools/pipeport/windows": ["tools/pipeport"],
    "tools/pipeport/linux":   ["tools/pipeport"],
}
NOT_OURS = ("tools/windeps",)   # goes with others' code: its form is checked, its includes are not
LOOKS_ANYWHERE = ("tests",)
FOR_USERS = "engine/include"    # its headers name each other as users have them: side by side

# C11 without what mingw-w64 lacks (threads.h) and without what belongs to the port (errno.h, signal.h)
C_LIBRARY = set("""assert ctype float inttypes limits math stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib
    stdnoreturn string time""".split())
ALSO = {
    "tools":  {"pipeport", "errno", "signal", "locale"},
    "bench":  {"pipeport", "errno", "signal", "locale", "cjson/cJSON", "uv"},
}
ONE_DOOR = {"mimalloc": "engine/base/memory.c", "windows": "engine/port/windows/win.h"}

FILE_LINES, COLUMNS, FUNCTION_LINES, PARAMETERS = 500, 120, 60, 5
CODE = {".c", ".h", ".cc"}
TEXT = {".py", ".sh", ".cmake", ".txt", ".rs", ""}
# written so that this line does not find itself
NOTE_TO_ONESELF = re.compile("TO" "DO|FIX" "ME|XX" "X\\b")
SYSTEM_SWITCH = re.compile(r"\b(_WIN32|_WIN64|__linux__|__unix__)\b")


def of_system(folder):
    return not {"windows", "linux"}.isdisjoint(folder.split("/"))


def circle_in(uses):
    """One circle of files as a list of names, or None. A .c and its .h are one file here."""
    state, trail = {}, []

    def visit(room):
        state[room] = "open"
        trail.append(room)
        for below in sorted(uses.get(room, ())):
            if state.get(below) == "open":
                return trail[trail.index(below):] + [below]
            if below not in state:
                found = visit(below)
                if found:
                    return found
        state[room] = "done"
        trail.pop()
        return None

    for room in sorted(uses):
        if room not in state:
            found = visit(room)
            if found:
                return found
    return None


def include_faults(root, name, folder, lines, uses):
    """Faults of one file's includes, as (line, text); its edges go into uses."""
    if folder not in MAY_INCLUDE:
        yield 1, f"the house has no folder '{folder}'"
        return
    above_port = folder.startswith(("engine/", "protocol")) and not of_system(folder) and folder != FOR_USERS
    allowed = C_LIBRARY | ALSO.get(folder.split("/")[0], set())
    for number, line in enumerate(lines, 1):
        if above_port and SYSTEM_SWITCH.search(line):
            yield number, "only the port knows which system this is"
        quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if quoted:
            target = quoted.group(1)
            if folder == FOR_USERS:
                target = f"{folder}/{target}"
            if folder == FOR_USERS and not (root / target).is_file():
                yield number, f"'{quoted.group(1)}' is not beside it, and users have only that folder"
            elif not (root / target).is_file():
                yield number, f"'{target}' is not written from the root of the repository"
            elif pathlib.PurePosixPath(target).parent.as_posix() not in [folder, *MAY_INCLUDE[folder]]:
                yield number, f"{folder} may not include {target}"
            elif name[:-2] != target[:-2]:
                uses.setdefault(name[:-2], set()).add(target[:-2])
        system = re.match(r"\s*#\s*include\s+<([^>]+?)(\.h)?>", line)
        if system:
            header = system.group(1)
            if header in ONE_DOOR and folder.startswith("engine/"):
                if name != ONE_DOOR[header]:
                    yield number, f"<{header}.h> has one door, {ONE_DOOR[header]}"
            elif header not in allowed and not of_system(folder):
                yield number, f"only a folder of the system may name <{header}.h>"


def parameters_of(signature):
    """How many parameters the definition whose head is `signature` takes."""
    inside = signature[signature.index("(") + 1:signature.rindex(")")]
    depth, commas = 0, 0
    for sign in inside:
        depth += (sign == "(") - (sign == ")")
        commas += sign == "," and depth == 0
    return 0 if inside.strip() in ("", "void") else commas + 1


def function_faults(lines):
    """A function's body stands between a line `{` and a line `}`; its head is what stands right above."""
    opened = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            opened = number
            head = []
            for above in reversed(lines[:number - 1]):
                if not above.strip() or above.rstrip().endswith((";", "}", "*/")) or above.startswith("#"):
                    break
                head.insert(0, above.strip())
            signature = " ".join(head)
            if "(" in signature and not re.match(r"(Test|TestSuite|Parameterized\w+)\(", signature):
                count = parameters_of(signature)
                if count > PARAMETERS:
                    yield number, f"{count} parameters, {PARAMETERS} at most"
        elif line == "}" and opened:
            if number - opened + 1 > FUNCTION_LINES:
                yield opened, f"a function of {number - opened + 1} lines, {FUNCTION_LINES} at most"
            opened = None


def form_faults(path, lines):
    spdx = lines[:2] if lines and lines[0].startswith("#!") else lines[:1]
    if not any("SPDX-License-Identifier: MIT" in line for line in spdx):
        yield 1, "the first line is not the SPDX line"
    if len(lines) > FILE_LINES:
        yield FILE_LINES, f"{len(lines)} lines, {FILE_LINES} at most"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield number, f"{len(line)} columns, {COLUMNS} at most"
        if NOTE_TO_ONESELF.search(line):
            yield number, "a note to oneself"
        if "\t" in line or line != line.rstrip():
            yield number, "a tab or a blank at the end"
    if path.suffix in CODE:
        yield from function_faults(lines)


def files_of(root):
    for top in ("protocol", "engine", "tools", "bench", "tests", "cmake"):
        for path in sorted((root / top).rglob("*")):
            if path.is_file() and path.suffix in CODE | TEXT and "__pycache__" not in path.parts:
                yield path
    if (root / "CMakeLists.txt").is_file():
        yield root / "CMakeLists.txt"


def main(root):
    faults, uses = [], {}
    for path in files_of(root):
        name = path.relative_to(root).as_posix()
        folder = path.relative_to(root).parent.as_posix()
        lines = path.read_text().splitlines()
        faults += [(name, *fault) for fault in form_faults(path, lines)]
        ours = not folder.startswith(NOT_OURS) and folder.split("/")[0] not in LOOKS_ANYWHERE
        if path.suffix in CODE and ours:
            faults += [(name, *fault) for fault in include_faults(root, name, folder, lines, uses)]
    circle = circle_in(uses)
    if circle:
        faults.append((circle[0], 0, "circle: " + " -> ".join(circle)))
    for name, number, text in faults:
        print(f"{name}:{number}: {text}")
    print(f"{'broken' if faults else 'the house stands'}: {len(faults)} fault(s)")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
