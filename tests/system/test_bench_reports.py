#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_bench_reports.py BENCH SYSTEM CHECK - what pipeport-bench writes, read by others' readers: the page by a parser,
the record by Python's json, the percentiles as plotters read them, the completion by bash.
See checks.py.
"""
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
from checks import begin, check, expect, folder, names_in, path, programs, ran, read_json, wine

command = [*wine, *programs]
manual = pathlib.Path(__file__).resolve().parents[2] / "docs" / "BENCH.md"


def run(*arguments):
    return ran(*command, *arguments)


def load(*arguments):
    """A short run against a server of its own, which must be all right. Its words."""
    code, said, objected = run("run", "--self", "--connections", "5", "--count", "2000", *arguments)
    expect(code == 0, arguments, "exit code", code, said, objected)
    return said


def contrast(one, other):
    """Of two colours '#rrggbb', as the Web Content Accessibility Guidelines count it."""
    def light(colour):
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def see_page(here):
    text = here.read_text(encoding="utf-8")
    page = xml.etree.ElementTree.fromstring(text)   # Fails where it is not well-formed.
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    expect(len(ids) == len(set(ids)), "an id stands there twice:", ids)
    for element in page.iter():
        for name, value in element.attrib.items():
            expect(name not in ("src", "href", "srcset", "action", "data") and not name.startswith("on"),
                   "the page has", element.tag, name, value)
            if name == "aria-labelledby":
                expect(value in ids, "nobody has the id", value)
        if element.get("tabindex") and element.tag == "g":
            expect(element.get("aria-label") and element.get("role") == "img", "a point without a label")
    expect(not re.search(r"https?:|//|@import|url\(|<script", text), "the page names an address")
    expect({"script", "link", "img", "iframe", "object"}.isdisjoint(element.tag for element in page.iter()), "tags")
    return page, text


def apart(dot, one, other):
    """How far a dot lies from the line between two points."""
    along = [other[i] - one[i] for i in (0, 1)]
    square = sum(part * part for part in along)
    share = sum((dot[i] - one[i]) * along[i] for i in (0, 1)) / square if square else 0
    share = min(max(share, 0), 1)
    return math.dist(dot, [one[i] + share * along[i] for i in (0, 1)])


def see_curves(page):
    """Every dot lies on the curve of its class, and each curve goes in steps."""
    plots = page.findall(".//svg[@aria-labelledby='percentiles']")
    for plot in plots:
        curves = {}
        for line in plot.findall("polyline"):
            points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
            expect(len(points) > 1, "a curve of", len(points), "points")
            for one, other in zip(points, points[1:]):
                expect(one[0] == other[0] or one[1] == other[1], "a slope from", one, "to", other)
            curves[line.get("class").split()[1]] = points
        dots = [(group.get("class"), circle) for group in plot.findall("g") for circle in group.findall("circle")]
        for name, circle in dots:
            dot = float(circle.get("cx")), float(circle.get("cy"))
            points = curves[name.replace("spot ", "")]
            least = min(apart(dot, one, other) for one, other in zip(points, points[1:]))
            expect(least <= 1.2, "a dot", dot, "is", least, "beside its curve", name)
        expect(dots, "no dots")
    expect(len(plots) == 2, len(plots), "plots of percentiles")


def check_page_stands_alone():
    for arguments in (["--repeat", "3"], ["--rate", "2K"], ["--kill-rate", "20"], ["--mode", "broadcast"],
                      ["--mode", "churn"], ["--mode", "one-way"], ["--mode", "pipelined", "--size", "1,64-4K"]):
        here, there = path("page.html")
        load(*arguments, "--html", there)
        page, text = see_page(here)
        expect(page.find(".//h1").text.startswith(arguments[1] if arguments[0] == "--mode" else "ping-pong"), "title")
        expect("--html" in text and " ".join(arguments[:2]) in text, "the command that made it is not there")
        expect(len(page.findall(".//svg[@class='wide']")) == len(page.findall(".//svg[@class='narrow']")) > 0, "plots")
        expect(page.findall(".//g[@class='spot first']"), "no point that can be reached", arguments)
        see_curves(page)
        terms = {term.text: said.text for term, said in zip(page.findall(".//dt"), page.findall(".//dd"))}
        expect(re.match(r"(gcc|clang) [0-9].*, \w+$", terms["built by"]), terms)
        for term in ("plan", "lateness"):
            expect((term in terms) == ("--rate" in arguments), arguments, term, terms)
        expect(("killed" in terms) == ("--kill-rate" in arguments), arguments, terms)
    here, there = path("idle.html")
    code, _, objected = run("run", "--self", "--mode", "idle", "--connections", "5", "--duration", "300ms",
                            "--html", there)
    expect(code == 0, "idle", objected)
    see_page(here)


def check_page_can_be_read():
    here, there = path("page.html")
    load("--html", there)
    _, text = see_page(here)
    themes = re.findall(r":root\{([^}]*)\}", text)
    expect(len(themes) == 2, "a light and a dark theme, not", len(themes))
    for theme in themes:
        colours = dict(re.findall(r"--([a-z]+):(#[0-9a-f]{6})(?=[;}]|$)", theme))
        for ground in ("ground", "card"):
            for name, least in (("ink", 7), ("soft", 4.5), ("bad", 4.5), ("good", 4.5), ("first", 3), ("second", 3),
                                ("third", 3), ("other", 3)):
                found = contrast(colours[name], colours[ground])
                expect(found >= least, name, "on", ground, f"{found:.2f}", colours)


def check_record_is_documented():
    here, there = path("record.json")
    load("--repeat", "2", "--rate", "5K", "--mode", "broadcast", "--json", there)
    record = read_json(here)
    expect(record["format"] == "pipeport-bench" and record["format_version"] == 1, "format")
    expect(len(record["runs"]) == 2, len(record["runs"]), "runs")
    told = manual.read_text(encoding="utf-8")
    for name in set(names_in(record)):
        expect(f"`{name}`" in told, "docs/BENCH.md does not tell of", name)
    for each in record["runs"]:
        for name, histogram in each["histograms"].items():
            expect(sorted(histogram) == histogram and histogram, name, "is empty or not in order")
        expect(sum(second["messages"] for second in each["seconds"]) == each["messages"], "the seconds are not the run")


def check_percentiles_are_read_by_plotters():
    here, there = path("percentiles.hgrm")
    record, record_there = path("record.json")
    load("--hgrm", there, "--json", record_there)
    lines = here.read_text(encoding="ascii").splitlines()
    expect(lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"], lines[0])
    rows = [line.split() for line in lines[2:] if not line.startswith("#")]
    expect(all(len(row) == 4 for row in rows[:-1]) and len(rows[-1]) == 3, "rows")
    for one, other in zip(rows, rows[1:]):
        expect(all(float(one[i]) <= float(other[i]) for i in range(3)), "not in order:", one, other)
    expect(int(rows[-1][2]) == 2000 and float(rows[-1][1]) == 1.0, rows[-1])
    corrected = read_json(record)["runs"][0]["histograms"]["corrected"]
    expect(f"{corrected[-1][0] / 1000:.3f}" == rows[-1][0], "the longest is", corrected[-1], "and", rows[-1])
    expect(re.search(r"#\[Max +=.*Total count +=  *2000\]", lines[-2]), lines[-2])


def check_assertions_set_the_exit_code():
    load("--assert", "errors=0,rate>1,p99<100s")
    code, said, objected = run("run", "--self", "--count", "100", "--connections", "2", "--assert",
                               "p50<1ns,errors=0,rate<1")
    expect(code == 1, "exit code", code)
    failed = re.findall(r"^assertion failed: (\S+), but it is .+$", said, re.M)
    expect(failed == ["p50<1ns", "rate<1"], said, objected)
    code, said, objected = run("run", "--self", "--count", "100", "--assert", "p99<5")
    expect(code == 2 and said == "" and "--assert: 'p99<5': a time wants a unit" in objected, code, said, objected)
    code, said, objected = run("run", "--self", "--count", "100", "--json", path("no/such/folder.json")[1])
    expect(code == 1 and "cannot be written" in objected, code, objected)


def check_writes_into_pipes():
    """Whoever reads from one gets the whole report, and no end before it. One that nobody reads is waited for by no one
    who has nothing to write."""
    fifo, there = path("fifo.json")
    os.mkfifo(fifo)
    reader = begin("cat", there)
    load("--json", there, "--hgrm", "/dev/null")
    said, _ = reader.communicate(timeout=60)
    expect(said.endswith("}\n") and len(json.loads(said)["runs"]) == 1, "through the pipe came", said[:200])
    expect(fifo.is_fifo(), "it is no pipe any more")
    code, said, objected = run("run", "nobody-serves-this", "--count", "1", "--json", there)
    expect(code == 1 and "nobody serves this name" in objected, code, said, objected)


def check_compares():
    one, other, three = (path(f"{name}.json")[1] for name in ("one", "other", "three"))
    load("--json", one)
    load("--json", other, "--size", "256")
    load("--json", three, "--repeat", "3")
    code, said, objected = run("compare", one, other)
    expect(code == 0, code, objected)
    expect(re.search(r"^rate .*cannot tell$", said, re.M) and "fewer than 3 runs" in said, said)
    expect("sizes        64 bytes | 256 bytes" in said, said)
    here, old = path("old.json")
    record = read_json(path("one.json")[0])
    del record["build"]   # It was added within the version.
    here.write_text(json.dumps(record), encoding="utf-8")
    code, said, objected = run("compare", old, one)
    expect(code == 0 and "Not told by A, so perhaps not alike: build\n" in said, code, said, objected)
    expect("They were not run alike" not in said, said)
    del record["driver"]
    here.write_text(json.dumps(record), encoding="utf-8")
    code, said, objected = run("compare", old, one)
    expect(code == 1 and said == "" and "old.json: 'driver' is missing" in objected, code, said, objected)
    record["format"] = "pipeport-bench-peers"
    here.write_text(json.dumps(record), encoding="utf-8")
    code, said, objected = run("compare", one, old)
    expect(code == 1 and said == "" and "old.json: this is a record of pipeport-bench peers; give" in objected, code,
           said, objected)
    code, said, objected = run("compare", three, three, one)
    expect(code == 0 and re.search(r"^rate .*same +(no more than noise|unstable)$", said, re.M), said, objected)
    expect(said.count("\nB  ") == 2, "two comparisons", said)
    code, _, objected = run("compare", one, path("missing.json")[1])
    expect(code == 1 and "missing.json" in objected, code, objected)
    for arguments in ([], [one], ["--what", one, other]):
        code, said, objected = run("compare", *arguments)
        expect(code == 2 and said == "" and len(objected.splitlines()) == 1, arguments, code, objected)
    code, said, _ = run("compare", "--help")
    expect(code == 0 and "cannot tell" in said and "after a single run" in said, said)


def check_helps_fit_80_columns():
    for arguments in ([], ["run"], ["peers"], ["compare"], ["completion"], ["serve-self"]):
        code, said, objected = run(*arguments, "--help")
        expect(code == 0 and objected == "" and "pipeport-bench" in said, arguments, code, said, objected)
        expect(max(map(len, said.splitlines())) <= 80, arguments, "has a line of more than 80 columns", said)


def check_completes_every_word():
    code, script, objected = run("completion", "bash")
    expect(code == 0, code, objected)
    raw = subprocess.run([*command, "completion", "bash"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                         check=False)
    expect(b"complete -F" in raw.stdout and b"\r" not in raw.stdout, "what bash reads has carriage returns")

    def complete(*words):
        call = (f"{script}\nCOMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _pipeport_bench; "
                "printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, timeout=60, check=False,
                              cwd=folder.name)
        expect(done.returncode == 0 and done.stderr == "", words, done.stderr)
        return set(done.stdout.split())

    helped = run("--help")[1]
    commands = set(re.findall(r"^  (?!COMMAND)([a-z]+) ", helped, re.M))
    expect({"run", "peers", "compare", "completion"} <= commands, "--help has", commands)
    expect(complete("pipeport-bench", "''") == commands | {"--help", "--version"}, complete("pipeport-bench", "''"))
    expect(complete("pipeport-bench", "comp") == {"compare", "completion"}, "prefix")
    (pathlib.Path(folder.name) / "a file.json").touch()
    (pathlib.Path(folder.name) / "a folder").mkdir()
    for command_name in ("run", "peers"):
        options = re.findall(r"^  (--[a-z-]+) ?(\S*)", run(command_name, "--help")[1], re.M)
        expect(complete("pipeport-bench", command_name, "--") == {word for word, _ in options}, options)
        for word, operand in options:
            found = complete("pipeport-bench", command_name, word, "''")
            if operand == "FILE":
                expect(found == {"a", "file.json", "folder"}, word, found)
            elif operand == "DIR":
                expect(found == {"a", "folder"}, word, found)
            elif operand == "PEER[,PEER...]":
                expect("libuv" in found and not any("," in peer for peer in found), word, found)
                expect(complete("pipeport-bench", command_name, word, "pipeport,lib") ==
                       {"pipeport,libuv", "pipeport,libuv-joined"}, word, "of several")
            elif "|" in operand:
                expect(found == set(operand.split("|")), word, found)
                first = operand.split("|")[0]
                expect(complete("pipeport-bench", command_name, word, "=", first[:2]) >= {first}, word, "with =")
                expect(complete("pipeport-bench", command_name, word, "=") == found, word, "with = alone")
    expect(complete("pipeport-bench", "compare", "a") == {"a", "file.json", "folder"}, "files to compare")
    expect(complete("pipeport-bench", "completion", "''") == {"bash"}, "shells")
    code, said, objected = run("completion", "fish")
    expect(code == 2 and said == "" and "bash" in objected, code, objected)


check(globals())
