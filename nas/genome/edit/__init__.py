"""Graph -> Graph: every edit returns a network for the same task, or raises EditError."""

from nas.genome.edit.edits import (
    add_branch,
    add_skip,
    change,
    cross,
    deepen,
    drop,
    insert,
    remove,
    replace,
    scale,
    swap_head,
    widen,
)
from nas.genome.edit.mutate import MUTATIONS, crossover, mutate

__all__ = [
    "MUTATIONS", "add_branch", "add_skip", "change", "cross", "crossover", "deepen", "drop", "insert", "mutate",
    "remove", "replace", "scale", "swap_head", "widen",
]  # fmt: skip
