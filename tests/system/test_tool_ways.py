#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_tool_ways.py PROGRAM SYSTEM CHECK - the program pipeport in every framing, one way, with topics; see tool.py."""
import os
import re
import socket
import sys

sys.dont_write_bytecode = True
from checks import check, expect, name, paced, system
from tool import end, exchange, interrupted, listening, start, verified


def check_speaks_every_framing():
    for framing in ("len:0,4,le,0", "len:0,4,be,0,escape", "len:7,3,be,2", "len:2,2,le,-4,escape", "len:0,8,be,0",
                    "varint", "headers"):
        said, _ = verified(["--echo", "--framing", framing, "--broadcast-every", "1", "--broadcasts", "20",
                            "--wait-for", "4"],
                           ["--framing", framing, "--connections", "4", "--messages", "60", "--depth", "4",
                            "--size", "2,40,127,128,4K,65535,65536,100K", "--broadcasts", "20"],
                           r"verified: 4 connections, 240 messages of 2 to 102400 bytes there and back, 80 broadcast")
        expect("bytes: " in said and "accounting balances" in said, framing, said)


def check_speaks_delimiters_and_kept_headers():
    for framing in ("delim:0a,cr", "delim:00", "delim:4d", "len:0,4,le,0,keep", "len:5,2,be,-4,keep,escape",
                    "len:0,1,le,0,keep,escape"):
        verified(["--echo", "--framing", framing, "--broadcast-every", "1", "--broadcasts", "20", "--broadcast-size",
                  "80", "--wait-for", "4"],
                 ["--framing", framing, "--connections", "4", "--messages", "60", "--depth", "4",
                  "--size", "0,1,79,80,254,255,256,65535,100K", "--broadcasts", "20"],
                 r"verified: 4 connections, 240 messages of 0 to 102400 bytes there and back, 80 broadcast")


def check_speaks_bytes_without_messages():
    verified(["--framing", "none"],
             ["--framing", "none", "--connections", "4", "--messages", "200", "--depth", "8", "--size", "1,7,4K,100K"],
             r"verified: 4 connections, 800 messages of 1 to 102400 bytes there and back")
    verified(["--framing", "none", "--broadcast-every", "1", "--broadcasts", "50", "--broadcast-size", "1000",
              "--wait-for", "4"],
             ["--framing", "none", "--connections", "4", "--messages", "0", "--size", "1000", "--broadcasts", "50"],
             r"verified: 4 connections, 0 messages .* 200 broadcast deliveries;")
    words = r"connection \d: byte \d+ is wrong: "
    for fault in ("lose", "double", "flip", "swap"):  # Of 100K: no two are delivered as one.
        code, said, swarm_code, swarm_said = paced(
            lambda: exchange(
                ["--framing", "none", "--fault", fault],
                ["--framing", "none", "--connections", "2", "--depth", "4", "--size", "100K", "--timeout", "2"]),
            lambda heard: re.search(words, heard[3]))
        expect(code == 0, fault, "the server failed", said)
        expect(swarm_code == 1 and re.search(words, swarm_said), fault, swarm_said)


def check_speaks_messages_of_the_pipe():
    said, _ = verified(["--echo", "--framing", "message", "--broadcast-every", "1", "--broadcasts", "20",
                        "--wait-for", "4"],
                       ["--framing", "message", "--connections", "4", "--messages", "60", "--depth", "4",
                        "--size", "1,40,127,511,512,513,4096,65535,65536", "--message-max", "64K", "--broadcasts",
                        "20"],
                       r"verified: 4 connections, 240 messages of 1 to 65536 bytes there and back, 80 broadcast")
    expect("accounting balances" in said, said)


def check_serves_one_way():
    said, _ = verified(["--direction", "to-client", "--broadcast-every", "1", "--broadcasts", "50", "--wait-for", "8"],
                       ["--direction", "to-client", "--connections", "8", "--messages", "0", "--broadcasts", "50"],
                       r"verified: 8 connections, 0 messages .* 400 broadcast deliveries;",
                       interrupted if system == "windows" else exchange)  # There it hears of an end when it writes.
    expect("messages: 0 in" in said and "accounting balances" in said, said)


def check_sends_one_way():
    for framing, sizes, checked in (("len:0,4,le,0", "40,0,1,39,5K,100K", "verified: 800 of 800 messages"),
                                    ("delim:0a", "80,0,1,79,5K,100K", "verified: 800 of 800 messages"),
                                    ("len:3,4,be,-7,keep", "40,0,1,39,5K,100K", "verified: 800 of 800 messages"),
                                    ("none", "100K,1,7", "verified: 27342929 of 27342929 bytes")):
        said, swarm_said = verified(["--direction", "to-server", "--framing", framing, "--verify", "--seed", "5"],
                                    ["--direction", "to-server", "--framing", framing, "--connections", "1",
                                     "--messages", "800", "--depth", "8", "--size", sizes, "--seed", "5"],
                                    r"verified: 1 connections, 800 messages of \d+ to 102400 bytes sent and taken")
        expect(checked in said.splitlines(), framing, said)
        expect("800 of 800 taken" in swarm_said, framing, swarm_said)
    said, _ = verified(["--direction", "to-server", "--verify", "--wait-for", "50"],
                       ["--direction", "to-server", "--connections", "50", "--messages", "100", "--size", "40,64,3"],
                       r"verified: 50 connections, 5000 messages of 3 to 64 bytes sent and taken whole")
    expect(re.search(r"verified: 49\d\d of 5000 messages", said), said)  # Who begins with 3 bytes says nothing.


def check_passes_topics_on():
    for framing, topics in (("len:0,4,le,0", 3), ("varint", 1), ("headers", 20), ("message", 7)):
        said, swarm_said = verified(["--topics", "--framing", framing, "--topics-max", "1", "--wait-for", "20"],
                                    ["--topics", str(topics), "--framing", framing, "--connections", "20",
                                     "--messages", "70", "--depth", "4", "--size", "80,81,200,5K"],
                                    rf"verified: 20 connections, 1400 messages of 80 to 5120 bytes to {topics} topics")
        expect(re.search(r"topics: 1420 messages passed on, \d+ deliveries, 0 refused, 0 topics refused, 0 refused by",
                         said), framing, said)
        expect("published to its last receiver: p50" in swarm_said, framing, swarm_said)


def check_objects_to_topics_gone_astray():
    for fault, words in (("lose", "one was lost|nothing came"), ("double", "doubled"), ("flip", "corrupt"),
                         ("astray", r"came under 'th.{1,2}me \d', to which this one is not subscribed")):
        code, said, swarm_code, swarm_said = paced(
            lambda: exchange(
                ["--topics", "--fault", fault, "--fault-at", "100"],
                ["--topics", "3", "--connections", "9", "--messages", "100", "--depth", "6", "--timeout", "2"]),
            lambda heard: re.search(words, heard[3]))
        expect(code == 0, fault, "the server failed", said)
        expect(swarm_code == 1 and "verified:" not in swarm_said, fault, swarm_said)
        expect(re.search(words, swarm_said), fault, swarm_said)


def topic(word, text):
    word, text = word.encode(), text.encode()
    body = bytes([len(word)]) + word + bytes([len(text)]) + text
    return len(body).to_bytes(4, "little") + body


def check_bounds_the_topics_of_each():
    """One who takes up all the names he can, over and over; the others' topics are as they were."""
    server = listening(name(), "--topics", "--until-empty")
    with socket.socket(socket.AF_UNIX) as greedy, socket.socket(socket.AF_UNIX) as modest:
        for client in (greedy, modest):
            client.settimeout(60)
            client.connect(server.address)

        def hears(client, message):
            came = client.recv(len(message), socket.MSG_WAITALL)
            expect(came == message, "came", came, "and not", message)

        greedy.sendall(b"".join(topic("subscribe", f"mine {i}") for i in range(17)))
        hears(greedy, topic("refused", "mine 16"))  # 4096 are shared out to 255.
        greedy.sendall(topic("subscribe", "mine 3") + topic("mine 15", "ping"))  # Of which one is had already.
        hears(greedy, topic("mine 15", "ping"))
        greedy.sendall(topic("unsubscribe", "mine 15") + topic("subscribe", "mine 16") + topic("mine 15", "ping") +
                       topic("mine 16", "pong"))
        hears(greedy, topic("mine 16", "pong"))
        greedy.sendall(topic("unsubscribe", "mine 16"))
        for i in range(6000):  # More than there can be groups; to publish takes up none.
            greedy.sendall(topic("subscribe", f"name {i}") + topic("unsubscribe", f"name {i}") + topic(f"none {i}", ""))
        modest.sendall(b"".join(topic("subscribe", f"yours {i}") for i in range(16)) + topic("yours 15", "ping"))
        hears(modest, topic("yours 15", "ping"))
        greedy.sendall(topic("subscribe", "mine 16") + topic("mine 16", "pong"))
        hears(greedy, topic("mine 16", "pong"))
        greedy.shutdown(socket.SHUT_WR)
        expect(greedy.recv(1) == b"", "more came")
        modest.sendall(topic("subscribe", "mine 3"))  # One more than its own, although the other's are free again.
        hears(modest, topic("refused", "mine 3"))
    code, said = end(server)
    expect(code == 0 and "0 refused, 2 topics refused" in said, code, said)
    expect("a topic is refused: its connection has as many as --topics-max allows" in said, said)


def heard(swarm):
    """All that a swarm of one connection, which only sends, sends to a server of ours."""
    path, came = f"/tmp/{name()}", b""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        process = start("swarm", path, "--direction", "to-server", *swarm)
        listener.settimeout(60)
        client, _ = listener.accept()
        with client:
            while piece := client.recv(1 << 16):
                came += piece
        code, said = end(process)
        expect(code == 0, "the swarm ended with", code, said)
    os.unlink(path)
    return came


def check_verifies_what_a_swarm_sends():
    """What it sends is told again, as it was and spoilt."""
    frame = 4 + 40
    messages = heard(["--messages", "10", "--size", "40"])
    stream = heard(["--messages", "10", "--size", "40", "--framing", "none"])
    expect(len(messages) == 10 * frame and len(stream) == 400, len(messages), len(stream))
    flipped = bytes([messages[5 * frame + 30] ^ 1])
    for framing, told, words in (
            ("len:0,4,le,0", messages, None), ("none", stream, None),
            ("len:0,4,le,0", messages[:5 * frame] + messages[6 * frame:], "message 5 is wrong: one was lost"),
            ("len:0,4,le,0", messages[:6 * frame] + messages[5 * frame:], "message 6 is wrong: doubled"),
            ("len:0,4,le,0", messages[:5 * frame + 30] + flipped + messages[5 * frame + 31:],
             "message 5 is wrong: corrupt"),
            ("none", stream[:200] + stream[201:], "byte 20[0-9] is wrong: lost"),
            ("none", b"x" + stream, "byte 0 is wrong: no swarm with this --seed begins like that")):
        server = listening(name(), "--direction", "to-server", "--framing", framing, "--verify", "--until-empty")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(server.address)
            client.sendall(told)
        code, said = end(server)
        expect(code == (1 if words else 0), framing, words, code, said)
        expect(words is None or re.search("connection 0 of the swarm: " + words, said), framing, words, said)


check(globals())
