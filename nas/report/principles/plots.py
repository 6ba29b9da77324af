"""The pictures on the page of principles: plain SVG in the page's colours, as wide as there is room, no script."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import asinh

from nas.report.html.markup import Child, Markup, join, tag

COLOURS = ("c1", "c2", "c3", "c4", "c5", "c6")
SHARP = 1.0  # points up to which the axis of effects is nearly even; beyond it is nearly logarithmic


@dataclass(frozen=True)
class Scale:
    """From values to percent of the width, even near zero and logarithmic far from it."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Percent from the left, within the picture."""
        low, high = asinh(self.low / SHARP), asinh(self.high / SHARP)
        share = (asinh(value / SHARP) - low) / (high - low)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    @property
    def ticks(self) -> list[float]:
        """Round values within the scale."""
        steps = [0.0, *(sign * size * 10**power for power in range(3) for size in (1, 3) for sign in (1, -1))]
        return sorted(step for step in steps if self.low < step < self.high)


def scale(values: Iterable[float]) -> Scale:
    """A scale that holds all values, and zero."""
    known = [0.0, *values]
    return Scale(min(known) * 1.1 - 0.3, max(known) * 1.1 + 0.3)


@dataclass(frozen=True)
class Mark:
    """An interval on the scale of effects: its middle, its ends, what it must exceed, and the paper's own value."""

    middle: float
    low: float
    high: float
    null: float
    paper: float | None = None


def interval(mark: Mark, on: Scale, word: str, label: str) -> Markup:
    """One row of the forest: the interval, a dashed line at the null, a diamond at the paper's effect."""
    middle, low, high, null = (f"{on.at(value)}%" for value in (mark.middle, mark.low, mark.high, mark.null))
    parts = [_grid(on), tag("line", class_="null", x1=null, x2=null, y1="0", y2="100%"),
             tag("line", class_="span", x1=low, x2=high, y1="50%", y2="50%"),
             tag("circle", class_="dot", cx=middle, cy="50%", r="5")]  # fmt: skip
    if mark.paper is not None:
        diamond = tag("path", d="M0 -5L5 0L0 5L-5 0Z", class_="paper-mark")
        parts.append(tag("svg", diamond, x=f"{on.at(mark.paper)}%", y="50%", overflow="visible"))
    return tag("svg", parts, class_=f"interval {word}", role="img", aria_label=label, height="30", width="100%")


def _grid(on: Scale) -> Markup:
    return join([tag("line", class_="grid", x1=f"{on.at(t)}%", x2=f"{on.at(t)}%", y1="0", y2="100%") for t in on.ticks])


def axis(on: Scale) -> Markup:
    """The ticks of the forest."""
    said = [tag("text", f"{tick:+g}" if tick else "0", x=f"{on.at(tick)}%", y="12") for tick in on.ticks]
    return tag("svg", said, class_="axis", height="18", width="100%", aria_hidden="true")


Line = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Series:
    """A named line, and the two edges of the band around it where there is one."""

    name: str
    line: Line
    band: tuple[Line, Line] | None = None


def lines(series: Sequence[Series], label: str, across: str, up: str) -> Markup:
    """Lines over each other, the ends of both axes in words."""
    points = [point for each in series for edge in (each.line, *(each.band or ())) for point in edge]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    box = min(xs), max(xs), min(ys), max(ys)
    drawn = [_drawn(each, colour, box) for each, colour in zip(series, COLOURS, strict=False)]
    picture = tag("svg", drawn, class_="lines", role="img", aria_label=label, viewBox="0 0 100 100",
                  preserveAspectRatio="none")  # fmt: skip
    keys = [tag("li", tag("span", class_=f"key {colour}"), each.name)
            for each, colour in zip(series, COLOURS, strict=False)]  # fmt: skip
    low, high = (f"{value:.{0 if max(ys) - min(ys) > 3 else 2}f}" for value in (min(ys), max(ys)))
    return tag("div", tag("p", f"{up}: {low} to {high}", class_="ends"), picture,
               tag("p", f"{across}: {min(xs):.4g} to {max(xs):.4g}", class_="ends"), tag("ul", keys, class_="keys"),
               class_="chart")  # fmt: skip


def _drawn(series: Series, colour: str, box: tuple[float, float, float, float]) -> Child:
    band = [*series.band[0], *reversed(series.band[1])] if series.band else []
    return [
        tag("polygon", points=_points(band, box), class_=f"band {colour}") if band else None,
        tag("polyline", points=_points(series.line, box), class_=f"line {colour}"),
    ]


def _points(line: Line, box: tuple[float, float, float, float]) -> str:
    left, right, bottom, top = box
    wide, high = (right - left) or 1.0, (top - bottom) or 1.0
    return " ".join(f"{98 * (x - left) / wide + 1:.2f},{99 - 98 * (y - bottom) / high:.2f}" for x, y in line)


def steps(values: Sequence[float], half: float, edge: tuple[float, float]) -> Series:
    """An empirical distribution as a step line between the edges, with a band of `half` its height either way."""
    ordered = sorted(values)
    line: list[tuple[float, float]] = [(edge[0], 0.0)]
    for rank, value in enumerate(ordered):
        line += [(value, rank / len(ordered)), (value, (rank + 1) / len(ordered))]
    line.append((edge[1], 1.0))
    low = [(x, max(0.0, y - half)) for x, y in line]
    high = [(x, min(1.0, y + half)) for x, y in line]
    return Series("", line, (low, high))


def rounded(value: float) -> str:
    """A probability as a reader needs it."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}" if value >= 1e-4 else "< 0.0001"
