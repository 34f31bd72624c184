# SPDX-License-Identifier: MIT
"""What the tests of real clients share: a server in a process of its own, the messages, and the verdict.

A test is `FILE.py BIN SYSTEM CHECK`: BIN is the folder of the built programs, SYSTEM linux or windows, CHECK a key of
the dictionary that it gives to main. It ends with OK, with what is wrong and exit code 1, or with `SKIP: why` and 77.
"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from begun import Begun, NOTHING, once_more   # noqa: E402

SIZES = (0, 1, 127, 128, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20)
ROUNDS = 8  # 112 messages, 9.6 MB
KIT = pathlib.Path(__file__).resolve().parents[2] / ".deps" / "clients"


def expect(true, *what):
    if not true:
        raise AssertionError(" ".join(str(part) for part in what))


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def kit(path):
    """A file that tools/clients has fetched."""
    found = KIT / path
    if not found.exists():
        skip(f"{path} is not there: tools/setup could not fetch it from npm")
    return str(found)


def messages(sizes=SIZES, but=b""):
    """The messages of every size, random bytes without those of `but`, each time others."""
    drawn = random.Random(20)
    if but:
        kept = bytes(byte for byte in range(256) if byte not in but)
        table = bytes(byte if byte not in but else kept[byte % len(kept)] for byte in range(256))
    for _ in range(ROUNDS):
        for size in sizes:
            text = drawn.randbytes(size)
            yield text.translate(table) if but else text


class Server:
    """A program of ours that serves until its clients have gone; `address` is what it said it listens on."""

    def __init__(self, folder, system, program, *arguments):
        self.system = system
        self.name = f"clients-{pathlib.Path(sys.argv[0]).stem}-{os.getpid()}"
        path = os.path.join(folder, program + (".exe" if system == "windows" else ""))
        arguments = [arguments[0], self.name, *arguments[1:]] if program == "pipeport" else [self.name, *arguments]
        self.process = Begun([*(["wine"] if system == "windows" else []), path, *arguments], stdin=NOTHING,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        first = self.process.hear().rstrip()
        expect(first.startswith("listening on "), "the server began with:", first)
        self.address = first[len("listening on "):]

    def end(self, *lines):
        """All clients have gone: it must be content, and have said each of the lines."""
        said, _ = self.process.communicate(timeout=60)
        expect(self.process.returncode == 0, "the server ended with", self.process.returncode, said)
        for line in lines:
            expect(line in said, repr(line), "is not in what the server said:", said)


def echo(folder, system, framing, *arguments):
    return Server(folder, system, "pipeport", "serve", "--echo", "--until-empty", "--write-stall", "600000",
                  "--framing", framing, *arguments)


def ran(command, timeout, environment):
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=timeout, check=False,
                              env={**os.environ, **environment}).returncode
        said.seek(0)
        return code, said.read()


def run(system, arguments, timeout=100, **environment):
    """A client to its end; its words. To a file, which is what Node for Windows writes to under Wine."""
    command = [*(["wine"] if system == "windows" else []), *arguments]
    code, words = once_more(ran, command, timeout, environment)
    expect(code == 0, "the client ended with", code, words)
    return words


def main(checks):
    folder, system, wanted = sys.argv[1:]
    started = []
    begin = Server.__init__
    Server.__init__ = lambda self, *arguments: (started.append(self), begin(self, *arguments))[1]
    try:
        checks[wanted](folder, system)
    except (AssertionError, OSError, EOFError, subprocess.TimeoutExpired) as wrong:
        print(f"{type(wrong).__name__}: {wrong}")
        sys.exit(1)
    finally:
        for server in started:
            if hasattr(server, "process") and server.process.poll() is None:
                server.process.kill()
    print(f"OK: {wanted}")
