# SPDX-License-Identifier: MIT
"""compare --peers - pipeport's echo and broadcast beside servers on other libraries and schemes (bench/peers).

Each row is one run of `pipeport-bench peers` (docs/BENCH.md): all servers are started once and stay; the load visits
them in turn, A B C A B C ..., and each round gives one ratio to each peer: pipeport's figure divided by its. The first
table has their medians and quartiles; the second what each did, the processor time of the server for a message, and
what an idle connection takes of its memory. On Linux the servers have one worker on processor 0, the load is on
processor 1. nng and ZeroMQ, whose protocols are their own, are visited by their own clients, and in a column more by
the raw load of all others, which speaks these protocols. With --windows the same under Wine, in a prefix of its
own, and all on one processor; CPU is there the server's and Wine's server's together.

Others on the machine blur this more than a comparison of servers with one thread each: whoever has more threads (thread
per client, nng, ZeroMQ) gets a larger share of a processor that is fought for. CPU a message is then the truer figure.

A peer that is not built, because its library is missing, is left out and named. The programs are those of
build/release or build/windows-release (built first, unless --bin is given).
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

import compare_linux
import compare_page
import kept
import linux_programs
import others
import page
import peer_rows
import tables
import wine_programs

PATIENCE_S = 1800   # for one row, which takes a minute; what hangs the tool ends by itself
ROUNDS_MIN = 5      # of the tool
KEYS = {"rate": "rate", "cpu_us": "server_us", "load_busy": "load_cpu",
        **{key: key for key in ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")}}   # the tool's: ours

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
    compare_page.add_options(parser, f"{ROUNDS_MIN} rounds of 40 ms, or 400 under Wine")
    args = parser.parse_args(words)
    if args.quick:
        args.rounds, args.ms, args.warm_up_ms = ROUNDS_MIN, 400 if args.windows else 40, 10
    if args.rounds < ROUNDS_MIN:
        parser.error(f"--rounds: at least {ROUNDS_MIN}")
    compare_page.check_options(parser, args, whole=args.rows is None)
    return args


def build(preset):
    bare = ["bare_iocp"] if preset.startswith("windows") else ["bare_epoll", "bare_uring"]
    for command in (["cmake", "--preset", preset],
                    ["cmake", "--build", "--preset", preset, "-j2", "--target", "pipeport-bench", "load",
                     "pipeport_echo", "peers", *bare]):
        done = subprocess.run(command, cwd=page.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit(f"compare: {' '.join(command)} failed\n{done.stdout}")
    return page.ROOT / "build" / preset / "bin"


class Linux:
    """How the tool is called, for the rows of Linux."""

    rows, part, how = peer_rows.LINUX_ROWS, "peers-linux", compare_linux.HOW
    memory = linux_programs.MEMORY

    def __init__(self, args):
        self.args = args
        self.command = [str(args.bin / "pipeport-bench")]
        self.environment = {name: value for name, value in os.environ.items() if name != "PIPEPORT_LINUX_DRIVER"}
        self.there = str   # a path as the tool calls it

    def machine(self):
        return [page.processors(), page.kernel(), compare_linux.compiler(self.args)]

    def end(self):
        pass


class Wine:
    """The same for Wine."""

    rows, part, memory = peer_rows.WINE_ROWS, "peers-wine", wine_programs.MEMORY
    how = "pipeport and the bare loop with 1 thread, one Wine server for all of them, and all on one processor"

    def __init__(self, args):
        self.wine = wine_programs.Wine()
        self.command = ["wine", str(args.bin / "pipeport-bench.exe")]
        self.environment = self.wine.environment
        self.there = lambda path: f"Z:{path}"

    def machine(self):
        return [page.processors(), page.kernel(), wine_programs.version()]

    def end(self):
        self.wine.end()


def told(side, args, row):
    """What the tool found out about that row."""
    with tempfile.TemporaryDirectory(prefix="pipeport-peers-") as folder:
        file = pathlib.Path(folder) / "row.json"
        timed = [] if row.mode == "idle" else ["--duration", f"{args.ms}ms", "--warmup", f"{args.warm_up_ms}ms"]
        command = [*side.command, "peers", "--bin", side.there(args.bin), "--mode", row.mode, "--connections",
                   str(row.connections), "--depth", str(row.depth), "--size", str(row.size), "--rounds",
                   str(args.rounds), *timed, "--json", side.there(file)]
        done = subprocess.run(command, env=side.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=PATIENCE_S)
        if done.returncode not in (0, 1) or not file.exists():
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(file.read_text())


def whole(record, rounds):
    """The peers that were there in every round, and what was wrong with others. Without pipeport all is wrong."""
    found = {peer["title"]: peer for peer in record["peers"]
             if peer["state"] == "measured" and len(peer["rounds"]) == rounds}
    faults = [f"{peer['title']} {peer['why']}" for peer in record["peers"] if peer["state"] == "failed"]
    if "pipeport" not in found or len(found) < 2:
        raise SystemExit("; ".join(faults) or "it was interrupted")
    return found, faults


def figures_of(peer):
    """Of each of its visits, what is known, by the names that kept.py has."""
    return [{ours: visit[its] for its, ours in KEYS.items() if visit[its] is not None} for visit in peer["rounds"]]


def measure(side, args, row, data):
    """Puts what was found about a row into the data."""
    record = told(side, args, row)
    found, faults = whole(record, args.rounds)
    absent = [peer["title"] for peer in record["peers"] if peer["state"] == "left out"]
    data["left_out"] = [title for title in absent if title in data["left_out"] or not data["rows"]]
    data["failed"] += [f"{row.name}: {fault}" for fault in faults]
    if row.mode == "idle":
        data["others"] += [others.value(row.name, title, peer["memory_bytes"], f"bytes, {side.memory}")
                           for title, peer in found.items()]
        return
    goals = [kept.goal(goal.key, goal.bound, goal.more, goal.kind) for goal in row.goals]
    data["rows"].append({
        "name": row.name, "mode": row.mode, "connections": row.connections, "size": row.size, "depth": row.depth,
        "unit": record["unit"], "goals": goals,
        "servers": kept.servers({title: figures_of(peer) for title, peer in found.items()})})


def show(row, data, names):
    if not data["rows"] or data["rows"][-1]["name"] != row.name:
        return
    if not names:   # the first row tells who there is
        names += tables.peer_columns(data)
        print("\n".join(tables.head(["pipeport's rate to that of", *names, "best peer", "goals"])), flush=True)
    print(tables.peer_ratio_line(data["rows"][-1], names), flush=True)


def run(side, args, rows):
    """The kept figures of all that could be measured; what could not is named, and the rest goes on."""
    data = {"part": side.part, "measured": kept.measured(args, side.machine(), side.how), "left_out": [], "failed": [],
            "rows": [], "others": []}
    print(tables.heading(data) + "\n", flush=True)
    names = []
    for row in rows:
        failed = len(data["failed"])
        try:
            measure(side, args, row, data)
        except (SystemExit, subprocess.TimeoutExpired, OSError, ValueError) as why:
            data["failed"].append(f"{row.name}: {why}")
        show(row, data, names)
        for fault in data["failed"][failed:]:
            print(f"FAILED: {fault}", flush=True)
    if data["left_out"]:
        print(f"left out, since it cannot run here: {', '.join(data['left_out'])}")
    print("\n".join(["", *tables.peer_figures(data), "", *tables.peer_absolutes(data)]), flush=True)
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
        data = run(side, args, rows)
    finally:
        side.end()
    return compare_page.keep(args, data)
