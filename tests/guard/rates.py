#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rates.py BIN SYSTEM - pipeport's rate beside the bare loop's, in one short run: has it become much slower?

Both servers of a load run at once, and the load visits them in turn, A B B A A B ..., so that whatever else the machine
does meets both. The median of the rounds' ratios must reach a floor, about half of what is usual (docs/TESTING.md), so
that only a fault falls below it. What is below is measured once more, in more and longer rounds, and that verdict
counts.

BIN is the folder of the release build's programs, SYSTEM linux or windows (then by Wine, as tools/wine-env sets it up).
On Linux PIPEPORT_TEST_DRIVER is the driver, as test_on_driver sets it, and else epoll. The servers and the load are
those of bench/compare.
"""
import argparse
import functools
import os
import pathlib
import statistics
import sys
import tempfile

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
import linux_programs   # noqa: E402
import wine_programs   # noqa: E402
from linux_rows import Row   # noqa: E402

MEASUREMENTS = [(5, 1), (15, 2)]   # rounds, and how many times longer a visit is; the second is for doubt
# Loads, without goals of their own, and the floors.
LINUX = [
    (Row("64 B, 255 connections, depth 16", [], depth=16), 0.45),
    (Row("64 B, 255 connections, depth 1", []), 0.45),
    (Row("broadcast to 255, one at a time", [], mode="broadcast"), 0.45),
]
WINDOWS = [
    (Row("64 B, 64 connections, depth 1", [], connections=64), 0.40),
    (Row("64 B, 64 connections, depth 16", [], connections=64, depth=16), 0.90),   # its replies leave together
]


class Linux:
    """Servers on processor 0, the load on processor 1."""

    rows = LINUX

    def __init__(self, args):
        driver = os.environ.get("PIPEPORT_TEST_DRIVER", "epoll")
        self.bare, self.ours = f"bare {driver}", f"pipeport {driver}"
        self.args = args
        self.ms, args.warm_up_ms = 150, 30
        self.folder = tempfile.TemporaryDirectory(prefix="pipeport-guard-")
        args.folder = pathlib.Path(self.folder.name)
        args.spin = 0

    def start(self, kind, row):
        try:
            return linux_programs.Server(self.args, kind, row)
        except linux_programs.Refused as why:
            raise SystemExit(f"FAILED: {why}")

    def visit(self, server, row):
        return linux_programs.visit(self.args, server, row)


class Windows:
    """By the Wine server that all tests use, since a prefix of its own takes longer than the whole guard."""

    rows = WINDOWS
    bare, ours = "bare IOCP", "pipeport"

    def __init__(self, args):
        self.args = args
        args.threads, args.load_threads, args.wine = 2, 1, wine_programs.Borrowed()
        self.ms, args.warm_up_ms = 400, 40

    def start(self, kind, row):
        return wine_programs.Server(self.args, kind, row)

    def visit(self, server, row):
        return wine_programs.visit(self.args, server, row)


def measure(side, row, rounds, longer):
    """(median of the rounds' ratios, our rate, the bare loop's)"""
    side.args.ms = side.ms * longer
    servers = {}
    rates = {side.bare: [], side.ours: []}
    try:
        for kind in rates:
            servers[kind] = side.start(kind, row)
        for turn in range(rounds):
            for kind in list(rates) if turn % 2 == 0 else list(rates)[::-1]:
                rates[kind].append(side.visit(servers[kind], row)["rate"])
    finally:
        linux_programs.stop_all(servers.values())
    ratios = [ours / bare for ours, bare in zip(rates[side.ours], rates[side.bare])]
    return statistics.median(ratios), statistics.median(rates[side.ours]), statistics.median(rates[side.bare])


def judge(row, floor, measured):
    """The ratio, or None: it is too low. measured(rounds, longer) measures; what it finds is printed."""
    for rounds, longer in MEASUREMENTS:
        ratio, ours, bare = measured(rounds, longer)
        enough = ratio >= floor
        print(f"{row.name}: {ratio:.2f} of the bare loop, floor {floor:.2f}: {ours:,.0f} {row.unit} against "
              f"{bare:,.0f}, {rounds} rounds{'' if enough else ': BELOW'}", flush=True)
        if enough:
            return ratio
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("system", choices=("linux", "windows"))
    args = parser.parse_args()
    if args.system == "linux" and not {linux_programs.SERVER_CPU, linux_programs.LOAD_CPU} <= os.sched_getaffinity(0):
        print("SKIP: server and load need a processor each, and this test may not use two")
        return 77
    side = (Linux if args.system == "linux" else Windows)(args)
    found = {row.name: judge(row, floor, functools.partial(measure, side, row)) for row, floor in side.rows}
    slow = [name for name, ratio in found.items() if ratio is None]
    if slow:
        print(f"FAILED: {side.ours} is too slow beside {side.bare}: {'; '.join(slow)}")
        return 1
    print("NOTE: of " + side.bare + ": " + "; ".join(f"{name}: {ratio:.2f}" for name, ratio in found.items()))
    print("OK")
    return 0


if __name__ == "__main__":
    sys.exit(main())
