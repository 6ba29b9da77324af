"""The hyperparameters of an op for its documentation, read from its annotations."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from nas.genome.field_meanings import MEANINGS
from nas.genome.graph import Op
from nas.genome.hyperparameters import Limits

PAIR = "; a pair is (rows, columns)"


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter of an op.

    type: as Python spells it. default: None as well where one is required. min, max: of every number in it; None
    where there is no limit. choices: the values that it may have; None where it is not one of a list.
    """

    name: str
    meaning: str
    type: str
    required: bool
    default: Any
    min: float | None
    max: float | None
    choices: tuple[Any, ...] | None

    @property
    def allowed(self) -> str:
        """The legal values in words; empty where there is no limit."""
        if self.choices:
            return "one of " + ", ".join(map(repr, self.choices))
        return "" if self.min is None or self.max is None else f"{_number(self.min)} to {_number(self.max)}"

    def __str__(self) -> str:
        default = "required" if self.required else f"default {self.default!r}"
        return f"{self.name}: " + ", ".join(filter(None, [self.type, default, self.allowed]))


def hyperparameters(op: type[Op]) -> list[Hyperparameter]:
    """Return the hyperparameters of an op class, in order; the meaning of an unknown name is empty."""
    hints = get_type_hints(op, include_extras=True)
    return [_describe(op, spec.name, hints[spec.name], spec.default) for spec in fields(op) if spec.init]


def _describe(op: type[Op], name: str, kind: Any, default: Any) -> Hyperparameter:
    parts = list(_parts(kind))
    limits = next((part for part in parts if isinstance(part, Limits)), None)
    choices = next((get_args(part) for part in parts if get_origin(part) is Literal), None)
    meaning = MEANINGS.get(f"{op.__name__}.{name}", MEANINGS.get(name, ""))
    spelled = _type(kind)
    return Hyperparameter(
        name,
        meaning + (PAIR if meaning and spelled.startswith("int | tuple[int, int]") else ""),
        spelled,
        default is MISSING,
        None if default is MISSING else default,
        limits.low if limits else None,
        limits.high if limits else None,
        (False, True) if kind is bool else choices,
    )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _parts(kind: Any) -> Iterator[Any]:
    """Yield an annotation and all that it is made of."""
    yield kind
    for part in get_args(kind) if get_origin(kind) is not Literal else ():
        yield from _parts(part)


def _type(kind: Any) -> str:
    """Return an annotation as Python spells it, without limits and choices."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return " | ".join(dict.fromkeys(type(option).__name__ for option in arguments))
    if origin is tuple:
        return f"tuple[{', '.join('...' if part is Ellipsis else _type(part) for part in arguments)}]"
    if arguments:
        return " | ".join(map(_type, arguments))
    return "None" if kind is NoneType else str(kind.__name__)
