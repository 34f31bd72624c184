# SPDX-License-Identifier: MIT
"""wine_programs - Wine, and the servers and the load of bench/compare under it, as processes."""
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import page
from program import PATIENCE_S, Program, visited

MEMORY = "private"   # what Server.memory_bytes tells
SERVERS = {   # name in tables: program and its own options
    "bare IOCP": ["bare_iocp"],
    "pipeport": ["pipeport_echo"],
    "bare IOCP joined": ["bare_iocp", "--join", "1"],
}
MODES = {"echo": 0, "broadcast": 1, "churn": 2, "hold": 3}   # of the load
numbers = itertools.count()


def version():
    return subprocess.run(["wine", "--version"], capture_output=True, text=True).stdout.strip()


def once_more(who, begin, is_ended):
    """What `begin` gives; of its second time where Wine ended the first before its main (docs/WINDOWS.md)."""
    begun = begin()
    if is_ended(begun):
        print(f"before its main (docs/WINDOWS.md) Wine ended {who}; once more", file=sys.stderr)
        begun = begin()
    return begun


class Wine:
    """What tools/wine-env says, with a prefix that nobody else uses, and the Wine server, which is ours to end.

    Until then this process, and so all that it starts, has one processor: Wine's server and a program hand over to each
    other at each call, and between two processors the time to wake one that sleeps is more than all the rest."""

    def __init__(self):
        self.processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {max(self.processors)})
        self.prefix = tempfile.TemporaryDirectory(prefix="pipeport-bench-")
        self.environment = dict(os.environ, WINEPREFIX=self.prefix.name, WINEDEBUG="-all,err+module",
                                WINEDLLOVERRIDES="mscoree,mshtml=;winedbg.exe=d")
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            self.environment.pop(name, None)
        quiet = {"env": self.environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                 "stderr": subprocess.DEVNULL}
        self.server = subprocess.Popen(["wineserver", "-f", "-p60"], **quiet)
        self.wait_for_server()
        subprocess.run(["wine", "wineboot", "-u"], timeout=180, check=True, **quiet)

    def wait_for_server(self):
        """A program that comes before it listens would start another, and one of the two would give up."""
        socket = pathlib.Path(f"/proc/{self.server.pid}/cwd/socket")   # it works in the folder that has its socket
        deadline = time.monotonic() + PATIENCE_S
        while not socket.exists():
            if self.server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("compare: the Wine server did not start")
            time.sleep(0.01)

    def server_cpu_ns(self):
        return page.cpu_ns(self.server.pid)

    def end(self):
        subprocess.run(["wineserver", "-k"], env=self.environment)
        self.server.wait(timeout=30)
        self.prefix.cleanup()
        os.sched_setaffinity(0, self.processors)


class Borrowed:
    """The Wine that this process was started for: its server serves others too, and so its time is not looked at."""

    environment = dict(os.environ)

    def server_cpu_ns(self):
        return 0


class Server(Program):
    """One server process, from `listening` on until stop."""

    def __init__(self, args, kind, row, options=()):
        self.kind = kind
        self.pipe = f"pipeport-bench-{os.getpid()}-{next(numbers)}"
        program, *own = SERVERS[kind]
        command = ["wine", str(args.bin / f"{program}.exe"), self.pipe, "--connections", str(row.connections_max),
                   "--threads", str(args.threads), *own, *options]
        broadcasts = str(int(row.mode == "broadcast"))
        command += ["--ask", "1", "--mode", broadcasts] if kind == "pipeport" else ["--broadcast", broadcasts]
        said = once_more(kind, lambda: self.begin(command, args.wine.environment),
                         lambda heard: not heard and self.process.wait(100) == 1)
        if not said.startswith("listening on "):
            self.process.kill()
            self.process.wait()
            raise SystemExit(f"compare: {kind} did not start: {said.strip()}")

    def begin(self, command, environment):
        """The first line that it says; "" where it ends without one."""
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, bufsize=1)
        return self.hear()

    def memory_bytes(self):
        """What no other process shares: what Wine answers GetProcessMemoryInfo with as PagefileUsage."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        kib = (int(line.split()[1]) for line in status.splitlines() if line.startswith(("RssAnon:", "VmSwap:")))
        return sum(kib) * 1024


def environment(args):
    """Of the load."""
    return args.wine.environment


def load_command(args, server, row, *more):
    threads = ["--threads", str(args.load_threads)] if row.mode == "echo" else []
    return ["wine", str(args.bin / "load.exe"), server.pipe, "--mode", str(MODES[row.mode]), "--connections",
            str(row.connections), "--size", str(row.size), "--depth", str(row.depth), "--deaf", str(row.deaf), "--fill",
            str(row.fill_kib), *threads, *more]


def visit(args, server, row):
    """One visit of the load. Where other programs held it up so long that nothing was counted, once more."""
    for _ in range(3):
        figures = visit_once(args, server, row)
        if figures["messages"] > 0:
            return figures
    raise SystemExit(f"compare: {server.kind} answered nothing for {args.ms} ms, three times")


def visit_once(args, server, row):
    """The processor time is that of the whole visit, by all its messages: Wine's server is the kernel there. Where it
    filled before it counted, that says nothing."""
    command = load_command(args, server, row, "--ms", str(args.ms), "--warm-up-ms", str(args.warm_up_ms))

    def begin():
        before_ns = page.cpu_ns(server.process.pid) + args.wine.server_cpu_ns()
        return before_ns, subprocess.run(command, env=args.wine.environment, stdin=subprocess.DEVNULL,
                                         capture_output=True, text=True, timeout=PATIENCE_S)

    def is_ended(begun):
        return begun[1].returncode == 1 and not begun[1].stdout and not begun[1].stderr

    before_ns, done = once_more("the load", begin, is_ended)
    figures = visited(done, server, row)
    spent_ns = page.cpu_ns(server.process.pid) + args.wine.server_cpu_ns() - before_ns
    if row.fill_kib == 0:
        figures["server_us"] = spent_ns / 1e3 / figures["all"]
    return figures
