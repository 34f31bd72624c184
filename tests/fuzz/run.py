#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py PROGRAM CORPUS [--seconds N] - lets one fuzz target search, from the inputs kept in CORPUS.

What it finds beside stays in <build>/fuzz/finds/TARGET and is where the next run begins. An input that ended the
program stays in <build>/fuzz/crashes/TARGET, is tried first by every later run, and goes when it does no harm any more.
Seconds: N, else PIPEPORT_FUZZ_SECONDS, else 60. tools/test shows the line that begins with NOTE.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=4096", "-print_final_stats=1"]


def run(command):
    environment = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=16")
    for name in ("UBSAN_OPTIONS", "TSAN_OPTIONS"):   # a log elsewhere would hide the report from here
        environment.pop(name, None)
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def fail(program, reproducer, output):
    said = [line for line in output.splitlines()
            if re.search(r"this must hold|runtime error|ERROR: |SUMMARY: ", line)]
    print("\n".join(output.splitlines()[-60:]))
    print(f"FAILED: {reproducer}")
    print(f"again: {program} {reproducer}")
    print("\n".join(said[:4]))
    return 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("PIPEPORT_FUZZ_SECONDS", "60")))
    args = parser.parse_args()
    program = args.program.resolve()
    place = program.parent.parent / "fuzz"
    finds, crashes = place / "finds" / args.corpus.name, place / "crashes" / args.corpus.name
    finds.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(parents=True, exist_ok=True)

    kept = sum(1 for _ in args.corpus.iterdir())
    if kept == 0:
        print(f"{args.corpus} is empty: a search that begins with nothing finds little")
        return 1
    for reproducer in sorted(crashes.iterdir()):
        code, output = run([program, *LIMITS, reproducer])
        if code != 0:
            return fail(program, reproducer, output)
        reproducer.unlink()
    code, output = run([program, *LIMITS, f"-max_total_time={args.seconds}", f"-artifact_prefix={crashes}/", finds,
                        args.corpus])
    if code != 0:
        return fail(program, next(iter(sorted(crashes.iterdir())), "(no input was written)"), output)
    executed = re.search(r"stat::number_of_executed_units: (\d+)", output)
    covered = re.findall(r"cov: (\d+) ft: (\d+)", output)
    if not executed or not covered or int(executed.group(1)) <= kept:
        print("\n".join(output.splitlines()[-30:]))
        print("it ended well but searched nothing")
        return 1
    edges, features = covered[-1]
    print(f"NOTE: {executed.group(1)} executions, {edges} edges and {features} features covered")
    print("OK")
    return 0


if __name__ == "__main__":
    sys.exit(main())
