"""How quantities are named and formatted, everywhere in the report."""

from collections.abc import Mapping
from html import escape
from typing import Any

from nas.errors import one_line, printable
from nas.search.objectives import OBJECTIVES

TIMES = "\N{MULTIPLICATION SIGN}"

NAMES = {"flops": "FLOPs", "seconds": "training time"}  # of what is not an objective
_LARGE = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


def noun(name: str) -> str:
    """Return a quantity as it is called in a sentence: `validation error`."""
    return OBJECTIVES[name].title if name in OBJECTIVES else NAMES.get(name, name)


def axis_title(name: str) -> str:
    """Return an objective as an axis is labeled: `MACs (multiply-accumulates per image)`."""
    return OBJECTIVES[name].summary


def short(value: float) -> str:
    """Return at most three significant digits and a letter: 48,211 -> 48.2 k, 1,500,000 -> 1.5 M."""
    for size, letter in _LARGE:
        if abs(value) >= size * 0.9995:
            return f"{_three(value / size)} {letter}"
    return _three(value)


def _three(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def percent(share: float) -> str:
    """Return a share in whole percent; `<1 %` for one that is small but not zero."""
    return "<1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def quantity(name: str, value: float | None) -> str:
    """Return a quantity with its unit, by the form of its objective: error 0.0193 -> 1.93 %, macs 1720000 -> 1.72 M."""
    if value is None or value != value:
        return "-"
    form = form_of(name)
    if form == "share":
        return f"{value * 100:.2f} %"
    if form == "seconds":
        return f"{value:,.1f} s" if value < 600 else f"{value / 60:,.0f} min"
    if form == "milliseconds":
        return f"{value:.3g} ms"
    if form == "bytes":
        return short(value) + ("B" if value >= 999.5 else " B")
    return short(value)


def full_quantity(name: str, value: float | None) -> str:
    """Return a quantity like `quantity`, but an integer count with all its digits."""
    return f"{value:,}" if form_of(name) == "count" and isinstance(value, int) else quantity(name, value)


def form_of(name: str) -> str:
    """Return how a quantity is formatted: as a count, bytes, a share, seconds or milliseconds."""
    return OBJECTIVES[name].form if name in OBJECTIVES else "seconds" if name == "seconds" else "count"


def plot_format(name: str) -> str:
    """Return the format of an objective's values in a plot, in the notation of d3."""
    form = form_of(name)
    return ".2%" if form == "share" else ".3~s" if OBJECTIVES[name].exact and form != "milliseconds" else ".4~g"


def between(low: float, high: float) -> str:
    """Return an interval of an error."""
    return f"{quantity('error', low)} to {quantity('error', high)}"


def listed(names: list[str]) -> str:
    """Return names in a sentence: `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def escaped(text: str) -> str:
    """Return text of any origin as HTML or SVG that shows it."""
    return escape(printable(text))


def clip(text: Any, length: int = 80) -> str:
    """Return text of any origin on one line, at most `length` characters long."""
    line = one_line(text)
    return line if len(line) <= length else line[: length - 1] + "…"


def counted_runs(counts: Mapping[str, int]) -> str:
    """Return runs with the number of their trials: `runs/old (8 trials)`."""
    return ", ".join([f"{clip(name)} ({count:,} trial{'s' * (count != 1)})" for name, count in counts.items()])
