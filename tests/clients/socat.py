#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""socat: a shell's client. What it is given goes to the server, what comes back is compared byte by byte."""
import os
import shutil
import subprocess
import threading

import served
from served import expect


def through_socat(server, sent):
    """What is given to socat ends while answers are still to come: it ends its sending then, and gets them all."""
    if shutil.which("socat") is None:
        served.skip("socat is not there: tools/setup could not install it")
    came = bytearray()
    with subprocess.Popen(["socat", "-t", "60", "-", f"UNIX-CONNECT:{server.address}"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as socat:
        writer = threading.Thread(target=lambda: (socat.stdin.write(sent), socat.stdin.close()))
        writer.start()
        while part := socat.stdout.read1(1 << 16):
            came += part
        writer.join()
        socat.wait(60)
    expect(socat.returncode == 0, "socat ended with", socat.returncode)
    same = len(os.path.commonprefix([bytes(came), sent]))
    expect(came == sent, len(came), "bytes came of", len(sent), "and differ from byte", same)


def check_lines(folder, system):
    lines = list(served.messages(but=b"\n"))
    server = served.echo(folder, system, "delim:0a")
    through_socat(server, b"".join(line + b"\n" for line in lines))
    server.end("messages: 112 in", "112 out")


def check_raw(folder, system):
    server = served.echo(folder, system, "none")
    through_socat(server, b"".join(served.messages()))
    server.end("(9.6 MiB)")


if __name__ == "__main__":
    served.main({"lines": check_lines, "raw": check_raw})
