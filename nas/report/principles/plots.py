"""The charts of the page of principles: SVG in the page's colors, as wide as the page, without scripts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import asinh

from nas.report.html.markup import Child, Markup, join, tag

COLORS = ("c1", "c2", "c3", "c4", "c5", "c6")
LINEAR = 3.0  # percent: the axis of effects is nearly linear up to this, and nearly logarithmic above


@dataclass(frozen=True)
class AxisScale:
    """Maps values to percent of the width: nearly linear around zero, logarithmic far from it."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return percent from the left, clipped to the chart."""
        low, high = asinh(self.low / LINEAR), asinh(self.high / LINEAR)
        share = (asinh(value / LINEAR) - low) / (high - low)
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
    """What a row of the forest plot shows: the value to exceed, a mean with its interval, and single values.

    middle, low, high: None where there is no mean, or no interval. known: the effect of a control.
    """

    threshold: float
    middle: float | None = None
    low: float | None = None
    high: float | None = None
    values: tuple[float, ...] = ()
    known: float | None = None

    @property
    def ends(self) -> list[float]:
        """Return every value that the axis must include."""
        ends = (self.middle, self.threshold, self.low, self.high, self.known, *self.values)
        return [end for end in ends if end is not None]


def interval_row(mark: Mark, scale: AxisScale, outcome: str, label: str, height: int = 34) -> Markup:
    """Return a row of the forest plot: lines at zero and at the threshold, the interval, and a tick per value."""
    shapes = [
        [_upright("grid", scale.at(tick)) for tick in scale.ticks],
        _upright("zero", scale.at(0.0)),
        _upright("threshold", scale.at(mark.threshold)),
        [_upright("value", scale.at(value), "66%", "94%") for value in mark.values],
        _interval(mark, scale),
        _dot(mark, scale),
        _symbol("known-mark", "M-5 -5H5V5H-5Z", mark.known, scale),
    ]
    return tag("svg", shapes, class_=f"interval {outcome}", role="img", aria_label=label, height=height, width="100%")


def _upright(name: str, at: float, top: str = "0", bottom: str = "100%") -> Markup:
    return tag("line", class_=name, x1=f"{at}%", x2=f"{at}%", y1=top, y2=bottom)


def _interval(mark: Mark, scale: AxisScale) -> Child:
    if mark.low is None or mark.high is None:
        return None
    return tag("line", class_="span", x1=f"{scale.at(mark.low)}%", x2=f"{scale.at(mark.high)}%", y1="36%", y2="36%")


def _dot(mark: Mark, scale: AxisScale) -> Child:
    return None if mark.middle is None else tag("circle", class_="dot", cx=f"{scale.at(mark.middle)}%", cy="36%", r="5")


def _symbol(name: str, path: str, value: float | None, scale: AxisScale) -> Child:
    if value is None:
        return None
    return tag("svg", tag("path", d=path, class_=name), x=f"{scale.at(value)}%", y="36%", overflow="visible")


def axis_ticks(scale: AxisScale) -> Markup:
    """Return the tick labels of the forest plot."""
    labels = [tag("text", f"{tick:+g}" if tick else "0", x=f"{scale.at(tick)}%", y="12") for tick in scale.ticks]
    return tag("svg", labels, class_="axis", height="18", width="100%", aria_hidden="true")


@dataclass(frozen=True)
class Series:
    """A named line."""

    name: str
    line: Sequence[tuple[float, float]]


def line_chart(series: Sequence[Series], label: str, x_name: str, y_name: str) -> Markup:
    """Return lines in one chart, with the ranges of both axes in words."""
    xs, ys = ([point[axis] for each in series for point in each.line] for axis in (0, 1))
    box = min(xs), max(xs), min(ys), max(ys)
    colored = list(zip(series, COLORS, strict=False))
    lines = [tag("polyline", points=_points(each, box), class_=f"line {color}") for each, color in colored]
    chart = tag("svg", lines, class_="lines", role="img", aria_label=label, viewBox="0 0 100 100",
                  preserveAspectRatio="none")  # fmt: skip
    keys = [tag("li", tag("span", class_=f"key {color}"), each.name) for each, color in colored]
    low, high = (f"{value:.{0 if max(ys) - min(ys) > 3 else 2}f}" for value in (min(ys), max(ys)))
    return tag("div", tag("p", f"{y_name}: {low} to {high}", class_="ends"), chart,
               tag("p", f"{x_name}: {min(xs):.4g} to {max(xs):.4g}", class_="ends"), tag("ul", keys, class_="keys"),
               class_="chart")  # fmt: skip


def _points(series: Series, box: tuple[float, float, float, float]) -> str:
    left, right, bottom, top = box
    wide, high = (right - left) or 1.0, (top - bottom) or 1.0
    return " ".join(f"{98 * (x - left) / wide + 1:.2f},{99 - 98 * (y - bottom) / high:.2f}" for x, y in series.line)


def legend(entries: Sequence[tuple[Mark, str]]) -> Markup:
    """Return what the marks of the forest plot mean, each drawn by itself."""
    scale = AxisScale(-2.0, 2.0)
    drawn = [(tag("span", interval_row(mark, scale, "holds", text), class_="sample"), text) for mark, text in entries]
    return tag("ul", [tag("li", join(each)) for each in drawn], class_="legend")


def format_probability(value: float) -> str:
    """Return a probability with two digits, or `< 0.0001`."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}" if value >= 1e-4 else "< 0.0001"
