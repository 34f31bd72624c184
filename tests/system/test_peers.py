#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_peers.py PROGRAM LOAD SYSTEM - a server of bench/peers, or a bare loop, under the load of the benchmarks, for a
moment; those of nng and ZeroMQ under the load with their own client (beside PROGRAM) too.

The load checks every reply: that it is whole, in order, and neither lost nor doubled. Ends with OK, or says what is
wrong.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from begun import Begun, NOTHING   # noqa: E402

program, load, system = sys.argv[1:]
peer = pathlib.Path(program).stem
wine = ["wine"] if system == "windows" else []
LOADS = {"peer_nng": [[load, "--speech", "1"], [str(pathlib.Path(program).with_name("load_nng"))]],
         "peer_zmq": [[load, "--speech", "2"], [str(pathlib.Path(program).with_name("load_zmq"))]]}
loads = LOADS.get(peer, [[load]])
folder = tempfile.TemporaryDirectory(prefix="pipeport-peers-")

ECHO = [["--connections", "32", "--depth", "16", "--messages", "10000"],
        ["--connections", "4", "--depth", "2", "--size", "65000", "--messages", "100"],
        ["--connections", "8", "--mode", "2", "--messages", "64"],
        ["--connections", "20", "--mode", "3"]]
ECHO_LINUX = [["--connections", "4", "--depth", "3", "--size", "100000", "--messages", "100"]]
BROADCAST = [["--connections", "50", "--mode", "1", "--depth", "8", "--messages", "4000"],
             ["--connections", "20", "--mode", "1", "--size", "1024", "--messages", "2000"]]
bare = peer.startswith("bare")
joins = ["0", "1"] if peer in ("peer_libuv", "bare_iocp") else ["0"]
broadcasts = not wine or peer in ("peer_libuv", "bare_iocp")


def end(wrong):
    print(wrong or "OK")
    sys.exit(1 if wrong else 0)


def visited(name, visitor, visit):
    """What was wrong with a visit; "": nothing. A load gives up where nothing comes for ten seconds; but the machine
    itself may have stood still: then it is made again, twice."""
    for tries in range(3):
        load = Begun([*wine, *visitor, name, *visit], stdin=NOTHING, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                     text=True)
        said, objected = load.communicate(timeout=100)
        if load.returncode == 0 and said.strip().endswith(" ok"):
            return ""
        if not any(words in objected for words in ("no reply came", "nothing came for ten seconds")):
            break
        print(f"{visit}, {tries + 1} of 3 times: {objected.strip()}", flush=True)
    return said + objected


def serve(number, options, visits):
    """What is wrong with the peer under these visits of the load, one after the other; None: nothing."""
    name = f"pipeport-peers-{os.getpid()}-{number}" if wine else f"{folder.name}/{number}"
    server = Begun([*wine, program, name, *options], stdin=NOTHING, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                   text=True)
    try:
        said = server.hear()
        if not said.startswith("listening on "):
            return f"{peer} {options} did not start: {said}"
        for visitor, visit in ((visitor, visit) for visitor in loads for visit in visits):
            said = visited(name, visitor, visit)
            if said:
                return f"{peer} {options} under {pathlib.Path(visitor[0]).stem} {visit}: {said}"
        if server.poll() is not None:
            return f"{peer} {options} ended by itself, with {server.returncode}"
        return None
    finally:
        server.kill()
        said = server.communicate()[0]
        if said:
            print(said)


refused = subprocess.run([*wine, program, "never", "--mode", "never"], stdin=subprocess.DEVNULL, capture_output=True,
                         timeout=50)
if refused.returncode != 2:
    end(f"{peer} --mode never ended with {refused.returncode}, not 2")
for join in joins:
    joined = ["--join", join] if len(joins) > 1 or not bare else []
    found = serve(f"echo{join}", joined, ECHO if wine else ECHO + ECHO_LINUX)
    if not found and broadcasts:
        found = serve(f"all{join}", [*joined, *(["--broadcast", "1"] if bare else ["--mode", "broadcast"])], BROADCAST)
    if found:
        end(found)
end(None)
