# SPDX-License-Identifier: MIT
"""page - docs/PERFORMANCE.md and the machine it speaks of, for bench/compare on either system."""
import os
import pathlib
import platform
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "PERFORMANCE.md"
BUSY = 0.7   # a load average from which on others take part of two processors
NOT_QUIET = "**The machine was not quiet: these figures are indicative only.**"


def processors():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} processors ({cpu.group(1) if cpu else platform.machine()})"


def kernel():
    return f"Linux {platform.release().split('-')[0]}"


def cpu_ns(pid):
    """Spent by all living threads of a process; its first figure in each schedstat, see proc(5)."""
    tasks = pathlib.Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())


def cpu_of_all_ns(pid):
    """The same with threads that have ended, but only in steps of 10 ms; see proc(5)."""
    cells = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(cells[11]) + int(cells[12])) * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))


def write(name, lines):
    """Puts the lines between the markers of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = PAGE.read_text()
    if begin not in text or end not in text:
        raise SystemExit(f"compare: {PAGE.relative_to(ROOT)} has lost its markers of {name}")
    before, rest = text.split(begin, 1)
    PAGE.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1])
    print(f"written into {PAGE.relative_to(ROOT)}")
