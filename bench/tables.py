# SPDX-License-Identifier: MIT
"""tables - the tables of docs/PERFORMANCE.md as lines of Markdown, made from the kept figures (kept.py) alone.

In a cell `4.58M (0.212)` is a rate and the server's processor time for each message in microseconds; `**0.90**
(0.85-0.92)` is the median of the ratios of all rounds, and their quartiles.
"""
import textwrap

import kept
import page

FAULT_MAX = 200   # of what failed, in a heading; all of it is in the kept figures
QUICK = "**A quick run, to see that it works: its figures are worth nothing.**"


def is_reference(server):
    return server.startswith("bare") and "joined" not in server


def is_ours(server):
    return server.startswith("pipeport")


def ours(row):
    return [server for server in row["servers"] if is_ours(server)]


def references(row):
    return [server for server in row["servers"] if is_reference(server)]


def others(row):
    return [server for server in row["servers"] if not is_ours(server)]


def columns(rows):
    """All servers of these rows in the order of their first coming."""
    return list(dict.fromkeys(server for row in rows for server in row["servers"]))


def count(value):
    """Three digits: more than any of the rates is worth."""
    for bound, unit in ((1e6, "M"), (1e3, "K")):
        if value >= 0.9995 * bound:
            scaled = value / bound
            return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f}{unit}"
    return f"{value:.0f}"


def small(value):
    """Microseconds and what else goes from thousandths to thousands."""
    return f"{value:,.{3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0}f}"


def wrapped(text):
    return textwrap.wrap(text, 120, break_long_words=False, break_on_hyphens=False)


def escaped(text):
    return " ".join(str(text).replace("|", "\\|").split())


def table_line(cells):
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def head(names, left=1):
    """The first `left` columns hold words."""
    return [table_line(names), table_line(["---"] * left + ["---:"] * (len(names) - left))]


def heading(data):
    how = data["measured"]
    brief = sorted({row["ms"] for row in data["rows"] if row.get("ms", how["ms"]) != how["ms"]})
    less = f" ({' or '.join(f'{ms:,}' for ms in brief)} ms where there is no goal)" if brief else ""
    text = (f"Measured {how['when']} on {', '.join(map(escaped, how['machine']))}; load average before the start "
            f"{how['load_average']:.1f}. {escaped(how['how'])}; {how['rounds']} rounds of {how['ms']:,} ms{less}, "
            f"after {how['warm_up_ms']} ms of warming up. Medians of all rounds, and the quartiles of the ratios.")
    if data.get("left_out"):
        text += f" Left out, since it cannot run here: {escaped(', '.join(data['left_out']))}."
    for fault in data.get("failed", ()):
        text += f" **Failed:** {textwrap.shorten(escaped(fault), FAULT_MAX, placeholder=' ...')}."
    if how["load_average"] > page.BUSY:
        text += f" {page.NOT_QUIET}"
    return "\n".join(wrapped(text + (f" {QUICK}" if how["quick"] else "")))


def rate_cell(row, server):
    if server not in row["servers"]:
        return ""
    cost = f" ({small(kept.middle(row, server, 'server_us'))})" if kept.has(row, server, "server_us") else ""
    return count(kept.middle(row, server)) + cost


def ratio_cell(ratio):
    return "" if ratio is None else f"**{ratio[1]:.2f}** ({ratio[0]:.2f}-{ratio[2]:.2f})"


def times_cell(ratio):
    """The median alone, as one speaks of it."""
    return "" if ratio is None else f"{ratio[1]:.2f}" if ratio[1] < 9.995 else f"{ratio[1]:.0f}"


def to_best(row, server, key="rate"):
    """The ratio to the best of the references by that figure."""
    other = kept.best_of(row, references(row), key)
    return None if other is None else kept.ratio(row, server, other, key)


def to_goal(row, server, goal):
    """The ratio that a goal speaks of: to the server that it names, or to the best of the references."""
    return kept.ratio(row, server, goal["to"], goal["key"]) if goal["to"] else to_best(row, server, goal["key"])


def is_met(goal, value):
    return value >= goal["bound"] if goal["more"] else value <= goal["bound"]


def verdict(goal, value):
    return "yes" if is_met(goal, value) else "**no**"


def verdict_of(goal, ratio):
    """Of a quartile, the median and a quartile: not sure where the bound lies between the quartiles."""
    return verdict(goal, ratio[1]) + (", unsure" if ratio[0] < goal["bound"] < ratio[2] else "")


def beside_bound(value, goal):
    """A figure that missed a goal, with as many digits as it takes to see that."""
    return next(text for digits in range(2, 18) if float(text := f"{value:.{digits}f}") != goal["bound"])


def bound_text(goal):
    bound = goal["bound"]
    return f"{'>=' if goal['more'] else '<='} {f'{bound:.2f}' if bound < 9 else f'{bound:g}'}"


# --- Linux: pipeport's drivers and the bare loops ---

LINUX_SERVERS = ("bare epoll", "bare io_uring", "pipeport epoll", "pipeport io_uring")
LINUX_HEAD = head(["rate (CPU us a message)", *LINUX_SERVERS, "epoll to bare", "io_uring to bare", "load"])
KEY_CALLED = {"rate": "rate", "server_us": "CPU a message", "p50_us": "median round trip", "p99_us": "p99"}


def linux_line(row):
    cells = [row["name"], *(rate_cell(row, server) for server in LINUX_SERVERS)]
    cells += [ratio_cell(to_best(row, server)) for server in LINUX_SERVERS[2:]]
    best = kept.best_of(row, references(row))
    busy = best is not None and kept.has(row, best, "load_cpu")
    return table_line([*cells, f"{kept.middle(row, best, 'load_cpu'):.2f}" if busy else ""])


def linux_groups(data):
    """The rows of each size, and those that are no echo."""
    sizes = dict.fromkeys(row["size"] for row in data["rows"] if row["mode"] == "echo")
    called = {64: "64 bytes", 1024: "1 KiB", 8192: "8 KiB", 65536: "64 KiB"}
    for size in sizes:
        yield (f"Echoes of {called.get(size, f'{size:,} bytes')}, messages/s",
               [row for row in data["rows"] if row["mode"] == "echo" and row["size"] == size])
    yield ("Broadcasts of 64 bytes, deliveries/s; connect, one echo and close, visits/s",
           [row for row in data["rows"] if row["mode"] != "echo"])


def linux_grid(data):
    lines = []
    for title, rows in linux_groups(data):
        if rows:
            lines += [f"**{title}**", "", *LINUX_HEAD, *map(linux_line, rows), ""]
    return lines[:-1]


def linux_goals(data):
    lines = head(["pipeport to the better bare loop", "goal", "epoll", "met", "io_uring", "met"])
    for row in data["rows"]:
        for goal in row["goals"]:
            beside = f", to {goal['to']}" if goal["to"] else ""
            cells = [f"{row['name']}: {KEY_CALLED[goal['key']]}{beside}", bound_text(goal)]
            for server in LINUX_SERVERS[2:]:
                ratio = to_goal(row, server, goal)
                cells += [ratio_cell(ratio), "" if ratio is None else verdict_of(goal, ratio)]
            lines.append(table_line(cells))
    return lines


OTHERS_HEAD = head(["what", "server", "figure", "goal", "met"], left=5)


def other_line(entry):
    if "note" in entry:
        return table_line([entry["note"], "all", escaped(entry["why"]), "", ""])
    name = entry["pair"] if "pair" in entry else entry["value"]
    figure, value = pair_figure(entry) if "pair" in entry else value_figure(entry)
    goal = entry["goal"]
    met = verdict(goal, value) if goal and is_ours(entry["server"]) else ""
    return table_line([name, entry["server"], figure, bound_text(goal) if goal else "", met])


def other_value(entry):
    return f"{(pair_figure(entry) if 'pair' in entry else value_figure(entry))[1]:.3g}"


def pair_figure(entry):
    both = {"servers": {"first": entry["first"], "second": entry["second"]}}
    ratio = kept.ratio(both, "second", "first", entry["key"]) or [0.0] * 3
    first, second = (kept.middle(both, server, entry["key"]) for server in ("first", "second"))
    if entry["key"] != "rate":
        return f"{ratio_cell(ratio)}: {small(second)} {entry['unit']}, {entry['beside']} {small(first)}", ratio[1]
    cost = kept.ratio(both, "second", "first", "server_us")
    more = f"; CPU {cost[1]:.2f} of it" if cost else ""
    return f"{ratio_cell(ratio)}: {count(second)} {entry['unit']}, {entry['beside']} {count(first)}{more}", ratio[1]


def value_figure(entry):
    value = entry["figure"]
    figure = f"**{small(value)}** {entry['unit']}"
    for word in ("resident", "private"):
        if word in entry:
            figure += f" by its own count, {entry[word]:,} {word}"
    return figure, value


def others_table(data):
    """None where there is nothing beside the rows."""
    return [*OTHERS_HEAD, *map(other_line, data["others"])] if data.get("others") else []


# --- Wine: pipeport and the bare completion port ---

def wine_line(row):
    mine, bare, joined = "pipeport", "bare IOCP", "bare IOCP joined"
    goal = next((goal for goal in row["goals"] if goal["key"] == "rate"), None)
    ratio = kept.ratio(row, mine, bare) if bare in row["servers"] else None
    return table_line([row["name"], rate_cell(row, bare), rate_cell(row, joined), rate_cell(row, mine),
                       ratio_cell(ratio), "" if goal is None else bound_text(goal),
                       "" if goal is None or ratio is None else verdict(goal, ratio[1]),
                       ratio_cell(kept.ratio(row, mine, joined)) if joined in row["servers"] else ""])


WINE_HEAD = head(["rate (CPU us a message)", "bare IOCP", "bare IOCP joined", "pipeport", "to bare", "goal", "met",
                  "to bare joined"])


def wine_table(data):
    return [*WINE_HEAD, *map(wine_line, data["rows"])]


def wine_own(data):
    """What pipeport is held against in itself: what depth brings, and how long the unluckiest waits. Of each the name,
    the figures of the bare loop and of pipeport, and the goal."""
    found = {(row["connections"], row["depth"]): row for row in data["rows"]
             if row["mode"] == "echo" and row["size"] == 64}
    servers = ("bare IOCP", "pipeport")
    for (connections, depth), row in found.items():
        shallow = found.get((connections, 1))
        if depth == 16 and connections >= 250 and shallow:
            yield (f"64 B, {connections} connections: rate at depth 16 to that at depth 1",
                   [kept.middle(row, server) / kept.middle(shallow, server) for server in servers],
                   kept.goal("rate", 4.0))
        if depth == 1 and connections >= 60 and all(kept.has(row, server, "p50_us") for server in servers):
            yield (f"64 B, {connections} connections, depth 1: longest round trip to the median one",
                   [kept.middle(row, server, "max_us") / kept.middle(row, server, "p50_us") for server in servers],
                   kept.goal("max_us", 3.0, more=False))


def wine_own_table(data):
    lines = [table_line([name, *(f"{value:,.{2 if value < 9.995 else 0}f}" for value in values), bound_text(goal),
                         verdict(goal, values[-1])]) for name, values, goal in wine_own(data)]
    return [*head(["of each with itself", "bare IOCP", "pipeport", "goal", "met"]), *lines] if lines else []


# --- of any part: round trips ---

def trip_table(rows):
    """p50 / p99 / max of every server."""
    names = columns(rows)
    lines = head(["round trip, us: p50 / p99 / max", *names])
    for row in rows:
        cells = []
        for server in names:
            shown = [small(kept.middle(row, server, key)) for key in ("p50_us", "p99_us", "max_us")
                     if kept.has(row, server, key)]
            cells.append(" / ".join(shown) if len(shown) == 3 else "")
        if any(cells):
            lines.append(table_line([row["name"], *cells]))
    return lines


# --- the peers, on either system ---

def peer_goals(row):
    words = []
    for goal in row["goals"]:
        ratio = kept.ratio(row, "pipeport", goal["to"], goal["key"]) if goal["to"] in row["servers"] else None
        if ratio is not None:
            what = goal["to"] if goal["key"] == "rate" else f"CPU of {goal['to']}"
            words.append(f"{what} {bound_text(goal)}: {verdict(goal, ratio[1])}")
    return "; ".join(words)


def peer_columns(data):
    return [server for server in columns(data["rows"]) if not is_ours(server)]


def peer_ratio_line(row, names):
    best = kept.best_of(row, [server for server in others(row) if not server.startswith("bare")])
    cells = [ratio_cell(kept.ratio(row, "pipeport", server)) if server in row["servers"] else "" for server in names]
    return table_line([row["name"], *cells, best or "", peer_goals(row)])


def peer_ratios(data):
    names = peer_columns(data)
    return [*head(["pipeport's rate to that of", *names, "best peer", "goals"]),
            *(peer_ratio_line(row, names) for row in data["rows"])]


def peer_absolutes(data):
    """Absolute figures, each server a column; none where there are none."""
    entries = [entry for entry in data.get("others", ()) if "value" in entry]
    names = list(dict.fromkeys(entry["server"] for entry in entries))
    found = {(entry["value"], entry["server"]): count(entry["figure"]) for entry in entries}
    rows = dict.fromkeys((entry["value"], entry["unit"]) for entry in entries)
    lines = [table_line([name, unit, *(found.get((name, server), "") for server in names)]) for name, unit in rows]
    return [*head(["what", "unit", *names], left=2), *lines] if lines else []


def peer_figures(data):
    names = columns(data["rows"])
    return [*head(["rate (CPU us a message)", "unit", *names], left=2),
            *(table_line([row["name"], row["unit"], *(rate_cell(row, server) for server in names)])
              for row in data["rows"])]
