# SPDX-License-Identifier: MIT
"""peer_rows - what bench/compare --peers measures on either system, and the goals."""
import collections

from linux_rows import Row

# Of the ratio of pipeport's figure to that peer's; `more`: at least the bound, otherwise at most.
Goal = collections.namedtuple("Goal", "kind key bound more", defaults=("rate", 1.0, True))

LINUX = ["pipeport", "thread per client", "libuv", "libuv joined", "Asio", "nng", "ZeroMQ", "bare epoll",
         "bare io_uring"]
LINUX_PEERS = LINUX[1:7]
WINE = ["pipeport", "thread per client", "overlapped", "completion routines", "libuv", "libuv joined", "bare IOCP"]
WINE_CLASSIC = WINE[1:4]
WINE_PEERS = WINE[1:6]
OVERLAPPED_CLIENTS = 63   # it waits for 64 events at most, and one is to stop it

DEEP = [Goal("libuv", bound=9.0), Goal("libuv joined"), Goal("Asio", bound=1.3), Goal("ZeroMQ", bound=6.0),
        Goal("nng", bound=30.0)]
SHALLOW = [Goal("libuv", bound=1.3), Goal("Asio", bound=1.3)]
ABOVE_ALL = [Goal(kind) for kind in LINUX_PEERS]


class PeerRow(Row):
    def __init__(self, name, goals, **how):
        super().__init__(name, None, **how)
        self.goals = goals
        self.kinds = LINUX


def echo_rows():
    for size, called in ((64, "64 B"), (1024, "1 KiB"), (65536, "64 KiB")):
        for depth in (16, 1):
            for connections in (64, 255, 1000):
                if size * depth * connections > 1 << 29:
                    continue   # a GiB under way says more about the machine's memory
                if size == 64:
                    goals = SHALLOW if depth == 1 else DEEP if connections > 64 else []
                else:
                    goals = ABOVE_ALL if size == 65536 or depth == 16 else []
                yield PeerRow(f"{called}, {connections:,} connections, depth {depth}", goals, connections=connections,
                              size=size, depth=depth)


LINUX_ROWS = [
    *echo_rows(),
    PeerRow("broadcast to 1,000, one at a time", [Goal("nng", bound=1.5), Goal("libuv", "server_us", 0.65, False)],
            mode="broadcast", connections=1000),
    PeerRow("broadcast to 1,000, 100 at a time", [Goal("libuv", bound=25.0), Goal("Asio", bound=3.0)],
            mode="broadcast", connections=1000, depth=100),
    PeerRow("connect + echo + close, 64 at a time", [], mode="churn", connections=64),
]


class WineRow:
    def __init__(self, connections, depth, goals):
        self.name = f"64 B, {connections} connection{'s' if connections > 1 else ''}, depth {depth}"
        self.connections, self.depth, self.size, self.unit = connections, depth, 64, "messages/s"
        self.goals = goals
        self.kinds = [kind for kind in WINE if kind != "overlapped" or connections <= OVERLAPPED_CLIENTS]


BARE_WINE = Goal("bare IOCP", bound=0.9)
WINE_ROWS = [
    WineRow(1, 1, [BARE_WINE]),
    WineRow(16, 1, [BARE_WINE, *(Goal(kind) for kind in WINE_CLASSIC)]),
    WineRow(60, 1, [BARE_WINE, *(Goal(kind) for kind in WINE_CLASSIC)]),
    WineRow(250, 1, [BARE_WINE, *(Goal(kind) for kind in WINE_CLASSIC)]),
    WineRow(250, 16, [Goal(kind) for kind in WINE_PEERS]),
]
