#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A blocking client of a message-mode pipe of Windows, after Microsoft's sample (windows/blocking.c)."""
import os

import served
from served import expect

CONNECTIONS = 20  # One for its messages, one for transactions, 17 calls, one that reads bytes.


def check_messages(folder, system):
    server = served.echo(folder, system, "message", "--wait-for", str(CONNECTIONS))
    said = served.run(system, [os.path.join(folder, "client_blocking.exe"), server.address])
    expect("verified: 115 written and read, 112 transacted, 17 called, 16 read as bytes" in said, said)
    # The empty one has no answer, and the reply to a call without room for it is one all the same.
    server.end("messages: 261 in", "260 out", "connections: 20 opened, 20 closed")


if __name__ == "__main__":
    served.main({"messages": check_messages})
