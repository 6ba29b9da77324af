"""Sizes as people write them: 50000, 50k, 1.5M, 2G; of memory also 64KB."""

import re
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator
from pydantic_core import PydanticCustomError

from nas.errors import BudgetError

_FACTORS = {"k": 10**3, "m": 10**6, "g": 10**9}
_BYTES = {"kb": 2**10, "kib": 2**10, "mb": 2**20, "mib": 2**20}


def parse_size(text: str) -> int:
    """Return 50000 for 50k, 1500000 for 1.5M. Raises BudgetError."""
    factor = _FACTORS.get(text[-1:].lower(), 1)
    try:
        value = Decimal(text if factor == 1 else text[:-1]) * factor
        if value != value.to_integral_value() or not 1 <= value <= 2**63:
            raise ValueError
    except (ValueError, ArithmeticError):
        raise BudgetError(f"{text[:40]!r} is not a size; write 50000, 50k, 1.5M or 2G") from None
    return int(value)


def in_bytes(value: Any) -> Any:
    """Return 65536 for "64KB": units of memory are of 1024, as in data sheets. Anything else is returned as it is."""
    if not isinstance(value, str):
        return value
    number = value.rstrip("BbIiKkMm ")
    factor = _BYTES.get(value[len(number) :].strip().lower())
    try:
        size = Decimal(number) * factor if factor else None
    except ArithmeticError:
        return value
    return int(size) if size is not None and size == size.to_integral_value() and 1 <= size <= 2**63 else value


def _count(value: Any) -> Any:
    try:
        return parse_size(value) if isinstance(value, str) else value
    except BudgetError as problem:
        raise ValueError(str(problem)) from None


def as_fraction(value: object) -> float | None:
    """Return a number that is written with a fraction, as 2.5 or "2.5"; None for anything else."""
    text = isinstance(value, str) and re.fullmatch(r"[0-9]+\.[0-9]+", value)
    return float(str(value)) if text or isinstance(value, float) else None


def _limit(value: Any) -> Any:
    """Return a limit as a number, whole or finite with a fraction; of text, as a size or as 2.5."""
    if isinstance(value, str):
        found = as_fraction(value)
        return _count(value) if found is None else found
    if value is None or type(value) is int or (type(value) is float and isfinite(value)):
        return value
    raise PydanticCustomError("int_type", "Input should be a valid number")


Size = Annotated[int | None, BeforeValidator(_count)]
"""A count that may be written as a size, or None."""
Limit = Annotated[int | float | None, PlainValidator(_limit)]
"""A size, a number with a fraction, or None."""
