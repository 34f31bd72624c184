# SPDX-License-Identifier: MIT
"""plot - lines, columns and bars as SVG that needs nothing else, legible on light and on dark pages.

A page shows such a file as an image, where no style of the page reaches it: so it brings its own paper, and its colours
follow the reader's preference. Series differ by the form of their marks too. A canvas remembers where it wrote:
faults() tells of text that overlaps other text or is cut off, as far as widths can be estimated.
"""
import math
from xml.sax.saxutils import escape, quoteattr

STYLE = """
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#1f2328}
.soft{fill:#59636e}.paper{fill:#ffffff}.grid{stroke:#d1d9e0;stroke-width:1}.axis{stroke:#818b98;stroke-width:1}
.even{stroke:#1f2328;stroke-width:1.5}.line{fill:none;stroke-width:2}.dashed{stroke-dasharray:6 4}
.halo{stroke:#ffffff;stroke-width:3;paint-order:stroke}
.whisker{fill:none;stroke-width:1.5}.over{stroke:#1f2328;stroke-width:1.2}.bold{font-weight:600}
.s0{stroke:#0969da}.f0{fill:#0969da}.s1{stroke:#bc4c00}.f1{fill:#bc4c00}.s2{stroke:#6e7781}.f2{fill:#6e7781}
.s3{stroke:#1a7f37}.f3{fill:#1a7f37}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}.soft{fill:#9198a1}.paper{fill:#0d1117}.grid{stroke:#2f3742}.axis{stroke:#656c76}
.halo{stroke:#0d1117}.even{stroke:#f0f6fc}.over{stroke:#f0f6fc}
.s0{stroke:#58a6ff}.f0{fill:#58a6ff}.s1{stroke:#f0883e}.f1{fill:#f0883e}.s2{stroke:#8b949e}.f2{fill:#8b949e}
.s3{stroke:#3fb950}.f3{fill:#3fb950}}
"""
STYLES = 4
LEFT, RIGHT = 58, 14   # of a panel, where its numbers stand, and what its last point needs


def width_of(words, size):
    """About what a text takes in the fonts above; rather too much."""
    return size * sum(0.32 if letter in " .,:;'|()il1I-" else 0.86 if letter in "mwMW%" else 0.58 for letter in words)


def number(value):
    if not math.isfinite(value):
        raise ValueError(f"no place for {value}")
    return f"{value:.1f}".rstrip("0").rstrip(".")


def figure(value):
    """Three digits at most, without zeros that say nothing."""
    for bound, unit in ((1e6, "M"), (1e4, "K")):
        if value >= 0.9995 * bound:
            return f"{value / (1e3 if unit == 'K' else 1e6):.3g}{unit}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class Canvas:
    def __init__(self, width, title, description):
        self.width, self.height, self.title, self.description = width, 0, title, description
        self.marks, self.boxes = [], []

    def add(self, mark):
        self.marks.append(mark)

    def text(self, place, words, look="", anchor="start", size=13):
        """`place` is the base line's begin, middle or end, as the anchor says."""
        x, y = place
        wide = width_of(words, size)
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
        self.boxes.append((left, y - 0.8 * size, left + wide, y + 0.22 * size, words))
        self.add(f'<text x="{number(x)}" y="{number(y)}" font-size="{size}" text-anchor="{anchor}" '
                 f'class={quoteattr(look)}>{escape(words)}</text>')

    def line(self, begin, end, look):
        self.add(f'<line x1="{number(begin[0])}" y1="{number(begin[1])}" x2="{number(end[0])}" y2="{number(end[1])}" '
                 f'class={quoteattr(look)}/>')

    def box(self, corner, size, look):
        self.add(f'<rect x="{number(corner[0])}" y="{number(corner[1])}" width="{number(size[0])}" '
                 f'height="{number(size[1])}" class={quoteattr(look)}/>')

    def path(self, points, look):
        self.add(f'<polyline points="{" ".join(f"{number(x)},{number(y)}" for x, y in points)}" '
                 f'class={quoteattr(look)}/>')

    def mark(self, place, style):
        """Each style has its own form."""
        x, y = place
        forms = (((-4, -4), (4, -4), (4, 4), (-4, 4)), ((0, -5.5), (5, 4), (-5, 4)), (),
                 ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)))
        if forms[style]:
            corners = " ".join(f"{number(x + dx)},{number(y + dy)}" for dx, dy in forms[style])
            self.add(f'<polygon points="{corners}" class="f{style}"/>')
        else:
            self.add(f'<circle cx="{number(x)}" cy="{number(y)}" r="4.2" class="f{style}"/>')

    def faults(self):
        found = [f"cut off: {words}" for left, top, right, bottom, words in self.boxes
                 if left < 0 or top < 0 or right > self.width or bottom > self.height]
        for i, one in enumerate(self.boxes):
            for other in self.boxes[i + 1:]:
                if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]:
                    found.append(f"overlap: {one[4]} and {other[4]}")
        return found

    def svg(self):
        size = f'width="{number(self.width)}" height="{number(self.height)}"'
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {number(self.width)} {number(self.height)}" '
            'role="img">', "<!-- SPDX-License-Identifier: MIT; made by bench/compare from the figures beside it -->",
            f"<title>{escape(self.title)}</title>", f"<desc>{escape(self.description)}</desc>",
            f"<style>{STYLE}</style>", f'<rect {size} class="paper"/>', *self.marks, "</svg>", ""])


def legend(canvas, y, series, columns=False):
    """One line, or more where they do not fit; the y below it."""
    x = 16
    for style, name, dashed in series:
        wide = 34 + width_of(name, 13) + 18
        if x + wide > canvas.width and x > 16:
            x, y = 16, y + 20
        if columns:
            canvas.box((x + 6, y - 10), (12, 12), f"f{style}")
        else:
            canvas.line((x, y - 4), (x + 26, y - 4), f"line s{style}{' dashed' if dashed else ''}")
            canvas.mark((x + 13, y - 4), style)
        canvas.text((x + 32, y), name)
        x += wide
    return y + 14


def steps(top, wanted=5):
    """Round numbers from 0 up to the first that is no less than top."""
    raw = top / wanted
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw * 0.999)
    return [step * i for i in range(math.ceil(top / step * 0.999) + 1)]


def decades(low, high):
    """1, 10, 100 ... around what is shown; 2 and 5 besides where it is little."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    factors = (1,) if last - first > 3 else (1, 2, 5)
    marks = [factor * 10.0 ** power for power in range(first, last + 1) for factor in factors]
    begin = max((mark for mark in marks if mark <= low * 1.001), default=marks[0])
    end = min((mark for mark in marks if mark >= high * 0.999), default=marks[-1])
    return [mark for mark in marks if begin <= mark <= end] if end > begin else [begin, begin * 10]


class Scale:
    """Values to the pixels of an axis."""

    def __init__(self, ticks, begin, end, logarithmic):
        self.ticks, self.begin, self.end, self.logarithmic = ticks, begin, end, logarithmic

    def place(self, value):
        of = math.log if self.logarithmic else float
        low, high = of(self.ticks[0]), of(self.ticks[-1])
        value = max(value, self.ticks[0]) if self.logarithmic else value
        return self.begin + (of(value) - low) / (high - low) * (self.end - self.begin)


def value_axis(canvas, frame, values, name, logarithmic):
    """Grid, numbers and the name above them; the scale."""
    x, y, width, height = frame
    ticks = decades(min(values), max(values)) if logarithmic else steps(max(values))
    scale = Scale(ticks, y + height, y, logarithmic)
    for tick in ticks:
        canvas.line((x + LEFT, scale.place(tick)), (x + width - RIGHT, scale.place(tick)),
                    "grid" if tick != ticks[0] else "axis")
        canvas.text((x + LEFT - 7, scale.place(tick) + 4), figure(tick), "soft", "end", 12)
    canvas.text((x, y - 14), name, "soft", size=12)
    return scale


def panel_lines(canvas, frame, panel):
    """`panel`: title, unit, places (names along x), along (what they are), logarithmic, series: style, dashed and for
    each place quartile, median, quartile, or None."""
    x, y, width, height = frame
    values = [value for _, _, points in panel["series"] for point in points if point for value in point if value > 0]
    canvas.text((x, y - 34), panel["title"], "bold", size=14)
    scale = value_axis(canvas, frame, values, panel["unit"], panel.get("logarithmic", False))
    inner = width - LEFT - RIGHT
    spots = [x + LEFT + inner * (i + 0.5) / len(panel["places"]) for i in range(len(panel["places"]))]
    for spot, name in zip(spots, panel["places"]):
        canvas.line((spot, y + height), (spot, y + height + 5), "axis")
        canvas.text((spot, y + height + 20), name, "soft", "middle", 12)
    canvas.text((x + LEFT + inner / 2, y + height + 39), panel["along"], "soft", "middle", 12)
    for turn, (style, dashed, points) in enumerate(panel["series"]):
        aside = (turn - (len(panel["series"]) - 1) / 2) * 5   # so that marks at one place do not hide each other
        there = [(spot + aside, point) for spot, point in zip(spots, points) if point]
        canvas.path([(spot, scale.place(point[1])) for spot, point in there],
                    f"line s{style}{' dashed' if dashed else ''}")
        for spot, (low, middle, high) in there:
            canvas.line((spot, scale.place(low)), (spot, scale.place(high)), f"whisker s{style}")
            canvas.mark((spot, scale.place(middle)), style)


def panel_columns(canvas, frame, panel):
    """The same as columns, from 0, with their figure above."""
    x, y, width, height = frame
    values = [point[2] for _, _, points in panel["series"] for point in points if point]
    canvas.text((x, y - 34), panel["title"], "bold", size=14)
    scale = value_axis(canvas, frame, [value * 1.06 for value in values], panel["unit"], False)
    inner = width - LEFT - RIGHT
    group = inner / len(panel["places"])
    wide = group * 0.86 / len(panel["series"])
    for i, name in enumerate(panel["places"]):
        begin = x + LEFT + group * (i + 0.07)
        canvas.text((begin + group * 0.43, y + height + 20), name, "soft", "middle", 12)
        for turn, (style, _, points) in enumerate(panel["series"]):
            if points[i]:
                low, middle, high = points[i]
                left, top = begin + wide * turn, scale.place(middle)
                canvas.box((left + 2, top), (wide - 4, y + height - top), f"f{style}")
                canvas.line((left + wide / 2, scale.place(low)), (left + wide / 2, scale.place(high)), "over")
                canvas.text((left + wide / 2, min(top, scale.place(high)) - 5), figure(middle), "halo", "middle", 11)
    canvas.text((x + LEFT + inner / 2, y + height + 39), panel["along"], "soft", "middle", 12)


def panels(title, description, names, each, draw=panel_lines):
    """A row of panels under one legend. `names`: style, name, dashed."""
    canvas = Canvas(860, title, description)
    canvas.text((16, 28), title, "bold", size=16)
    top = legend(canvas, 54, names, draw is panel_columns) + 50
    width = (canvas.width - 32 - 20 * (len(each) - 1)) / len(each)
    for i, panel in enumerate(each):
        draw(canvas, (16 + i * (width + 20), top, width, 230), panel)
    canvas.height = top + 230 + 52
    return canvas


def ratios(title, description, groups, words):
    """Bars from 1: to the right where pipeport is ahead, to the left where it is behind. `groups`: name and bars, each
    a name with quartile, median, quartile; `words`: what stands left and right of 1."""
    canvas = Canvas(860, title, description)
    canvas.text((16, 28), title, "bold", size=16)
    values = [value for _, bars in groups for _, ratio in bars for value in ratio]
    low, high = (math.floor(math.log2(min(*values, 1))), math.ceil(math.log2(max(*values, 1))))
    ticks = [2.0 ** power for power in range(min(low, -1), max(high, 1) + 1)]
    scale = Scale(ticks, 190, canvas.width - 74, True)
    heights = [30 + 21 * len(bars) for _, bars in groups]
    top = 72
    bottom = top + sum(heights) + 4
    for tick in ticks:
        x = scale.place(tick)
        canvas.text((x, bottom + 18), f"{tick:g}x", "soft", "middle", 12)
    one = scale.place(1)
    canvas.box((16, 44), (12, 12), "f0")
    canvas.text((34, 55), words[1])
    canvas.box((48 + width_of(words[1], 13), 44), (12, 12), "f1")
    canvas.text((66 + width_of(words[1], 13), 55), words[0])
    y = top
    for (name, bars), height in zip(groups, heights):
        canvas.text((16, y + 18), name, "bold", size=13)
        for tick in ticks:   # not through the name
            canvas.line((scale.place(tick), y + 26), (scale.place(tick), y + height),
                        "grid" if tick != 1 else "even")
        for i, (server, (below, middle, above)) in enumerate(bars):
            at = y + 28 + 21 * i
            end = scale.place(middle)
            canvas.text((182, at + 12), server, "", "end")
            canvas.box((min(one, end), at), (max(abs(end - one), 1), 15), "f0" if middle >= 1 else "f1")
            canvas.line((scale.place(below), at + 7.5), (scale.place(above), at + 7.5), "over")
            shown = f"{middle:.2f}x" if middle < 9.995 else f"{middle:.0f}x"
            canvas.text((max(scale.place(above), one) + 8, at + 12), shown, "halo", size=12)
        y += height
    canvas.text(((190 + canvas.width - 74) / 2, bottom + 40), "pipeport's rate divided by that server's, each step "
                "twice the last; the thin line spans the middle half of the rounds", "soft", "middle", 12)
    canvas.height = bottom + 54
    return canvas
