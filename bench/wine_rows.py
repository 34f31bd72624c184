# SPDX-License-Identifier: MIT
"""wine_rows - the loads of bench/compare under Wine, and the goals."""
import others
from kept import goal
from linux_rows import Row

ECHO_GOALS = {1: [goal("rate", 0.90)], 16: [goal("rate", 1.0)]}   # depth: of the ratio to the bare loop
CHURN_GOALS = [goal("rate", 0.90)]
JOINED = "bare IOCP joined"   # only where replies can be joined: at a depth above 1


class WineRow(Row):
    def __init__(self, name, goals, **load):
        super().__init__(name, goals, **load)
        self.kinds = ["bare IOCP", "pipeport", *([JOINED] if self.mode == "echo" and self.depth > 1 else [])]


def echo_row(connections, size, depth):
    called = f"{size >> 10} KiB" if size % 1024 == 0 else f"{size} B"
    return WineRow(f"{called}, {connections:,} connection{'s' if connections > 1 else ''}, depth {depth}",
                   ECHO_GOALS.get(depth, []), connections=connections, size=size, depth=depth)


def rows(connections, sizes, depths):
    """Echoes of these loads, and what is no echo."""
    return [*(echo_row(many, size, depth) for depth in depths for size in sizes for many in connections),
            WineRow("broadcast to 255, one at a time", [], mode="broadcast"),
            WineRow("broadcast to 255, 100 at a time", [], mode="broadcast", depth=100),
            *(WineRow(f"connect + echo + close, {how} at a time", CHURN_GOALS, mode="churn", connections=many)
              for how, many in (("one", 1), ("16", 16)))]


class SlowReaders(others.SlowReaders):
    tells_memory = True   # nothing else grows: on Linux a ring's buffers do, with the connections


class Idle(others.Idle):
    """Against a server that holds 64: what Wine takes at the first connections is not each one's, and the bare loop has
    a buffer for each of its instances before anybody comes."""

    few = 64


OTHERS = [*(SlowReaders(*policy) for policy in others.WHEN_FULL), Idle(1000, 1024)]
