# SPDX-License-Identifier: MIT
"""compared - figures made by hand as bench/compare keeps them, and a folder of pages that are made of such."""
import argparse
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
sys.dont_write_bytecode = True

import kept        # noqa: E402
import linux_rows  # noqa: E402
import others      # noqa: E402
import peer_rows   # noqa: E402
import plots       # noqa: E402
import regions     # noqa: E402
import wine_rows   # noqa: E402

PEERS = peer_rows.LINUX_PEERS
NASTY = 'a<b>&"c"|d'


def figures(rate, cost=0.5, rounds=5):
    spread = [1 + 0.01 * (i - rounds // 2) for i in range(rounds)]
    trips = {"p50_us": 80, "p90_us": 120, "p99_us": 900, "p999_us": 2000, "max_us": 45000}
    return {"rate": [rate * by for by in spread], "server_us": [cost * by for by in spread], "load_cpu": [0.9] * rounds,
            **{key: [value * by for by in spread] for key, value in trips.items()}}


def row(name, servers, goals=(), **load):
    return {"name": name, "mode": "echo", "connections": 255, "size": 64, "depth": 16, "unit": "messages/s",
            "goals": list(goals), "servers": servers, **load}


def measured(**more):
    args = argparse.Namespace(busy=0.2, rounds=5, ms=1000, warm_up_ms=200, quick=False)
    return {**kept.measured(args, ["2 processors", "Linux"], "How"), **more}


def linux():
    rows = [row(each.name, {"bare epoll": figures(4e6 / each.depth, 0.2),
                            "bare io_uring": figures(5e6 / each.depth, 0.3),
                            "pipeport epoll": figures(4.5e6 / each.depth, 0.4),
                            "pipeport io_uring": figures(6e6 / each.depth, 0.1)},
                each.goals, mode=each.mode, connections=each.connections, size=each.size, depth=each.depth,
                unit=each.unit) for each in linux_rows.ROWS]
    pair = {"pair": "unicast", "server": "pipeport epoll", "key": "rate", "unit": "messages/s", "beside": "from inside",
            "goal": kept.goal("rate", 0.8), "first": figures(1e6), "second": figures(5e5)}
    idle = {"value": "idle memory, 10,000 connections, bytes each", "server": "pipeport epoll", "figure": 366.0,
            "unit": "bytes", "goal": kept.goal("memory", 400, more=False), "resident": 369}
    return {"part": "linux", "measured": measured(), "left_out": [], "failed": [], "rows": rows,
            "others": [pair, idle, {"note": "growth", "why": "too few | files"}]}


def wine():
    """Rows by hand, with what is no echo and what is no row."""
    loads = [(connections, size, depth) for depth in (1, 16) for size in (64, 4096) for connections in (1, 64, 255)]
    rows = [row(f"{size} B, {connections} connections, depth {depth}",
                {"bare IOCP": figures(5000), "pipeport": figures(4000 * depth),
                 **({"bare IOCP joined": figures(60000)} if depth > 1 else {})}, [kept.goal("rate", 0.9)],
                connections=connections, size=size, depth=depth) for connections, size, depth in loads]
    rows += [row(each.name, {"bare IOCP": figures(5000), "pipeport": figures(5500)}, each.goals, mode=each.mode,
                 connections=each.connections, size=each.size, depth=each.depth, unit=each.unit)
             for each in wine_rows.rows([], [], [])]
    slow = wine_rows.SlowReaders(*others.WHEN_FULL[0]).name
    pair = {"pair": slow, "server": "pipeport", "key": "rate", "unit": "deliveries/s", "beside": "without them",
            "goal": kept.goal("rate", 0.9), "first": {"rate": [9e3] * 5}, "second": {"rate": [8e3] * 5}}
    idle = {"value": "idle memory, 1,000 connections, bytes each", "server": "pipeport", "figure": 651.0,
            "unit": "bytes", "goal": kept.goal("memory", 1024, more=False), "private": 709}
    return {"part": "wine", "measured": measured(), "rows": rows, "others": [pair, idle]}


def peers(part="peers-linux", servers=tuple(PEERS)):
    """Every ratio that there may be: far ahead, level, behind."""
    rates = [4e6, 1e4, 8e6, 4.01e6, 2e6, 3.99e6, 5e5, 3.5e6, 1e6]
    rows = [row(name, {"pipeport": figures(4e6), **{server: figures(rate) for server, rate in zip(servers, rates)},
                       "bare epoll": figures(5e6)}, [kept.goal("rate", 9.0, True, servers[:7][-1])])
            for name in plots.PEER_ROWS]
    return {"part": part, "measured": measured(), "rows": rows}


def all_parts():
    return {"linux": linux(), "wine": wine(), "peers-linux": peers(), "peers-wine": peers("peers-wine")}


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.docs = pathlib.Path(self.folder.name) / "docs"
        (self.docs / "performance").mkdir(parents=True)
        for name, markers in regions.PAGES.items():
            held = [f"words\n<!-- {marker}: begin -->\nold {marker}\n<!-- {marker}: end -->" for marker in markers]
            (self.docs / name).write_text("\n".join(held))
        self.addCleanup(self.folder.cleanup)

    def keep(self, *parts):
        """Their figures, as if they had been measured before."""
        for data in parts:
            kept.save(data, kept.path(data["part"], self.docs / "performance"))

    def quietly(self, what, *given):
        """What it returns, and what it said."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            back = what(*given)
        return back, said.getvalue()
