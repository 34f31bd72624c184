# SPDX-License-Identifier: MIT
"""plots - which plots docs/PERFORMANCE.md has, each made from the kept figures of one part (kept.py)."""
import kept
import plot

CONNECTIONS = (1, 64, 255, 1000)
LINUX = ((0, "pipeport epoll", False), (1, "pipeport io_uring", False), (2, "bare epoll", True),
         (3, "bare io_uring", True))
WINE = ((0, "pipeport", False), (2, "bare IOCP", True), (3, "bare IOCP joined", True))
PEER_ROWS = ("64 B, 255 connections, depth 16", "64 B, 255 connections, depth 1", "1 KiB, 255 connections, depth 16",
             "64 KiB, 64 connections, depth 1", "broadcast to 1,000, one at a time",
             "broadcast to 1,000, 100 at a time")


def points(rows, server, key):
    return [kept.quartiles(row["servers"][server][key]) if row is not None and kept.has(row, server, key) else None
            for row in rows]


def series(styles, rows, key):
    each = [(style, dashed, points(rows, server, key)) for style, server, dashed in styles]
    return [(style, dashed, values) for style, dashed, values in each if any(values)]


def named(styles, data):
    return [entry for entry in styles if any(kept.has(row, entry[1]) for row in data["rows"])]


def echoes(data, size, depth):
    found = {row["connections"]: row for row in data["rows"]
             if (row["mode"], row["size"], row["depth"]) == ("echo", size, depth)}
    return [(connections, found[connections]) for connections in CONNECTIONS if connections in found]


def echo_panel(data, styles, depth, how):
    """`how`: key, unit, title."""
    there = echoes(data, 64, depth)
    if not there:
        return None
    return {"title": how[2].format(depth), "unit": how[1], "along": "connections",
            "places": [f"{connections:,}" for connections, _ in there], "logarithmic": how is COST,
            "series": series(styles, [row for _, row in there], how[0])}


def echo_plot(data, styles, texts, how):
    panels = [echo_panel(data, styles, depth, how) for depth in (1, 16)]
    panels = [panel for panel in panels if panel and panel["series"]]
    if not panels:
        return None
    return plot.panels(*texts, named(styles, data), panels)


RATE = ("rate", "messages/s, more is better", "{} in flight on each connection")
COST = ("server_us", "us a message, less is better", "{} in flight on each connection")


def linux_rate(data):
    return echo_plot(data, LINUX, ("Linux: echoes of 64 bytes", "Messages a second by connections, of both drivers "
                                   "and of the bare loops, with 1 and with 16 messages in flight."), RATE)


def linux_cpu(data):
    return echo_plot(data, LINUX, ("Linux: processor time of the server for an echo of 64 bytes", "Processor time a "
                                   "message by connections, with 1 and with 16 messages in flight."), COST)


def linux_broadcast(data):
    panels = []
    for depth, title in ((1, "One broadcast at a time"), (100, "100 broadcasts at a time")):
        rows = [row for row in data["rows"] if (row["mode"], row["depth"]) == ("broadcast", depth)]
        if rows:
            panels.append({"title": title, "unit": "deliveries/s, more is better", "along": "receivers",
                           "places": [f"{row['connections']:,}" for row in rows],
                           "series": series(LINUX, rows, "rate")})
    if not panels:
        return None
    return plot.panels("Linux: broadcasts of 64 bytes", "Deliveries a second to 255 and to 1,000 receivers, one "
                       "broadcast at a time and 100 at a time.", named(LINUX, data), panels, plot.panel_columns)


def latency_panel(data, connections):
    row = dict(echoes(data, 64, 1)).get(connections)
    if row is None:
        return None
    shares = (("p50_us", "p50"), ("p90_us", "p90"), ("p99_us", "p99"), ("p999_us", "p99.9"), ("max_us", "max"))
    shares = [(key, name) for key, name in shares if any(kept.has(row, server, key) for server in row["servers"])]
    each = [(style, dashed, [(points([row], server, key) or [None])[0] for key, _ in shares])
            for style, server, dashed in LINUX]
    return {"title": f"{connections:,} connections, 1 in flight on each", "unit": "us, less is better",
            "along": "percentile", "places": [name for _, name in shares], "logarithmic": True,
            "series": [entry for entry in each if any(entry[2])]}


def linux_latency(data):
    panels = [panel for panel in (latency_panel(data, connections) for connections in (255, 1000))
              if panel and panel["series"]]
    if not panels:
        return None
    return plot.panels("Linux: round trips of 64 bytes", "Median, p90, p99, p99.9 and longest round trip with 255 and "
                       "with 1,000 connections, on a logarithmic scale.", named(LINUX, data), panels)


def wine_rate(data):
    return echo_plot(data, WINE, ("Windows' port under Wine: echoes of 64 bytes", "Messages a second by connections, "
                                  "of pipeport and of the bare loops."), RATE)


def peers(data, system):
    groups = []
    rows = [row for name in PEER_ROWS if (row := kept.row_of(data, name))]
    for row in rows if len(rows) > 1 else data["rows"]:
        bars = [(server, ratio) for server in row["servers"] if not server.startswith(("pipeport", "bare"))
                if (ratio := kept.ratio(row, "pipeport", server))]
        if bars:
            groups.append((row["name"], sorted(bars, key=lambda bar: bar[1][1])))
    if not groups:
        return None
    return plot.ratios(f"{system}: pipeport beside servers on other libraries and schemes", "pipeport's rate divided "
                       "by that of each peer, under each load.", groups, ("pipeport is behind", "pipeport is ahead"))


PLOTS = (   # file, part, what makes it
    ("linux-rate", "linux", linux_rate),
    ("linux-cpu", "linux", linux_cpu),
    ("linux-latency", "linux", linux_latency),
    ("linux-broadcast", "linux", linux_broadcast),
    ("wine-rate", "wine", wine_rate),
    ("peers-linux", "peers-linux", lambda data: peers(data, "Linux")),
    ("peers-wine", "peers-wine", lambda data: peers(data, "Wine")),
)


def make(data_of):
    """Each plot of the parts that there are, by the name of its file."""
    made = {name: draw(data_of[part]) for name, part, draw in PLOTS if part in data_of}
    return {name: canvas for name, canvas in made.items() if canvas is not None}
