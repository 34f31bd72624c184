#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""replay.py SEEDS COMMAND... - runs the simulator twice on the same seeds. Every seed must leave the same trace both
times, and no two seeds the same one: else a failing seed could not be looked at again.
"""
import re
import subprocess
import sys


def traces(seeds, command):
    done = subprocess.run([*command, "--seeds", seeds, "--verbose"], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)
    said = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        sys.exit(said + done.stderr.decode(errors="replace"))
    return re.findall(r"^seed (\d+): (\d+ steps, \d+ messages, trace [0-9a-f]{16})", said, re.MULTILINE)


def main(seeds, *command):
    first, second = traces(seeds, command), traces(seeds, command)
    count = int(seeds.split(":")[1]) - int(seeds.split(":")[0]) + 1
    if len(first) != count or len({trace for _, trace in first}) != count:
        sys.exit(f"{count} seeds ran, and left {len({trace for _, trace in first})} different traces")
    for one, other in zip(first, second):
        if one != other:
            sys.exit(f"seed {one[0]} does not replay:\n{one[1]}\n{other[1]}")
    print(f"{count} seeds left the same traces twice")


if __name__ == "__main__":
    main(*sys.argv[1:])
