#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds what bench/compare makes of figures: tables, plots, the page, what changed, and how --all goes on. It measures
nothing."""
import argparse
import contextlib
import copy
import io
import math
import pathlib
import re
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
sys.dont_write_bytecode = True

import compare_all      # noqa: E402
import compare_linux    # noqa: E402
import compare_page     # noqa: E402
import kept             # noqa: E402
import linux_rows       # noqa: E402
import others           # noqa: E402
import page             # noqa: E402
import peer_rows        # noqa: E402
import plot             # noqa: E402
import plots            # noqa: E402
import regions          # noqa: E402
import tables           # noqa: E402
import wine_rows        # noqa: E402

PEERS = ["thread per client", "libuv", "libuv joined", "Asio", "nng", "ZeroMQ"]
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
    rates = [4e6, 1e4, 8e6, 4.01e6, 3.99e6, 5e5]
    rows = [row(name, {"pipeport": figures(4e6), **{server: figures(rate) for server, rate in zip(servers, rates)},
                       "bare epoll": figures(5e6)}, [kept.goal("rate", 9.0, True, servers[-1])])
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


class Rows(unittest.TestCase):
    def test_the_grid_is_whole(self):
        echoes = {(r.size, r.connections, r.depth) for r in linux_rows.ROWS if r.mode == "echo"}
        wanted = {(size, connections, depth) for size in (64, 1024, 65536) for connections in (1, 64, 255, 1000)
                  for depth in (1, 16)} - {(65536, 1000, 16)}
        self.assertEqual(echoes, wanted)
        self.assertEqual({r.connections for r in linux_rows.ROWS if r.mode == "broadcast"}, {255, 1000})
        self.assertTrue(any(r.mode == "churn" for r in linux_rows.ROWS))
        self.assertEqual(sum(len(r.goals) for r in linux_rows.ROWS), 13)

    def test_wine_has_every_mode(self):
        rows = wine_rows.rows([1, 64], [64, 4096], [1, 16])
        self.assertEqual({(each.mode, each.depth, each.connections) for each in rows if each.mode != "echo"},
                         {("broadcast", 1, 255), ("broadcast", 100, 255), ("churn", 1, 1), ("churn", 1, 16)})
        self.assertEqual(len([each for each in rows if each.mode == "echo"]), 8)
        self.assertTrue(all(each.goals for each in rows if each.mode == "churn"))
        self.assertEqual({each.name for each in rows if wine_rows.JOINED in each.kinds},
                         {each.name for each in rows if each.mode == "echo" and each.depth == 16})

    def test_the_plots_of_peers_find_their_rows(self):
        names = {each.name for each in peer_rows.LINUX_ROWS}
        self.assertEqual(set(plots.PEER_ROWS) - names, set())


class Programs:
    """Servers and a load of which every figure is known. A visit beside 25 that never read is half as fast; a
    connection costs the server 100 bytes of its own and 120 of the system's, and the first cost 5,000 besides."""

    MEMORY = "private"

    def __init__(self):
        self.visits, self.servers = [], []

    class Server:
        def __init__(self, args, kind, row, options=()):
            self.kind, self.connections, self.options, self.stopped = kind, 0, options, False
            self.programs = args.programs
            self.programs.servers.append(self)

        def figures(self):
            return {"memory": 7 + 100 * self.connections, "memory_peak": 9 + 2048 * (len(self.programs.visits) > 1)}

        def memory_bytes(self):
            return 1000 + 120 * self.connections + (5000 if self.connections else 0)

        def stop(self):
            self.stopped = True

    def visit(self, _args, _server, row):
        self.visits.append(row.deaf)
        return {"rate": 500.0 if row.deaf else 1000.0 + len(self.visits), "messages": 1, "fill": row.fill_kib}

    def load_command(self, args, _server, row):
        self.servers[-1].connections = row.connections
        return [sys.executable, "-c", "print('holding'); input()"]

    @staticmethod
    def environment(_args):
        return None


class Others(unittest.TestCase):
    def setUp(self):
        self.args = argparse.Namespace(programs=Programs(), kinds=["bare IOCP", "pipeport"], rounds=4)

    def test_slow_readers_are_visited_in_turn_and_in_both_orders(self):
        slow = wine_rows.SlowReaders(*others.WHEN_FULL[2])
        pair, memory = slow.entries(self.args)
        self.assertEqual(self.args.programs.visits, [0, 25, 25, 0, 0, 25, 25, 0])
        self.assertEqual(pair["first"], {"rate": [1001, 1004, 1005, 1008]})
        self.assertEqual(pair["second"], {"rate": [500] * 4})
        self.assertEqual((memory["figure"], memory["goal"]["bound"]), (2.0, 25 * 65))
        self.assertEqual([server.options for server in self.args.programs.servers],
                         [["--queue", "65536", "--when-full", "2"]])
        self.assertEqual([(row.connections, row.deaf, row.fill_kib) for row in (slow.alone, slow.beside)],
                         [(230, 0, 512), (230, 25, 512)])

    def test_idle_is_a_difference(self):
        """On Linux to the same server before; under Wine to one that holds a few."""
        for idle, bare in ((others.Idle(50, 400), 220.0), (wine_rows.Idle(50, 1024), 120.0)):
            first, second = idle.entries(self.args)
            self.assertEqual((first["server"], first["figure"], first["unit"]), ("bare IOCP", bare, "bytes, private"))
            self.assertEqual((second["figure"], second["private"]), (100.0, bare))
            self.assertEqual((second["goal"]["bound"], second["goal"]["more"]), (idle.bound, False))
        self.assertTrue(all(server.stopped for server in self.args.programs.servers))

    def test_idle_tells_what_it_lacks(self):
        class Lacking(others.Idle):
            def lacks(self):
                return "no room"

        self.assertEqual(list(Lacking(50, 400).entries(self.args)),
                         [{"note": "idle memory, 50 connections, bytes each", "why": "not measured: no room"}])


class Kept(InFolder):
    def test_comes_back_as_it_was(self):
        for data in all_parts().values():
            where = kept.path(data["part"], self.docs)
            kept.save(data, where)
            back = kept.load(where)
            self.assertEqual(back.pop("others", []), data.get("others", []))
            self.assertEqual(back, {name: value for name, value in data.items() if name != "others"})

    def test_refuses_what_is_no_figure(self):
        for wrong in (math.nan, math.inf, -1.0, "12", None):
            data = linux()
            data["rows"][3]["servers"]["bare epoll"]["rate"][2] = wrong
            with self.assertRaises(kept.Unusable, msg=repr(wrong)):
                kept.save(data, self.docs / "linux.json")
        self.assertFalse((self.docs / "linux.json").exists())

    def test_refuses_what_is_not_whole(self):
        def without(change):
            data = linux()
            change(data)
            with self.assertRaises(kept.Unusable):
                kept.check(data)

        without(lambda data: data.pop("measured"))
        without(lambda data: data["measured"].pop("when"))
        without(lambda data: data.update(rows=[]))
        without(lambda data: data.update(part="moon"))
        without(lambda data: data["rows"].append(copy.deepcopy(data["rows"][0])))
        without(lambda data: data["rows"][0].pop("goals"))
        without(lambda data: data["rows"][0]["servers"]["bare epoll"].pop("rate"))
        without(lambda data: data["rows"][0]["servers"]["bare epoll"]["rate"].pop())

    def test_says_what_file_is_none(self):
        (self.docs / "linux.json").write_text("{")
        with self.assertRaisesRegex(kept.Unusable, "linux.json"):
            kept.load(self.docs / "linux.json")

    def test_ratio_is_the_median_of_each_rounds_own(self):
        each = row("x", {"a": {"rate": [10, 40, 90]}, "b": {"rate": [10, 20, 30]}})
        self.assertEqual(kept.ratio(each, "a", "b")[1], 2)
        self.assertIsNone(kept.ratio(each, "a", "c"))
        self.assertIsNone(kept.ratio(row("x", {"a": {"rate": [1]}, "b": {"rate": [0]}}), "a", "b"))

    def test_a_change_is_more_than_the_spread(self):
        self.assertTrue(kept.changed([0.90, 0.91, 0.92], [1.00, 1.01, 1.02]))
        self.assertTrue(kept.changed([1.00, 1.01, 1.02], [0.90, 0.91, 0.92]))
        self.assertFalse(kept.changed([1.0, 1.0, 1.9], [1.8, 2.7, 2.7]))          # they overlap
        self.assertFalse(kept.changed([0.80, 0.90, 0.99], [1.00, 1.01, 1.02]))    # nearer than the one is wide
        self.assertFalse(kept.changed([0.90, 0.91], [1.00, 1.01]))                # too few

    def test_changes_are_named(self):
        new = linux()
        faster = new["rows"][0]["servers"]["pipeport epoll"]["rate"]
        faster[:] = [value * 2 for value in faster]
        lines = kept.changes(linux(), new, ["pipeport epoll"], compare_all.best_bare)
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], r"^64 B, 1 connection, depth 1: rate of pipeport epoll to bare io_uring: "
                                   r"0\.90 .* -> 1\.80 ")
        self.assertEqual(kept.changes(linux(), linux(), ["pipeport epoll"], compare_all.best_bare), [])


class Tables(unittest.TestCase):
    def test_figures_have_three_digits(self):
        for value, text in ((0, "0"), (999.4, "999"), (999.6, "1.00K"), (12345, "12.3K"), (999600, "1.00M"),
                            (4582838, "4.58M"), (39089847, "39.1M"), (123456789, "123M")):
            self.assertEqual(tables.count(value), text)
        for value, text in ((0.2124, "0.212"), (2.654, "2.65"), (74.83, "74.8"), (6095, "6,095")):
            self.assertEqual(tables.small(value), text)

    def test_a_row_is_held_against_the_better_bare_loop(self):
        line = tables.linux_line(linux()["rows"][0])
        self.assertEqual(line, "| 64 B, 1 connection, depth 1 | 4.00M (0.200) | 5.00M (0.300) | 4.50M (0.400) | "
                               "6.00M (0.100) | **0.90** (0.90-0.90) | **1.20** (1.20-1.20) | 0.90 |")

    def test_goals_are_bounds_from_above_or_below(self):
        text = "\n".join(tables.linux_goals(linux()))
        self.assertIn("| 64 B, 255 connections, depth 1: rate | >= 0.95 | **0.90** (0.90-0.90) | **no** | "
                      "**1.20** (1.20-1.20) | yes |", text)
        self.assertIn("one at a time: CPU a message | <= 1.00 | **2.00** (2.00-2.00) | **no** | **0.50** (0.50-0.50) "
                      "| yes", text)

    def test_all_lines_of_a_table_are_as_wide(self):
        parts = all_parts()
        for lines in (tables.linux_grid(parts["linux"]), tables.linux_goals(parts["linux"]),
                      tables.others_table(parts["linux"]), tables.wine_table(parts["wine"]),
                      tables.peer_ratios(parts["peers-linux"]), tables.peer_figures(parts["peers-linux"]),
                      tables.trip_table(parts["wine"]["rows"])):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")}
            self.assertEqual(len(widths), 1, lines[0])

    def test_what_was_not_there_leaves_its_cells_empty(self):
        data = linux()
        for each in data["rows"]:
            del each["servers"]["pipeport io_uring"], each["servers"]["bare io_uring"]
        self.assertEqual(tables.linux_line(data["rows"][0]),
                         "| 64 B, 1 connection, depth 1 | 4.00M (0.200) |  | 4.50M (0.400) |  | **1.12** (1.12-1.12) | "
                         " | 0.90 |")

    def test_the_heading_tells_what_is_to_be_known(self):
        data = linux()
        self.assertNotIn("not quiet", tables.heading(data))
        data["measured"].update(load_average=1.3, quick=True)
        data["rows"][0]["ms"] = 400
        data["failed"], data["left_out"] = ["row: lost | message"], ["bare io_uring"]
        text = " ".join(tables.heading(data).split())
        for words in ("not quiet", "worth nothing", "400 ms where there is no goal", "**Failed:** row: lost \\| mess",
                      "Left out, since it cannot run here: bare io_uring"):
            self.assertIn(words, text)
        data["failed"] = ["word " * 1000]
        self.assertLess(len(tables.heading(data)), 1000)
        self.assertLessEqual(max(map(len, tables.heading(data).split("\n"))), 120)

    def test_wine_is_held_against_itself_too(self):
        lines = tables.wine_own_table(wine())
        self.assertEqual(lines[2:], [
            "| 64 B, 64 connections, depth 1: longest round trip to the median one | 562 | 562 | <= 3.00 | **no** |",
            "| 64 B, 255 connections, depth 1: longest round trip to the median one | 562 | 562 | <= 3.00 | **no** |",
            "| 64 B, 255 connections: rate at depth 16 to that at depth 1 | 1.00 | 16 | >= 4.00 | yes |"])
        self.assertIn("longest round trip to the median one: 562.5 (goal <= 3.00; the bare loop 562.5).",
                      " ".join(" ".join(regions.not_met({"wine": wine()}, {})).split()))

    def test_wine_has_what_is_no_row(self):
        text = "\n".join(regions.PAGES["PERFORMANCE.md"]["wine"]({"wine": wine()}, {}))
        self.assertIn("| broadcast to 230, and to 25 that never read (refuse) | pipeport | **0.89** (0.89-0.89): 8.00K "
                      "deliveries/s, without them 9.00K | >= 0.90 | **no** |", text)
        self.assertIn("| **651** bytes by its own count, 709 private | <= 1024 | yes |", text)
        self.assertIn("| connect + echo + close, 16 at a time | 5.00K (0.500) |  | 5.50K (0.500) | **1.10** "
                      "(1.10-1.10) | >= 0.90 | yes |  |", text)
        missed = " ".join(" ".join(regions.not_met({"wine": wine()}, {})).split())
        self.assertIn("- Wine, broadcast to 230, and to 25 that never read (refuse): pipeport 0.889 (goal >= 0.90).",
                      missed)
        self.assertNotIn("idle memory", missed)

    def test_absolute_figures_of_peers_stand_in_columns(self):
        data = peers()
        self.assertEqual(tables.peer_absolutes(data), [])
        data["others"] = [{"value": "idle", "server": server, "figure": figure, "unit": "bytes", "goal": None}
                          for server, figure in (("pipeport", 366.0), ("libuv", 5533.0))]
        self.assertEqual(tables.peer_absolutes(data)[::2], ["| what | unit | pipeport | libuv |",
                                                         "| idle | bytes | 366 | 5.53K |"])
        self.assertIn("| idle | bytes | 366 | 5.53K |", regions.PAGES["PERFORMANCE.md"]["peers linux"](
            {"peers-linux": data}, {}))

    def test_what_is_missed_is_listed(self):
        text = "\n".join(regions.not_met(all_parts(), {}))
        self.assertIn("- 64 B, 255 connections, depth 1, rate to the better bare loop's: epoll 0.90 (goal >= 0.95).",
                      text)
        self.assertIn("- unicast: epoll 0.5 (goal >= 0.80).", text)
        self.assertIn("- Wine, 64 B, 1 connections, depth 1: 0.80 of the bare port's rate (goal >= 0.90).", text)
        self.assertIn("peers with a higher rate: libuv joined (0.50)", text)
        self.assertNotIn("idle memory", text)
        self.assertIn("depth 16, missed beside peers: rate of ZeroMQ 8.00 (goal >= 9).", text)
        self.assertEqual(text.count("ZeroMQ"), 2 * len(plots.PEER_ROWS))   # missed, and so not told once more
        good = peers(servers=("thread per client", "libuv"))
        self.assertEqual(regions.not_met({"peers-linux": good}, {}),
                         ["- Nothing: every goal was met, and no peer was ahead."])


class Plots(unittest.TestCase):
    def test_are_well_formed_and_finite_and_nothing_overlaps(self):
        made = plots.make(all_parts())
        self.assertEqual(set(made), {name for name, _, _ in plots.PLOTS})
        for name, canvas in made.items():
            text = canvas.svg()
            xml.etree.ElementTree.fromstring(text)
            self.assertIsNone(re.search(r"\b(nan|inf)\b", text, re.IGNORECASE), name)
            self.assertEqual(canvas.faults(), [], name)
            self.assertIn("prefers-color-scheme:dark", text)
        for server in tables.LINUX_SERVERS:
            self.assertIn(f">{server}</text>", made["linux-rate"].svg())

    def test_many_names_take_several_lines(self):
        canvas = plot.Canvas(860, "t", "d")
        canvas.height = plot.legend(canvas, 54, [(i % plot.STYLES, f"a server of some name {i}", False)
                                                 for i in range(9)])
        self.assertEqual(canvas.faults(), [])

    def test_escape_what_they_are_told(self):
        data = peers(servers=(NASTY, "libuv"))
        data["rows"][0]["name"] = NASTY
        data["rows"][1:] = []
        text = plots.peers(data, NASTY).svg()
        words = [element.text for element in xml.etree.ElementTree.fromstring(text).iter() if element.text]
        self.assertGreaterEqual(words.count(NASTY), 2)

    def test_refuse_what_has_no_place(self):
        canvas = plot.Canvas(100, "t", "d")
        for wrong in (math.nan, math.inf):
            with self.assertRaises(ValueError):
                canvas.line((0, wrong), (1, 1), "grid")

    def test_see_their_own_faults(self):
        canvas = plot.Canvas(100, "t", "d")
        canvas.height = 50
        canvas.text((10, 20), "one text")
        canvas.text((30, 22), "another")
        canvas.text((80, 45), "too far to the right")
        self.assertEqual(canvas.faults(), ["cut off: too far to the right", "overlap: one text and another"])

    def test_stand_with_few_figures(self):
        """One round, one row, one server: what a part gives of which most failed."""
        data = linux()
        data["rows"] = [row("64 B, 1 connection, depth 1", {"pipeport epoll": figures(7.0, 0.0, 1)}, connections=1,
                            depth=1)]
        for canvas in plots.make({"linux": data}).values():
            xml.etree.ElementTree.fromstring(canvas.svg())
            self.assertEqual(canvas.faults(), [])

    def test_axes_hold_what_they_show(self):
        for top in (0.003, 0.7, 1, 5, 9.99, 10, 12345, 4.58e6):
            marks = plot.steps(top)
            self.assertTrue(marks[0] == 0 and marks[-1] >= top * 0.999 and 3 <= len(marks) <= 8, (top, marks))
        for low, high in ((1, 1), (0.2, 3.1), (80, 45000), (1, 10), (0.19, 4e6)):
            marks = plot.decades(low, high)
            self.assertTrue(marks[0] <= low * 1.001 and marks[-1] >= high * 0.999 and len(marks) >= 2, (low, marks))


class Page(InFolder):
    def test_is_made_of_all_parts_and_again_the_same(self):
        self.keep(*all_parts().values())
        self.quietly(compare_page.make, self.docs)
        once = {file.name: file.read_text() for file in self.docs.rglob("*.*") if file.is_file()}
        self.assertNotIn("old ", once["PERFORMANCE.md"] + once["more.md"])
        self.assertEqual({name for name in once if name.endswith(".svg")},
                         {f"{name}.svg" for name, _, _ in plots.PLOTS})
        for name in plots.PLOTS:
            self.assertIn(f"(performance/{name[0]}.svg)", once["PERFORMANCE.md"])
        self.quietly(compare_page.make, self.docs)
        self.assertEqual(once, {file.name: file.read_text() for file in self.docs.rglob("*.*") if file.is_file()})

    def test_keeps_what_was_never_measured(self):
        self.keep(wine())
        self.quietly(compare_page.make, self.docs)
        text = (self.docs / "PERFORMANCE.md").read_text()
        self.assertIn("old linux goals", text)
        self.assertNotIn("old wine", text)

    def test_the_readme_tells_of_the_figures_and_of_the_run(self):
        run = ["  round", "", "verified: " + "word " * 30]
        (self.docs / "performance" / "run.txt").write_text("\n".join(run) + "\n")
        self.keep(*all_parts().values())
        self.quietly(compare_page.make, self.docs)
        text = (self.docs.parent / "README.md").read_text()
        self.assertNotIn("old ", text)
        self.assertIn("\n".join(["```", run[0], "", "verified: word"]), text)
        self.assertLessEqual(max(map(len, text.splitlines())), 120)
        words = " ".join(text.split())
        self.assertIn("- **64 B, 255 connections, depth 16** on Linux: 4.00M messages/s, so many times the rate of "
                      "each peer: thread per client 1.00, libuv 400, libuv joined 0.50, ", words)
        self.assertIn("[all](docs/PERFORMANCE.md#goals-on-linux)", words)

    def test_without_a_marker_nothing_is_written(self):
        self.keep(linux())
        more = self.docs / "performance" / "more.md"
        more.write_text(more.read_text().replace("<!-- linux trips: end -->", ""))
        before = (self.docs / "PERFORMANCE.md").read_text()
        code, said = self.quietly(compare_page.main, ["--docs", str(self.docs)])
        self.assertEqual((code, (self.docs / "PERFORMANCE.md").read_text()), (1, before))
        self.assertIn("markers of linux trips", said)
        self.assertEqual(list(self.docs.rglob("*.svg")), [])

    def test_without_any_figures_a_marker_is_missed_too(self):
        (self.docs / "PERFORMANCE.md").write_text("nothing")
        self.assertEqual(self.quietly(compare_page.main, ["--docs", str(self.docs)])[0], 1)

    def test_a_broken_file_of_figures_is_an_error(self):
        (self.docs / "performance" / "wine.json").write_text("[]")
        code, said = self.quietly(compare_page.main, ["--docs", str(self.docs)])
        self.assertEqual(code, 1)
        self.assertIn("wine.json", said)

    def test_of_this_tree_is_what_its_figures_make(self):
        docs = ROOT / "docs"
        (texts, drawn), _ = self.quietly(compare_page.see, docs, kept.load_all())
        for name, text in texts.items():
            self.assertEqual(text, (docs / name).read_text(), f"{name}: bench/compare --page has not been run")
        for name, svg in drawn.items():
            self.assertEqual(svg, (docs / "performance" / f"{name}.svg").read_text(), name)


class All(InFolder):
    def run_all(self, results, *words, unbuilt=()):
        """results: for each part data and fault."""
        args = compare_all.arguments(list(words))
        return self.quietly(compare_all.run, args, self.docs, lambda preset: "no compiler" if preset in unbuilt else "",
                            lambda part, *_: results[part.name])

    def test_goes_on_where_a_part_fails_and_keeps_its_old_figures(self):
        self.keep(wine())
        parts = all_parts()
        old = kept.path("wine", self.docs / "performance").read_text()
        wrong, said = self.run_all({**{name: (data, "") for name, data in parts.items()}, "wine": (None, "no wine")},
                                   "--write")
        self.assertEqual(wrong, {"wine": "no wine"})
        self.assertEqual(kept.path("wine", self.docs / "performance").read_text(), old)
        self.assertEqual(set(kept.load_all(self.docs / "performance")), set(parts))
        self.assertTrue((self.docs / "performance" / "peers-wine.svg").exists())
        self.assertIn("linux: nothing was kept to compare with", said)

    def test_names_what_cannot_be_built(self):
        wrong, _ = self.run_all({name: (data, "") for name, data in all_parts().items()}, unbuilt=["windows-release"])
        self.assertEqual(wrong, {"wine": "no compiler", "peers-wine": "no compiler"})

    def test_without_write_nothing_is_written(self):
        before = {file: file.read_text() for file in self.docs.rglob("*.*") if file.is_file()}
        wrong, _ = self.run_all({name: (data, "") for name, data in all_parts().items()}, "--quick")
        self.assertEqual(wrong, {})
        self.assertEqual(before, {file: file.read_text() for file in self.docs.rglob("*.*") if file.is_file()})

    def test_a_part_with_a_failed_row_is_kept_and_named(self):
        data = linux()
        data["failed"] = ["row: lost"]
        wrong, _ = self.run_all({"linux": (data, "row: lost")}, "--write", "--parts", "linux")
        self.assertEqual(wrong, {"linux": "row: lost"})
        self.assertIn("**Failed:** row: lost", (self.docs / "PERFORMANCE.md").read_text())

    def test_says_what_changed(self):
        self.keep(linux())
        new = linux()
        for each in new["rows"]:
            each["servers"]["pipeport epoll"] = figures(1e3)
        _, said = self.run_all({"linux": (new, "")}, "--parts", "linux")
        self.assertIn("64 B, 255 connections, depth 16: rate of pipeport epoll to bare io_uring: 0.90", said)

    def test_a_page_that_cannot_be_made_is_named(self):
        (self.docs / "PERFORMANCE.md").write_text("nothing")
        wrong, _ = self.run_all({"linux": (linux(), "")}, "--parts", "linux")
        self.assertIn("cannot be made", wrong["linux"])

    def test_waits_until_it_is_quiet(self):
        loads, slept = iter([2.0, 1.5, 0.5]), []
        seen, said = self.quietly(page.wait_until_quiet, 0.7, 600, lambda: next(loads), slept.append)
        self.assertEqual((seen, len(slept)), (0.5, 2))
        self.assertIn("waiting: load average 2.00", said)
        seen, said = self.quietly(page.wait_until_quiet, 0.7, 30, lambda: 9.0, slept.append)
        self.assertEqual((seen, len(slept)), (9.0, 5))
        self.assertIn("measured all the same", said)

    def test_a_quick_run_or_some_rows_are_not_written(self):
        for main, words in ((compare_all.main, ["--quick", "--write"]), (compare_linux.main, ["--quick", "--write"]),
                            (compare_linux.main, ["--rows", "idle", "--write"])):
            with self.assertRaises(SystemExit) as end:
                self.quietly(main, words)
            self.assertEqual(end.exception.code, 2)


if __name__ == "__main__":
    done = unittest.main(exit=False, verbosity=1).result
    if not done.wasSuccessful() or done.testsRun == 0:
        sys.exit(1)
    print("OK")
