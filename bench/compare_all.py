# SPDX-License-Identifier: MIT
"""compare --all - the whole of docs/PERFORMANCE.md: Linux, Wine, the peers on Linux and under Wine.

Builds everything first. Before each part it waits until the machine is quiet. A part that cannot run, or of which a row
failed, is named, the others go on, and the exit code is 1. After each part it says where ratios changed against the
figures kept in docs/performance by more than either run spreads (the rule of `pipeport-bench compare`). --write keeps
the new figures and makes tables and plots from them, after each part, so that what was measured stays whatever comes
next; a part of which nothing could be measured keeps its old figures.
"""
import argparse
import collections
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import compare_page
import kept
import page
import tables

COMPARE = pathlib.Path(__file__).resolve().parent / "compare"
PATIENCE_S = 3600   # for one part, which takes a quarter of it

Part = collections.namedtuple("Part", "name words preset")
PARTS = (
    Part("linux", ["--linux"], "release"),
    Part("wine", [], "windows-release"),
    Part("peers-linux", ["--peers"], "release"),
    Part("peers-wine", ["--peers", "--windows"], "windows-release"),
)


def arguments(words):
    parser = argparse.ArgumentParser(prog="bench/compare --all", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the figures and make the page from them")
    parser.add_argument("--quick", action="store_true",
                        help="few short visits, no waiting: does it run, not how fast is it; writes nothing")
    parser.add_argument("--parts", nargs="+", choices=[part.name for part in PARTS], metavar="PART",
                        default=[part.name for part in PARTS], help="only some of linux, wine, peers-linux, peers-wine")
    parser.add_argument("--load-below", type=float, default=page.BUSY, help="the load average that is called quiet")
    parser.add_argument("--patience", type=int, default=300, help="seconds to wait for that, before each part")
    args = parser.parse_args(words)
    if args.quick and args.write:
        parser.error("--quick measures nothing that is worth being written")
    return args


def build(preset):
    """All programs that a part may want; what is wrong, or nothing."""
    targets = ["load", "pipeport_echo", "peers", "pipeport-bench"]
    targets += ["bare_iocp"] if preset.startswith("windows") else ["bare_epoll", "bare_uring"]
    for command in (["cmake", "--preset", preset],
                    ["cmake", "--build", "--preset", preset, "-j2", "--target", *targets]):
        done = subprocess.run(command, cwd=page.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            return f"{' '.join(command)} failed\n{done.stdout[-2000:]}"
    return ""


def run_part(part, args, file):
    """In a process of its own, so that whatever ends it ends nothing else; its exit code."""
    command = [sys.executable, str(COMPARE), *part.words, "--keep", str(file)]
    command += ["--bin", str(page.ROOT / "build" / part.preset / "bin"), *(["--quick"] if args.quick else [])]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        return process.wait(timeout=PATIENCE_S)
    except BaseException:   # its servers go with it, whether it hangs or we are interrupted
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def measure(part, args, file):
    """The figures of one part, and what was wrong with it: either may be nothing."""
    if not args.quick:
        page.wait_until_quiet(args.load_below, args.patience)
    print(f"\n=== {part.name} ===", flush=True)
    try:
        code = run_part(part, args, file)
    except subprocess.TimeoutExpired:
        return None, f"it did not end within {PATIENCE_S // 60} minutes"
    try:
        data = kept.load(file)
    except kept.Unusable as why:
        return None, f"exit code {code}, and no figures: {why}"
    return data, "; ".join(data.get("failed", ())) or (f"exit code {code}" if code != 0 else "")


def each_other(row, _):
    return tables.others(row)


def best_bare(row, key):
    best = kept.best_of(row, tables.references(row), key)
    return [] if best is None else [best]


def tell_changes(old_file, new):
    try:
        old = kept.load(old_file)
    except kept.Unusable:
        print(f"\n{new['part']}: nothing was kept to compare with")
        return
    ours = dict.fromkeys(server for row in new["rows"] for server in tables.ours(row))
    lines = kept.changes(old, new, ours, each_other if new["part"].startswith("peers") else best_bare)
    print(f"\n{new['part']}: ratios that differ from those of {old['measured']['when']} by more than their spread: "
          f"{len(lines) or 'none'}")
    print("\n".join(f"  {line}" for line in lines), flush=True)


def run(args, docs=page.PAGE.parent, build_one=build, measure_one=measure):
    """What was wrong, by name."""
    parts = [part for part in PARTS if part.name in args.parts]
    print("building", flush=True)
    wrong = {}
    unbuilt = {preset: build_one(preset) for preset in dict.fromkeys(part.preset for part in parts)}
    with tempfile.TemporaryDirectory(prefix="pipeport-all-") as folder:
        for part in parts:
            begin = time.monotonic()
            if unbuilt[part.preset]:
                wrong[part.name] = unbuilt[part.preset]
                continue
            data, fault = measure_one(part, args, pathlib.Path(folder) / f"{part.name}.json")
            if fault:
                wrong[part.name] = fault
            if data is None:
                continue
            where = kept.path(part.name, docs / kept.FOLDER.name)
            tell_changes(where, data)
            try:
                settle(args, data, docs)
            except (kept.Unusable, page.Lost) as why:
                wrong[part.name] = f"the page cannot be made: {why}"
            print(f"{part.name}: {(time.monotonic() - begin) / 60:.1f} minutes", flush=True)
    return wrong


def settle(args, data, docs):
    """Keeps the figures and makes the page, or only sees whether it could be made."""
    folder = docs / kept.FOLDER.name
    if args.write:
        kept.save(data, kept.path(data["part"], folder))
        compare_page.make(docs)
    else:
        compare_page.see(docs, {**kept.load_all(folder), data["part"]: data})


def main(words):
    args = arguments(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))   # so that the part under way ends too
    begin = time.monotonic()
    try:
        wrong = run(args)
    except KeyboardInterrupt:
        print("\ninterrupted; what was written before stays", file=sys.stderr)
        return 130
    done = [name for name in args.parts if name not in wrong]
    print(f"\n{(time.monotonic() - begin) / 60:.0f} minutes; whole: {', '.join(done) or 'nothing'}")
    for name, fault in wrong.items():
        print(f"NOT WHOLE: {name}: {fault}")
    return 1 if wrong else 0
