#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The programs in README.md compile without a warning, talk to each other, and are as short as it says."""
import os
import queue
import re
import subprocess
import threading

import house
from begun import Begun   # house.py says where it is

args = house.arguments()
windows = args.system == "windows"
exe = ".exe" if windows else ""
text = (args.root / "README.md").read_text()
blocks = re.findall(r"^```c\n(/\* (\w+)\.c\b.*?)^```", text, re.MULTILINE | re.DOTALL)
sources = {name: source for source, name in blocks}
if set(sources) != {"server", "client"}:
    house.end([f"README.md should hold server.c and client.c; it holds {sorted(sources)}"], "")

area = args.build / "readme"
area.mkdir(exist_ok=True)
libraries = re.search(r"^Libs.private: (.*)$", (args.build / "pipeport.pc").read_text(), re.MULTILINE).group(1).split()
wrong = []
for name, source in sources.items():
    lines = len([line for line in source.splitlines() if line.strip()])
    if lines > 36:
        wrong.append(f"{name}.c has {lines} lines; README.md calls it a thirty-line program")
    # a pipe name of this test's own, so that it can run beside anything
    (area / f"{name}.c").write_text(source.replace('"greeter"', f'"greeter-{os.getpid()}"'))
    house.must([args.cc, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", args.root / "engine/include",
                area / f"{name}.c", args.build / "libpipeport.a", *libraries, "-o", area / f"{name}{exe}"])

server = Begun([*house.emulator(args), str(area / f"server{exe}")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
               stderr=subprocess.STDOUT, text=True)
said = queue.Queue()
threading.Thread(target=lambda: [said.put(line) for line in iter(server.hear, "")], daemon=True).start()
try:
    first = said.get(timeout=30)
    if not first.startswith("listening on "):
        wrong.append(f"the server began with {first!r}")
    code, output = house.run([*house.emulator(args), area / f"client{exe}"], timeout=60)
    if code != 0 or "hello" not in output:
        wrong.append(f"the client ended with {code}:\n{output}")
    server.stdin.write("\n")
    server.stdin.close()
    if server.wait(timeout=30) != 0:
        wrong.append(f"the server ended with {server.returncode}")
except (queue.Empty, subprocess.TimeoutExpired) as late:
    wrong.append(f"the server did not answer: {late!r}")
finally:
    server.kill()
house.end(wrong, "both compile and talk")
