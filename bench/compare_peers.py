# SPDX-License-Identifier: MIT
"""compare --peers - pipeport's echo and broadcast beside servers on other libraries and schemes (bench/peers).

All servers of a row are started once and stay; the load visits them in turn, A B C A B C ..., and each round gives one
ratio to each peer: pipeport's figure divided by its. The first table has their medians and quartiles; the second what
each did, and the processor time of the server for a message. On Linux the servers have one worker on processor 0, the
load is on processor 1, and speaks the protocols of nng and ZeroMQ itself. With --windows the same under Wine, in a
prefix of its own, pipeport and the bare loop with two threads; CPU is there the server's and Wine's server's together.

Others on the machine blur this more than a comparison of servers with one thread each: whoever has more threads (thread
per client, nng, ZeroMQ) gets a larger share of a processor that is fought for. CPU a message is then the truer figure.

A peer that is not built, because its library is missing, is left out and named. The programs are those of
build/release or build/windows-release (built first, unless --bin is given).
"""
import argparse
import os
import pathlib
import subprocess
import tempfile
import time

import compare_linux
import compare_page
import kept
import linux_programs
import page
import peer_rows
import tables
import wine_programs


def arguments(words):
    parser = argparse.ArgumentParser(prog="bench/compare --peers", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", action="store_true", help="under Wine")
    parser.add_argument("--rows", nargs="+", metavar="WORD", help="only rows whose name has one of these words in it")
    parser.add_argument("--list", action="store_true", help="the names of all rows, and nothing else")
    parser.add_argument("--rounds", type=int, default=5, help="each visits every server once")
    parser.add_argument("--ms", type=int, default=500, help="counted in each visit")
    parser.add_argument("--warm-up-ms", type=int, default=100)
    parser.add_argument("--bin", type=pathlib.Path, help="where the programs are; nothing is built then")
    compare_page.add_options(parser, "2 rounds of 100 ms")
    args = parser.parse_args(words)
    args.spin = 0
    if args.quick:
        args.rounds, args.ms, args.warm_up_ms = 2, 100, 20
    compare_page.check_options(parser, args, whole=args.rows is None)
    return args


def build(preset):
    bare = ["bare_iocp"] if preset.startswith("windows") else ["bare_epoll", "bare_uring"]
    for command in (["cmake", "--preset", preset],
                    ["cmake", "--build", "--preset", preset, "-j2", "--target", "load", "pipeport_echo", "peers",
                     *bare]):
        done = subprocess.run(command, cwd=page.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit(f"compare: {' '.join(command)} failed\n{done.stdout}")
    return page.ROOT / "build" / preset / "bin"


class Linux:
    """What linux_programs offers, for the rows of Linux."""

    rows, kinds, part = peer_rows.LINUX_ROWS, peer_rows.LINUX, "peers-linux"
    how = compare_linux.HOW

    def __init__(self, args):
        self.args = args
        self.folder = tempfile.TemporaryDirectory(prefix="pipeport-bench-")
        args.folder = pathlib.Path(self.folder.name)
        self.found = linux_programs.kinds_here(args, self.kinds)

    def machine(self):
        return [page.processors(), page.kernel(), compare_linux.compiler(self.args)]

    def start(self, kind, row):
        return linux_programs.Server(self.args, kind, row)

    def visit(self, server, row):
        before_ns = page.cpu_of_all_ns(server.process.pid)
        figures = linux_programs.visit(self.args, server, row)
        settle(server.process.pid)
        if server.kind == "thread per client":   # the load counts living threads only
            figures["server_us"] = (page.cpu_of_all_ns(server.process.pid) - before_ns) / 1e3 / figures["all"]
        return figures

    def end(self):
        self.folder.cleanup()


class Wine:
    """The same for Wine."""

    rows, kinds, part = peer_rows.WINE_ROWS, peer_rows.WINE, "peers-wine"
    how = "pipeport and the bare loop with 2 threads, and one Wine server for all of them"

    def __init__(self, args):
        self.args = args
        self.wine = wine_programs.Wine()
        self.found = wine_programs.kinds_here(args, self.kinds)

    def machine(self):
        return [page.processors(), page.kernel(), wine_programs.version()]

    def start(self, kind, row):
        return wine_programs.Server(self.args, self.wine, kind, row.connections)

    def visit(self, server, row):
        figures = wine_programs.visit(self.args, self.wine, server, row)
        settle(server.process.pid)
        return figures

    def end(self):
        self.wine.end()


def settle(pid):
    """Until the server has done with the connections of its visit, which would cost the next server's time."""
    end = time.monotonic() + 2
    before = -1
    while (spent := page.cpu_of_all_ns(pid)) != before and time.monotonic() < end:
        before = spent
        time.sleep(0.03)   # longer than a step of that clock


def measure(side, row):
    """All rounds of one row: for each server the figures of each round."""
    servers = []
    try:
        for kind in row.kinds:
            if kind in side.found:
                servers.append(side.start(kind, row))
        figures = {server.kind: [] for server in servers}
        for _ in range(side.args.rounds):
            for server in servers:
                figures[server.kind].append(side.visit(server, row))
    finally:
        linux_programs.stop_all(servers)
    goals = [kept.goal(goal.key, goal.bound, goal.more, goal.kind) for goal in row.goals]
    return {"name": row.name, "mode": getattr(row, "mode", "echo"), "connections": row.connections, "size": row.size,
            "depth": row.depth, "unit": row.unit, "goals": goals, "servers": kept.servers(figures)}


def run(side, rows):
    """The kept figures of all that could be measured; what could not is named, and the rest goes on."""
    data = {"part": side.part, "measured": kept.measured(side.args, side.machine(), side.how),
            "left_out": [kind for kind in side.kinds if kind not in side.found], "failed": [], "rows": []}
    print(tables.heading(data) + "\n", flush=True)
    names = [kind for kind in side.kinds[1:] if kind in side.found]
    print("\n".join(tables.head(["pipeport's rate to that of", *names, "best peer", "goals"])), flush=True)
    for row in rows:
        try:
            data["rows"].append(measure(side, row))
            print(tables.peer_ratio_line(data["rows"][-1], names), flush=True)
        except (SystemExit, linux_programs.Refused, subprocess.TimeoutExpired) as why:
            data["failed"].append(f"{row.name}: {why}")
            print(f"FAILED: {data['failed'][-1]}", flush=True)
    print("\n".join(["", *tables.peer_figures(data)]), flush=True)
    return data


def main(words):
    args = arguments(words)
    system = Wine if args.windows else Linux
    rows = [row for row in system.rows if not args.rows or any(word in row.name for word in args.rows)]
    if args.list:
        print("\n".join(row.name for row in system.rows))
        return 0
    if not rows:
        raise SystemExit("compare: no row has such a name; --list tells them")
    args.busy = os.getloadavg()[0]   # before our own build
    args.bin = (args.bin or build("windows-release" if args.windows else "release")).resolve()
    side = system(args)
    try:
        if "pipeport" not in side.found:
            raise SystemExit("compare: there is no pipeport_echo to compare with")
        data = run(side, rows)
    finally:
        side.end()
    return compare_page.keep(args, data)
