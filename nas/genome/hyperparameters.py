"""The kinds of hyperparameter that an op may have, each with its legal range.

An op declares its fields by annotations (`width: Width`). The check at construction, the strict reading of genome
JSON and the random legal values of the contract tests are derived from the annotation alone. Bounds are generous for
networks, and small enough that a genome cannot expand without end.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from reprlib import Repr
from typing import Annotated, Any, Literal, Union, get_args, get_origin


@dataclass(frozen=True)
class Limits:
    """Inclusive bounds of every number in a field."""

    low: float
    high: float


Width = Annotated[int, Limits(1, 65_536)]  # channels or features
Count = Annotated[int, Limits(1, 256)]  # a number of repetitions
Window = Annotated[int | tuple[int, int], Limits(1, 64)]  # kernel or stride: one side, or (rows, columns)
Padding = Annotated[int | tuple[int, int], Limits(0, 64)]
Rate = Annotated[float, Limits(0.0, 1.0)]
Ratio = Annotated[float, Limits(0.125, 32.0)]  # channels per channel
Positive = Annotated[float, Limits(1e-12, 1e6)]
Extents = Annotated[tuple[int, ...], Limits(1, 65_536)]  # a shape

Check = Callable[[Any], Any]  # value -> canonical value; raises ValueError with what was expected


def _number(kind: type, limits: Limits) -> Check:
    article = "a whole number" if kind is int else "a number"
    expected = f"{article} from {limits.low:,} to {limits.high:,}"

    allowed = (int, kind)  # a whole number is also a number; True is neither

    def check(value: Any) -> Any:
        if type(value) not in allowed or not limits.low <= value <= limits.high:
            raise ValueError(expected)
        return kind(value)

    return check


def _choice(options: tuple[Any, ...]) -> Check:
    def check(value: Any) -> Any:
        for option in options:
            if type(value) is type(option) and value == option:
                return option
        raise ValueError("one of " + ", ".join(map(repr, options)))

    return check


def _sequence(items: tuple[Any, ...], limits: Limits) -> Check:
    each = compile_check(items[0], limits)
    length = None if items[-1] is Ellipsis else len(items)

    def check(value: Any) -> Any:
        if not isinstance(value, list | tuple) or (length is not None and len(value) != length):
            raise ValueError(f"a list of {length or 'values'}")
        if len(value) > 4_096:
            raise ValueError("a list of at most 4,096")
        canonical = tuple(each(item) for item in value)
        # (3, 3) and 3 are the same kernel: keep the number, so that equal networks have equal fields.
        return canonical[0] if length == 2 and canonical[0] == canonical[1] else canonical

    return check


def _either(options: tuple[Any, ...], limits: Limits) -> Check:
    checks = [compile_check(option, limits) for option in options]
    optional = type(None) in options

    def check(value: Any) -> Any:
        if value is None and optional:
            return None  # the usual value of an optional field; raising is slow
        expected = []
        for attempt in checks:
            try:
                return attempt(value)
            except ValueError as problem:
                expected.append(str(problem))
        raise ValueError(", or ".join(expected))

    return check


def compile_check(kind: Any, limits: Limits = Limits(-(2**63), 2**63)) -> Check:
    """Return the check of one annotation. Raises TypeError for an annotation that is not a kind of hyperparameter."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = [extra for extra in arguments[1:] if isinstance(extra, Limits)]
        return compile_check(arguments[0], bounds[0] if bounds else limits)
    if origin in (Union, types.UnionType):
        return _either(arguments, limits)
    if origin is tuple:
        return _sequence(arguments, limits)
    if origin is Literal:
        return _choice(arguments)
    if kind in (int, float):
        return _number(kind, limits)
    if kind is bool:
        return _choice((False, True))
    if kind is type(None):
        return _choice((None,))
    raise TypeError(f"a hyperparameter cannot be annotated {kind!r}")


def short_repr(value: Any) -> str:
    """Return an untrusted value for an error message: short and on one line, however large or deep it is."""
    if type(value) is int and value.bit_length() > 200:
        return f"a whole number of {value.bit_length():,} bits"
    text = _short.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_short = Repr()
