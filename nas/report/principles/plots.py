"""The charts of the page of principles: SVG in the page's colors, as wide as the page, without scripts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import asinh

from nas.report.html.markup import Child, Markup, join, tag

COLORS = ("c1", "c2", "c3", "c4", "c5", "c6")
LINEAR_POINTS = 1.0  # the axis of effects is nearly linear up to this, and nearly logarithmic above


@dataclass(frozen=True)
class AxisScale:
    """Maps values to percent of the width: nearly linear around zero, logarithmic far from it."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return percent from the left, clipped to the chart."""
        low, high = asinh(self.low / LINEAR_POINTS), asinh(self.high / LINEAR_POINTS)
        share = (asinh(value / LINEAR_POINTS) - low) / (high - low)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    @property
    def ticks(self) -> list[float]:
        """Return round values within the axis."""
        ticks = [0.0, *(sign * size * 10**power for power in range(3) for size in (1, 3) for sign in (1, -1))]
        return sorted(tick for tick in ticks if self.low < tick < self.high)


def axis_scale(values: Iterable[float]) -> AxisScale:
    """Return a scale that includes all values, and zero."""
    known = [0.0, *values]
    return AxisScale(min(known) * 1.1 - 0.3, max(known) * 1.1 + 0.3)


@dataclass(frozen=True)
class Mark:
    """An interval on the axis of effects: its middle, its ends, the value to exceed, and the paper's effect."""

    middle: float
    low: float
    high: float
    null: float
    paper: float | None = None


def interval_row(mark: Mark, scale: AxisScale, outcome: str, label: str) -> Markup:
    """Return one row of the forest plot: the interval, a dashed line at the null, a diamond at the paper's effect."""
    middle, low, high, null = (f"{scale.at(value)}%" for value in (mark.middle, mark.low, mark.high, mark.null))
    parts = [_grid(scale), tag("line", class_="null", x1=null, x2=null, y1="0", y2="100%"),
             tag("line", class_="span", x1=low, x2=high, y1="50%", y2="50%"),
             tag("circle", class_="dot", cx=middle, cy="50%", r="5")]  # fmt: skip
    if mark.paper is not None:
        diamond = tag("path", d="M0 -5L5 0L0 5L-5 0Z", class_="paper-mark")
        parts.append(tag("svg", diamond, x=f"{scale.at(mark.paper)}%", y="50%", overflow="visible"))
    return tag("svg", parts, class_=f"interval {outcome}", role="img", aria_label=label, height="30", width="100%")


def _grid(scale: AxisScale) -> Markup:
    positions = [f"{scale.at(tick)}%" for tick in scale.ticks]
    return join([tag("line", class_="grid", x1=x, x2=x, y1="0", y2="100%") for x in positions])


def axis_ticks(scale: AxisScale) -> Markup:
    """Return the tick labels of the forest plot."""
    labels = [tag("text", f"{tick:+g}" if tick else "0", x=f"{scale.at(tick)}%", y="12") for tick in scale.ticks]
    return tag("svg", labels, class_="axis", height="18", width="100%", aria_hidden="true")


Line = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Series:
    """A named line, and the two edges of the band around it if it has one."""

    name: str
    line: Line
    band: tuple[Line, Line] | None = None


def line_chart(series: Sequence[Series], label: str, x_name: str, y_name: str) -> Markup:
    """Return lines in one chart, with the ranges of both axes in words."""
    points = [point for each in series for edge in (each.line, *(each.band or ())) for point in edge]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    box = min(xs), max(xs), min(ys), max(ys)
    shapes = [_shapes(each, color, box) for each, color in zip(series, COLORS, strict=False)]
    chart = tag("svg", shapes, class_="lines", role="img", aria_label=label, viewBox="0 0 100 100",
                  preserveAspectRatio="none")  # fmt: skip
    keys = [tag("li", tag("span", class_=f"key {color}"), each.name)
            for each, color in zip(series, COLORS, strict=False)]  # fmt: skip
    low, high = (f"{value:.{0 if max(ys) - min(ys) > 3 else 2}f}" for value in (min(ys), max(ys)))
    return tag("div", tag("p", f"{y_name}: {low} to {high}", class_="ends"), chart,
               tag("p", f"{x_name}: {min(xs):.4g} to {max(xs):.4g}", class_="ends"), tag("ul", keys, class_="keys"),
               class_="chart")  # fmt: skip


def _shapes(series: Series, color: str, box: tuple[float, float, float, float]) -> Child:
    band = [*series.band[0], *reversed(series.band[1])] if series.band else []
    return [
        tag("polygon", points=_points(band, box), class_=f"band {color}") if band else None,
        tag("polyline", points=_points(series.line, box), class_=f"line {color}"),
    ]


def _points(line: Line, box: tuple[float, float, float, float]) -> str:
    left, right, bottom, top = box
    wide, high = (right - left) or 1.0, (top - bottom) or 1.0
    return " ".join(f"{98 * (x - left) / wide + 1:.2f},{99 - 98 * (y - bottom) / high:.2f}" for x, y in line)


def empirical_distribution(values: Sequence[float], half: float, edges: tuple[float, float]) -> Series:
    """Return an empirical distribution as a step line between `edges`, with a band of `half` height on each side."""
    ordered = sorted(values)
    line: list[tuple[float, float]] = [(edges[0], 0.0)]
    for rank, value in enumerate(ordered):
        line += [(value, rank / len(ordered)), (value, (rank + 1) / len(ordered))]
    line.append((edges[1], 1.0))
    low = [(x, max(0.0, y - half)) for x, y in line]
    high = [(x, min(1.0, y + half)) for x, y in line]
    return Series("", line, (low, high))


def format_probability(value: float) -> str:
    """Return a probability with two digits, or `< 0.0001`."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}" if value >= 1e-4 else "< 0.0001"
