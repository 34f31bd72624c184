#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the tables and the plots that bench/compare makes of figures. It measures nothing."""
import math
import re
import sys
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True

from compared import all_parts, figures, linux, NASTY, PEERS, peers, row, wine

import kept     # noqa: E402
import plot     # noqa: E402
import plots    # noqa: E402
import regions  # noqa: E402
import tables   # noqa: E402


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
        self.assertIn("one at a time: rate, to bare epoll | >= 1.00 | **1.12** (1.12-1.12) | yes | "
                      "**1.50** (1.50-1.50) | yes", text)
        goal = kept.goal("p50_us", 1.10, more=False)
        for low, middle, said in ((1.0, 1.1, "yes, unsure"), (1.0, 1.2, "**no**, unsure"), (1.2, 1.2, "**no**")):
            self.assertEqual(tables.verdict_of(goal, [low, middle, 1.3]), said)

    def test_what_was_missed_by_little_is_seen_to_be(self):
        goal = kept.goal("rate", 1.0)
        self.assertEqual([tables.beside_bound(value, goal) for value in (0.994, 0.996, 0.99962)],
                         ["0.99", "0.996", "0.9996"])

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
        summary = " ".join(" ".join(regions.summary({"wine": wine()}, {})).split())
        self.assertIn("; an idle connection holds 651 bytes.", summary)

    def test_absolute_figures_of_peers_stand_in_columns(self):
        data = peers()
        self.assertEqual(tables.peer_absolutes(data), [])
        data["others"] = [{"value": "idle", "server": server, "figure": figure, "unit": "bytes", "goal": None}
                          for server, figure in (("pipeport", 366.0), ("libuv", 5533.0))]
        self.assertEqual(tables.peer_absolutes(data)[::2], ["| what | unit | pipeport | libuv |",
                                                         "| idle | bytes | 366 | 5.53K |"])
        self.assertIn("| idle | bytes | 366 | 5.53K |", regions.PAGES["PERFORMANCE.md"]["peers linux"](
            {"peers-linux": data}, {}))

    def test_who_is_missing_in_a_row_leaves_its_cells_empty(self):
        data = peers()
        for row in data["rows"]:
            self.assertEqual(list(row["servers"])[-3:], [*PEERS[-2:], "bare epoll"])
        for name in PEERS[-4:]:
            del data["rows"][0]["servers"][name]
        names = PEERS + ["bare epoll"]
        self.assertEqual(tables.peer_columns(data), [*PEERS[:-4], "bare epoll", *PEERS[-4:]])
        first, *rest = (line.split(" | ") for line in tables.peer_ratios(data)[2:])
        self.assertEqual([bool(cell) for cell in first[1:1 + len(names)]], [True] * 6 + [False] * 4)
        self.assertTrue(all(all(line[1:1 + len(names)]) for line in rest))
        self.assertEqual(len({line.count("|") for line in regions.summary({"peers-linux": data}, {})
                              if line.startswith("|")}), 1)
        self.assertIn("ZeroMQ, raw load", "".join(regions.summary({"peers-linux": data}, {})))

    def test_the_front_page_tells_of_peers_as_their_users_have_them(self):
        text = " ".join(" ".join(regions.readme_figures({"peers-linux": peers()}, {})).split())
        self.assertIn("nng 1.00, ZeroMQ 8.00.", text)
        self.assertNotIn("raw load", text)

    def test_it_says_where_the_bare_loop_misses_a_goal_beside_peers_too(self):
        data = peers()
        for row in data["rows"]:
            row["servers"]["bare epoll"] = figures(6.2e6)
            row["goals"] = [kept.goal("rate", 1.6, True, "Asio")]
        text = " ".join(" ".join(regions.not_met({"peers-linux": data}, {})).split())
        self.assertIn("missed beside peers: rate of Asio 1.00 (goal >= 1.60; bare 1.55).", text)
        for row in data["rows"]:
            row["goals"] = [kept.goal("rate", 1.5, True, "Asio")]
        text = " ".join(" ".join(regions.not_met({"peers-linux": data}, {})).split())
        self.assertIn("missed beside peers: rate of Asio 1.00 (goal >= 1.50).", text)

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


if __name__ == "__main__":
    done = unittest.main(exit=False, verbosity=1).result
    if not done.wasSuccessful() or done.testsRun == 0:
        sys.exit(1)
    print("OK")
