# SPDX-License-Identifier: MIT
"""linux_others - what bench/compare --linux measures beside its rows: pipeport against itself, and absolute figures.

What it has in common with Wine, and what entries are: others.py.
"""
import resource
import shutil
import subprocess
import time

import linux_programs
import others
from kept import goal
from linux_programs import Server, visit
from program import visited
from linux_rows import Row
from others import note, ours, pair, value

FILES_MIN = 10100


class Unicast:
    """Sends from four foreign threads against sends from inside an event: both servers at once, in turn."""

    def __init__(self, depth):
        self.name = f"unicast to 255, {depth} at a time, 4 foreign threads"
        self.row = Row(self.name, [], mode="unicast", depth=depth)

    def entries(self, args):
        for kind in ours(args):
            inside, outside = Server(args, kind, self.row), Server(args, kind, self.row, ["--senders", "4"])
            rounds = []
            try:
                for _ in range(args.rounds):
                    rounds.append([visit(args, server, self.row) for server in (inside, outside)])
            finally:
                inside.stop()
                outside.stop()
            yield pair(self.name, kind, rounds, "rate", goal=goal("rate", 0.8), unit="messages/s", beside="from inside")


class Threads:
    """What it costs a bare loop that its process has a second thread, as every process with workers has."""

    name = "a second thread that sleeps: CPU a message, 64 B, 255 connections, depth 1"

    def entries(self, args):
        row = Row(self.name, [])
        for kind in args.kinds:
            if kind not in ours(args):
                yield pair(self.name, kind, self.rounds(args, kind, row), "server_us", goal=None, unit="us",
                           beside="alone")

    def rounds(self, args, kind, row):
        alone, beside = Server(args, kind, row), Server(args, kind, row, ["--sleepers", "1"])
        try:
            return [[visit(args, server, row) for server in (alone, beside)] for _ in range(args.rounds)]
        finally:
            alone.stop()
            beside.stop()


class Growth:
    """What a message costs the server with many active connections, against few: the same server, in turn."""

    name = "growth: CPU a message, 10,000 active connections to 255"

    def entries(self, args):
        many, few = Row(self.name, [], connections=10000), Row(self.name, [])
        if (files := resource.getrlimit(resource.RLIMIT_NOFILE)[1]) < FILES_MIN:
            yield note(self.name, f"not measured: a process may open {files:,} files here")
            return
        for kind in args.kinds:
            server = Server(args, kind, many)
            rounds = []
            try:
                for _ in range(args.rounds):
                    rounds.append([visit(args, server, row) for row in (few, many)])
            finally:
                server.stop()
            yield pair(self.name, kind, rounds, "server_us", goal=goal("server_us", 1.5, more=False), unit="us",
                       beside="with 255")


class Idle(others.Idle):
    def lacks(self):
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return f"a process may open {files:,} files here" if files < FILES_MIN else ""


class Calls:
    """System calls a message, counted by strace in a run of its own, which it slows down."""

    name = "system calls a message, 64 B, 255 connections, depth 1"

    def entries(self, args):
        row = Row(self.name, [])
        if shutil.which("strace") is None:
            yield note(self.name, "not counted: there is no strace here")
            return
        for kind in args.kinds:
            server = Server(args, kind, row)
            told = args.folder / f"strace-{server.process.pid}"
            visit(args, server, row)   # connections, buffers and pools are made before the counting
            strace = subprocess.Popen(["strace", "-c", "-f", "-o", str(told), "-p", str(server.process.pid)],
                                      stderr=subprocess.PIPE, text=True)
            strace.stderr.readline()   # "attached"
            messages = visit_counted(args, server, row)
            time.sleep(0.1)
            strace.terminate()
            strace.wait()
            server.stop()
            wanted = goal("calls", 0.1, more=False) if kind == "pipeport io_uring" else None
            yield value(self.name, kind, calls_of(told.read_text()) / messages, "calls", wanted)


def visit_counted(args, server, row):
    count = 51000
    done = subprocess.run(linux_programs.load_command(args, server, row, "--messages", str(count)),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=linux_programs.PATIENCE_S)
    return visited(done, server, row)["all"]


def calls_of(table):
    """The sum of strace -c, without what coming and going costs."""
    rare = {"accept4", "accept", "close", "epoll_ctl", "shutdown", "setsockopt", "getsockopt", "fcntl", "mmap",
            "munmap", "madvise", "mprotect", "brk"}
    calls = 0
    for text in table.splitlines():
        cells = text.split()
        if len(cells) >= 5 and cells[3].isdigit() and cells[-1] not in rare | {"total"}:
            calls += int(cells[3])
    return calls


OTHERS = [Unicast(1), Unicast(4), *(others.SlowReaders(*policy) for policy in others.WHEN_FULL), Growth(),
          Idle(10000, 400), Calls(), Threads()]
