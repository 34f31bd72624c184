#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""instructions.py PROGRAM - counts the instructions of the protocol's and the send queue's work, and compares.

PROGRAM is count_work of the release build. valgrind --tool=callgrind counts what each operation takes, and the file
`instructions` keeps what it took when the file was written. More than 5 % apart, either way, is a failure: more
instructions are to be explained or cured, fewer to be kept, so that they do not creep back. Other compilers, C
libraries and processors count otherwise: where what made the program is not what the file names, nothing is compared,
and the test is skipped with the figures.

    tests/guard/instructions.py --write    builds the release preset's count_work, and writes the file anew
"""
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / "instructions"
APART = 0.05
MEASURED = "count_measured"   # the function of count_work.c in which all work is done
HEAD = """# SPDX-License-Identifier: MIT
# Instructions of one operation (docs/TESTING.md). Written by tests/guard/instructions.py --write.
"""


def processor():
    """What decides which of its variants the C library takes."""
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return platform.machine() + (" with AVX2" if "avx2" in flags else "")


def per_operation(said, dumps):
    """{name: instructions} of what count_work said, and of what callgrind wrote down each time it left the function."""
    works = re.findall(r"^(\w+) (\d+)$", said, re.MULTILINE)
    totals = re.findall(r"^desc: Trigger: --dump-after=.*?^summary: (\d+)$", dumps, re.MULTILINE | re.DOTALL)
    if not works or len(works) != len(totals):
        raise SystemExit(f"callgrind counted {len(totals)} works of {len(works)}")
    return {name: int(total) / int(operations) for (name, operations), total in zip(works, totals)}


def count(program):
    """(what it was made with, {name: instructions of one operation})"""
    version = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="pipeport-guard-") as folder:
        dumps = pathlib.Path(folder) / "counted"
        done = subprocess.run(
            ["valgrind", "-q", "--tool=callgrind", "--collect-atstart=no", f"--toggle-collect={MEASURED}",
             f"--dump-after={MEASURED}", "--combine-dumps=yes", f"--callgrind-out-file={dumps}", str(program)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{program} ended with {done.returncode}: {done.stderr}")
        figures = per_operation(done.stdout, dumps.read_text())
    made_with = re.search(r"^made with (.*)$", done.stdout, re.MULTILINE).group(1)
    return f"{made_with}, {version}, {processor()}", figures


def read(text):
    """The kept file: the same as count."""
    made_with = re.search(r"^# made with (.*)$", text, re.MULTILINE)
    if not made_with:
        raise SystemExit(f"{KEPT.name} does not name what it was made with")
    return made_with.group(1), {name: float(figure)
                                for name, figure in re.findall(r"^(\w+) +([\d.]+)$", text, re.MULTILINE)}


def written(made_with, figures):
    return f"{HEAD}# made with {made_with}\n" + "".join(f"{name:24} {figures[name]:8.2f}\n" for name in figures)


def faults(kept, found):
    """What is wrong with the figures found, one sentence each."""
    lines = [f"{name}: kept, and no longer counted" for name in kept if name not in found]
    lines += [f"{name}: counted, and not kept" for name in found if name not in kept]
    for name in [name for name in kept if name in found]:
        change = found[name] / kept[name] - 1
        if abs(change) > APART:
            lines.append(f"{name}: {found[name]:.2f} instructions, {change:+.1%} to the {kept[name]:.2f} that are kept")
    return lines


def table(kept, found):
    lines = [f"{'work':24} {'kept':>9} {'found':>9} {'change':>8}"]
    for name in found:
        was = kept.get(name)
        lines.append(f"{name:24} {was:9.2f} {found[name]:9.2f} {found[name] / was - 1:+8.1%}" if was
                     else f"{name:24} {'':9} {found[name]:9.2f}")
    return "\n".join(lines)


def judge(kept_text, made_with, found):
    """(exit code, what to say)"""
    kept_with, kept = read(kept_text)
    if kept_with != made_with:
        return 77, f"{table({}, found)}\nSKIP: this is {made_with}; what is kept was counted with {kept_with}"
    wrong = faults(kept, found)
    if wrong:
        renew = "If that is meant: tests/guard/instructions.py --write"
        return 1, "\n".join([table(kept, found), "", *wrong, "", renew])
    furthest = max(found, key=lambda name: abs(found[name] / kept[name] - 1))
    return 0, (f"NOTE: {len(found)} kinds of work, furthest from what is kept: {furthest}, "
               f"{found[furthest] / kept[furthest] - 1:+.1%}\nOK")


def build():
    root = HERE.parents[1]
    for command in (["cmake", "--preset", "release"], ["cmake", "--build", "--preset", "release", "--target",
                                                       "count_work"]):
        done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed\n{done.stdout}")
    return root / "build" / "release" / "bin" / "count_work"


def main(words):
    if shutil.which("valgrind") is None:
        print("SKIP: valgrind is not installed")
        return 77
    if words == ["--write"]:
        made_with, found = count(build())
        kept = read(KEPT.read_text())[1] if KEPT.is_file() else {}
        KEPT.write_text(written(made_with, found))
        print(f"{table(kept, found)}\nwritten: {KEPT}")
        return 0
    made_with, found = count(words[0])
    code, said = judge(KEPT.read_text(), made_with, found)
    print(said)
    return code


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
