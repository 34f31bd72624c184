#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_bench_peers.py BENCH SYSTEM CHECK - `pipeport-bench peers` as its users meet it: what it compares, what it says
of peers that are missing or fail, and that no process outlives it. See checks.py.

The programs that it starts lie in a folder of the test's own, so that their processes are told from all others.
"""
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from checks import begin, check, expect, names_in, path, programs, read_json, said_on_terminal, system, wine, wrong

bench = str(pathlib.Path(*programs).resolve())
windows = system == "windows"
manual = pathlib.Path(__file__).resolve().parents[2] / "docs" / "BENCH.md"
home, home_there = path("programs")
home.mkdir()
pipes, _ = path("pipes")
pipes.mkdir()
ending = ".exe" if windows else ""
FIRST, SECOND = ("blocking", "bare-iocp") if windows else ("threads", "bare-epoll")
FILES = {"blocking": "peer_blocking", "bare-iocp": "bare_iocp", "threads": "peer_threads", "bare-epoll": "bare_epoll"}
SHORT_MS = 200 if windows else 120   # with less nothing may come on a machine that others use
SHORT = ["--connections", "5", "--duration", f"{SHORT_MS}ms", "--warmup", "5ms"]
RECORD = ["--json", path("peers.json")[1]]


def provide(*names):
    for name in names:
        (home / (name + ending)).symlink_to(pathlib.Path(bench).with_name(name + ending))


def start(*arguments):
    """Its folder for pipes is ours: one that is killed leaves it behind."""
    return begin(*wine, bench, "peers", "--bin", home_there, *arguments, stderr=subprocess.PIPE,
                 env=dict(os.environ, TMPDIR=str(pipes)))


def end(process):
    said, objected = process.communicate(timeout=100)
    return process.returncode, said, objected


def recorded():
    return read_json(path("peers.json")[0])


def words_of(process):
    """What a process was called with; nothing once it has ended."""
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").replace("\\", "/").split("\0")
    except OSError:
        return []


def called(program=""):
    """With what processes of the programs in our folder were called. pipeport-bench itself only names that folder."""
    words = {int(process.name): words_of(process) for process in pathlib.Path("/proc").iterdir()
             if process.name.isdigit()}
    return {process: said for process, said in words.items()
            if any(f"{home}/{program}" in word for word in said[:2]) and "pipeport-bench" not in said[0]}


def children(program=""):
    return list(called(program))


def until(true, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := true()):
        if time.monotonic() > deadline:
            wrong.append(f"it took longer than {seconds} s: {what}")
            return found
        time.sleep(0.01)
    return found


def expect_alone():
    until(lambda: not children(), "processes are left")
    for left in children():
        os.kill(left, signal.SIGKILL)


def near(one, other):
    return abs(one - other) <= 1e-6 * max(abs(one), abs(other))


def expect_sound(record, figure="rate", rounds=5):
    """Medians, quartiles and ratios are those of the rounds."""
    peers = {peer["peer"]: peer for peer in record["peers"]}
    ours = [each[figure] for each in peers["pipeport"]["rounds"]]
    for peer in peers.values():
        its = [each[figure] for each in peer["rounds"]]
        expect(peer["state"] == "measured" and len(its) == rounds, peer["peer"], peer["state"], len(its), "rounds")
        ratios = [one / other for one, other in zip(ours, its)]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        expect(all(value > 0 for value in its), peer["peer"], its)
        expect(near(peer[figure], statistics.median(its)), peer["peer"], "its median is", peer[figure], its)
        expect(near(peer["spread"], max(its) / min(its)), peer["peer"], "spread", peer["spread"], its)
        expect(near(peer["ratio"], middle), peer["peer"], "ratio", peer["ratio"], ratios)
        expect(near(peer["quartiles"][0], low) and near(peer["quartiles"][1], high), peer["peer"], peer["quartiles"])
        expect(near(peer["ratio_spread"], max(ratios) / min(ratios)), peer["peer"], peer["ratio_spread"], ratios)
    return peers


def check_compares():
    provide("load", "pipeport_echo", FILES[FIRST], FILES[SECOND])
    code, said, objected = end(start("--only", f"{FIRST},{SECOND}", "--depth", "3", *SHORT, *RECORD))
    expect(code == 0 and objected == "", code, said, objected)
    expect("s left" not in said, "a live line in a pipe:", said)
    record = recorded()
    peers = expect_sound(record)
    expect(list(peers) == ["pipeport", FIRST, SECOND], list(peers))
    expect((record["mode"], record["connections"], record["depth"], record["bytes"], record["duration_ms"],
            record["warmup_ms"], record["rounds_done"]) == ("echo", 5, 3, 64, SHORT_MS, 5, 5), record)
    expect(peers["pipeport"]["ratio"] == 1, peers["pipeport"]["ratio"])
    if not windows:
        expect(all(peer["cpu_us"] > 0 for peer in peers.values()), "processor time is not known", peers)
    for peer in peers.values():
        expect(re.search(rf"^{peer['title']} +([0-9,]+|unstable) ", said, re.M), "no line of", peer["title"], said)
    told = manual.read_text(encoding="utf-8")
    for name in set(names_in(record)):
        expect(f"`{name}`" in told, "docs/BENCH.md does not tell of", name)
    expect_alone()


def check_compares_in_every_mode():
    provide("load", "pipeport_echo", FILES[FIRST], FILES[SECOND])
    for arguments, figure in ((["--mode", "broadcast", *SHORT], "rate"), (["--mode", "churn", *SHORT], "rate"),
                              (["--mode", "idle", "--connections", "200"], "memory_bytes")):
        code, said, objected = end(start("--only", SECOND, *arguments, *RECORD))
        expect(code == 0 and objected == "", arguments, code, said, objected)
        record = recorded()
        expect(record["mode"] == arguments[1], record["mode"])
        if figure == "rate":
            expect_sound(record)
            continue
        ours = record["peers"][0]
        expect(ours["rate"] is None and 100 < ours["memory_bytes"] < 1 << 20, ours)
        expect(ours["memory_bytes"] == statistics.median(each["memory_bytes"] for each in ours["rounds"]), ours)
    expect_alone()


def check_leaves_out_who_cannot_broadcast():
    """On Windows the classic servers only echo."""
    provide("load", "pipeport_echo", FILES[FIRST], FILES[SECOND])
    code, said, objected = end(start("--only", f"{FIRST},{SECOND}", "--mode", "broadcast", *SHORT, *RECORD))
    expect(code == 0 and objected == "" and "left out: thread per client: only echoes" in said, code, said, objected)
    states = {peer["peer"]: peer["state"] for peer in recorded()["peers"]}
    expect(states == {"pipeport": "measured", FIRST: "left out", SECOND: "measured"}, states)
    expect_alone()


def check_names_who_is_missing():
    provide("load", "pipeport_echo", FILES[SECOND])
    code, said, objected = end(start("--only", f"{FIRST},{SECOND}", *SHORT, *RECORD))
    expect(code == 0 and objected == "", code, said, objected)
    expect(re.search(rf"^left out: .*: {FILES[FIRST]} is not in .*programs$", said, re.M), said)
    states = {peer["peer"]: peer["state"] for peer in recorded()["peers"]}
    expect(states == {"pipeport": "measured", FIRST: "left out", SECOND: "measured"}, states)
    code, said, objected = end(start("--list"))
    expect(code == 0 and re.search(rf"^{FIRST} .* {FILES[FIRST]} is not in ", said, re.M), code, said, objected)
    expect(re.search(rf"^{SECOND} .* here$", said, re.M) and re.search(r"^pipeport .* here$", said, re.M), said)
    (home / (FILES[SECOND] + ending)).unlink()
    code, said, objected = end(start("--only", f"{FIRST},{SECOND}", *SHORT))
    expect(code == 1 and said == "" and "nobody is there to compare" in objected, code, said, objected)
    (home / ("load" + ending)).unlink()
    code, said, objected = end(start(*SHORT))
    expect(code == 1 and said == "" and "load, which visits the servers, is not in" in objected, code, objected)
    expect_alone()


def check_visits_a_protocol_with_its_own_client():
    """nng and ZeroMQ: and by the raw load, which is there where their client is not."""
    own = {"nng": ("peer_nng", "load_nng"), "zeromq": ("peer_zmq", "load_zmq")}
    there = {word: names for word, names in own.items() if pathlib.Path(bench).with_name(names[0]).exists()}
    provide("load", "pipeport_echo", *(name for names in there.values() for name in names))
    chosen = ",".join(f"{word},{word}-raw" for word in there)
    for arguments in (["--depth", "3"], ["--mode", "broadcast"], ["--mode", "churn"]):
        code, said, objected = end(start("--only", chosen, *arguments, *SHORT, *RECORD))
        expect(code == 0 and objected == "", arguments, code, said, objected)
        peers = expect_sound(recorded())
        expect({word: peer["load"] for word, peer in peers.items()} == {
            "pipeport": "load", **{word: names[1] for word, names in there.items()},
            **{f"{word}-raw": "load" for word in there}}, peers)
    for _, visitor in there.values():
        (home / visitor).unlink()
    code, said, objected = end(start("--only", chosen, *SHORT, *RECORD))
    expect(code == 0 and objected == "", code, said, objected)
    states = {peer["peer"]: peer["state"] for peer in recorded()["peers"]}
    for word, (_, visitor) in there.items():
        expect(states[word] == "left out" and states[f"{word}-raw"] == "measured", states)
        expect(re.search(rf"^left out: .*: {visitor}, which visits it, is not in .*programs$", said, re.M), said)
    expect_alone()


def check_tells_of_one_that_dies():
    provide("load", "pipeport_echo", FILES[FIRST], FILES[SECOND])
    process = start("--only", f"{FIRST},{SECOND}", "--rounds", "6", "--connections", "5", "--duration", "200ms",
                    "--warmup", "0s", *RECORD)
    victims = until(lambda: children("load") and children(FILES[FIRST]), "nobody came to be killed")
    time.sleep(0.5)   # Some rounds are to be there; in which it dies is all one.
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    code, said, objected = end(process)
    expect(code == 1 and objected.startswith(f"pipeport-bench peers: {FIRST} ") and objected.count("\n") == 1, code,
           objected)
    expect("ended by itself in round" in objected, objected)
    if not windows:
        expect("with signal 9" in objected, objected)
    expect(re.search(r"^failed: thread per client ended by itself in round", said, re.M), said)
    peers = {peer["peer"]: peer for peer in recorded()["peers"]}
    expect(peers[FIRST]["state"] == "failed" and len(peers[FIRST]["rounds"]) < 6, peers[FIRST])
    expect(peers[FIRST]["why"].startswith("ended by itself in round"), peers[FIRST])
    rounds = len(peers[FIRST]["rounds"])
    expect(rounds == 0 or re.search(rf"^thread per client .*  {rounds} of 6 rounds$", said, re.M), rounds, said)
    expect(peers[SECOND]["state"] == "measured" and len(peers[SECOND]["rounds"]) == 6, "others did not go on", said)
    expect_alone()


def check_tells_of_one_that_does_not_start():
    """In the place of the peer lies a program that does not know its words, and says so."""
    provide("load", "pipeport_echo", FILES[SECOND])
    (home / (FILES[FIRST] + ending)).symlink_to(bench)
    code, said, objected = end(start("--only", f"{FIRST},{SECOND}", *SHORT, *RECORD))
    expect(code == 1 and objected.count("\n") == 1, code, objected)
    expect(re.match(rf"pipeport-bench peers: {FIRST} did not start, with exit code 2; it said: pipeport-bench: unknown "
                    "command", objected), objected)
    peers = {peer["peer"]: peer for peer in recorded()["peers"]}
    expect(peers[FIRST]["state"] == "failed" and peers[FIRST]["rate"] is None, peers[FIRST])
    expect(len(peers[SECOND]["rounds"]) == 5 and peers[SECOND]["ratio"] > 0, "the others did not go on:", said)
    expect_alone()


DEAF = """#!/usr/bin/env python3
import socket, sys
ear = socket.socket(socket.AF_UNIX)
ear.bind(sys.argv[1])
ear.listen(64)
print("listening on", sys.argv[1], flush=True)
while True:
    ear.accept()[0].close()
"""


def check_tells_of_one_that_answers_wrongly():
    provide("load", "pipeport_echo", FILES[SECOND])
    (home / FILES[FIRST]).write_text(DEAF)
    (home / FILES[FIRST]).chmod(0o755)
    code, said, objected = end(start("--only", f"{FIRST},{SECOND}", *SHORT, *RECORD))
    expect(code == 1 and re.search(rf"{FIRST} the load failed in round 1; the load said: load: the server ended",
                                   objected), code, objected)
    expect(len({peer["peer"]: peer for peer in recorded()["peers"]}[SECOND]["rounds"]) == 5, said)
    expect_alone()


def check_ends_with_ctrl_c():
    provide("load", "pipeport_echo", FILES[FIRST], FILES[SECOND])
    process = start("--only", f"{FIRST},{SECOND}", "--rounds", "900", *SHORT, *RECORD)
    visited = []   # The pipes, one after the other; with the fourth the second round has begun.

    def a_round_was_done():
        visited.extend(words[1] for words in called("load").values() if words[1:2] != visited[-1:])
        return len(visited) > 3

    until(a_round_was_done, "no round was done")
    process.send_signal(signal.SIGINT)
    code, said, objected = end(process)
    record = recorded()
    expect(code == 0 and record["interrupted"] is True and "interrupted" in said, code, said, objected)
    expect(0 < record["rounds_done"] < 900, record["rounds_done"])
    expect(all(peer["state"] == "measured" for peer in record["peers"]), said)
    for early in range(6):   # while it opens, and while servers start
        process = start("--only", f"{FIRST},{SECOND}", *SHORT)
        time.sleep(0.01 * early)
        process.send_signal(signal.SIGINT)
        end(process)
    expect(not list(pipes.iterdir()), "files are left:", list(pipes.iterdir()))
    expect_alone()


def check_leaves_nobody_behind():
    """Whoever ends it by force ends those that it started."""
    provide("load", "pipeport_echo", FILES[FIRST], FILES[SECOND])
    process = start("--only", f"{FIRST},{SECOND}", "--rounds", "900", *SHORT)
    until(lambda: children("load"), "nothing began")
    expect(len(children()) >= 3, "servers are not there:", children())
    process.kill()
    process.wait(30)
    expect_alone()


def check_lives_on_a_terminal_only():
    provide("load", "pipeport_echo", FILES[SECOND])
    said = said_on_terminal(bench, "peers", "--bin", str(home), "--only", SECOND, *SHORT)
    lines = [line for line in said.split("\r") if line.startswith("round ")]
    expect(len(lines) == 10, "no line for each visit:", said)
    expect(all(re.match(r"round [1-5] of 5: (pipeport|bare epoll)", line) for line in lines), lines)
    expect(all(re.search(r", [0-9]+ s left", line) for line in lines[1:]), lines)


def refusals():
    there_are = "is no peer on this system; give some of " + (
        "pipeport, blocking, overlapped, routines, libuv, libuv-joined, bare-iocp" if windows else
        "pipeport, threads, libuv, libuv-joined, asio, tokio, nng, zeromq, nng-raw, zeromq-raw, bare-epoll, bare-uring")
    yield "x", "'x': there is no NAME, as the servers are started here; leave it out"
    yield "--odd", "unknown option '--odd'; 'pipeport-bench peers --help' lists all"
    yield "--rounds 4", "--rounds: 4 is out of bounds; give 5 to 1000"
    yield "--only odd", f"--only: 'odd' {there_are}"
    yield "--only libuv,", f"--only: '' {there_are}"
    yield "--without libuv,odd", f"--without: 'odd' {there_are}"
    yield "--without pipeport", "--without: pipeport is what the others are compared with; leave it in"
    yield "--only pipeport", "--only: it leaves nobody to compare pipeport with; leave one in"
    yield "--only libuv --without libuv", "--only and --without both choose the peers; give one"
    yield "--duration 5y", "--duration: '5y' is no time up to 3600 s; give one such as 1s or 500ms"
    yield "--warmup 61s", "--warmup: '61s' is no time up to 60 s; give one such as 1s or 500ms"
    yield "--duration 0", "--duration: nothing can be measured in no time; give 1ms or more"
    yield "--mode odd", "--mode: 'odd' is unknown; give one of echo|broadcast|churn|idle"
    yield "--mode churn --depth 2", "--depth: churn exchanges one message on each connection; leave it out"
    yield "--mode idle --duration 1s", "--duration: in idle nothing is timed; leave it out"
    yield "--mode idle --warmup 1s", "--warmup: in idle nothing is timed; leave it out"
    yield "--json=", "--json: the name of a file is empty; give one, or leave --json out"
    if windows:
        yield "--depth 1025", "--depth: on this system the load keeps 1024 in flight at most; give that or less"
        yield "--size 65537", "--size: on this system the load sends 65536 bytes at most; give that or less"


def check_refuses_wrong_arguments():
    begun = [(arguments, said, start(*arguments.split())) for arguments, said in refusals()]
    for arguments, said, process in begun:
        code, out, objected = end(process)
        expect(code == 2 and out == "" and objected == f"pipeport-bench peers: {said}\n", arguments, code, objected)
    provide("load", "pipeport_echo", FILES[SECOND])
    code, out, objected = end(start("--only", SECOND, *SHORT, "--json", path("no/such/folder")[1]))
    expect(code == 1 and out == "" and "cannot be written" in objected, code, objected)
    expect_alone()


check(globals())
