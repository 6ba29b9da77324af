"""The names of nodes: those given, and names made from the op for the others."""

import re
from collections.abc import Sequence
from functools import cache

from nas.errors import GenomeError


@cache
def snake(name: str) -> str:
    """Return a class name in snake case: DenseBlock becomes dense_block, RepVGGBlock rep_vgg_block."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def node_names(given: Sequence[str | None], kinds: Sequence[str]) -> list[str]:
    """Return a name for each node: the given one, or its kind in snake case with a number.

    Raises GenomeError when two nodes are given the same name.
    """
    taken = {name for name in given if name}
    if len(taken) < sum(map(bool, given)):
        twice = next(name for name in given if name and given.count(name) > 1)
        raise GenomeError(f"two nodes are named {twice!r}; names must be distinct")
    counters: dict[str, int] = {}
    return [name or _new_name(snake(kind), counters, taken) for name, kind in zip(given, kinds, strict=True)]


def _new_name(stem: str, counters: dict[str, int], taken: set[str]) -> str:
    if stem == "input" and stem not in taken:
        return stem
    while True:
        counters[stem] = number = counters.get(stem, 0) + 1
        if (name := f"{stem}_{number}") not in taken:
            return name
