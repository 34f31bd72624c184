# SPDX-License-Identifier: MIT
"""regions - what stands between the markers of docs/PERFORMANCE.md, its pages and README.md, made from what is kept."""
import kept
import plots
import tables

PLOT_ALT = {
    "linux-rate": "Linux: messages a second by connections, with 1 and with 16 in flight",
    "linux-cpu": "Linux: processor time a message by connections, with 1 and with 16 in flight",
    "linux-latency": "Linux: round trips, median to longest, with 255 and with 1,000 connections",
    "linux-broadcast": "Linux: deliveries a second to 255 and to 1,000 receivers",
    "wine-rate": "Wine: messages a second by connections, with 1 and with 16 in flight",
    "peers-linux": "Linux: pipeport's rate divided by that of each peer",
    "peers-wine": "Wine: pipeport's rate divided by that of each peer",
}
SHOWN_FIRST = ("64 B, 255 connections, depth 16", "broadcast to 1,000, 100 at a time")
SHOWN = (*plots.PEER_ROWS, "connect + echo + close, 64 at a time")


def picture(name, made):
    return [f"![{PLOT_ALT[name]}](performance/{name}.svg)", ""] if name in made else []


def span(ratios):
    """The least and the greatest of medians."""
    medians = [ratio[1] for ratio in ratios if ratio]
    if not medians:
        return "-"
    low, high = f"{min(medians):.2f}", f"{max(medians):.2f}"
    return low if low == high else f"{low} to {high}"


def both_spans(rows):
    """epoll's ratios to the better bare loop, and io_uring's."""
    return " / ".join(span([tables.to_best(row, server) for row in rows]) for server in tables.LINUX_SERVERS[2:])


def beside_bare(data):
    """From the least to the greatest ratio, over all numbers of connections."""
    lines = tables.head(["Linux; pipeport's rate to the better bare loop's, epoll / io_uring", "one at a time",
                         "16 or 100 at a time"])
    for title, rows in tables.linux_groups(data):
        echo = [row for row in rows if row["mode"] in ("echo", "broadcast")]
        cells = [both_spans([row for row in echo if (row["depth"] > 1) == deep]) for deep in (False, True)]
        if echo:
            lines.append(tables.table_line([title.split(",")[0], *cells]))
    for row in data["rows"]:
        if row["mode"] == "churn":
            lines.append(tables.table_line([row["name"], both_spans([row]), ""]))
    return lines


def goals_met(data, server):
    """How many of the goals that server meets, and of how many."""
    found = [tables.is_met(goal, ratio[1]) for row in data["rows"] for goal in row["goals"]
             if (ratio := tables.to_goal(row, server, goal))]
    return sum(found), len(found)


def idle_text(data):
    own = [f"{entry['figure']:.0f} bytes ({entry['server'].removeprefix('pipeport ')})" for entry in data["others"]
           if entry.get("value", "").startswith("idle memory") and tables.is_ours(entry["server"])]
    return [f"- **An idle connection** holds {' or '.join(own)} of the engine's memory."] if own else []


def summary_words(data_of, page_at=""):
    """`page_at`: where docs/PERFORMANCE.md is, seen from the page that these words are for."""
    lines = []
    if "linux" in data_of:
        data = data_of["linux"]
        counts = [goals_met(data, server) for server in tables.LINUX_SERVERS[2:]]
        lines += [f"- **Goals** on Linux, beside loops written by hand on the same system calls and without a library: "
                  f"epoll meets {counts[0][0]} of {counts[0][1]}, io_uring {counts[1][0]} of {counts[1][1]} "
                  f"([all]({page_at}#goals-on-linux), [what is missed]({page_at}#where-we-lose-and-why))."]
        lines += idle_text(data)
    if "wine" in data_of:
        rows = [row for row in data_of["wine"]["rows"] if row["mode"] == "echo"]
        one, many = (span(tables.to_best(row, "pipeport") for row in rows if (row["depth"] > 1) == deep)
                     for deep in (False, True))
        lines += [f"- **Windows' port under Wine**: {one} of a bare completion port's rate with one message in flight, "
                  f"{many} with more, where pipeport joins its replies and that loop does not{wine_idle(data_of)}."]
    return [part for line in lines for part in indented(line)]


def wine_idle(data_of):
    held = [entry["figure"] for entry in data_of["wine"].get("others", ())
            if entry.get("value", "").startswith("idle memory") and tables.is_ours(entry["server"])]
    return f"; an idle connection holds {held[0]:.0f} bytes" if held else ""


def indented(line):
    first, *rest = tables.wrapped(line)
    return [first, *(f"  {part}" for part in rest)]


def peer_rows_of(data, names):
    return [row for name in names if (row := kept.row_of(data, name)) and "pipeport" in row["servers"]]


def own_rate(row):
    return f"{tables.count(kept.middle(row, 'pipeport'))} {row['unit']}"


def beside_peers(data):
    """One line for each load: pipeport's own figures, and how many times each peer's rate that is."""
    rows = peer_rows_of(data, SHOWN)
    names = [name for name in tables.columns(rows) if not name.startswith(("pipeport", "bare"))]
    lines = tables.head(["Linux; pipeport's rate is ... times that of", "pipeport", "CPU us", "the better bare loop",
                         *names])
    for row in rows:
        best = kept.best_of(row, tables.references(row))
        cost = tables.small(kept.middle(row, "pipeport", "server_us")) if kept.has(row, "pipeport", "server_us") else ""
        cells = [tables.times_cell(kept.ratio(row, "pipeport", name)) for name in (best, *names) if name is not None]
        lines.append(tables.table_line([row["name"], own_rate(row), cost, *([] if best else [""]), *cells]))
    return lines


def summary(data_of, made):
    if not {"linux", "wine", "peers-linux"} & set(data_of):
        return None
    lines = [*summary_words(data_of), ""]
    if "linux" in data_of:
        lines += [*beside_bare(data_of["linux"]), ""]
    if "peers-linux" in data_of:
        lines += [*beside_peers(data_of["peers-linux"]), ""]
    return (lines + picture("linux-rate", made) + picture("peers-linux", made))[:-1]


def peers_words(data):
    """The same of the loads that README.md tells of, in words."""
    for row in peer_rows_of(data, SHOWN_FIRST):   # with the clients that their users have
        names = [name for name in row["servers"] if not name.startswith(("pipeport", "bare"))
                 and not name.endswith("raw load")]
        times = ", ".join(f"{name} {tables.times_cell(kept.ratio(row, 'pipeport', name))}" for name in names)
        yield from indented(f"- **{row['name']}** on Linux: {own_rate(row)}, so many times the rate of each peer: "
                            f"{times}.")


def readme_figures(data_of, _):
    if not {"linux", "wine", "peers-linux"} & set(data_of):
        return None
    return [*(peers_words(data_of["peers-linux"]) if "peers-linux" in data_of else ()),
            *summary_words(data_of, "docs/PERFORMANCE.md")]


def readme_run(data_of, _):
    """What tools/run ended with."""
    if "run" not in data_of:
        return None
    return ["```", *(part for line in data_of["run"] for part in tables.wrapped(line) or [""]), "```"]


def not_met(data_of, _):
    """Every goal of ours that is missed, and every peer that is ahead, by the figures kept."""
    if not data_of:
        return None
    lines = []
    for row in data_of.get("linux", {"rows": ()})["rows"]:
        for goal in row["goals"]:
            missed = [f"{server.removeprefix('pipeport ')} {tables.beside_bound(ratio[1], goal)}"
                      for server in tables.LINUX_SERVERS[2:]
                      if (ratio := tables.to_goal(row, server, goal)) and not tables.is_met(goal, ratio[1])]
            if missed:
                beside = goal["to"] or "the better bare loop"
                lines.append(f"- {row['name']}, {tables.KEY_CALLED[goal['key']]} to {beside}'s: "
                             f"{', '.join(missed)} (goal {tables.bound_text(goal)}).")
    lines += missed_others(data_of, "linux", "")
    for row in data_of.get("wine", {"rows": ()})["rows"]:
        for goal in row["goals"]:
            if (ratio := tables.to_goal(row, "pipeport", goal)) and not tables.is_met(goal, ratio[1]):
                lines.append(f"- Wine, {row['name']}: {tables.beside_bound(ratio[1], goal)} of the bare port's rate "
                             f"(goal {tables.bound_text(goal)}).")
    if "wine" in data_of:
        lines += [f"- Wine, {name}: {values[-1]:,.1f} (goal {tables.bound_text(goal)}; the bare loop {values[0]:,.1f})."
                  for name, values, goal in tables.wine_own(data_of["wine"]) if not tables.is_met(goal, values[-1])]
        lines += missed_others(data_of, "wine", "Wine, ")
    for part in ("peers-linux", "peers-wine"):
        lines += ahead_of_us(data_of[part]) if part in data_of else []
    lines = lines or ["- Nothing: every goal was met, and no peer was ahead."]
    return [part for line in lines for part in indented(line)]


def missed_others(data_of, part, where):
    return [f"- {where}{entry.get('pair') or entry['value']}: {entry['server'].removeprefix('pipeport ')} "
            f"{tables.other_value(entry)} (goal {tables.bound_text(entry['goal'])})."
            for entry in data_of.get(part, {}).get("others", ()) if "**no**" in tables.other_line(entry)]


def missed_by_bare(row, goal):
    """What the better bare loop reaches of a goal beside a peer that it misses too; else nothing."""
    bare = kept.best_of(row, [name for name in row["servers"] if name.startswith("bare")], goal["key"])
    ratio = kept.ratio(row, bare, goal["to"], goal["key"]) if bare and bare != goal["to"] else None
    return "" if not ratio or tables.is_met(goal, ratio[1]) else f"; bare {tables.beside_bound(ratio[1], goal)}"


def ahead_of_us(data):
    """Lines of missed goals beside peers, and of peers with a higher rate that no goal speaks of."""
    system = "Linux" if data["part"] == "peers-linux" else "Wine"
    for row in data["rows"]:
        missed = {(goal["key"], goal["to"]): f"{'rate' if goal['key'] == 'rate' else 'CPU'} of {goal['to']} "
                  f"{tables.beside_bound(ratio[1], goal)} (goal {tables.bound_text(goal)}{missed_by_bare(row, goal)})"
                  for goal in row["goals"] if (ratio := kept.ratio(row, "pipeport", goal["to"], goal["key"]))
                  and not tables.is_met(goal, ratio[1])}
        ahead = [f"{server} ({ratio[1]:.2f})" for server in row["servers"]
                 if not server.startswith(("pipeport", "bare")) and ("rate", server) not in missed
                 and (ratio := kept.ratio(row, "pipeport", server)) and ratio[1] < 0.995]
        if missed:
            yield f"- {system}, {row['name']}, missed beside peers: {', '.join(missed.values())}."
        if ahead:
            yield f"- {system}, {row['name']}, peers with a higher rate: {', '.join(ahead)}."


def of_part(part, *makers, pictures=()):
    """A region of one part: its heading, pictures and tables."""
    def region(data_of, made):
        if part not in data_of:
            return None
        lines = [tables.heading(data_of[part]), ""]
        for name in pictures:
            lines += picture(name, made)
        for maker in makers:
            if made_lines := maker(data_of[part]):
                lines += [*made_lines, ""]
        return lines[:-1]
    return region


def bare_of_part(part, maker, pictures=()):
    """The same without a heading, below one that has it."""
    def region(data_of, made):
        if part not in data_of:
            return None
        return [line for name in pictures for line in picture(name, made)] + maker(data_of[part])
    return region


PAGES = {   # file: marker: what makes its lines
    "PERFORMANCE.md": {
        "summary": summary,
        "linux goals": of_part("linux", tables.linux_goals),
        "linux loads": bare_of_part("linux", tables.linux_grid, ("linux-cpu", "linux-latency", "linux-broadcast")),
        "linux others": bare_of_part("linux", tables.others_table),
        "peers linux": of_part("peers-linux", tables.peer_ratios, tables.peer_absolutes),
        "wine": of_part("wine", tables.wine_table, tables.wine_own_table, tables.others_table,
                        pictures=("wine-rate",)),
        "peers wine": of_part("peers-wine", tables.peer_ratios, tables.peer_absolutes, pictures=("peers-wine",)),
        "not met": not_met,
    },
    "performance/more.md": {
        "linux trips": bare_of_part("linux", lambda data: tables.trip_table(data["rows"])),
        "wine trips": bare_of_part("wine", lambda data: tables.trip_table(data["rows"])),
        "peers linux figures": bare_of_part("peers-linux", tables.peer_figures),
        "peers wine figures": bare_of_part("peers-wine", tables.peer_figures),
    },
    "../README.md": {"run": readme_run, "figures": readme_figures},
}
