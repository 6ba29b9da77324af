"""Sizes as people write them: 50000, 50k, 1.5M, 2G."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from nas.errors import BudgetError

_FACTORS = {"k": 10**3, "m": 10**6, "g": 10**9}


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


def _count(value: Any) -> Any:
    try:
        return parse_size(value) if isinstance(value, str) else value
    except BudgetError as problem:
        raise ValueError(str(problem)) from None


Size = Annotated[int | None, BeforeValidator(_count)]
"""A count that may be written as a size, or None."""
