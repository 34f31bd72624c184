#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""plant.py apply PLANT ROOT OUT   writes to OUT the source that the plant names, with its fault in it;
plant.py find PLANT PROGRAM SEEDS  runs the simulator that was built with it, which must break, and for this reason.

A plant says which file, what is expected of the simulator (a pattern), and texts with what stands instead of each. A
text that is not there exactly once is a failure: a plant that no longer fits would prove nothing.
"""
import pathlib
import re
import subprocess
import sys
import time


def read(plant):
    text = pathlib.Path(plant).read_text()
    head, *blocks = re.split(r"^--- instead of\n", text, flags=re.MULTILINE)
    pairs = [re.split(r"^--- stands\n", block, flags=re.MULTILINE) for block in blocks]
    fields = dict(re.findall(r"^(file|expect): (.*)$", head, re.MULTILINE))
    if not pairs or any(len(pair) != 2 for pair in pairs) or set(fields) != {"file", "expect"}:
        sys.exit(f"{plant}: not a plant")
    return fields["file"], fields["expect"], pairs


def apply(plant, root, out):
    name, _, pairs = read(plant)
    source = (pathlib.Path(root) / name).read_text()
    for old, new in pairs:
        if source.count(old) != 1:
            sys.exit(f"{plant}: stands {source.count(old)} times in {name}, and must once:\n{old}")
        source = source.replace(old, new)
    pathlib.Path(out).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(out).write_text(source)


def find(plant, program, seeds):
    _, expected, _ = read(plant)
    begin = time.monotonic()
    done = subprocess.run([program, "--seeds", seeds], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    took = time.monotonic() - begin
    said = done.stderr.decode(errors="replace")
    broke = re.search(r"^seed (\d+) broke at step (\d+): (.*)$", said, re.MULTILINE)
    if done.returncode == 0 or not broke:
        sys.exit(f"not found in seeds {seeds} ({took:.1f} s)\n{said}")
    print(f"{pathlib.Path(plant).stem}: seed {broke.group(1)}, step {broke.group(2)}, {took:.1f} s: {broke.group(3)}")
    if not re.search(expected, broke.group(3)):
        sys.exit(f"but expected was: {expected}\n{said}")


if __name__ == "__main__":
    {"apply": apply, "find": find}[sys.argv[1]](*sys.argv[2:])
