#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_own_clients.py LOAD KIND - the load with nng's own client (KIND nng) or ZeroMQ's (zmq) at a server that errs.

The server is a few lines here, which speak that protocol on a socket and do one wrong to one message: what does not
come back as it was sent, or not once, must end the load, and what the protocol allows must not. Ends with OK, or says
what is wrong.
"""
import concurrent.futures
import socket
import struct
import subprocess
import sys
import tempfile
import threading

load, kind = sys.argv[1:]
folder = tempfile.TemporaryDirectory(prefix="pipeport-own-")
DAMAGED = 41   # the number of the message that is damaged: behind those that tell whether all are counted in

WRONG, SILENT = "a reply of a wrong length or out of order", "nothing came for ten seconds"
ENDED = "the server ended a connection"
LATER = (WRONG, SILENT)   # whether something comes behind it by which it is noticed
# What the load says; None: all is well. nng finds who asked for a reply by itself: their order is free, and what comes
# twice does not come through. ZeroMQ connects again by itself.
EXPECTED = {
    "nng": {("echo", "nothing"): None, ("echo", "number"): WRONG, ("echo", "length"): WRONG, ("echo", "lost"): SILENT,
            ("echo", "twice"): None, ("echo", "late"): None, ("echo", "close"): ENDED,
            ("broadcast", "nothing"): None, ("broadcast", "number"): WRONG, ("broadcast", "length"): WRONG,
            ("broadcast", "lost"): LATER, ("broadcast", "twice"): WRONG, ("broadcast", "late"): LATER,
            ("broadcast", "close"): ENDED},
    "zmq": {("echo", "nothing"): None, ("echo", "number"): WRONG, ("echo", "length"): WRONG, ("echo", "lost"): WRONG,
            ("echo", "twice"): WRONG, ("echo", "late"): WRONG, ("echo", "close"): LATER,
            ("broadcast", "nothing"): None, ("broadcast", "number"): WRONG, ("broadcast", "length"): WRONG,
            ("broadcast", "lost"): LATER, ("broadcast", "twice"): WRONG, ("broadcast", "late"): LATER}}


def exactly(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


class Nng:
    """SP over IPC. A request has four bytes of nng's before what was asked."""
    protocols = {"rep": 0x31, "pub": 0x20, "pull": 0x51}
    ahead = {"rep": 4, "pub": 0, "pull": 0}

    def greet(self, stream, role):
        stream.write(struct.pack(">4sHH", b"\0SP\0", self.protocols[role], 0))
        stream.flush()
        exactly(stream, 8)

    def receive(self, stream):
        return exactly(stream, struct.unpack(">BQ", exactly(stream, 9))[1])

    def frame(self, data):
        return struct.pack(">BQ", 1, len(data)) + data


class Zmq:
    """ZMTP 3.0."""
    types = {"rep": b"ROUTER", "pub": b"PUB", "pull": b"PULL"}
    ahead = {"rep": 0, "pub": 0, "pull": 0}

    def greet(self, stream, role):
        stream.write(b"\xff" + bytes(7) + b"\x01\x7f\x03\0" + b"NULL".ljust(20, b"\0") + bytes(32))
        ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(self.types[role])) + self.types[role]
        stream.write(bytes([4, len(ready)]) + ready)
        stream.flush()
        exactly(stream, 64)
        flags, length = exactly(stream, 2)
        exactly(stream, length)

    def receive(self, stream):
        flags = exactly(stream, 1)[0]
        return exactly(stream, struct.unpack(">Q", exactly(stream, 8))[0] if flags & 2 else exactly(stream, 1)[0])

    def frame(self, data):
        return bytes([0, len(data)]) + data if len(data) < 256 else struct.pack(">BQ", 2, len(data)) + data


class Server:
    """Does its wrong once, to one message for one receiver."""

    def __init__(self, name, mode, damage):
        self.wire, self.damage, self.done = {"nng": Nng, "zmq": Zmq}[kind](), damage, False
        self.lock, self.receivers, self.held = threading.Lock(), [], None
        if mode == "echo":
            self.listen(name, "rep", self.echo)
        else:
            self.listen(name, "pub", self.keep)
            self.listen(name + ".ask", "pull", self.spread)

    def listen(self, name, role, serve):
        ear = socket.socket(socket.AF_UNIX)
        ear.bind(name)
        ear.listen(64)

        def run(connection):
            stream = connection.makefile("rwb")
            try:
                self.wire.greet(stream, role)
                serve(connection, stream, self.wire.ahead[role])
            except (EOFError, OSError):   # it is gone
                pass

        def accept():
            while True:
                threading.Thread(target=run, args=[ear.accept()[0]], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def answer(self, connection, message, ahead):
        """Sends it, unless it is the one that is damaged."""
        send = lambda data: connection.sendall(self.wire.frame(data))
        with self.lock:
            number, = struct.unpack_from("<I", message, ahead)
            if self.held and self.held[0] is connection:   # after the one that came behind it
                send(message)
                message, self.held = self.held[1], None
            elif number == DAMAGED and not self.done:
                self.done = True
                if self.damage == "number":
                    message = message[:ahead] + struct.pack("<I", number + 1) + message[ahead + 4:]
                elif self.damage == "length":
                    message = message[:-1]
                elif self.damage == "lost":
                    return
                elif self.damage == "twice":
                    send(message)
                elif self.damage == "late":
                    self.held = (connection, message)
                    return
                elif self.damage == "close":
                    connection.shutdown(socket.SHUT_RDWR)
                    return
            send(message)

    def echo(self, connection, stream, ahead):
        while True:
            self.answer(connection, self.wire.receive(stream), ahead)

    def keep(self, connection, stream, _ahead):
        self.receivers.append(connection)
        while True:
            self.wire.receive(stream)   # what it subscribes to

    def spread(self, _connection, stream, ahead):
        while True:
            message = self.wire.receive(stream)
            for receiver in list(self.receivers):
                self.answer(receiver, message, ahead)


def visit(mode, damage, expected):
    """What is wrong with what the load said; None: nothing."""
    name = f"{folder.name}/{mode}-{damage}"
    server = Server(name, mode, damage)
    words = ["--mode", "1", "--messages", "1000"] if mode == "broadcast" else ["--messages", "600"]
    done = subprocess.run([load, name, "--connections", "3", "--depth", "8", "--size", "16", *words],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if not server.done:
        return f"{mode}, {damage}: message {DAMAGED} did not come; the load said {done.stdout}{done.stderr}"
    if expected is None and (done.returncode != 0 or not done.stdout.strip().endswith(" ok")):
        return f"{mode}, {damage}: the load ended with {done.returncode}: {done.stdout}{done.stderr}"
    said = [f"load: {each}\n" for each in (expected if isinstance(expected, tuple) else [expected])]
    if expected is not None and (done.returncode != 1 or done.stderr not in said or done.stdout):
        return f"{mode}, {damage}: the load ended with {done.returncode}: {done.stdout}{done.stderr}"
    return None


with concurrent.futures.ThreadPoolExecutor(len(EXPECTED[kind])) as visitors:   # a load waits long for what is lost
    found = visitors.map(lambda case: visit(*case[0], case[1]), EXPECTED[kind].items())
faults = [fault for fault in found if fault]
print("\n".join(faults) or "OK")
sys.exit(1 if faults else 0)
