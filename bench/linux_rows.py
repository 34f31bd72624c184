# SPDX-License-Identifier: MIT
"""linux_rows - what bench/compare --linux measures, and the goals.

ROWS are ratios to the better bare loop. OTHERS compare pipeport with itself, or are absolute: each has lines of its
own kind.
"""
import resource
import shutil
import statistics
import subprocess
import time

import linux_programs
from linux_programs import KINDS, Server, visit


class Row:
    """One figure of all servers under one load."""

    def __init__(self, name, goal, mode="echo", connections=255, size=64, depth=1, key="rate"):
        self.name, self.goal, self.mode = name, goal, mode
        self.connections, self.size, self.depth, self.key = connections, size, depth, key
        self.connections_max = max(connections + 64, 2 * connections if mode == "churn" else 0)
        self.more_is_better = key == "rate"
        self.kinds = KINDS
        if key == "rate":
            self.unit = {"broadcast": "deliveries/s", "churn": "visits/s"}.get(mode, "messages/s")
        else:
            self.unit = {"server_us": "CPU us/delivery"}.get(key, "us")


ROWS = [
    Row("64 B, 255 connections, depth 16", 0.90, depth=16),
    Row("64 B, 1,000 connections, depth 16", 0.90, connections=1000, depth=16),
    Row("64 B, 64 connections, depth 1", 0.95, connections=64),
    Row("64 B, 255 connections, depth 1", 0.95),
    Row("64 B, 1,000 connections, depth 1", 0.95, connections=1000),
    Row("one connection, round trip", 1.10, connections=1, key="p50_us"),
    Row("1 KiB, 255 connections, depth 16", 0.90, size=1024, depth=16),
    Row("64 KiB, 64 connections, depth 1", 0.90, connections=64, size=65536),
    Row("broadcast to 1,000, one at a time", 1.0, mode="broadcast", connections=1000),
    Row("broadcast to 1,000, one at a time, CPU", 1.0, mode="broadcast", connections=1000, key="server_us"),
    Row("broadcast to 1,000, 100 at a time", 0.85, mode="broadcast", connections=1000, depth=100),
    Row("connect + echo + close, 64 at a time", 0.90, mode="churn", connections=64),
    Row("p99, 1,000 connections, depth 1", 1.5, connections=1000, key="p99_us"),
]

OTHERS_HEAD = ["| what | driver | figure | goal | met |", "| --- | --- | --- | --- | --- |"]


def ours(args):
    return [kind for kind in args.kinds if kind.startswith("pipeport")]


def other_line(name, kind, figure, goal, is_met):
    return f"| {name} | {kind.removeprefix('pipeport ')} | {figure} | {goal} | {is_met} |"


class Unicast:
    """Sends from four foreign threads against sends from inside an event: both servers at once, in turn."""

    def __init__(self, depth):
        self.name = f"unicast to 255, {depth} at a time, 4 foreign threads"
        self.row = Row(self.name, 0.8, mode="unicast", depth=depth)

    def lines(self, args):
        for kind in ours(args):
            inside, outside = Server(args, kind, self.row), Server(args, kind, self.row, ["--senders", "4"])
            rounds = []
            try:
                for _ in range(args.rounds):
                    rounds.append([visit(args, server, self.row) for server in (inside, outside)])
            finally:
                inside.stop()
                outside.stop()
            ratios = [second["rate"] / first["rate"] for first, second in rounds]
            low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive")
            cpu = statistics.median(second["server_us"] / first["server_us"] for first, second in rounds)
            rates = [statistics.median(figures["rate"] for figures in column) for column in zip(*rounds)]
            figure = (f"**{ratio:.2f}** ({low:.2f}-{high:.2f}): {rates[1]:,.0f} messages/s, from inside "
                      f"{rates[0]:,.0f}; CPU a message {cpu:.2f} of it")
            yield other_line(self.name, kind, figure, ">= 0.80", "yes" if ratio >= 0.8 else "**no**")


class SlowReaders:
    """Broadcasts to 230 beside 25 that never read, against the same without them: one server, visited in turn."""

    def __init__(self, when_full, word):
        self.name = f"broadcast to 230, and to 25 that never read ({word})"
        self.options = ["--queue", "65536", "--when-full", str(when_full)]
        self.alone, self.beside = (Row(self.name, 0.9, mode="broadcast", connections=230, size=1024) for _ in range(2))
        self.alone.connections_max = self.beside.connections_max = 600   # those of the last visit may still be going
        self.beside.deaf = 25

    def lines(self, args):
        for kind in ours(args):
            server = Server(args, kind, self.alone, self.options)
            rounds = []
            try:
                for _ in range(args.rounds):
                    rounds.append([visit(args, server, row) for row in (self.alone, self.beside)])
            finally:
                server.stop()
            low, ratio, high = statistics.quantiles([beside["rate"] / alone["rate"] for alone, beside in rounds], n=4,
                                                    method="inclusive")
            cpu = statistics.median(beside["server_us"] / alone["server_us"] for alone, beside in rounds)
            rates = [statistics.median(figures["rate"] for figures in column) for column in zip(*rounds)]
            figure = (f"**{ratio:.2f}** ({low:.2f}-{high:.2f}): {rates[1]:,.0f} deliveries/s, without them "
                      f"{rates[0]:,.0f}; CPU a delivery {cpu:.2f} of it")
            yield other_line(self.name, kind, figure, ">= 0.90", "yes" if ratio >= 0.9 else "**no**")


class Growth:
    """What a message costs the server with many active connections, against few: the same server, in turn."""

    name = "growth: CPU a message, 10,000 active connections to 255"

    def lines(self, args):
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        many, few = Row(self.name, 1.5, connections=10000), Row(self.name, 1.5)
        if files < 10100:
            yield other_line(self.name, "all", f"not measured: a process may open {files:,} files here", "", "")
            return
        for kind in [kind for kind in KINDS if kind in args.kinds]:
            server = Server(args, kind, many)
            ratios, costs = [], []
            try:
                for _ in range(args.rounds):
                    costs.append([visit(args, server, row)["server_us"] for row in (few, many)])
                    ratios.append(costs[-1][1] / costs[-1][0])
            finally:
                server.stop()
            low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive")
            at_few, at_many = (statistics.median(column) for column in zip(*costs))
            is_met = "yes" if ratio <= 1.5 else "**no**"
            figure = f"**{ratio:.2f}** ({low:.2f}-{high:.2f}): {at_few:.2f} us, {at_many:.2f} us"
            yield other_line(self.name, kind, figure, "<= 1.50", is_met if kind.startswith("pipeport") else "")


class Idle:
    """What a connection costs that has asked once and is silent since."""

    name = "idle memory, 10,000 connections, bytes each"

    def lines(self, args):
        row = Row(self.name, 400, mode="hold", connections=10000)
        if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 10100:
            yield other_line(self.name, "all", "not measured: not enough open files are allowed", "", "")
            return
        for kind in [kind for kind in KINDS if kind in args.kinds]:
            server = Server(args, kind, row)
            own = server.figures()["memory"] if kind.startswith("pipeport") else 0
            resident = server.resident_bytes()
            load = subprocess.Popen(linux_programs.load_command(args, server, row), stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
            if not load.stdout.readline().startswith("holding"):
                raise SystemExit(f"compare: {self.name}: {kind} did not hold the connections")
            resident = (server.resident_bytes() - resident) / row.connections
            figure, is_met = f"{resident:,.0f} resident", ""
            if kind.startswith("pipeport"):
                own = (server.figures()["memory"] - own) / row.connections
                figure, is_met = f"**{own:,.0f}** by its own count, {figure}", "yes" if own <= 400 else "**no**"
            load.communicate()
            server.stop()
            yield other_line(self.name, kind, figure, "<= 400", is_met)


class Calls:
    """System calls a message, counted by strace in a run of its own, which it slows down."""

    name = "system calls a message, 64 B, 255 connections, depth 1"

    def lines(self, args):
        row = Row(self.name, 0.1)
        if shutil.which("strace") is None:
            yield other_line(self.name, "all", "not counted: there is no strace here", "", "")
            return
        for kind in [kind for kind in KINDS if kind in args.kinds]:
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
            calls = calls_of(told.read_text())
            goal, is_met = "", ""
            if kind == "pipeport io_uring":
                goal, is_met = "<= 0.10", "yes" if calls / messages <= 0.1 else "**no**"
            yield other_line(self.name, kind, f"{calls / messages:.3f}", goal, is_met)


def visit_counted(args, server, row):
    count = 51000
    done = subprocess.run(linux_programs.load_command(args, server, row, "--messages", str(count)),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=linux_programs.PATIENCE_S)
    if not done.stdout.strip().endswith(" ok"):
        raise SystemExit(f"compare: the load under strace failed: {(done.stderr or done.stdout).strip()}")
    return linux_programs.words_of(done.stdout)["all"]


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


OTHERS = [Unicast(1), Unicast(4), SlowReaders(0, "refuse"), SlowReaders(1, "drop the newest"),
          SlowReaders(2, "disconnect"), Growth(), Idle(), Calls()]
