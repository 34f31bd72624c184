# SPDX-License-Identifier: MIT
"""page - docs/PERFORMANCE.md and the machine it speaks of, for bench/compare on either system."""
import datetime
import os
import pathlib
import platform
import re
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "PERFORMANCE.md"
BUSY = 0.7   # a load average from which on others take part of two processors
NOT_QUIET = "**The machine was not quiet: these figures are indicative only.**"


class Lost(Exception):
    """A page without the markers that it should have."""


def processors():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} processors ({cpu.group(1) if cpu else platform.machine()})"


def kernel():
    return f"Linux {platform.release().split('-')[0]}"


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def cpu_ns(pid):
    """Spent by all living threads of a process; its first figure in each schedstat, see proc(5)."""
    tasks = pathlib.Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())


def wait_until_quiet(bound, patience_s, load=lambda: os.getloadavg()[0], sleep=time.sleep):
    """Until the load average is below the bound, and says that it waits. The last one that it saw."""
    waited, step_s = 0, 10
    while (seen := load()) >= bound and waited < patience_s:
        if waited % 60 == 0:
            print(f"waiting: load average {seen:.2f}, wanted below {bound:.2f}; at most "
                  f"{(patience_s - waited) / 60:.0f} more minutes", flush=True)
        sleep(step_s)
        waited += step_s
    if seen >= bound:
        print(f"not quiet after {waited / 60:.0f} minutes: load average {seen:.2f}; measured all the same", flush=True)
    return seen


def put(text, name, lines):
    """The text with these lines between the markers of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise Lost(f"the markers of {name} are not there, each once and in order")
    before, rest = text.split(begin)
    return before + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end)[1]


def held(text, name):
    """The lines between the markers of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in text or end not in text:
        raise Lost(f"the markers of {name} are not there, each once and in order")
    return text.split(begin)[1].split(end)[0].strip("\n").split("\n")
