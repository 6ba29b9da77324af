"""How quantities are called and written, everywhere in the report."""

from typing import Any

TIMES = "\N{MULTIPLICATION SIGN}"

NAMES = {
    "error": "validation error",
    "loss": "validation loss",
    "params": "parameters",
    "macs": "MACs",
    "flops": "FLOPs",
    "activations": "activations",
    "peak_bytes": "peak memory",
    "depth": "depth",
    "seconds": "training time",
}
UNITS = {
    "error": "%",
    "loss": "nats",
    "macs": "multiply-accumulates an image",
    "flops": "2 x MACs, an image",
    "activations": "elements an image",
    "peak_bytes": "bytes an image, float32",
    "depth": "weighted layers",
    "seconds": "s",
}
_LARGE = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


def title(name: str) -> str:
    """A quantity as an axis calls it: `validation error (%)`."""
    unit = UNITS.get(name)
    return f"{NAMES.get(name, name)} ({unit})" if unit else NAMES.get(name, name)


def short(value: float) -> str:
    """At most three significant digits and a letter: 48,211 -> 48.2 k, 1,500,000 -> 1.5 M."""
    for size, letter in _LARGE:
        if abs(value) >= size * 0.9995:
            return f"{_three(value / size)} {letter}"
    return _three(value)


def _three(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def percent(share: float) -> str:
    """A share in whole per cent; never 0 % of something that is there."""
    return "<1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def quantity(name: str, value: float | None) -> str:
    """A quantity with its unit: error 0.0193 -> 1.93 %, macs 1720000 -> 1.72 M."""
    if value is None or value != value:
        return "-"
    if name in ("error", "share"):
        return f"{value * 100:.2f} %" if name == "error" else percent(value)
    if name == "loss":
        return f"{value:.4f}"
    if name == "seconds":
        return f"{value:,.1f} s" if value < 600 else f"{value / 60:,.0f} min"
    if name == "peak_bytes":
        return short(value) + ("B" if value >= 999.5 else " B")
    return short(value)


def between(low: float, high: float) -> str:
    """An interval of an error."""
    return f"{quantity('error', low)} to {quantity('error', high)}"


def clip(text: Any, most: int = 80) -> str:
    """Text of any origin on one line and at most `most` characters long."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
