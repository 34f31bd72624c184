#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_tool.py PROGRAM SYSTEM CHECK - the program pipeport as its users meet it, see tool.py."""
import errno
import os
import re
import signal
import socket
import stat
import sys

sys.dont_write_bytecode = True
from checks import check, expect, name, names_of_any_script, paced, ran, skip, system
from refusals import REFUSALS
from tool import end, exchange, listening, run, start, verified

try:
    import resource
except ImportError:  # Windows
    resource = None


def check_helps():
    for arguments in (["--help"], ["serve", "--help"], ["swarm", "x", "--size", "wrong", "--help"]):
        code, out, err = run(*arguments)
        expect(code == 0 and err == "" and out.startswith("pipeport "), arguments, code, out, err)
        expect(max(map(len, out.splitlines())) <= 80, arguments, "has a line of more than 80 columns", out)
    for option in ("--echo", "--sink", "--broadcast-every", "--connections", "--workers", "--seconds", "--drain",
                   "--framing", "--direction", "--access", "--when-full", "--topics", "--topics-max", "--verify"):
        expect(f"  {option}" in run("serve", "--help")[1], option, "is not in the help of serve")
    for option in ("--connections", "--messages", "--size", "--depth", "--threads", "--broadcasts", "--timeout",
                   "--framing", "--direction", "--access", "--when-full", "--topics"):
        expect(f"  {option}" in run("swarm", "--help")[1], option, "is not in the help of swarm")
    code, out, _ = run("--version")
    expect(code == 0 and re.match(r"pipeport \d+\.\d+\.\d+ \(library \d+\.\d+\.\d+\)$", out.strip()), out)


def check_refuses_wrong_arguments():
    for line, words in REFUSALS:
        code, out, err = run(*line.split())
        expect(code == 2 and out == "" and err.splitlines() == ["pipeport" + words], line, code, out, err)


def check_names_what_fails():
    pipe = name()
    code, _, err = run("swarm", pipe)
    expect(code == 1 and "Nobody serves this name" in err, code, err)
    server = listening(pipe, "--until-empty")
    code, _, err = run("serve", pipe)
    expect(code == 1 and pipe in err and "already serves this name" in err and "cannot be served" in err, code, err)
    expect(end(start("swarm", pipe))[0] == 0, "the first server does not serve any more")
    expect(end(server)[0] == 0, "the first server failed")


def check_takes_names_of_any_script():
    for pipe in names_of_any_script():
        server = listening(pipe, "--until-empty")
        expect(server.address.endswith(pipe), "it listens on", server.address, "and not on", pipe)
        code, said = end(start("swarm", pipe, "--connections", "2"))
        expect(code == 0 and "verified: 2 connections" in said, pipe, code, said)
        code, said = end(server)
        expect(code == 0, pipe, code, said)


def check_verifies_messages_and_broadcasts():
    said, swarm_said = verified(
        ["--echo", "--connections", "300", "--broadcast-every", "5", "--broadcasts", "20", "--wait-for", "300"],
        ["--connections", "300", "--messages", "20", "--depth", "4", "--size", "0,1,39,40,64,5K,0,100K",
         "--broadcasts", "20"],
        r"verified: 300 connections, 6000 messages of 0 to 102400 bytes there and back, 6000 broadcast deliveries;")
    expect("connections: 300 opened, 300 closed, 300 at most" in said, said)
    driver = os.environ.get("PIPEPORT_TEST_DRIVER", "IOCP" if system == "windows" else "epoll")
    for words in (said, swarm_said):
        expect(f"driver: {driver}" in words.splitlines(), driver, "is not named in", words)
    expect("broadcasts: 20 of 1024 bytes, 6000 deliveries" in said, said)
    for figure in ("connected: 300 of 300", "messages/s", "round trip: p50", "deliveries/s", "last receiver"):
        expect(figure in swarm_said, figure, "is not in", swarm_said)


def check_demands_its_server():
    pipe = name()
    server = listening(pipe)
    if system == "windows":  # Whose number in Wine nobody tells us.
        user = re.search(r"S-1-5-21-[-\d]+\d\b", ran("wine", "reg", "query", "HKU")[1]).group()
        wrong, right = ("process:4", "user:S-1-5-18"), (f"user:{user}",)
    else:
        wrong = (f"process:{os.getpid()}", f"user:{os.getuid() + 1}")
        right = (f"process:{server.pid}", f"user:{os.getuid()}")
    for demand in wrong:
        code, said = end(start("swarm", pipe, "--access", demand))
        expect(code == 1 and re.search(r"it could not connect: .* \(status 6", said), demand, code, said)
    for demand in right:
        code, said = end(start("swarm", pipe, "--access", demand, "--connections", "2"))
        expect(code == 0 and "verified: 2 connections" in said, demand, code, said)
    server.send_signal(signal.SIGINT)
    code, said = end(server)
    expect(code == 0 and said.endswith("accounting balances"), code, said)


def check_lets_in_whom_it_is_told():
    if system == "windows":
        for access in ("owner", "local-users", "app-containers", "sddl:D:P(A;;GA;;;OW)(A;;GRGW;;;AU)"):
            verified(["--access", access], ["--connections", "2"], "verified: 2 connections")
        return
    for access, mode in (("owner", 0o600), ("local-users", 0o666), (f"group:{os.getgid()}", 0o660)):
        path = f"/tmp/{name()}"
        server = listening(path, "--until-empty", "--access", access)
        state = os.stat(path)
        expect(stat.S_ISSOCK(state.st_mode) and stat.S_IMODE(state.st_mode) == mode, access, oct(state.st_mode))
        expect(state.st_gid == os.getgid(), access, state.st_gid)
        code, said = end(start("swarm", path, "--connections", "2"))
        expect(code == 0 and "verified: 2 connections" in said, access, code, said)
        expect(end(server)[0] == 0, access, "the server failed")


def check_gives_up_who_never_reads():
    """A server that reads nothing: its swarm waits, or ends when its queue is full."""
    def attempt(policy, patience):
        path = f"/tmp/{name()}"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            ended = end(start("swarm", path, "--direction", "to-server", "--size", "64K", "--depth", "100",
                              "--message-max", "64K", "--queue", "1M", "--when-full", policy, "--timeout", patience))
        os.unlink(path)
        return ended

    for policy, patience, words in (("refuse", "1", "nothing came for 1 s"),
                                    ("disconnect", "60", r"it ended after .* \(status 13")):
        # Where the machine stands still longer than the engine's write_stall_ms, that ends it.
        code, said = paced(lambda: attempt(policy, patience), lambda ended: re.search(words, ended[1]))
        expect(code == 1 and re.search(words, said) and "does not balance" not in said, policy, code, said)


def check_says_who_does_not_close():
    """The same server, and a swarm that is interrupted: what waits there is not written in time, and is said."""
    path = f"/tmp/{name()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        swarm = start("swarm", path, "--connections", "3", "--size", "900K", "--timeout", "600")
        first = swarm.lines.get(timeout=60)
        expect(first.startswith("connected: 3 of 3"), "a swarm began with:", first)
        swarm.send_signal(signal.SIGINT)
        code, said = end(swarm)
    os.unlink(path)
    words = "3 connections are not closed 10 s after they were to be; they are aborted"
    expect(code == 1 and words in said, code, said)
    expect("connections: 3 opened = 3 closed" in said and "does not balance" not in said, said)


def check_carries_the_longest():
    verified([], ["--connections", "4", "--messages", "8", "--depth", "2", "--size", "1M,0,1048575"],
             r"verified: 4 connections, 32 messages of 0 to 1048576 bytes")


def check_waits_where_queues_are_full():
    # The client's queue is full as well, but takes a flood: one message at a time, the server would answer in time.
    said, _ = verified(["--message-max", "64K", "--queue", "66K"],
                       ["--connections", "8", "--messages", "200", "--depth", "64", "--size", "64K,60000,0,64",
                        "--message-max", "64K", "--queue", "1M"],
                       r"verified: 8 connections, 1600 messages of 0 to 65536 bytes")
    expect(not re.search(r"\b0 waited for a full queue", said), "no queue was ever full:", said)


def hold(connections):
    verified(["--echo", "--connections", str(connections), "--broadcast-every", "10", "--broadcasts", "3",
              "--wait-for", str(connections)],
             ["--connections", str(connections), "--messages", "3", "--size", "64,0,4K", "--broadcasts", "3"],
             rf"verified: {connections} connections, {3 * connections} messages of 0 to 4096 bytes there and back, "
             rf"{3 * connections} broadcast deliveries;")


def check_holds_a_thousand():
    hold(1000)


def check_holds_ten_thousand():
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 10064:
        skip("this system allows a process too few open files for 10000 pipes (ulimit -Hn)")
    hold(10000)


def check_works_on_one_thread():
    verified(["--workers", "1", "--echo", "--broadcast-every", "0", "--broadcasts", "50", "--wait-for", "20"],
             ["--threads", "1", "--connections", "20", "--messages", "50", "--broadcasts", "50"],
             r"verified: 20 connections, 1000 messages of 64 to 64 bytes there and back, 1000 broadcast deliveries;")


def check_has_as_many_workers_as_told():
    """One is the main thread; of more it is none. (On Windows it is one of them, and Wine has threads of its own.)"""
    def threads(number):
        server = listening(name(), "--workers", str(number))
        found = len(os.listdir(f"/proc/{server.pid}/task"))
        server.send_signal(signal.SIGINT)
        code, said = end(server)
        expect(code == 0, number, said)
        return found
    alone = threads(1)
    for number in (2, 5):
        # ThreadSanitizer begins a thread of its own beside a program's first.
        expect(threads(number) - alone in (number, number + 1), number, "workers")


def check_listens_without_asking():
    verified(["--broadcast-every", "2", "--broadcasts", "30", "--wait-for", "10", "--broadcast-size", "40"],
             ["--connections", "10", "--messages", "0", "--broadcasts", "30"],
             r"verified: 10 connections, 0 messages .* 300 broadcast deliveries;")


def check_objects_to_every_fault():
    for fault, size, words in (("lose", "64", "one was lost"), ("double", "64", "doubled"), ("flip", "64", "corrupt"),
                               ("swap", "64", "overtaken"), ("flip", "1", "corrupt"), ("lose", "0,3", "lost"),
                               ("double", "0,3", "doubled")):
        code, said, swarm_code, swarm_said = exchange(
            ["--fault", fault],
            ["--connections", "4", "--messages", "100", "--depth", "4", "--size", size])
        expect(code == 0, fault, "the server failed", said)
        expect(swarm_code == 1 and "verified:" not in swarm_said, fault, size, swarm_said)
        expect(re.search(rf"connection \d: message \d+ is wrong: .*{words}", swarm_said), fault, size, swarm_said)
        expect("1 connections went wrong" in swarm_said, fault, size, swarm_said)


def check_objects_to_silence():
    for serve, swarm, silence, words in (
            (["--sink"], ["--connections", "3"], "1", "connection 2: 1 sent, 0 of 100 echoed"),
            (["--echo", "--broadcast-every", "1", "--broadcasts", "5"], ["--connections", "1", "--broadcasts", "6"],
             "2", "100 of 100 echoed, 5 broadcasts")):
        code, said, swarm_code, swarm_said = paced(
            lambda: exchange(serve, [*swarm, "--timeout", silence]),
            lambda heard: words in heard[3])
        expect(code == 0, said)
        expect(swarm_code == 1 and f"nothing came for {silence} s" in swarm_said and words in swarm_said, swarm_said)


def check_objects_to_a_server_that_goes():
    pipe = name()
    server = listening(pipe)
    swarm = start("swarm", pipe, "--messages", "100000000", "--connections", "3")
    first = swarm.lines.get(timeout=60)
    expect(first.startswith("connected: 3 of 3"), "a swarm began with:", first)
    server.send_signal(signal.SIGINT)  # Wine makes Ctrl-C of it.
    code, said = end(swarm)
    expect(code == 1 and re.search(r"connection \d: it ended after \d+ of 100000000 echoes", said), code, said)
    code, said = end(server)
    expect(code == 0 and said.endswith("accounting balances"), code, said)


def check_drains_at_an_interrupt():
    pipe = name()
    server = listening(pipe)
    swarm = start("swarm", pipe, "--messages", "100000000", "--connections", "3")
    first = swarm.lines.get(timeout=60)
    expect(first.startswith("connected: 3 of 3"), "a swarm began with:", first)
    swarm.send_signal(signal.SIGINT)
    code, said = end(swarm)
    expect(code == 1 and "interrupted: " in said and "does not balance" not in said, code, said)
    server.send_signal(signal.SIGINT)
    code, said = end(server)
    expect(code == 0 and said.endswith("accounting balances"), code, said)


def check_says_how_many_files_it_may_open():
    for arguments in (["serve", name(), "--connections", "100"], ["swarm", name(), "--connections", "100"]):
        code, said = end(start(*arguments, files=120))
        expect(code == 1 and len(said.splitlines()) == 1, arguments, code, said)
        for part in ("--connections 100 takes 164 open files", "may have 120", "ulimit -Hn", "give 56 or less"):
            expect(part in said, part, "is not in", said)
        for files in (50, 64):  # Not even one connection.
            code, said = end(start(*arguments, files=files))
            expect(code == 1 and len(said.splitlines()) == 1 and "or less" not in said, arguments, code, said)
            for part in (f"may have {files}", "too few for a single connection; raise the limit to 164 or more"):
                expect(part in said, part, "is not in", said)
    pipe = name()  # The soft bound of 16 is far too low for both; the hard one is enough.
    server = listening(pipe, "--until-empty", "--connections", "100", files=164)
    code, said = end(start("swarm", pipe, "--connections", "100", files=164))
    expect(code == 0, "the swarm ended with", code, said)
    code, said = end(server)
    expect(code == 0 and said.endswith("accounting balances"), code, said)
    server = listening(pipe, "--until-empty")  # 40 threads take more of them than was reckoned with.
    code, said = end(start("swarm", pipe, "--connections", "100", "--threads", "40", files=164))
    expect(code == 1 and os.strerror(errno.EMFILE) in said and "does not balance" not in said, code, said)


def check_treats_slow_readers_as_told():
    """A client that never reads, and what becomes of its broadcasts; they begin when another one is there."""
    listen = ("--messages", "0", "--broadcasts", "200", "--message-max", "64K", "--timeout", "2")
    for policy, pattern in (("refuse", r" [1-9]\d* refused by a full queue, 0 dropped, 0 closed as slow"),
                            ("drop-newest", r" 0 refused by a full queue, [1-9]\d* dropped, 0 closed as slow"),
                            ("disconnect", r" 0 refused by a full queue, 0 dropped, [12] closed as slow")):
        pipe = name()
        server = listening(pipe, "--sink", "--broadcast-every", "0", "--broadcasts", "200", "--broadcast-size", "64K",
                           "--message-max", "64K", "--queue", "128K", "--when-full", policy, "--wait-for", "2",
                           "--until-empty", "--drain", "0")
        slow = start("swarm", pipe, *listen[:-1], "60")
        expect(slow.lines.get(timeout=60).startswith("connected: 1 of 1"), policy)
        slow.send_signal(signal.SIGSTOP)
        end(start("swarm", pipe, *listen))  # It may be too slow as well.
        slow.kill()
        code, said = end(server)
        expect(code == 0 and re.search(pattern, said), policy, code, said)


def check_bears_a_server_without_files():
    """Half of the server's files are taken away while it listens: it rests, says why, and serves all in the end."""
    pipe = name()
    server = listening(pipe, "--until-empty", "--wait-for", "100", "--connections", "100")
    open_now = len(os.listdir(f"/proc/{server.pid}/fd"))
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (open_now + 50, 1000))
    swarm = start("swarm", pipe, "--connections", "100")
    said = server.lines.get(timeout=60)
    while "accept failed" not in said:
        said = server.lines.get(timeout=60)
    expect(os.strerror(errno.EMFILE) in said, said)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (1000, 1000))
    code, said = end(swarm)
    expect(code == 0 and "verified: 100 connections" in said, code, said)
    code, said = end(server)
    expect(code == 0 and said.endswith("accounting balances"), code, said)


check(globals())
