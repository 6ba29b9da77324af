"""A class of generated source before its arguments have names: what __init__ makes and what forward computes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nas.genome.op_kinds import Call


@dataclass(frozen=True)
class RepeatedCall:
    """Calls of one class in a row, every argument constant or growing by a constant step."""

    first: Call
    steps: tuple[int, ...]
    count: int

    @property
    def target(self) -> str:
        return self.first.target


CodeBlock = Call | RepeatedCall
Attribute = tuple[str, tuple[CodeBlock, ...]]  # its name and the blocks it holds; several are a sequence


@dataclass(frozen=True)
class Argument:
    """A value written in __init__, the role it plays there, and its default if it may be left out."""

    role: str
    value: Any
    default: Any = None


@dataclass(frozen=True)
class Body:
    """The attributes made in __init__ and the lines of forward."""

    attributes: tuple[Attribute, ...]
    forward: tuple[str, ...]

    def blocks(self) -> Iterator[CodeBlock]:
        """Yield all blocks made in __init__, in order."""
        for _, blocks in self.attributes:
            yield from blocks

    def targets(self) -> tuple[str, ...]:
        """Return the classes it makes, in order."""
        return tuple(block.target for block in self.blocks())

    def arguments(self) -> list[Argument]:
        """Return every value written in __init__, in order."""
        arguments: list[Argument] = []
        for block in self.blocks():
            call = block if isinstance(block, Call) else block.first
            arguments += [Argument(*arg) for arg in (*call.args, *call.options)]
            if isinstance(block, RepeatedCall):
                steps = zip(call.args, block.steps, strict=True)
                arguments += [Argument(f"{role}_step", step) for (role, _), step in steps]
                arguments.append(Argument("repeats", block.count))
        return arguments

    def layout(self) -> tuple[Any, ...]:
        """Return what two bodies must have in common to be written as one class."""
        kinds = [
            (name, tuple((type(block).__name__, block.target) for block in blocks)) for name, blocks in self.attributes
        ]
        return (*kinds, self.forward)
