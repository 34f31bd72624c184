# SPDX-License-Identifier: MIT
"""compare --page - makes the tables and plots of docs/PERFORMANCE.md, and the figures of README.md, anew from what is
kept, without measuring.

The figures are those of docs/performance/*.json, and what tools/run --write kept. What was never measured keeps the
text it has. Exit 1 if a marker, or what a file should hold, is missing: then nothing is written.
"""
import argparse
import os
import pathlib
import sys
import xml.etree.ElementTree

import kept
import page
import plots
import regions


def add_options(parser, quick):
    """What every part of the comparison can be asked for."""
    parser.add_argument("--quick", action="store_true", help=f"{quick}: does it run, not how fast is it")
    parser.add_argument("--write", action="store_true",
                        help=f"keep the figures in {kept.FOLDER.relative_to(page.ROOT)}, and make the tables and plots "
                             f"of {page.PAGE.relative_to(page.ROOT)} from them")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FILE", help="keep the figures there, and make nothing")


def check_options(parser, args, whole):
    if args.rounds < 2:
        parser.error("--rounds: at least 2")
    if args.write and (args.quick or not whole):
        parser.error("--write: only of all rows, and not of a quick run; --keep FILE takes anything")


def keep(args, data):
    """What is wanted of the figures just measured; the exit code."""
    try:
        if args.keep:
            kept.save(data, args.keep)
            print(f"kept in {args.keep}")
        if args.write:
            kept.save(data, kept.path(data["part"]))
            make()
    except (kept.Unusable, page.Lost) as why:
        print(f"compare: {why}", file=sys.stderr)
        return 1
    return 1 if data.get("failed") else 0


def made_of(text_of, data_of):
    """The new text of each page, and each plot; what is not as it should be raises Lost or Unusable."""
    canvases = plots.make(data_of)
    texts = {}
    for name, text in text_of.items():
        for marker, region in regions.PAGES[name].items():
            lines = region(data_of, canvases)
            text = page.put(text, marker, page.held(text, marker) if lines is None else lines)
        texts[name] = text
    drawn = {name: canvas.svg() for name, canvas in canvases.items()}
    for svg in drawn.values():
        xml.etree.ElementTree.fromstring(svg)
    return texts, drawn, [f"{name}: {fault}" for name, canvas in canvases.items() for fault in canvas.faults()]


def see(docs, data_of):
    """What pages and plots would be, and whether they can be made."""
    try:
        text_of = {name: (docs / name).read_text() for name in regions.PAGES}
    except OSError as why:
        raise page.Lost(str(why)) from why
    texts, drawn, faults = made_of(text_of, data_of)
    for fault in faults:
        print(f"compare: a plot is ugly: {fault}", file=sys.stderr)
    return texts, drawn


def make(docs=page.PAGE.parent):
    """All or nothing. `docs` holds the pages, and in `performance` the figures."""
    folder = docs / kept.FOLDER.name
    data_of = kept.load_all(folder)
    texts, drawn = see(docs, data_of)
    for name, text in (*texts.items(), *((f"{folder.name}/{name}.svg", svg) for name, svg in drawn.items())):
        new = docs / f"{name}.new"
        new.write_text(text)
        os.replace(new, docs / name)
    print(f"made from the figures of {', '.join(data_of) or 'nothing'}: {', '.join((*texts, *sorted(drawn)))}")


def main(words):
    parser = argparse.ArgumentParser(prog="bench/compare --page", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=pathlib.Path, default=page.PAGE.parent, help="another folder than docs")
    args = parser.parse_args(words)
    try:
        make(args.docs)
    except (kept.Unusable, page.Lost) as why:
        print(f"compare: {why}", file=sys.stderr)
        return 1
    return 0
