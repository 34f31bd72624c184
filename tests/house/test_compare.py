#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds what bench/compare makes of figures beside tables and plots: rows, what is kept, the page, what changed, and
how --all goes on. It measures nothing."""
import argparse
import copy
import math
import sys
import unittest

sys.dont_write_bytecode = True

from compared import all_parts, figures, InFolder, linux, ROOT, row, wine

import compare_all    # noqa: E402
import compare_linux  # noqa: E402
import compare_page   # noqa: E402
import kept           # noqa: E402
import linux_rows     # noqa: E402
import others         # noqa: E402
import page           # noqa: E402
import peer_rows      # noqa: E402
import plots          # noqa: E402
import wine_rows      # noqa: E402


class Rows(unittest.TestCase):
    def test_the_grid_is_whole(self):
        echoes = {(r.size, r.connections, r.depth) for r in linux_rows.ROWS if r.mode == "echo"}
        wanted = {(size, connections, depth) for size in (64, 1024, 65536) for connections in (1, 64, 255, 1000)
                  for depth in (1, 16)} - {(65536, 1000, 16)}
        wanted |= {(8192, connections, depth) for connections in (64, 255) for depth in (1, 16)}
        self.assertEqual(echoes, wanted)
        self.assertEqual({r.connections for r in linux_rows.ROWS if r.mode == "broadcast"}, {255, 1000})
        self.assertTrue(any(r.mode == "churn" for r in linux_rows.ROWS))
        self.assertEqual(sum(len(r.goals) for r in linux_rows.ROWS), 18)

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
