# SPDX-License-Identifier: MIT
"""linux_programs - the servers and the load of bench/compare --linux, as processes."""
import itertools
import os
import pathlib
import subprocess

from program import PATIENCE_S, Program, visited

SERVER_CPU, LOAD_CPU = 0, 1
MEMORY = "resident"   # what Server.memory_bytes tells
DRIVERS = {"pipeport epoll": "epoll", "pipeport io_uring": "uring"}
SAID = {"pipeport epoll": "epoll", "pipeport io_uring": "io_uring"}   # after "listening on PATH with"
KINDS = ["bare epoll", "bare io_uring", "pipeport epoll", "pipeport io_uring"]
BARE = {"bare epoll": "bare_epoll", "bare io_uring": "bare_uring"}
numbers = itertools.count()


class Refused(Exception):
    """A server that cannot run here."""


class Server(Program):
    """One server process, from `listening` on until stop."""

    def __init__(self, args, kind, row, options=()):
        self.kind = kind
        self.path = args.folder / f"{next(numbers)}"
        environment = {name: value for name, value in os.environ.items() if name != "PIPEPORT_LINUX_DRIVER"}
        if kind in BARE:
            command = [args.bin / BARE[kind], self.path, "--connections", str(row.connections_max),
                       "--broadcast", str(int(row.mode == "broadcast"))]
        else:
            environment["PIPEPORT_LINUX_DRIVER"] = DRIVERS[kind]
            command = [args.bin / "pipeport_echo", self.path, "--connections", str(row.connections_max),
                       "--threads", "1", "--ask", "1", "--mode", {"broadcast": "1", "unicast": "2"}.get(row.mode, "0")]
        if not command[0].is_file():
            raise Refused(f"{kind}: {command[0].name} is not built")
        self.process = subprocess.Popen(
            [*map(str, command), *options], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1, preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CPU}))
        said = self.hear()
        if not said.startswith("listening on ") or (kind in SAID and said.split(" with ")[-1].strip() != SAID[kind]):
            self.process.kill()
            self.process.wait()
            raise Refused(f"{kind} did not start: {said.strip()}")

    def memory_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) * 1024


def stop_all(servers):
    """Each of them, also where one had ended by itself; that is told at the end."""
    faults = []
    for server in servers:
        try:
            server.stop()
        except SystemExit as why:
            faults.append(str(why))
    if faults:
        raise SystemExit("; ".join(faults))


def kinds_here(args):
    """Which of the servers are built, and run on this kernel."""
    class Small:
        connections_max, mode = 16, "echo"

    found = []
    for kind in KINDS:
        try:
            Server(args, kind, Small).stop()
            found.append(kind)
        except Refused as why:
            print(f"left out: {why}", flush=True)
    if "bare epoll" not in found:
        raise SystemExit("compare: without the bare epoll loop there is nothing to compare with")
    return found


def environment(_args):
    """Of the load: this process' own."""


def load_command(args, server, row, *more):
    mode = {"echo": "0", "broadcast": "1", "unicast": "1", "churn": "2", "hold": "3"}[row.mode]
    return [str(args.bin / "load"), str(server.path), "--mode", mode, "--connections", str(row.connections),
            "--size", str(row.size), "--depth", str(row.depth), "--cpu", str(LOAD_CPU), "--spin", str(args.spin),
            "--deaf", str(row.deaf), "--fill", str(row.fill_kib), "--unordered", str(int(row.mode == "unicast")),
            "--server-pid", str(server.process.pid), *more]


def visit(args, server, row):
    """One visit of the load. Where other programs held it up so long that nothing was counted, once more."""
    for _ in range(3):
        done = subprocess.run(load_command(args, server, row, "--ms", str(args.ms), "--warm-up-ms",
                                           str(args.warm_up_ms)),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S)
        figures = visited(done, server, row)
        if figures["messages"] > 0:
            return figures
    raise SystemExit(f"compare: {row.name}: {server.kind} answered nothing for {args.ms} ms, three times")
