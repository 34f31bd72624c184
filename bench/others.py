# SPDX-License-Identifier: MIT
"""others - what bench/compare measures beside its rows on either system.

Each gives entries: `pair` has two figures of every round, one to be divided by the other; `value` one figure; `note`
says why there is none. `args.programs` starts servers and sends the load: linux_programs or wine_programs.
"""
import subprocess

from kept import goal, shortened
from linux_rows import Row

QUEUE_BYTES = 64 << 10
FILL_KIB = 512   # more than the system and that queue hold for one that never reads


def ours(args):
    return [kind for kind in args.kinds if kind.startswith("pipeport")]


def pair(name, server, rounds, key, **more):
    """Of rounds of two visits: the second's figures are divided by the first's."""
    first, second = zip(*rounds)
    keys = [key for key in ("rate", "server_us") if all(key in figures for both in rounds for figures in both)]
    return {"pair": name, "server": server, "key": key, **more,
            "first": {key: [shortened(figures[key]) for figures in first] for key in keys},
            "second": {key: [shortened(figures[key]) for figures in second] for key in keys}}


def value(name, server, figure, unit, wanted=None, **more):
    return {"value": name, "server": server, "figure": shortened(figure), "unit": unit, "goal": wanted, **more}


def note(name, why):
    return {"note": name, "why": why}


class SlowReaders:
    """Broadcasts to 230 beside 25 that never read, against the same without them: one server, visited A B B A ..."""

    tells_memory = False   # what the engine held more at most than in the first visit, which is without them

    def __init__(self, when_full, word):
        self.name = f"broadcast to 230, and to 25 that never read ({word})"
        self.options = ["--queue", str(QUEUE_BYTES), "--when-full", str(when_full)]
        self.alone, self.beside = (Row(self.name, [], mode="broadcast", connections=230, size=1024) for _ in range(2))
        self.alone.connections_max = self.beside.connections_max = 600   # those of the last visit may still be going
        self.alone.fill_kib = self.beside.fill_kib = FILL_KIB
        self.beside.deaf = 25

    def entries(self, args):
        for kind in ours(args):
            server = args.programs.Server(args, kind, self.alone, self.options)
            rounds, peaks = [], []
            try:
                for turn in range(args.rounds):
                    both = {}
                    for row in (self.alone, self.beside) if turn % 2 == 0 else (self.beside, self.alone):
                        both[row] = args.programs.visit(args, server, row)
                        peaks.append(server.figures()["memory_peak"])
                    rounds.append([both[self.alone], both[self.beside]])
            finally:
                server.stop()
            yield pair(self.name, kind, rounds, "rate", goal=goal("rate", 0.9), unit="deliveries/s",
                       beside="without them")
            if self.tells_memory:
                yield value(f"{self.name}: memory at most", kind, (peaks[-1] - peaks[0]) / 1024, "KiB more",
                            goal("memory", self.bound_bytes() / 1024, more=False))

    def bound_bytes(self):
        """A queue that is full for each that never reads, and 1 KiB for the connection."""
        return self.beside.deaf * (QUEUE_BYTES + 1024)


class Idle:
    """What a connection costs that has asked once and is silent since."""

    few = 0   # held by the server that the others' memory is compared with; 0: it is this one, before they came

    def __init__(self, connections, bound):
        self.name = f"idle memory, {connections:,} connections, bytes each"
        self.connections, self.bound = connections, bound

    def lacks(self):
        """Why it cannot be measured here."""
        return ""

    def entries(self, args):
        if self.lacks():
            yield note(self.name, f"not measured: {self.lacks()}")
            return
        for kind in args.kinds:
            before, many = self.look(args, kind, self.few + self.connections)
            if self.few:
                before = self.look(args, kind, self.few)[1]
            own, taken = ((much - little) / self.connections for little, much in zip(before, many))
            how = args.programs.MEMORY
            if kind.startswith("pipeport"):
                wanted = goal("memory", self.bound, more=False)
                yield value(self.name, kind, own, "bytes", wanted, **{how: round(taken)})
            else:
                yield value(self.name, kind, taken, f"bytes, {how}")

    def look(self, args, kind, connections):
        """What a server holds by its own count, and has of the system: before so many came, and while they are held."""
        row = Row(self.name, [], mode="hold", connections=connections)
        server = args.programs.Server(args, kind, row)
        try:
            before = self.held(server)
            load = subprocess.Popen(args.programs.load_command(args, server, row), stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                    env=args.programs.environment(args))
            if not load.stdout.readline().startswith("holding"):
                raise SystemExit(f"compare: {self.name}: {kind} did not hold the connections")
            now = self.held(server)
            load.communicate()
        finally:
            server.stop()
        return before, now

    @staticmethod
    def held(server):
        return server.figures()["memory"] if server.kind.startswith("pipeport") else 0, server.memory_bytes()


WHEN_FULL = ((0, "refuse"), (1, "drop the newest"), (2, "disconnect"))   # as pipeport_echo counts them
