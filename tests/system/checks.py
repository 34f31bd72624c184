# SPDX-License-Identifier: MIT
"""checks.py - what the tests that meet our programs from outside have in common: processes, expectations, names.

Such a test is called with PROGRAM... SYSTEM CHECK; CHECK is the name of a function of its own that begins with check_,
without that. It calls check(globals()) last, which ends with OK, or says what is wrong.
"""
import json
import os
import pathlib
import queue
import re
import struct
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from begun import Begun, NOTHING, once_more   # noqa: E402

*programs, system, wanted = sys.argv[1:]
wine = ["wine"] if system == "windows" else []   # What a command begins with.
wrong = []
started = []
numbers = iter(range(1000))
folder = tempfile.TemporaryDirectory()


def expect(true, *what):
    if not true:
        wrong.append(" ".join(str(part) for part in what))


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def name():
    """Of a pipe that nobody else has."""
    return f"pipeport-{wanted}-{os.getpid()}-{next(numbers)}"


def names_of_any_script():
    """Of pipes that nobody else has: one with letters that a Western code page has, and two with others. Wine takes the
    bytes of a command for what the locale says."""
    os.environ["LC_ALL"] = "C.UTF-8"
    return [f"{name()}-{word}" for word in ("größe", "имя", "名前")]


def path(file):
    """A file of this test's own folder: (as Python calls it, as the programs do)."""
    here = pathlib.Path(folder.name, file)
    return here, ("Z:" if wine else "") + str(here)


def read_json(file):
    return json.loads(file.read_text(encoding="utf-8"))


def begin(*command, stderr=subprocess.STDOUT, **more):
    """A process that does not outlive the test. Its errors are among what it says, unless stderr says otherwise."""
    process = Begun([*command], stdin=NOTHING, stdout=subprocess.PIPE, stderr=stderr, encoding="utf-8",
                    errors="replace", **more)
    started.append(process)
    return process


def ran(*command):
    """(exit code, what it said, what it objected)."""
    process = begin(*command, stderr=subprocess.PIPE)
    said, objected = process.communicate(timeout=100)
    return process.returncode, said, objected


def said_on_terminal(*command, columns=0):
    """All that a command says whose stdin, stdout and stderr are a terminal, so wide (0: it does not tell)."""
    _, said = once_more(ended_on_terminal, command, columns)
    return plain(said.decode())


def ended_on_terminal(command, columns):
    import fcntl   # There are none where there are no terminals.
    import pty
    import termios
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    process = subprocess.Popen([*command], stdin=theirs, stdout=theirs, stderr=theirs)
    started.append(process)
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 4096):
            said += piece
    except OSError:  # The other end is closed.
        pass
    os.close(ours)
    return process.wait(30), said


def plain(said):
    """What a terminal got, without what moves and hides its cursor: Wine's console draws a blank as a cleared one."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.replace("\x1b[K\x1b[1C", " "))


def paced(attempt, kept):
    """What an attempt gives that kept a pace. A machine may stand still for seconds, and then one does not: more are
    made, and a fault keeps all of them from it."""
    for tries in range(5):
        given = attempt()
        if kept(given):
            break
        print(f"it did not keep the pace, {tries + 1} of 5 times:", str(given)[:500], flush=True)
    return given


def await_work(process, server):
    """Until that server works, whose threads then sleep and wake; or until the process that gives it work has ended."""
    def switches():
        found = 0
        for status in pathlib.Path(f"/proc/{server}/task").glob("*/status"):
            try:
                found += sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", status.read_text())))
            except OSError:   # A thread that has ended.
                pass
        return found
    idle = switches()
    while process.poll() is None and switches() < idle + 200:
        time.sleep(0.01)


def names_in(value):
    """Every name of every object of JSON."""
    if isinstance(value, dict):
        for name_there, inner in value.items():
            yield name_there
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


def check(functions):
    """Calls the wanted one of a test's functions, and ends the test."""
    try:
        functions["check_" + wanted]()
    except (subprocess.TimeoutExpired, queue.Empty, OSError) as fault:  # Mostly: nothing happened for too long.
        wrong.append(f"stopped by {fault!r}")
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()
    folder.cleanup()
    print("\n".join(wrong) if wrong else f"OK: {wanted}")
    sys.exit(1 if wrong else 0)
