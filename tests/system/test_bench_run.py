#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_bench_run.py BENCH SERVER SYSTEM CHECK - `pipeport-bench run` as its users meet it, against --self and against
`pipeport serve` (SERVER), which can be made to spoil an answer. See checks.py.
"""
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from checks import (await_work, begin, check, expect, name, names_of_any_script, numbers, paced, path, programs,
                    read_json, said_on_terminal, skip, system, wine)

bench, server_program = programs


def serve(pipe, *arguments):
    """`pipeport serve`, listening."""
    process = begin(*wine, server_program, "serve", pipe, *arguments)
    said = process.hear()
    expect("listening on" in said, "the server does not listen:", said)
    return process


def start(*arguments):
    """It bears a server that stands still, unless the test says for how long it does."""
    patience = [] if "--timeout" in arguments else ["--timeout", "60s"]
    return begin(*wine, bench, "run", *arguments, *patience, stderr=subprocess.PIPE)


def load(*arguments):
    """(exit code, its first run as JSON tells it or None, stderr)."""
    here, there = path(f"{next(numbers)}.json")
    process = start(*arguments, "--json", there)
    said, objected = process.communicate(timeout=100)
    expect("in flight" not in said + objected, "a live line in a pipe:", said, objected)
    runs = read_json(here)["runs"] if here.exists() else []
    return process.returncode, runs[0] if runs else None, objected


def counted(histogram):
    return sum(number for _, number in histogram)


def stood_still(run):
    """All that is wrong with a run is that answers were not there soon after its time."""
    return run["errors"]["missing"] > 0 and sum(run["errors"].values()) == run["errors"]["missing"]


def fine(*arguments, kept=None):
    """The run of a load with which nothing was wrong. kept: whether one that lasts for a time kept the pace that it is
    to keep."""
    code, run, objected = paced(lambda: load(*arguments),
                                lambda found: not kept or not found[1] or kept(found[1]) and not stood_still(found[1]))
    expect(code == 0, arguments, "exit code", code, objected)
    expect(run is not None and not any(run["errors"].values()), arguments, run and run["errors"], objected)
    return run or {"messages": 0, "histograms": {"corrected": [], "service": []}, "seconds": [], "bytes": 0,
                   "errors": {}, "connected": 0, "killed": 0, "planned": 0, "measured_ns": 1, "server_cpu_ns": 0,
                   "server_idle_bytes": 0}


def borne_rate():
    """Messages a second: what Wine beside other work carries too is no more than a few hundred."""
    return 200 if system == "windows" else 2000


def check_counts_in_every_mode():
    for arguments, messages in ((["--mode", "ping-pong"], 1003), (["--mode", "pipelined", "--depth", "8"], 1003),
                                (["--mode", "one-way"], 1003), (["--mode", "churn"], 103),
                                (["--mode", "broadcast", "--depth", "3"], 1001)):
        run = fine("--self", *arguments, "--count", str(messages), "--connections", "7", "--verify")
        expect(run["messages"] == messages, arguments, run["messages"])
        expect(counted(run["histograms"]["corrected"]) == messages, arguments, "durations")
        expect(run["bytes"] == messages * 64, arguments, run["bytes"])
        expect(sum(second["messages"] for second in run["seconds"]) == messages, arguments, run["seconds"])
    # In flight may be 4 GiB, which is more than the server's queue can be told to hold.
    run = fine("--self", "--count", "20", "--connections", "1", "--depth", "65536", "--size", "64K")
    expect(run["messages"] == 20, "65536 of 64K in flight", run["messages"])
    run = fine("--self", "--mode", "idle", "--duration", "300ms", "--connections", "20")
    expect(run["messages"] == 20 and run["connected"] == 20, run["messages"], run["connected"])
    run = fine("--self", "--mode", "idle", "--duration", "1ms", "--connections", "20")
    expect(run["connected"] == 20, "over before anybody looked, it held", run["connected"])
    run = fine("--self", "--mode", "idle", "--duration", "300ms", "--connections", "500")
    expect(100 < run["server_idle_bytes"] < 1 << 16, "a connection costs the server", run["server_idle_bytes"])


def check_goes_on_for_its_time():
    for mode in ("ping-pong", "pipelined", "one-way", "churn", "broadcast"):
        few = 5 if system == "windows" else 50   # Each of churn's is a connection.
        run = fine("--self", "--mode", mode, "--duration", "1200ms", "--warmup", "100ms", "--connections", "5",
                   kept=lambda run: abs(run["measured_ns"] - 1.2e9) < 1e8 and run["messages"] > few)
        expect(abs(run["measured_ns"] - 1.2e9) < 1e8, mode, run["measured_ns"])
        expect(run["messages"] > few and run["connected"] == 5, mode, run["messages"], run["connected"])
        expect(1 <= len(run["seconds"]) <= 2, mode, run["seconds"])
        expect(system == "windows" or run["server_cpu_ns"] > 0, mode, "the server's processor time is not known")


def check_draws_sizes():
    run = fine("--self", "--count", "2000", "--size", "0,1-39*2,64K", "--verify", "--connections", "3")
    mean = run["bytes"] / 2000
    expect(65536 / 4 * 0.8 < mean < 65536 / 4 * 1.2 + 20, "one of four is 64K, yet the mean is", mean)
    again = fine("--self", "--count", "2000", "--size", "0,1-39*2,64K", "--verify", "--connections", "3")
    expect(again["bytes"] == run["bytes"], "the same seed drew others:", run["bytes"], again["bytes"])
    other = fine("--self", "--count", "2000", "--size", "0,1-39*2,64K", "--connections", "3", "--seed", "2")
    expect(other["bytes"] != run["bytes"], "another seed drew the same")


def check_speaks_every_framing():
    for framing in ("len:0,4,le,0", "len:2,2,be,2", "len:0,4,be,0,escape", "varint", "headers", "message"):
        shortest = 2 if framing == "len:2,2,be,2" else 1   # Its ADJUST is in every message.
        run = fine("--self", "--framing", framing, "--count", "300", "--size", f"{shortest}-300", "--verify",
                   "--connections", "3")
        expect(run["messages"] == 300, framing, run["messages"])
    for framing in ("delim:0a", "delim:61", "none"):
        run = fine("--self", "--framing", framing, "--count", "300", "--size", "1-300", "--connections", "3")
        expect(run["messages"] == 300, framing, run["messages"])


def check_counts_what_a_server_counts():
    pipe = name()
    server = serve(pipe, "--echo", "--until-empty")
    fine(pipe, "--count", "1234", "--connections", "5", "--verify", "--size", "64,1K")
    said, _ = server.communicate(timeout=60)
    expect(re.search(r"\b1234\b", said) and "accounting balances" in said, said)


def spoilt(fault, *arguments):
    """(exit code, the errors of its run, stderr) of a load whose server spoils one answer of many."""
    pipe = name()
    server = serve(pipe, "--echo", "--fault", fault, "--until-empty")
    code, run, objected = load(pipe, *arguments, "--connections", "2", "--depth", "4", "--count", "400")
    server.communicate(timeout=60)
    return code, run["errors"] if run else {}, objected


def check_verifies():
    """A spoilt answer is found out, and only with --verify where the length is right."""
    for fault, error, count, patience in (("lose", "order", 1, "4s"), ("double", "order", 1, "60s"),
                                          ("flip", "damaged", 1, "60s"), ("swap", "order", 2, "60s")):
        code, errors, objected = paced(lambda: spoilt(fault, "--verify", "--timeout", patience),
                                       lambda found: found[1].get(error) == count)
        expect(code == 1 and errors.get(error) == count, fault, code, errors, objected)
        expect("connection" in objected, fault, objected)
        if fault in ("flip", "swap"):
            code, errors, objected = spoilt(fault, "--timeout", patience)
            expect(code == 0 and not any(errors.values()), fault, "was told without looking", code, errors)


def check_misses_what_never_comes():
    pipe = name()
    serve(pipe, "--sink")
    began = time.monotonic()
    code, run, objected = paced(lambda: load(pipe, "--connections", "3", "--count", "100", "--timeout", "1s"),
                                lambda found: found[1] and found[1]["errors"]["missing"] == 3)
    expect(code == 1 and run and run["errors"]["missing"] == 3, code, run and run["errors"], objected)
    expect("nothing came for 1000 ms" in objected, objected)
    expect(time.monotonic() - began < 60, "it hung")


def check_bears_a_server_that_goes():
    pipe = name()
    server = serve(pipe, "--echo")
    here, there = path("gone.json")
    process = start(pipe, "--connections", "4", "--duration", "60s", "--warmup", "0s", "--json", there)
    await_work(process, server.pid)
    server.send_signal(signal.SIGINT)   # Wine makes Ctrl-C of it.
    began = time.monotonic()
    server.communicate(timeout=60)
    _, objected = process.communicate(timeout=100)
    expect(time.monotonic() - began < 40, "it hung")
    run = read_json(here)["runs"][0]
    expect(process.returncode == 1 and run["errors"]["lost"] == 4 and run["messages"] > 0, process.returncode, run,
           objected)
    expect("no connection is left" in objected, objected)


def late_behind_a_halt(rate, seconds, halt=0.4, connections=2):
    """(how many waited for 100 ms, the run) of an open loop whose server stands still for `halt` seconds."""
    pipe = name()
    server = serve(pipe, "--echo")
    here, there = path(f"{next(numbers)}.json")
    process = start(pipe, "--rate", str(rate), "--duration", f"{seconds}s", "--warmup", "0s", "--connections",
                    str(connections), "--json", there)
    await_work(process, server.pid)
    time.sleep(0.3)
    server.send_signal(signal.SIGSTOP)
    time.sleep(halt)
    server.send_signal(signal.SIGCONT)
    said, objected = process.communicate(timeout=100)
    run = read_json(here)["runs"][0]
    expect(process.returncode == 0 or stood_still(run), said, objected)
    return sum(number for edge, number in run["histograms"]["corrected"] if edge > 100e6), run


def check_counts_from_the_planned_moment():
    """Every message that was planned while the server stood still waited, and says so; none is left out."""
    rate, seconds = (100, 4) if system == "windows" else (1000, 2)
    # How many others were late is the machine's affair; on Linux those before were not.
    most = rate * seconds + 1 if system == "windows" else 1600
    late, run = paced(lambda: late_behind_a_halt(rate, seconds),
                      lambda found: 0.2 * rate < found[0] < most and not stood_still(found[1]))
    expect(run["planned"] == rate * seconds, run["planned"])
    expect(counted(run["histograms"]["corrected"]) == rate * seconds, counted(run["histograms"]["corrected"]))
    expect(0.2 * rate < late < most, "of", 0.4 * rate, "planned meanwhile about", 0.3 * rate,
           "waited for 100 ms; told were", late)
    if system == "windows":
        return   # So many are more than Wine carries in that time.
    # More than a connection holds (4,096) are behind at the end: they are sent behind it.
    late, run = paced(lambda: late_behind_a_halt(30000, 1, halt=1.0, connections=1),
                      lambda found: found[0] > 6000 and not stood_still(found[1]))
    expect(run["planned"] == 30000 and counted(run["histograms"]["corrected"]) == 30000, run["planned"],
           counted(run["histograms"]["corrected"]))
    expect(late > 6000, "of 20,000 that were planned meanwhile", late, "waited for 100 ms")


def check_keeps_the_pace():
    rate = borne_rate()
    run = fine("--self", "--rate", str(rate), "--duration", "1s", "--warmup", "200ms", "--connections", "4", "--verify",
               kept=lambda run: run["messages"] > rate * 0.1)
    # How many of them came in that second is the machine's affair.
    expect(run["planned"] == rate and run["messages"] > rate * 0.1, run["planned"], run["messages"])
    run = fine("--self", "--rate", "500", "--count", "100", "--connections", "4")
    expect(run["messages"] == 100 and run["planned"] == 100, run["messages"], run["planned"])
    expect(0.15e9 < run["measured_ns"] < 40e9, "100 at 500 a second took", run["measured_ns"])
    run = fine("--self", "--mode", "broadcast", "--rate", "100", "--count", "80", "--connections", "4", "--verify")
    expect(run["messages"] == 80 and run["planned"] == 20, run["messages"], run["planned"])


def check_ramps():
    began = time.monotonic()
    fine("--self", "--ramp", "20", "--connections", "21", "--count", "21")
    expect(time.monotonic() - began > 0.95, "20 connections at 20 a second came too soon")
    # The run does not wait for them, and is measured from its begin.
    began = time.monotonic()
    run = fine("--self", "--mode", "churn", "--ramp", "5", "--connections", "1000", "--duration", "1s",
               "--warmup", "0s", kept=lambda run: run["connected"] > 1)
    expect(time.monotonic() - began < 60, "it made all connections first")
    expect(1 < run["connected"] < 10 and len(run["seconds"]) > 0, run["connected"], len(run["seconds"]))


def check_kills_and_dials_anew():
    # Of 40 with 38 slow readers the 2 others are killed; drawn among all 40 they come up not once (--seed 1).
    for connections, more in (("8", []), ("8", ["--rate", str(borne_rate())]), ("8", ["--mode", "one-way"]),
                              ("40", ["--slow-readers", "95%"])):
        run = fine("--self", "--kill-rate", "50", "--duration", "1s", "--connections", connections, "--verify", *more,
                   kept=lambda run: run["killed"] > 8 and run["messages"] > 20)
        expect(8 < run["killed"] <= 50, more, run["killed"])  # Some of them had been dialled anew.
        expect(run["messages"] > 20, more, run["messages"])
    # Under Wine, on a machine with other work, a message takes longer than a connection that is killed so often lives.
    count, rate = ("3000", "50") if system == "windows" else ("60000", "200")
    run = fine("--self", "--kill-rate", rate, "--count", count, "--connections", "8", "--verify", "--depth", "4")
    expect(run["messages"] == int(count) and run["killed"] > 2, "for those who were killed others:", run["messages"],
           run["killed"])


def check_tells_who_ends_connections():
    """Killed before anything comes home, all of them are gone at one moment or another: that is not the server's doing,
    and it has an end."""
    pipe = name()
    serve(pipe, "--sink")
    few = 10 if system == "windows" else 100   # How often it can dial in that time is the machine's affair.
    code, run, objected = paced(
        lambda: load(pipe, "--connections", "1", "--kill-rate", "2K", "--count", "100", "--timeout", "4s"),
        lambda found: found[1] and found[1]["killed"] > few and "nothing came for" in found[2])
    expect(code == 1 and run and run["killed"] > few, code, run and run["killed"])
    expect("nothing came for 4000 ms" in objected and "a lower --kill-rate" in objected, objected)


def check_bears_slow_readers():
    """They ask until the server's queue for them is full: the others have all that they ask for."""
    for more in ([], ["--mode", "broadcast"], ["--rate", "1K"]):
        run = fine("--self", "--slow-readers", "50", "--connections", "8", "--count", "2000", "--size", "1K",
                   "--verify", *more)
        expect(run["messages"] == 2000 and run["connected"] == 8, more, run["messages"], run["connected"])
    pipe = name()
    serve(pipe, "--echo", "--when-full", "disconnect", "--queue", "2M")
    fine(pipe, "--slow-readers", "25", "--connections", "4", "--duration", "1s", "--size", "1K", "--warmup", "0s",
         kept=lambda run: True)


def interrupted():
    """A load that is ended with Ctrl-C while it works, and what there is to say of it: (run, all it left behind)."""
    here, there = path(f"{next(numbers)}.json")
    process = start("--self", "--duration", "60s", "--warmup", "0s", "--connections", "4", "--json", there)
    its_server = ["pgrep", "-f", f"serve-self pipeport-bench-{process.pid} "]
    while process.poll() is None and not (found := subprocess.run(its_server, capture_output=True, check=False).stdout):
        time.sleep(0.01)
    await_work(process, int(found))
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    said, objected = process.communicate(timeout=60)
    result = read_json(here)
    expect(process.returncode == 0 or stood_still(result["runs"][0]), process.returncode, said, objected)
    expect(result["interrupted"] is True, said, objected)
    return result["runs"][0], subprocess.run(its_server, capture_output=True, check=False).stdout


def check_ends_with_ctrl_c():
    if system == "windows":
        skip("there is no console to press it in")
    run, left = paced(interrupted, lambda found: found[0]["messages"] > 100 and not stood_still(found[0]))
    expect(run["messages"] > 100, run["messages"])
    expect(not any(run["errors"].values()), run["errors"])
    expect(left == b"", "its server is left behind:", left)


def live_lines(said):
    return [line for line in said.split("\r") if "/s  p50 " in line]


def check_lives_on_a_terminal_only():
    """Wine's console takes a call for each character, and so much longer where others keep it busy."""
    least, duration = (1, "2s") if system == "windows" else (3, "1500ms")
    for columns, room, more in ((0, 79, ""), (80, 79, ""), (200, 118, " connected"), (30, 29, None)):
        said = paced(lambda: said_on_terminal(*wine, bench, "run", "--self", "--duration", duration, "--warmup", "0s",
                                              "--connections", "4", columns=columns),
                     lambda said: len(live_lines(said)) >= least)
        lines = live_lines(said)
        expect(len(lines) >= least, "no live line:", said)
        expect(all(len(line) == room for line in lines), "wider than", columns, "columns:", lines)
        expect(more is None or all(re.search(rf"/s +p50 .* p99 .* in flight .*{more} .* errors .* %, .* s left", line)
                                   for line in lines), lines)
    if system != "windows":   # No machine bears that rate: what is behind is sent behind the end, and the line goes on.
        said = said_on_terminal(bench, "run", "--self", "--rate", "5000000", "--duration", "300ms", "--warmup", "0s",
                                columns=200)
        expect(any("over, what is late is sent" in line for line in live_lines(said)), "no live line behind the end:",
               said)
    process = start("--self", "--duration", "1s", "--warmup", "0s")
    said, objected = process.communicate(timeout=60)
    expect("in flight" not in said + objected and objected == "", "a live line in a pipe:", said, objected)


def check_repeats():
    here, there = path("three.json")
    process = start("--self", "--count", "200", "--repeat", "3", "--connections", "3", "--json", there)
    said, objected = process.communicate(timeout=100)
    expect(process.returncode == 0, said, objected)
    runs = read_json(here)["runs"]
    expect([run["messages"] for run in runs] == [200, 200, 200], [run["messages"] for run in runs])


def check_takes_names_of_any_script():
    for pipe in names_of_any_script():
        server = serve(pipe, "--echo", "--until-empty")
        here, there = path(f"{pipe}.json")
        process = start(pipe, "--count", "20", "--connections", "2", "--json", there)
        _, objected = process.communicate(timeout=100)
        expect(process.returncode == 0 and here.exists(), "no", here, "in", list(here.parent.iterdir()), objected)
        expect(not here.exists() or read_json(here)["runs"][0]["messages"] == 20, pipe, objected)
        said, _ = server.communicate(timeout=100)
        expect(server.returncode == 0, pipe, said)


def check_refuses_wrong_arguments():
    for arguments, said in ((["x", "--size", "5x"], "--size: '5x'"), (["x", "--size", "4K-64"], "--size: '4K-64'"),
                            (["x", "--duration", "5y"], "--duration: '5y'"), (["x", "--rate", "0"], "--rate: '0'"),
                            (["x", "--mode", "odd"], "--mode: 'odd'"), (["--self", "x"], "leave the NAME 'x' out"),
                            ([], "no NAME"), (["x", "--count", "1", "--duration", "1s"], "give one"),
                            (["x", "--framing", "none", "--verify"], "--verify"),
                            (["x", "--mode", "idle", "--rate", "5"], "--rate"),
                            (["x", "--mode", "churn", "--kill-rate", "5"], "--kill-rate"),
                            (["x", "--mode", "churn", "--slow-readers", "5"], "--slow-readers"),
                            (["x", "--connections", "4", "--slow-readers", "5%"], "5% of 4 connections is less than"),
                            (["x", "--mode", "ping-pong", "--depth", "2"], "--depth"),
                            (["x", "--json", "a", "--hgrm", "a"],
                             "--json and --hgrm: both would be written to 'a'; give two names"),
                            (["x", "--hgrm", "b", "--json", "a", "--html", "b"],
                             "--hgrm and --html: both would be written to 'b'; give two names"),
                            (["x", "--json", ""], "--json: the name of a file is empty; give one, or leave --json out"),
                            (["x", "--html="], "--html: the name of a file is empty"),
                            (["x", "--assert", "odd<3"], "--assert"), (["x", "--odd"], "unknown option '--odd'")):
        process = start(*arguments)
        out, objected = process.communicate(timeout=60)
        expect(process.returncode == 2 and out == "" and said in objected and objected.count("\n") == 1, arguments,
               process.returncode, out, objected)
    began = time.monotonic()
    process = start("--self", "--duration", "60s", "--json", path("no/such/folder")[1])
    out, objected = process.communicate(timeout=100)
    expect(process.returncode == 1 and "cannot be written" in objected and out == "", process.returncode, objected)
    expect(time.monotonic() - began < 30, "it ran before it said that it cannot write")
    code, _, objected = load("not/a/name")
    expect(code == 2 and "not/a/name" in objected and objected.count("\n") == 1, code, objected)
    code, _, objected = load(name())
    expect(code == 1 and "nobody serves this name" in objected, code, objected)


check(globals())
