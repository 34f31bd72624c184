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
import statistics
import subprocess
import tempfile

import linux_programs
import linux_rows
import page


def arguments(words):
    parser = argparse.ArgumentParser(prog="bench/compare --linux", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", metavar="WORD", help="only rows whose name has one of these words in it")
    parser.add_argument("--list", action="store_true", help="the names of all rows, and nothing else")
    parser.add_argument("--rounds", type=int, default=5, help="each visits every server once")
    parser.add_argument("--ms", type=int, default=1000, help="counted in each visit")
    parser.add_argument("--warm-up-ms", type=int, default=200)
    parser.add_argument("--spin", type=int, choices=(0, 1), default=0,
                        help="1: the load never sleeps, so that no server has it to wake")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 300 ms: does it run, not how fast is it")
    parser.add_argument("--bin", type=pathlib.Path, help="where the programs are; nothing is built then")
    parser.add_argument("--write", action="store_true",
                        help=f"put the table into {page.PAGE.relative_to(page.ROOT)}, between its markers")
    args = parser.parse_args(words)
    if args.quick:
        args.rounds, args.ms, args.warm_up_ms = 3, 300, 50
    if args.rounds < 2:
        parser.error("--rounds: at least 2")
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
    servers = [linux_programs.Server(args, kind, row) for kind in row.kinds if kind in args.kinds]
    figures = {server.kind: [] for server in servers}
    try:
        for turn in range(args.rounds):
            for server in servers if turn % 2 == 0 else servers[::-1]:
                figures[server.kind].append(linux_programs.visit(args, server, row))
    finally:
        for server in servers:
            server.stop()
    return figures


def compiler(args):
    """Of the programs measured: what their own build directory says, or the release preset's."""
    cache = args.bin.parent / "CMakeCache.txt"
    name = "gcc"
    if cache.is_file():
        lines = [line for line in cache.read_text().splitlines() if line.startswith("CMAKE_C_COMPILER:")]
        name = lines[0].split("=", 1)[1] if lines else name
    said = subprocess.run([name, "--version"], capture_output=True, text=True).stdout.splitlines()
    return said[0] if said else "unknown compiler"


def heading(args):
    text = (f"Measured on {page.processors()}, {page.kernel()}, {compiler(args)}; load average before the start "
            f"{args.busy:.1f}. Servers of one worker on processor 0, the load on processor 1"
            f"{', never asleep' if args.spin else ''}; {args.rounds} rounds of {args.ms} ms, after "
            f"{args.warm_up_ms} ms of warming up. Medians of all rounds, and the quartiles of the ratios.")
    if args.busy > page.BUSY:
        text += f" {page.NOT_QUIET}"
    return text


def middle(figures, kind, key):
    return statistics.median(figure[key] for figure in figures[kind])


def better_bare(row, figures):
    bare = [kind for kind in ("bare epoll", "bare io_uring") if kind in figures]
    best = max if row.more_is_better else min
    return best(bare, key=lambda kind: middle(figures, kind, row.key))


def quartiles(figures, kind, other, key):
    """One ratio for each round, kind's figure divided by other's."""
    ratios = [mine[key] / its[key] for mine, its in zip(figures[kind], figures[other]) if its[key] > 0]
    return statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else [0.0, 0.0, 0.0]


def met(row, ratio):
    return "yes" if (ratio >= row.goal if row.more_is_better else ratio <= row.goal) else "**no**"


HEAD = ["| what | unit | bare epoll | bare io_uring | pipeport epoll | ratio | CPU | pipeport io_uring | ratio | CPU "
        "| goal | met, epoll / io_uring | load |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- | ---: |"]


def line(row, figures):
    best = better_bare(row, figures)
    cells = [row.name, row.unit]
    verdicts = []
    for kind in ("bare epoll", "bare io_uring", "pipeport epoll", "pipeport io_uring"):
        if kind not in figures:
            cells += [""] if kind.startswith("bare") else ["", "", ""]
            continue
        value = middle(figures, kind, row.key)
        cells.append(f"{value:,.0f}" if value >= 100 else f"{value:.2f}")
        if kind.startswith("pipeport"):
            low, ratio, high = quartiles(figures, kind, best, row.key)
            cells += [f"**{ratio:.2f}** ({low:.2f}-{high:.2f})",
                      f"{quartiles(figures, kind, best, 'server_us')[1]:.2f}"]
            verdicts.append(met(row, ratio))
    cells += [f"{'>=' if row.more_is_better else '<='} {row.goal:.2f}", " / ".join(verdicts),
              f"{middle(figures, best, 'load_cpu'):.2f}"]
    return f"| {' | '.join(cells)} |"


def run(args, rows, others):
    lines = [heading(args), ""]
    if rows:
        lines += HEAD
    print("\n".join(lines), flush=True)
    for row in rows:
        lines.append(line(row, measure(args, row)))
        print(lines[-1], flush=True)
    if others:
        lines += ["", *linux_rows.OTHERS_HEAD]
        print("\n".join(lines[-3:]), flush=True)
    for other in others:
        for text in other.lines(args):
            lines.append(text)
            print(text, flush=True)
    return lines


def main(words):
    args = arguments(words)

    def wanted(named):
        return not args.rows or any(word in named.name for word in args.rows)

    if args.list:
        print("\n".join(named.name for named in (*linux_rows.ROWS, *linux_rows.OTHERS)))
        return 0
    args.busy = os.getloadavg()[0]   # before our own build
    args.bin = (args.bin or build()).resolve()
    rows = [row for row in linux_rows.ROWS if wanted(row)]
    others = [other for other in linux_rows.OTHERS if wanted(other)]
    if not rows and not others:
        raise SystemExit("compare: no row has such a name; --list tells them")
    with tempfile.TemporaryDirectory(prefix="pipeport-bench-") as folder:
        args.folder = pathlib.Path(folder)
        args.kinds = linux_programs.kinds_here(args)
        lines = run(args, rows, others)
    if args.write:
        page.write("bench/compare --linux", lines)
    return 0
