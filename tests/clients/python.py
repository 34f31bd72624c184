#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Python's own ends of a Unix socket: multiprocessing.connection, and socket with a framing written by hand."""
import socket
import sys
import threading
from multiprocessing.connection import Client

import served
from served import expect


def check_connection(folder, system):
    """Each answer before the next message, as send_bytes and recv_bytes are used; then all at once, read by another."""
    server = served.echo(folder, system, "len:0,4,be,0,escape")
    with Client(server.address, "AF_UNIX") as client:
        for number, message in enumerate(served.messages()):
            client.send_bytes(message)
            expect(client.recv_bytes() == message, "message", number, "came back as another")
        for value in ({"a": [1, 2.5, None]}, "text", b"\0" * 70000):
            client.send(value)  # A pickle is bytes as well.
            expect(client.recv() == value, value, "came back as another")
        writer = threading.Thread(target=lambda: [client.send_bytes(message) for message in served.messages()])
        writer.start()
        for number, message in enumerate(served.messages()):
            expect(client.recv_bytes() == message, "message", number, "of many came back as another")
        writer.join()
    server.end("messages: 227 in", "227 out")


def check_authkey(folder, system):
    """With a key both sides prove that they have it: tests/clients/authkey.c answers, and then echoes."""
    server = served.Server(folder, system, "client_authkey", "a secret")
    from multiprocessing import AuthenticationError
    try:
        Client(server.address, "AF_UNIX", authkey=b"another").close()
        expect(False, "a client with another key was let in")
    except AuthenticationError:
        pass
    with Client(server.address, "AF_UNIX", authkey=b"a secret") as client:
        for number, message in enumerate(served.messages()):
            client.send_bytes(message)
            expect(client.recv_bytes() == message, "message", number, "came back as another")
    server.end("1 let in, 1 refused, 112 echoes")


def through_socket(server, messages, encode):
    """Writes all frames in one stream while the same bytes are read and compared."""
    frames = [encode(message) for message in messages]
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(server.address)
        writer = threading.Thread(target=lambda: [client.sendall(frame) for frame in frames])
        writer.start()
        for number, frame in enumerate(frames):
            came = bytearray()
            while len(came) < len(frame):
                part = client.recv(min(len(frame) - len(came), 65536))
                expect(part, "the server ended at message", number)
                came += part
            expect(came == frame, "message", number, "came back as another")
        writer.join()
        client.shutdown(socket.SHUT_WR)
        expect(client.recv(1) == b"", "something came that nobody had sent")
    return len(frames)


def varint(message):
    length = len(message)
    groups = bytearray()
    while length > 127:
        groups.append(length & 127 | 128)
        length >>= 7
    groups.append(length)
    return bytes(groups) + message


def check_varint(folder, system):
    server = served.echo(folder, system, "varint")
    count = through_socket(server, served.messages(), varint)
    server.end(f"messages: {count} in", f"{count} out")


def check_delimiter(folder, system):
    for text, delimiter in (("delim:00", b"\0"), ("delim:0a", b"\n"), ("delim:ff", b"\xff")):
        server = served.echo(folder, system, text)
        count = through_socket(server, served.messages(but=delimiter), lambda message, end=delimiter: message + end)
        server.end(f"messages: {count} in", f"{count} out")


def check_length(folder, system):
    """A header of 2 bytes that is skipped, a length of 3 bytes that counts itself."""
    server = served.echo(folder, system, "len:2,3,be,-3")
    count = through_socket(server, served.messages(),
                           lambda message: b"\0\0" + (len(message) + 3).to_bytes(3, "big") + message)
    server.end(f"messages: {count} in", f"{count} out")


def text(string):
    """As BinaryWriter.Write(string)."""
    return varint(string.encode())


class Subscriber:
    """Frames of 4 bytes, little endian, that hold a topic and a message."""

    def __init__(self, server):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(server.address)
        self.file = self.socket.makefile("rb")

    def say(self, topic, message):
        self.frame(text(topic) + text(message))

    def frame(self, payload):
        self.socket.sendall(len(payload).to_bytes(4, "little") + payload)

    def hears(self, topic, message):
        frame = self.file.read(4 + len(text(topic) + text(message)))
        expect(frame[4:] == text(topic) + text(message), topic, "came as another:", frame[:80])

    def subscribe(self, topic):
        """It has when its own message comes back."""
        self.say("subscribe", topic)
        self.say(topic, "ready")
        self.hears(topic, "ready")


def check_topics(folder, system):
    server = served.Server(folder, system, "pipeport", "serve", "--topics", "--until-empty", "--wait-for", "4")
    weather, both, teller, wrong = [Subscriber(server) for _ in range(4)]
    both.subscribe("news")
    both.subscribe("weather")
    weather.subscribe("weather")
    both.hears("weather", "ready")
    wrong.frame(b"\x05weat")
    expect(wrong.file.read(1) == b"", "who sent no topic is still there")
    texts = ["日" * (size // 3) + "x" * (size % 3) for size in served.SIZES[:-1]] * 8
    writer = threading.Thread(target=lambda: [teller.say(topic, message) for message in texts
                                              for topic in ("weather", "news", "nobody")])
    writer.start()
    for message in texts:
        weather.hears("weather", message)
        both.hears("weather", message)
        both.hears("news", message)
    writer.join()
    both.say("unsubscribe", "weather")
    both.subscribe("news")
    teller.say("weather", "last")
    teller.say("news", "last")
    weather.hears("weather", "last")
    both.hears("news", "last")
    for client in (weather, both, teller, wrong):
        client.file.close()
        client.socket.close()
    server.end("topics: 318 messages passed on, 319 deliveries, 1 refused", "it ends inside a string")


if __name__ == "__main__":
    if sys.argv[2] == "windows":
        served.skip("this Python speaks to no pipe of Windows")
    served.main({"connection": check_connection, "authkey": check_authkey, "varint": check_varint,
                 "delimiter": check_delimiter, "length": check_length,
                 "topics": check_topics})
