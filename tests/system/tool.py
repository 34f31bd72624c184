# SPDX-License-Identifier: MIT
"""tool.py - how tests meet the program pipeport: other processes, output, exit codes.

A test is called with PROGRAM SYSTEM CHECK; CHECK is the name of a function of its own that begins with check_, without
that. It ends with OK, or says what is wrong.
"""
import os
import queue
import re
import subprocess
import sys
import threading

program, system, wanted = sys.argv[1:]
command = ["wine", program] if system == "windows" else [program]
wrong = []
started = []
names = iter(range(1000))


def expect(true, *what):
    if not true:
        wrong.append(" ".join(str(part) for part in what))


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def name():
    return f"tool-{wanted}-{os.getpid()}-{next(names)}"


def start(*arguments, files=None):
    """A process, and the queue of lines that it says; its errors are among them. files: its hard bound on open files,
    and a soft one of 16, which it must raise itself."""
    bound = ["bash", "-c", f'ulimit -Sn 16 && ulimit -Hn {files} && exec "$@"', "bash"] if files else []
    process = subprocess.Popen([*bound, *command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    process.lines = queue.Queue()
    process.reader = threading.Thread(target=lambda: [process.lines.put(line.rstrip()) for line in process.stdout])
    process.reader.daemon = True
    process.reader.start()
    started.append(process)
    return process


def end(process, timeout=100):
    """(exit code, all it said that nobody has read)."""
    code = process.wait(timeout)
    process.reader.join(timeout)
    text = "\n".join(process.lines.get() for _ in range(process.lines.qsize()))
    return code, text


def run(*arguments):
    done = subprocess.run([*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=100, check=False)
    return done.returncode, done.stdout, done.stderr


def listening(*arguments, files=None):
    server = start("serve", *arguments, files=files)
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


def verified(serve, swarm, pattern):
    code, said, swarm_code, swarm_said = exchange(serve, swarm)
    expect(code == 0 and said.endswith("accounting balances"), "the server ended with", code, said)
    last = swarm_said.splitlines()[-1] if swarm_said else ""
    expect(swarm_code == 0 and re.match(pattern, last), "the swarm ended with", swarm_code, swarm_said)
    return said, swarm_said


def check(functions):
    """The wanted one of a test's functions; the test's exit code."""
    try:
        functions["check_" + wanted]()
    except (subprocess.TimeoutExpired, queue.Empty, OSError) as fault:  # Mostly: nothing happened for too long.
        wrong.append(f"stopped by {fault!r}")
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
    print("\n".join(wrong) if wrong else f"OK: {wanted}")
    return 1 if wrong else 0
