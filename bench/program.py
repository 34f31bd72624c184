# SPDX-License-Identifier: MIT
"""program - a server of bench/compare as a process, whatever system it is started on."""
import select

PATIENCE_S = 120


class Program:
    """What a server's process says and how it ends; whoever starts it sets `kind` and `process`."""

    def hear(self):
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        return self.process.stdout.readline() if ready else "it said nothing"

    def figures(self):
        """pipeport's own, as it tells them."""
        self.process.stdin.write("\n")
        return words_of(self.hear())

    def stop(self):
        """It has nothing to save; to end in order is what the tests look at."""
        if self.process.poll() is not None:
            raise SystemExit(f"compare: {self.kind} ended by itself, with {self.process.returncode}")
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()


def words_of(text):
    """name=number words; others are left out."""
    found = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if equals:
            try:
                found[name] = float(value)
            except ValueError:
                found[name] = value
    return found


def visited(done, server, row):
    """The figures of a visit of the load, which is over."""
    words = done.stdout.split()
    if done.returncode != 0 or not words or words[-1] != "ok":
        said = (done.stderr or done.stdout).strip() or "it said nothing"
        raise SystemExit(f"compare: {row.name}: the load on {server.kind} ended with {done.returncode}: {said}")
    return words_of(done.stdout)
