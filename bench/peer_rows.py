# SPDX-License-Identifier: MIT
"""peer_rows - what bench/compare --peers measures on either system, and the goals."""
import collections

from linux_rows import BETWEEN, CALLED, UNDER_WAY_MAX, counts

# Of the ratio of pipeport's figure to that peer's; `more`: at least the bound, otherwise at most.
Goal = collections.namedtuple("Goal", "kind key bound more", defaults=("rate", 1.0, True))

# As the tool calls them in tables. nng and ZeroMQ are visited by their own clients; of the raw load at their servers,
# which says what these alone can do, no goal speaks.
LINUX_WITH_GOALS = ["thread per client", "libuv", "libuv joined", "Asio", "tokio", "nng", "ZeroMQ"]
LINUX_PEERS = [*LINUX_WITH_GOALS, "nng, raw load", "ZeroMQ, raw load"]
WINE_CLASSIC = ["thread per client", "overlapped", "completion routines"]
WINE_PEERS = [*WINE_CLASSIC, "libuv", "libuv joined"]

DEEP = [Goal("libuv", bound=9.0), Goal("libuv joined"), Goal("Asio", bound=1.3),
        Goal("tokio", bound=1.3), Goal("ZeroMQ", bound=6.0), Goal("nng", bound=30.0)]
SHALLOW = [Goal("libuv", bound=1.3), Goal("Asio", bound=1.3), Goal("tokio", bound=1.3)]
ABOVE_ALL = [Goal(kind) for kind in LINUX_WITH_GOALS]


class PeerRow:
    def __init__(self, name, goals, mode="echo", connections=255, size=64, depth=1):
        self.name, self.goals, self.mode = name, goals, mode
        self.connections, self.size, self.depth = connections, size, depth


def echo_goals(size, connections, depth):
    if connections < 64 or size == BETWEEN:
        return []
    if size == 64:
        return SHALLOW if depth == 1 else DEEP if connections > 64 else []
    return ABOVE_ALL if size == 65536 or depth == 16 else []


def echo_row(size, connections, depth, goals):
    name = f"{CALLED[size]}, {connections:,} connection{'s' if connections > 1 else ''}, depth {depth}"
    return PeerRow(name, goals, connections=connections, size=size, depth=depth)


def echo_rows():
    for size in CALLED:
        for depth in (16, 1):
            for connections in counts(size):
                if size * depth * connections <= UNDER_WAY_MAX:
                    yield echo_row(size, connections, depth, echo_goals(size, connections, depth))


LINUX_ROWS = [
    *echo_rows(),
    PeerRow("broadcast to 255, one at a time", [], mode="broadcast"),
    PeerRow("broadcast to 255, 100 at a time", [], mode="broadcast", depth=100),
    PeerRow("broadcast to 1,000, one at a time", [Goal("nng", bound=1.5), Goal("libuv", "server_us", 0.65, False)],
            mode="broadcast", connections=1000),
    PeerRow("broadcast to 1,000, 100 at a time",
            [Goal("libuv", bound=25.0), Goal("Asio", bound=3.0), Goal("tokio", bound=3.0)],
            mode="broadcast", connections=1000, depth=100),
    PeerRow("connect + echo + close, 64 at a time", [], mode="churn", connections=64),
    PeerRow("idle memory, 1,000 connections, bytes each", [], mode="idle", connections=1000),
]

BARE_WINE = Goal("bare IOCP", bound=0.9)
BESIDE_CLASSIC = [BARE_WINE, *(Goal(kind) for kind in WINE_CLASSIC)]
WINE_ROWS = [
    echo_row(64, 1, 1, [BARE_WINE]),
    echo_row(64, 16, 1, BESIDE_CLASSIC),
    echo_row(64, 60, 1, BESIDE_CLASSIC),
    echo_row(64, 250, 1, BESIDE_CLASSIC),
    echo_row(64, 250, 16, [Goal(kind) for kind in WINE_PEERS]),
    PeerRow("broadcast to 255, one at a time", [], mode="broadcast"),
    PeerRow("broadcast to 255, 100 at a time", [], mode="broadcast", depth=100),
    PeerRow("connect + echo + close, 16 at a time", [BARE_WINE], mode="churn", connections=16),
    PeerRow("idle memory, 250 connections, bytes each", [], mode="idle", connections=250),
]
