# SPDX-License-Identifier: MIT
"""linux_rows - the loads of bench/compare --linux under which all servers stand side by side, and the goals."""
from kept import goal
from linux_programs import KINDS

CALLED = {64: "64 B", 1024: "1 KiB", 8192: "8 KiB", 65536: "64 KiB"}
BETWEEN = 8192   # of the sizes that have goals: a few rows, so that what happens there is seen, too


class Row:
    """The figures of all servers under one load."""

    def __init__(self, name, goals, mode="echo", connections=255, size=64, depth=1):
        self.name, self.goals, self.mode = name, goals, mode
        self.connections, self.size, self.depth = connections, size, depth
        self.connections_max = max(connections + 64, 2 * connections if mode == "churn" else 0)
        self.unit = {"broadcast": "deliveries/s", "churn": "visits/s"}.get(mode, "messages/s")
        self.kinds = KINDS
        self.deaf = self.fill_kib = 0   # of broadcasts: connections more that never read; what is sent before counting


GOALS = {   # connections, bytes, depth: of the ratio to the better bare loop where they name nobody
    (255, 64, 16): [goal("rate", 0.90)],
    (1000, 64, 16): [goal("rate", 0.90)],
    (64, 64, 1): [goal("rate", 0.95)],
    (255, 64, 1): [goal("rate", 0.95)],
    (1000, 64, 1): [goal("rate", 0.95), goal("p99_us", 1.50, more=False)],
    (1, 64, 1): [goal("p50_us", 1.10, more=False)],
    **{(connections, 1024, 16): [goal("rate", 0.90)] for connections in (64, 255, 1000)},
    **{(connections, 65536, depth): [goal("rate", 0.90)] for connections in (64, 255, 1000) for depth in (1, 16)},
}
UNDER_WAY_MAX = 512 << 20   # a GiB under way says more about the machine's memory


def counts(size):
    """Of connections."""
    return (64, 255) if size == BETWEEN else (1, 64, 255, 1000)


def echo_rows():
    for size, called in CALLED.items():
        for depth in (1, 16):
            for connections in counts(size):
                if size * depth * connections <= UNDER_WAY_MAX:
                    name = f"{called}, {connections:,} connection{'s' if connections > 1 else ''}, depth {depth}"
                    yield Row(name, GOALS.get((connections, size, depth), []), connections=connections, size=size,
                              depth=depth)


def broadcast_rows():
    goals = {(1000, 1): [goal("rate", 1.0, to="bare epoll")], (1000, 100): [goal("rate", 0.85)]}
    for connections in (255, 1000):
        for depth, how in ((1, "one"), (100, "100")):
            yield Row(f"broadcast to {connections:,}, {how} at a time", goals.get((connections, depth), []),
                      mode="broadcast", connections=connections, depth=depth)


ROWS = [*echo_rows(), *broadcast_rows(),
        Row("connect + echo + close, 64 at a time", [goal("rate", 0.90)], mode="churn", connections=64)]
