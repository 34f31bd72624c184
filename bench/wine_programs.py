# SPDX-License-Identifier: MIT
"""wine_programs - the servers and the load of bench/compare --peers --windows, as processes under Wine."""
import itertools
import os
import select
import subprocess
import tempfile

import page
from linux_programs import words_of

PATIENCE_S = 120
PROGRAMS = {   # name in the table: program and its own options
    "pipeport": ["pipeport_echo", "--threads", "2"],
    "bare IOCP": ["bare_iocp", "--threads", "2"],
    "thread per client": ["peer_blocking"],
    "overlapped": ["peer_overlapped"],
    "completion routines": ["peer_routines"],
    "libuv": ["peer_libuv"],
    "libuv joined": ["peer_libuv", "--join", "1"],
}
numbers = itertools.count()


def version():
    return subprocess.run(["wine", "--version"], capture_output=True, text=True).stdout.strip()


def kinds_here(args, kinds):
    found = []
    for kind in kinds:
        if (args.bin / f"{PROGRAMS[kind][0]}.exe").is_file():
            found.append(kind)
        else:
            print(f"left out: {kind}: {PROGRAMS[kind][0]}.exe is not built; tools/setup builds what peers need",
                  flush=True)
    return found


class Wine:
    """What tools/wine-env says, with a prefix that nobody else uses, and the Wine server, which is ours to end."""

    def __init__(self):
        self.prefix = tempfile.TemporaryDirectory(prefix="pipeport-bench-")
        self.environment = dict(os.environ, WINEPREFIX=self.prefix.name, WINEDEBUG="-all,err+module",
                                WINEDLLOVERRIDES="mscoree,mshtml=;winedbg.exe=d")
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            self.environment.pop(name, None)
        quiet = {"env": self.environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                 "stderr": subprocess.DEVNULL}
        self.server = subprocess.Popen(["wineserver", "-f", "-p60"], **quiet)
        subprocess.run(["wine", "wineboot", "-u"], timeout=180, check=True, **quiet)

    def end(self):
        subprocess.run(["wineserver", "-k"], env=self.environment)
        self.server.wait(timeout=30)
        self.prefix.cleanup()


class Server:
    """One server process, from `listening` on until stop."""

    def __init__(self, args, wine, kind, connections):
        self.kind = kind
        self.pipe = f"pipeport-peers-{os.getpid()}-{next(numbers)}"
        program, *options = PROGRAMS[kind]
        self.process = subprocess.Popen(
            ["wine", str(args.bin / f"{program}.exe"), self.pipe, "--connections", str(connections), *options],
            env=wine.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        said = self.process.stdout.readline() if ready else "it said nothing"
        if not said.startswith("listening on "):
            self.process.kill()
            self.process.wait()
            raise SystemExit(f"compare: {kind} did not start: {said.strip()}")

    def stop(self):
        """It has nothing to save; to end in order is what the tests look at."""
        if self.process.poll() is not None:
            raise SystemExit(f"compare: {self.kind} ended by itself, with {self.process.returncode}")
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def visit(args, wine, server, row):
    """One visit of the load. Where other programs held it up so long that nothing was counted, once more."""
    for _ in range(3):
        before_ns = page.cpu_of_all_ns(server.process.pid) + page.cpu_of_all_ns(wine.server.pid)
        done = subprocess.run(
            ["wine", str(args.bin / "load.exe"), server.pipe, "--connections", str(row.connections), "--size",
             str(row.size), "--depth", str(row.depth), "--ms", str(args.ms), "--warm-up-ms", str(args.warm_up_ms)],
            env=wine.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S)
        words = done.stdout.split()
        if done.returncode != 0 or not words or words[-1] != "ok":
            raise SystemExit(f"compare: {row.name}: the load on {server.kind} failed: "
                             f"{(done.stderr or done.stdout).strip()}")
        figures = words_of(done.stdout)
        spent_ns = page.cpu_of_all_ns(server.process.pid) + page.cpu_of_all_ns(wine.server.pid) - before_ns
        figures["server_us"] = spent_ns / 1e3 / figures["all"]
        if figures["messages"] > 0:
            return figures
    raise SystemExit(f"compare: {row.name}: {server.kind} answered nothing for {args.ms} ms, three times")
