# SPDX-License-Identifier: MIT
"""kept - the figures of one part of the comparison, as they are kept beside the page (docs/performance/PART.json).

An object with `part`, `measured` (when, on what and how) and `rows`. A row has a name, its load, its goals, and for
each server lists with one figure of every round; figures at the same place of two lists were taken in the same round,
so their ratio is that round's. `others` holds what is no such row. All tables and plots are made from these, so that
they can be made anew without measuring.
"""
import json
import math
import os
import statistics

import page

FOLDER = page.ROOT / "docs" / "performance"
PARTS = ("linux", "wine", "peers-linux", "peers-wine")
KEYS = ("rate", "server_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "load_cpu")


class Unusable(Exception):
    """What is no such object, and why."""


def path(part, folder=FOLDER):
    return folder / f"{part}.json"


def measured(args, machine, how):
    """The second member. What is asked of `args` all parts have in common."""
    return {"when": page.now(), "machine": list(machine), "how": how, "load_average": round(args.busy, 2),
            "rounds": args.rounds, "ms": args.ms, "warm_up_ms": args.warm_up_ms, "quick": bool(args.quick)}


def goal(key, bound, more=True, to=""):
    """A bound of the ratio of a figure to that of `to`, or to the best of the part's reference where it is empty."""
    return {"key": key, "bound": bound, "more": more, "to": to}


def servers(figures):
    """From what the visits of each server told, round by round, to one list for each figure."""
    return {name: {key: [shortened(visit[key]) for visit in visits] for key in KEYS if all(key in v for v in visits)}
            for name, visits in figures.items()}


def shortened(value):
    """Five digits: more than any of them is worth."""
    return float(f"{value:.5g}") if math.isfinite(value) else value


def check(data):
    if not isinstance(data, dict) or data.get("part") not in PARTS:
        raise Unusable("it is none of our parts")
    wanted = {"when", "machine", "how", "load_average", "rounds", "ms", "warm_up_ms", "quick"}
    if not wanted <= set(data.get("measured", ())):
        raise Unusable("it does not say how it was measured")
    if not data.get("rows"):
        raise Unusable("it has no rows")
    names = [row.get("name") for row in data["rows"]]
    if len(set(names)) != len(names) or None in names:
        raise Unusable("two rows have one name")
    for row in data["rows"]:
        check_row(row)


def check_row(row):
    missing = {"connections", "size", "depth", "mode", "unit", "goals", "servers"} - set(row)
    if missing or not row["servers"]:
        raise Unusable(f"{row['name']}: {', '.join(sorted(missing)) or 'figures'} missing")
    rounds = {len(values) for figures in row["servers"].values() for values in figures.values()}
    if len(rounds) != 1 or rounds == {0}:
        raise Unusable(f"{row['name']}: not every server was visited in every round")
    for server, figures in row["servers"].items():
        if "rate" not in figures:
            raise Unusable(f"{row['name']}: {server} has no rate")
        for values in figures.values():
            if not all(isinstance(value, (int, float)) and math.isfinite(value) and value >= 0 for value in values):
                raise Unusable(f"{row['name']}: {server} has what is no figure")


def text(data):
    """JSON with a line for each server, so that a change can be read."""
    lines = []
    for name, value in data.items():
        if name not in ("rows", "others"):
            lines.append(f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}")
    rows = []
    for row in data["rows"]:
        load = json.dumps({name: value for name, value in row.items() if name != "servers"}, allow_nan=False)
        each = [f"  {json.dumps(name)}: {json.dumps(figures, allow_nan=False)}"
                for name, figures in row["servers"].items()]
        rows.append(f'{load[:-1]}, "servers": {{\n' + ",\n".join(each) + "}}")
    lines.append('"rows": [\n' + ",\n".join(rows) + "]")
    others = [json.dumps(other, allow_nan=False) for other in data.get("others", ())]
    lines.append('"others": [\n' + ",\n".join(others) + "]")
    return "{" + ",\n".join(lines) + "}\n"


def save(data, where):
    """Whole or not at all."""
    check(data)
    where.parent.mkdir(parents=True, exist_ok=True)
    new = where.with_suffix(".new")
    new.write_text(text(data))
    os.replace(new, where)


def load(where):
    try:
        data = json.loads(where.read_text())
    except (OSError, ValueError) as why:
        raise Unusable(f"{where}: {why}") from why
    try:
        check(data)
    except Unusable as why:
        raise Unusable(f"{where}: {why}") from why
    return data


def load_all(folder=FOLDER):
    """Of each part that was measured; and as `run` the lines that tools/run --write kept."""
    parts = {part: load(path(part, folder)) for part in PARTS if path(part, folder).exists()}
    run = folder / "run.txt"
    return {**parts, "run": run.read_text().splitlines()} if run.exists() else parts


def row_of(data, name):
    return next((row for row in data["rows"] if row["name"] == name), None)


def middle(row, server, key="rate"):
    return statistics.median(row["servers"][server][key])


def has(row, server, key="rate"):
    """Whether there is such a figure, and more than nothing of it."""
    figures = row["servers"].get(server, {})
    return key in figures and middle(row, server, key) > 0


def each_ratio(row, server, other, key="rate"):
    pairs = zip(row["servers"][server][key], row["servers"][other][key])
    return [mine / its for mine, its in pairs if its > 0]


def quartiles(values):
    """Quartile, median, quartile; of one value three times the same."""
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3


def ratio(row, server, other, key="rate"):
    """One ratio for each round: quartile, median, quartile. None where there is nothing to divide."""
    if not has(row, server, key) or not has(row, other, key):
        return None
    return quartiles(each_ratio(row, server, other, key))


def best_of(row, names, key="rate"):
    """The best of those servers by that figure: a rate is better high, all else low. None if none was measured."""
    there = [name for name in names if has(row, name, key)]
    if not there:
        return None
    return (max if key == "rate" else min)(there, key=lambda name: middle(row, name, key))


def changed(old, new):
    """Whether two lists of ratios differ by more than either spreads: no overlap, and farther apart than they are wide.
    The rule of `pipeport-bench compare`."""
    if min(len(old), len(new)) < 3:
        return False
    apart = max(new) < min(old) or max(old) < min(new)
    width = max(max(old) - min(old), max(new) - min(new))
    return apart and abs(statistics.median(new) - statistics.median(old)) > width


def changes(old, new, ours, others):
    """Where ratios differ from those kept by more than their spread, a line each. `others` tells whose figures stand
    below the fraction line, of a row and a key."""
    lines = []
    for row in new["rows"]:
        before = row_of(old, row["name"])
        for server in ours if before else ():
            for key, called in (("rate", "rate"), ("server_us", "CPU a message")):
                for other in others(row, key):
                    if not all(has(r, s, key) for r in (row, before) for s in (server, other)):
                        continue
                    was, now = (each_ratio(r, server, other, key) for r in (before, row))
                    if changed(was, now):
                        lines.append(f"{row['name']}: {called} of {server} to {other}: {span(was)} -> {span(now)}")
    return lines


def span(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"
