"""Lengths of time as people write them: 2h, 90m, 1h30m, 45s, or a number of seconds."""

import re
from math import inf
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from nas.errors import ExperimentError

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_PARTS = re.compile("".join(f"(?:{_NUMBER}{unit})?" for unit in _UNITS))


def parse_duration(text: str) -> float:
    """Return the seconds of a length of time. Raises ExperimentError when it is none, zero or without end."""
    plain = "".join(text.lower().split())
    parts = _PARTS.fullmatch(f"{plain}s" if re.fullmatch(_NUMBER, plain) else plain)
    numbers = parts.groups("0") if parts else ()
    seconds = sum(float(number) * size for number, size in zip(numbers, _UNITS.values(), strict=False))
    if not 0 < seconds < inf:
        raise ExperimentError(f"{text[:40]!r} is not a length of time; write 2h, 90m, 1h30m, 45s or seconds")
    return seconds


def format_duration(seconds: float) -> str:
    """Return a length of time in whole seconds, as `parse_duration` reads it: 5400 -> 1h30m."""
    left, parts = round(seconds), []
    for unit in "hms":
        number, left = divmod(left, _UNITS[unit])
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts) or "0s"


def _seconds(value: Any) -> Any:
    try:
        return parse_duration(value) if isinstance(value, str) else value
    except ExperimentError as problem:
        raise ValueError(str(problem)) from None


Duration = Annotated[float, BeforeValidator(_seconds), Field(gt=0, allow_inf_nan=False)]
"""A setting in seconds that may be written as a length of time."""
