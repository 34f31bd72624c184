#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_tool.py PROGRAM SYSTEM CHECK - the program pipeport as its users meet it: other processes, output, exit codes.

CHECK is the name of a function below that begins with check_, without that. Ends with OK, or says what is wrong.
"""
import errno
import os
import queue
import re
import select
import signal
import socket
import subprocess
import sys
import threading

try:
    import resource
except ImportError:  # Windows
    resource = None

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


def check_helps():
    for arguments in (["--help"], ["serve", "--help"], ["swarm", "x", "--size", "wrong", "--help"]):
        code, out, err = run(*arguments)
        expect(code == 0 and err == "" and out.startswith("pipeport "), arguments, code, out, err)
    for option in ("--echo", "--sink", "--broadcast-every", "--connections", "--workers", "--seconds", "--drain"):
        expect(option in run("serve", "--help")[1], option, "is not in the help of serve")
    for option in ("--connections", "--messages", "--size", "--depth", "--threads", "--broadcasts", "--timeout"):
        expect(option in run("swarm", "--help")[1], option, "is not in the help of swarm")
    code, out, _ = run("--version")
    expect(code == 0 and re.match(r"pipeport \d+\.\d+\.\d+ \(library \d+\.\d+\.\d+\)$", out.strip()), out)


def check_refuses_wrong_arguments():
    for arguments in ([], ["sing"], ["serve"], ["serve", "--echo"], ["serve", "a", "b"], ["serve", "a", "--loud"],
                      ["serve", "a", "--echo", "--sink"], ["serve", "a", "--framing", "len:0,5,le,0"],
                      ["serve", "a", "--when-full", "drop-oldest"], ["serve", "a", "--direction", "up"],
                      ["serve", "a", "--topics", "--echo"], ["serve", "a", "--topics", "--sink"],
                      ["serve", "a", "--topics", "--direction", "to-client"],
                      ["serve", "a", "--direction", "to-server", "--broadcast-every", "1"],
                      ["serve", "a", "--direction", "to-client", "--echo"], ["serve", "a", "--access", "everybody"],
                      ["serve", "a", "--access", "group:"], ["serve", "a", "--access", "group:4294967295"],
                      ["serve", "a", "--access", "sddl:"], ["swarm", "a", "--direction", "to-client"],
                      ["serve", "a", "--direction", "to-client", "--idle", "5"],
                      ["serve", "a", "--framing", "delim:0a", "--broadcast-every", "1"],
                      ["serve", "a", "--framing", "len:0,4,le,0,keep", "--broadcast-every", "1"],
                      ["swarm", "a", "--framing", "none"], ["swarm", "a", "--framing", "delim:00"],
                      ["swarm", "a", "--framing", "len:0,4,le,0,keep"],
                      ["swarm", "a", "--framing", "message", "--size", "1,0"], ["serve", "a", "--seconds"],
                      ["serve", "a", "--workers", "0"], ["serve", "a", "--workers", "65"],
                      ["serve", "a", "--seconds", "1s"],
                      ["serve", "a", "--message-max", "1K", "--broadcast-size", "2K"],
                      ["serve", "a", "--message-max", "1M", "--queue", "1M"], ["serve", "bad/name", "--seconds", "1"],
                      ["swarm", "a", "--size", "1,x"], ["swarm", "a", "--connections", "0"],
                      ["swarm", "a", "--size", "2K", "--message-max", "1K"], ["swarm", "bad/name"]):
        code, out, err = run(*arguments)
        expect(code == 2 and out == "" and len(err.splitlines()) == 1 and err.startswith("pipeport"), arguments, code,
               out, err)


def check_names_what_fails():
    pipe = name()
    code, _, err = run("swarm", pipe)
    expect(code == 1 and "Nobody serves this name" in err, code, err)
    server = listening(pipe, "--until-empty")
    code, _, err = run("serve", pipe)
    expect(code == 1 and pipe in err and "already serves this name" in err and "cannot be served" in err, code, err)
    expect(end(start("swarm", pipe))[0] == 0, "the first server does not serve any more")
    expect(end(server)[0] == 0, "the first server failed")


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


def check_speaks_every_framing():
    for framing in ("len:0,4,le,0", "len:0,4,be,0,escape", "len:7,3,be,2", "len:2,2,le,-4,escape", "len:0,8,be,0",
                    "varint", "headers"):
        said, _ = verified(["--echo", "--framing", framing, "--broadcast-every", "1", "--broadcasts", "20",
                            "--wait-for", "4"],
                           ["--framing", framing, "--connections", "4", "--messages", "60", "--depth", "4",
                            "--size", "2,40,127,128,4K,65535,65536,100K", "--broadcasts", "20"],
                           r"verified: 4 connections, 240 messages of 2 to 102400 bytes there and back, 80 broadcast")
        expect("bytes: " in said and "accounting balances" in said, framing, said)


def check_speaks_messages_of_the_pipe():
    said, _ = verified(["--echo", "--framing", "message", "--broadcast-every", "1", "--broadcasts", "20",
                        "--wait-for", "4"],
                       ["--framing", "message", "--connections", "4", "--messages", "60", "--depth", "4",
                        "--size", "1,40,127,511,512,513,4096,65535,65536", "--message-max", "64K", "--broadcasts",
                        "20"],
                       r"verified: 4 connections, 240 messages of 1 to 65536 bytes there and back, 80 broadcast")
    expect("accounting balances" in said, said)


def check_serves_one_way():
    bound = ["--seconds", "6"] if system == "windows" else []  # It hears there of an end only when it writes.
    said, _ = verified(["--direction", "to-client", "--broadcast-every", "1", "--broadcasts", "50", "--wait-for", "8",
                        *bound],
                       ["--direction", "to-client", "--connections", "8", "--messages", "0", "--broadcasts", "50"],
                       r"verified: 8 connections, 0 messages .* 400 broadcast deliveries;")
    expect("messages: 0 in" in said and "accounting balances" in said, said)


def check_carries_the_longest():
    verified([], ["--connections", "4", "--messages", "8", "--depth", "2", "--size", "1M,0,1048575"],
             r"verified: 4 connections, 32 messages of 0 to 1048576 bytes")


def check_waits_where_queues_are_full():
    said, _ = verified(["--message-max", "64K", "--queue", "66K"],
                       ["--connections", "8", "--messages", "200", "--depth", "64", "--size", "64K,60000,0,64",
                        "--message-max", "64K", "--queue", "66K"],
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
    code, said, swarm_code, swarm_said = exchange(["--sink"], ["--connections", "3", "--timeout", "1"])
    expect(code == 0, said)
    expect(swarm_code == 1 and "nothing came for 1 s" in swarm_said, swarm_said)
    expect("connection 2: 1 sent, 0 of 100 echoed" in swarm_said, swarm_said)
    _, _, swarm_code, swarm_said = exchange(
        ["--echo", "--broadcast-every", "1", "--broadcasts", "5"],
        ["--connections", "1", "--broadcasts", "6", "--timeout", "1"])
    expect(swarm_code == 1 and "100 of 100 echoed, 5 broadcasts" in swarm_said, swarm_said)


def check_objects_to_a_server_that_goes():
    pipe = name()
    server = listening(pipe, "--seconds", "1")
    code, said = end(start("swarm", pipe, "--messages", "100000000", "--connections", "3"))
    expect(code == 1 and re.search(r"connection \d: it ended after \d+ of 100000000 echoes", said), code, said)
    code, said = end(server)
    expect(code == 0 and said.endswith("accounting balances"), code, said)


def check_drains_at_an_interrupt():  # Wine makes Ctrl-C of the signal.
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
    """A client that never reads, and what becomes of its broadcasts; who reads is served in the meantime."""
    for policy, pattern in (("refuse", r" [1-9]\d* refused by a full queue, 0 dropped, 0 closed as slow"),
                            ("drop-newest", r" 0 refused by a full queue, [1-9]\d* dropped, 0 closed as slow"),
                            ("disconnect", r" 0 refused by a full queue, 0 dropped, 1 closed as slow")):
        server = listening(name(), "--sink", "--broadcast-every", "0", "--broadcasts", "200", "--broadcast-size", "64K",
                           "--message-max", "64K", "--queue", "128K", "--when-full", policy, "--seconds", "2",
                           "--drain", "0")
        with socket.socket(socket.AF_UNIX) as slow:
            slow.connect(server.address)
            if policy == "disconnect":
                gone = select.poll()
                gone.register(slow, select.POLLHUP)
                expect(gone.poll(60000), "who does not read is still there")
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


try:
    globals()["check_" + wanted]()
except (subprocess.TimeoutExpired, queue.Empty) as late:
    wrong.append(f"nothing happened for too long: {late!r}")
finally:
    for process in started:
        if process.poll() is None:
            process.kill()
print("\n".join(wrong) if wrong else f"OK: {wanted}")
sys.exit(1 if wrong else 0)
