# SPDX-License-Identifier: MIT
"""compare --linux - pipeport's drivers against the bare loops, in one run, alternately.

Each row has its own servers, started once, on processor 0; the load, on processor 1, visits them in turn, A B C D
D C B A ..., so that what changes on the machine meanwhile meets all. Each round gives one ratio, pipeport's figure
divided by the better bare loop's (whose median is better over all rounds); the table has the median and the quartiles,
which is how far to trust it. CPU is the processor time of the server for a message, as a ratio too: other programs
disturb it less than the rate. `load` is how busy the load itself was beside the better bare loop: near 1.00 it limits.

The programs are those of build/release (built first, unless --bin is given).
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

import compare_page
import kept
import linux_others
import linux_programs
import linux_rows
import page
import tables

BRIEF_MS, BRIEF_WARM_UP_MS = 150, 50   # of rows without a goal
OTHERS_ROUNDS_MAX = 7   # of what is no row: with 10,000 connections, or queues to fill, a visit takes its time
HOW = "Servers of one worker on processor 0, the load on processor 1"


def arguments(words):
    parser = argparse.ArgumentParser(prog="bench/compare --linux", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", metavar="WORD", help="only rows whose name has one of these words in it")
    parser.add_argument("--list", action="store_true", help="the names of all rows, and nothing else")
    parser.add_argument("--rounds", type=int, default=15,
                        help="each visits every server once; many short ones, as machines change from second to second")
    parser.add_argument("--ms", type=int, default=300,
                        help=f"counted in each visit, but at most {BRIEF_MS} in rows without a goal")
    parser.add_argument("--warm-up-ms", type=int, default=100)
    parser.add_argument("--spin", type=int, choices=(0, 1), default=0,
                        help="1: the load never sleeps, so that no server has it to wake")
    parser.add_argument("--bin", type=pathlib.Path, help="where the programs are; nothing is built then")
    compare_page.add_options(parser, "2 rounds of 150 ms")
    args = parser.parse_args(words)
    if args.quick:
        args.rounds, args.ms, args.warm_up_ms = 2, 150, 50
    compare_page.check_options(parser, args, whole=args.rows is None)
    return args


def build():
    targets = ["load", "bare_epoll", "bare_uring", "pipeport_echo"]
    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", "--preset", "release", "-j2", "--target", *targets]):
        done = subprocess.run(command, cwd=page.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit(f"compare: {' '.join(command)} failed\n{done.stdout}")
    return page.ROOT / "build" / "release" / "bin"


def measure(args, row):
    """All rounds of one row: for each server the figures of each round."""
    brief = {} if row.goals else {"ms": min(args.ms, BRIEF_MS), "warm_up_ms": min(args.warm_up_ms, BRIEF_WARM_UP_MS)}
    args = argparse.Namespace(**{**vars(args), **brief})
    servers = []
    try:
        for kind in row.kinds:
            if kind in args.kinds:
                servers.append(linux_programs.Server(args, kind, row))
        figures = {server.kind: [] for server in servers}
        for turn in range(args.rounds):
            for server in servers if turn % 2 == 0 else servers[::-1]:
                figures[server.kind].append(linux_programs.visit(args, server, row))
    finally:
        linux_programs.stop_all(servers)
    return {"name": row.name, "mode": row.mode, "connections": row.connections, "size": row.size, "depth": row.depth,
            "unit": row.unit, "ms": args.ms, "goals": row.goals, "servers": kept.servers(figures)}


def compiler(args):
    """Of the programs measured: what their own build directory says, or the release preset's."""
    cache = args.bin.parent / "CMakeCache.txt"
    name = "gcc"
    if cache.is_file():
        lines = [line for line in cache.read_text().splitlines() if line.startswith("CMAKE_C_COMPILER:")]
        name = lines[0].split("=", 1)[1] if lines else name
    said = subprocess.run([name, "--version"], capture_output=True, text=True).stdout.splitlines()
    return said[0] if said else "unknown compiler"


def run(args, rows, others):
    """The kept figures of all that could be measured; what could not is named, and the rest goes on."""
    how = f"{HOW}, which never sleeps" if args.spin else HOW
    data = {"part": "linux", "measured": kept.measured(args, [page.processors(), page.kernel(), compiler(args)], how),
            "left_out": [kind for kind in linux_programs.KINDS if kind not in args.kinds], "failed": [], "rows": [],
            "others": []}
    print(tables.heading(data) + "\n\n" + "\n".join(tables.LINUX_HEAD), flush=True)
    for row in rows:
        try:
            data["rows"].append(measure(args, row))
            print(tables.linux_line(data["rows"][-1]), flush=True)
        except (SystemExit, linux_programs.Refused, subprocess.TimeoutExpired) as why:
            failed(data, row, why)
    if others:
        print("\n" + "\n".join(tables.OTHERS_HEAD), flush=True)
    seldom = argparse.Namespace(**{**vars(args), "rounds": min(args.rounds, OTHERS_ROUNDS_MAX)})
    for other in others:
        try:
            for entry in other.entries(seldom):
                data["others"].append(entry)
                print(tables.other_line(entry), flush=True)
        except (SystemExit, linux_programs.Refused, subprocess.TimeoutExpired) as why:
            failed(data, other, why)
    return data


def failed(data, named, why):
    data["failed"].append(f"{named.name}: {why}")
    print(f"FAILED: {data['failed'][-1]}", flush=True)


def main(words):
    args = arguments(words)

    def wanted(named):
        return not args.rows or any(word in named.name for word in args.rows)

    if args.list:
        print("\n".join(named.name for named in (*linux_rows.ROWS, *linux_others.OTHERS)))
        return 0
    args.busy = os.getloadavg()[0]   # before our own build
    args.bin = (args.bin or build()).resolve()
    rows = [row for row in linux_rows.ROWS if wanted(row)]
    others = [other for other in linux_others.OTHERS if wanted(other)]
    if not rows and not others:
        raise SystemExit("compare: no row has such a name; --list tells them")
    with tempfile.TemporaryDirectory(prefix="pipeport-bench-") as folder:
        args.folder = pathlib.Path(folder)
        args.programs, args.kinds = linux_programs, linux_programs.kinds_here(args)
        data = run(args, rows, others)
    return compare_page.keep(args, data)
