# SPDX-License-Identifier: MIT
"""tool.py - how tests meet the program pipeport: other processes, output, exit codes.

A test is called with PROGRAM SYSTEM CHECK, see checks.py.
"""
import queue
import re
import signal
import threading

from checks import begin, expect, name, programs, ran, wine

command = [*wine, *programs]


def start(*arguments, files=None):
    """A process, and the queue of lines that it says; its errors are among them. files: its hard bound on open files,
    and a soft one of 16, which it must raise itself."""
    bound = ["bash", "-c", f'ulimit -Sn 16 && ulimit -Hn {files} && exec "$@"', "bash"] if files else []
    process = begin(*bound, *command, *arguments)
    process.lines = queue.Queue()
    process.reader = threading.Thread(
        target=lambda: [process.lines.put(line.rstrip()) for line in iter(process.hear, "")], daemon=True)
    process.reader.start()
    return process


def end(process, timeout=100):
    """(exit code, all it said that nobody has read)."""
    process.reader.join(timeout)
    text = "\n".join(process.lines.get() for _ in range(process.lines.qsize()))
    expect(not process.reader.is_alive(), f"it did not end within {timeout} s:", process.args, "and has said:", text)
    return process.wait(timeout), text


def run(*arguments):
    return ran(*command, *arguments)


def listening(*arguments, files=None):
    """Where the machine stands still for long, nobody is slow for that."""
    server = start("serve", *arguments, "--write-stall", "600000", files=files)
    first = server.lines.get(timeout=60)
    while first.startswith("pipeport serve: "):  # The engine's log.
        first = server.lines.get(timeout=60)
    expect(first.startswith("listening on "), "a server began with:", first)
    server.address = first[len("listening on "):]
    return server


def exchange(serve, swarm):
    """A server and a swarm at once: (server's exit code and words, swarm's exit code and words)."""
    pipe = name()
    server = listening(pipe, "--until-empty", *serve)
    swarmed = end(start("swarm", pipe, *swarm))
    return *end(server), *swarmed


def interrupted(serve, swarm):
    """The same, where the server does not hear that all have gone: it is told. Wine makes Ctrl-C of the signal."""
    pipe = name()
    server = listening(pipe, *serve)
    swarmed = end(start("swarm", pipe, *swarm))
    server.send_signal(signal.SIGINT)
    return *end(server), *swarmed


def verified(serve, swarm, pattern, meet=exchange):
    code, said, swarm_code, swarm_said = meet(serve, swarm)
    expect(code == 0 and said.endswith("accounting balances"), "the server ended with", code, said)
    last = swarm_said.splitlines()[-1] if swarm_said else ""
    expect(swarm_code == 0 and re.match(pattern, last), "the swarm ended with", swarm_code, swarm_said)
    return said, swarm_said
