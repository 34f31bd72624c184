#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang-tidy over the sources of this preset (on Windows only those that Linux does not build)."""
import concurrent.futures
import json
import os
import pathlib
import shutil

import house

args = house.arguments()
if not shutil.which("clang-tidy"):
    print("SKIP: clang-tidy is not installed")
    raise SystemExit(77)
commands = json.loads((args.build / "compile_commands.json").read_text())
files = []
for command in commands:
    path = pathlib.Path(command["file"])
    parts = path.relative_to(args.root).parts if args.root in path.parents else ("elsewhere",)
    if parts[0] in ("engine", "protocol", "tools", "bench") and "windeps" not in parts:
        if args.system == "linux" or "windows" in parts:
            files.append(path)
extra = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-UNDEBUG"]   # asserts tell it what holds
if args.system == "windows":
    extra.append("--extra-arg=--target=x86_64-w64-mingw32")


def tidy(path):
    code, output = house.run(["clang-tidy", "--quiet", "-p", args.build, *extra, path])
    return f"{path.relative_to(args.root)}:\n{output}" if code != 0 else None


with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    wrong = [found for found in pool.map(tidy, sorted(set(files))) if found]
if not files:
    wrong.append("no file was looked at")
house.end(wrong, f"{len(set(files))} files")
