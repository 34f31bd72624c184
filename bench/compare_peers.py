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
import statistics
import subprocess
import tempfile
import time

import compare_linux
import linux_programs
import page
import peer_rows
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
    parser.add_argument("--quick", action="store_true", help="2 rounds of 100 ms: does it run, not how fast is it")
    parser.add_argument("--bin", type=pathlib.Path, help="where the programs are; nothing is built then")
    parser.add_argument("--write", action="store_true",
                        help=f"put the tables into {page.PAGE.relative_to(page.ROOT)}, between their markers")
    args = parser.parse_args(words)
    args.spin = 0
    if args.quick:
        args.rounds, args.ms, args.warm_up_ms = 2, 100, 20
    if args.rounds < 2:
        parser.error("--rounds: at least 2")
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

    rows, kinds, marker = peer_rows.LINUX_ROWS, peer_rows.LINUX, "bench/compare --peers"
    reference = ("bare epoll", "bare io_uring")

    def __init__(self, args):
        self.args = args
        self.folder = tempfile.TemporaryDirectory(prefix="pipeport-bench-")
        args.folder = pathlib.Path(self.folder.name)
        self.found = linux_programs.kinds_here(args, self.kinds)

    def where(self):
        return (f"{page.processors()}, {page.kernel()}, {compare_linux.compiler(self.args)}; servers of one worker on "
                "processor 0, the load on processor 1")

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

    rows, kinds, marker = peer_rows.WINE_ROWS, peer_rows.WINE, "bench/compare --peers --windows"
    reference = ("bare IOCP",)

    def __init__(self, args):
        self.args = args
        self.wine = wine_programs.Wine()
        self.found = wine_programs.kinds_here(args, self.kinds)

    def where(self):
        return f"{page.processors()}, {page.kernel()}, {wine_programs.version()}; pipeport and bare IOCP with 2 threads"

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
        for server in servers:
            server.stop()
    return figures


def middle(figures, kind, key="rate"):
    return statistics.median(figure[key] for figure in figures[kind])


def ratios(figures, kind, key="rate"):
    """pipeport's figure divided by that peer's: quartile, median, quartile of all rounds."""
    each = [ours[key] / its[key] for ours, its in zip(figures["pipeport"], figures[kind]) if its[key] > 0]
    return statistics.quantiles(each, n=4, method="inclusive") if len(each) > 1 else [0.0, 0.0, 0.0]


def goals_cell(row, figures):
    words = []
    for goal in row.goals:
        if goal.kind not in figures:
            continue
        ratio = ratios(figures, goal.kind, goal.key)[1]
        is_met = ratio >= goal.bound if goal.more else ratio <= goal.bound
        what = goal.kind if goal.key == "rate" else f"CPU of {goal.kind}"
        words.append(f"{what} {'>=' if goal.more else '<='} {goal.bound:g}: "
                     f"{'yes' if is_met else f'**no** ({ratio:.2f})'}")
    return "; ".join(words)


def ratio_line(side, row, figures):
    others = [kind for kind in figures if kind != "pipeport" and kind not in side.reference]
    cells = [row.name]
    for kind in side.kinds[1:]:
        if kind not in side.found:
            continue
        if kind not in figures:
            cells.append("")
            continue
        low, ratio, high = ratios(figures, kind)
        cells.append(f"**{ratio:.2f}** ({low:.2f}-{high:.2f})")
    best = max(others, key=lambda kind: middle(figures, kind)) if others else ""
    return f"| {' | '.join([*cells, best, goals_cell(row, figures)])} |"


def figure_line(side, row, figures):
    cells = [row.name, row.unit]
    for kind in side.kinds:
        if kind not in side.found:
            continue
        cpu = middle(figures, kind, "server_us") if kind in figures else 0
        cells.append("" if kind not in figures else f"{middle(figures, kind):,.0f}" + (f" ({cpu:.2f})" if cpu else ""))
    return f"| {' | '.join(cells)} |"


def heads(side):
    shown = [kind for kind in side.kinds if kind in side.found]
    ratio = [f"| pipeport's rate to that of | {' | '.join(shown[1:])} | best peer | goals |",
             f"| --- |{' ---: |' * len(shown[1:])} --- | --- |"]
    figure = [f"| rate (CPU us a message) | unit | {' | '.join(shown)} |", f"| --- | --- |{' ---: |' * len(shown)}"]
    return ratio, figure


def run(side, rows):
    args = side.args
    missing = [kind for kind in side.kinds if kind not in side.found]
    text = (f"Measured on {side.where()}; load average before the start {args.busy:.1f}; {args.rounds} rounds of "
            f"{args.ms} ms, after {args.warm_up_ms} ms of warming up. Medians of all rounds, and the quartiles of the "
            "ratios.")
    if missing:
        text += f" Left out, because it is not built here: {', '.join(missing)}."
    if args.busy > page.BUSY:
        text += f" {page.NOT_QUIET}"
    ratio_head, figure_head = heads(side)
    lines, figure_lines = [text, "", *ratio_head], []
    print("\n".join(lines), flush=True)
    for row in rows:
        figures = measure(side, row)
        lines.append(ratio_line(side, row, figures))
        figure_lines.append(figure_line(side, row, figures))
        print(lines[-1], flush=True)
    tail = ["", *figure_head, *figure_lines]
    print("\n".join(tail), flush=True)
    return lines + tail


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
        lines = run(side, rows)
    finally:
        side.end()
    if args.write:
        page.write(side.marker, lines)
    return 0
