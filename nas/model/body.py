"""A block before its arguments have names: what __init__ makes and what forward does with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nas.genome.op_kinds import Call


@dataclass(frozen=True)
class RepeatedCall:
    """Blocks of one class in a row, every argument constant or growing by a constant step."""

    first: Call
    steps: tuple[int, ...]
    count: int

    @property
    def target(self) -> str:
        return self.first.target


Piece = Call | RepeatedCall
Line = tuple[str, tuple[Piece, ...]]  # an attribute and what it is made of; several pieces are a sequence


@dataclass(frozen=True)
class Slot:
    """A value written in __init__, the role it plays there, and its default if it may be left out."""

    role: str
    value: Any
    default: Any = None


@dataclass(frozen=True)
class Body:
    """The lines of __init__ and of forward."""

    lines: tuple[Line, ...]
    forward: tuple[str, ...]

    def pieces(self) -> Iterator[Piece]:
        for _, pieces in self.lines:
            yield from pieces

    def targets(self) -> tuple[str, ...]:
        """The classes it makes, in order."""
        return tuple(piece.target if isinstance(piece, Call) else piece.first.target for piece in self.pieces())

    def slots(self) -> list[Slot]:
        """Every value written in __init__, in order."""
        found: list[Slot] = []
        for piece in self.pieces():
            call = piece if isinstance(piece, Call) else piece.first
            found += [Slot(*arg) for arg in call.args]
            found += [Slot(*option) for option in call.options]
            if isinstance(piece, RepeatedCall):
                found += [Slot(f"{role}_step", step) for (role, _), step in zip(call.args, piece.steps, strict=True)]
                found.append(Slot("repeats", piece.count))
        return found

    def shape(self) -> tuple[Any, ...]:
        """What two bodies must share to be written as one class."""
        kinds = [
            (attribute, tuple((type(piece).__name__, piece.target) for piece in pieces))
            for attribute, pieces in self.lines
        ]
        return (*kinds, self.forward)
