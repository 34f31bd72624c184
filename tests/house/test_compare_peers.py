#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds what bench/compare --peers makes of what `pipeport-bench peers` told: which figures are kept, whom it leaves
out, and how it goes on where somebody failed. It measures nothing."""
import argparse
import contextlib
import io
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
sys.dont_write_bytecode = True

import compare_peers    # noqa: E402
import kept             # noqa: E402
import peer_rows        # noqa: E402

VISIT = {"cpu_us": 2.0, "p50_us": 1.0, "p90_us": 2.0, "p99_us": 3.0, "p999_us": 4.0, "max_us": 5.0, "load_busy": 0.5,
         "memory_bytes": None, "messages": 100}


def peer(title, rate, rounds=5, state="measured", why=None):
    return {"title": title, "state": state, "why": why, "memory_bytes": None,
            "rounds": [{**VISIT, "rate": rate + i} for i in range(rounds)]}


def record(*peers):
    return {"unit": "messages/s", "peers": list(peers)}


class Side:
    part, how, memory = "peers-linux", "How", "resident"

    @staticmethod
    def machine():
        return ["2 processors"]


class Runs(unittest.TestCase):
    def run_of(self, rows, told):
        """The data that is kept where the tool tells these, and what was said."""
        args = argparse.Namespace(busy=0.2, rounds=5, ms=500, warm_up_ms=100, quick=False)
        of = dict(zip([row.name for row in rows], told))

        def tell(_side, _args, row):
            if isinstance(of[row.name], BaseException):
                raise of[row.name]
            return of[row.name]

        before, compare_peers.told = compare_peers.told, tell
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                return compare_peers.run(Side, args, rows), said.getvalue()
        finally:
            compare_peers.told = before

    def test_keeps_every_round(self):
        row = peer_rows.LINUX_ROWS[0]
        data, said = self.run_of([row], [record(peer("pipeport", 200), peer("libuv", 100))])
        kept.check(data)
        self.assertEqual(data["rows"][0]["servers"]["pipeport"]["rate"], [200, 201, 202, 203, 204])
        self.assertEqual(data["rows"][0]["servers"]["libuv"]["server_us"], [2.0] * 5)
        self.assertEqual(data["rows"][0]["servers"]["libuv"]["load_cpu"], [0.5] * 5)
        self.assertEqual((data["failed"], data["left_out"]), ([], []))
        self.assertIn("| **1.98** (1.97-1.99) |", said)

    def test_goes_on_without_who_failed(self):
        rows = peer_rows.LINUX_ROWS[:3]
        dead = peer("libuv", 100, 2, "failed", "ended by itself in round 3, with signal 9; it said: nothing")
        absent = peer("nng", 0, 0, "left out", "peer_nng is not in here")
        data, said = self.run_of(rows, [record(peer("pipeport", 200), dead, peer("Asio", 50), absent),
                                        SystemExit("it is gone"),
                                        record(peer("pipeport", 200), peer("libuv", 100), absent)])
        kept.check(data)
        self.assertEqual([list(row["servers"]) for row in data["rows"]], [["pipeport", "Asio"], ["pipeport", "libuv"]])
        self.assertEqual(data["left_out"], ["nng"])
        self.assertEqual(data["failed"], [f"{rows[0].name}: libuv {dead['why']}", f"{rows[1].name}: it is gone"])
        self.assertEqual(said.count("FAILED: "), 2)

    def test_is_nothing_without_pipeport(self):
        row = peer_rows.LINUX_ROWS[0]
        lost = peer("pipeport", 1, 1, "failed", "ended by itself")
        data, _ = self.run_of([row], [record(lost, peer("libuv", 100), peer("Asio", 100))])
        self.assertEqual((data["rows"], data["failed"]), ([], [f"{row.name}: pipeport ended by itself"]))
        data, _ = self.run_of([row], [record(peer("pipeport", 1, 3), peer("libuv", 100, 3))])
        self.assertEqual(data["failed"], [f"{row.name}: it was interrupted"])

    def test_leaves_out_only_who_never_came(self):
        """One may take too many connections to be in a row."""
        small, large = peer_rows.WINE_ROWS[0], peer_rows.WINE_ROWS[3]
        away = peer("overlapped", 0, 0, "left out", "takes 63 connections at most")
        data, _ = self.run_of([small, large], [record(peer("pipeport", 200), peer("overlapped", 100)),
                                               record(peer("pipeport", 200), peer("libuv", 10), away)])
        self.assertEqual(data["left_out"], [])

    def test_keeps_memory_beside_the_rows(self):
        idle = next(row for row in peer_rows.LINUX_ROWS if row.mode == "idle")
        data, said = self.run_of([peer_rows.LINUX_ROWS[0], idle], [
            record(peer("pipeport", 200), peer("libuv", 100)),
            record({**peer("pipeport", 0), "memory_bytes": 366.25},
                   {**peer("libuv", 0), "memory_bytes": 455.0})])
        kept.check(data)
        self.assertEqual([(entry["server"], entry["figure"], entry["unit"]) for entry in data["others"]],
                         [("pipeport", 366.25, "bytes, resident"), ("libuv", 455.0, "bytes, resident")])
        self.assertIn(f"| {idle.name} | bytes, resident | 366 | 455 |", said)

    def test_the_grid_is_whole(self):
        echoes = {(r.size, r.connections, r.depth) for r in peer_rows.LINUX_ROWS if r.mode == "echo"}
        wanted = {(size, connections, depth) for size in (64, 1024, 65536) for connections in (1, 64, 255, 1000)
                  for depth in (1, 16)} - {(65536, 1000, 16)}
        wanted |= {(8192, connections, depth) for connections in (64, 255) for depth in (1, 16)}
        self.assertEqual(echoes, wanted)
        others = [(r.mode, r.connections, r.depth) for r in peer_rows.LINUX_ROWS if r.mode != "echo"]
        self.assertEqual(others, [("broadcast", 255, 1), ("broadcast", 255, 100), ("broadcast", 1000, 1),
                                  ("broadcast", 1000, 100), ("churn", 64, 1), ("idle", 1000, 1)])

    def test_wine_has_every_mode(self):
        others = [(r.mode, r.connections, r.depth) for r in peer_rows.WINE_ROWS if r.mode != "echo"]
        self.assertEqual(others, [("broadcast", 255, 1), ("broadcast", 255, 100), ("churn", 16, 1), ("idle", 250, 1)])
        self.assertEqual([goal.kind for row in peer_rows.WINE_ROWS for goal in row.goals if row.mode == "churn"],
                         ["bare IOCP"])


if __name__ == "__main__":
    unittest.main()
