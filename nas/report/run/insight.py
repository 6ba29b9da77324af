"""How the choices of the trained networks relate to their errors.

Only complete trials count. Every trained network is inside the budget.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.genome.cost import tally
from nas.search.trial import TrialRecord

MAX_GROUPS = 6  # of one choice; more cannot be distinguished by eye
MIN_TRIALS = 8  # fewer say nothing about a choice
Labels = list[str]


@dataclass(frozen=True)
class Influence:
    """How much of the variance one choice alone explains.

    share: of the variance of log error, between the choice's groups, less what groups of that size explain by chance
    (epsilon squared, Kelley 1935), so 0 for a choice without effect. best: the group of lowest median error.
    """

    choice: str
    share: float
    best: str


def influences(records: Sequence[TrialRecord]) -> list[Influence]:
    """Return every choice by its influence, the largest first; none of fewer than eight complete trials."""
    if len(records) < MIN_TRIALS:
        return []
    errors = log_errors(records)
    found = []
    for name in choice_names(records):
        labels = groups(records, name)
        if len(set(labels)) > 1:
            medians = {label: float(np.median(errors[mask(labels, label)])) for label in set(labels)}
            share = epsilon_squared(errors, labels)
            found.append(Influence(name, share, min(medians, key=lambda label: (medians[label], label))))
    return sorted(found, key=lambda influence: (-influence.share, influence.choice))


def log_errors(records: Sequence[TrialRecord]) -> NDArray[np.float64]:
    """Return the natural logarithm of the errors, an error of zero replaced by half the lowest above zero."""
    errors = np.array([record.error for record in records], dtype=np.float64)
    lowest = errors[errors > 0].min(initial=1.0)
    return np.asarray(np.log(np.maximum(errors, lowest / 2)), dtype=np.float64)


def choice_names(records: Sequence[TrialRecord]) -> list[str]:
    """Return the names of all choices, in the order in which they are made."""
    return list(dict.fromkeys(name for record in records for name in record.choices))


def groups(records: Sequence[TrialRecord], name: str) -> Labels:
    """Return for each record the group of a choice: its value, or a fifth of the records if it has many values."""
    values = [record.choices.get(name) for record in records]
    known = [value for value in values if value is not None]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
    if not numbers or len(set(known)) <= MAX_GROUPS:
        kept = {value for value, _ in Counter(map(str, known)).most_common(MAX_GROUPS)}
        return ["none" if v is None else str(v) if str(v) in kept else "other" for v in values]
    edges = np.unique(np.quantile(np.array(known, dtype=np.float64), (0.2, 0.4, 0.6, 0.8)))
    return ["none" if value is None else _bin(float(value), edges) for value in values]


def _bin(value: float, edges: NDArray[np.float64]) -> str:
    place = int(np.searchsorted(edges, value))
    return f"up to {edges[place]:.4g}" if place < len(edges) else f"above {edges[-1]:.4g}"


def mask(labels: Labels, label: str) -> NDArray[np.bool_]:
    """Return where the label is this one."""
    return np.array([each == label for each in labels])


def epsilon_squared(values: NDArray[np.float64], labels: Labels) -> float:
    """Return the share of variance between groups, corrected for chance, at least 0."""
    total = float(((values - values.mean()) ** 2).sum())
    names = set(labels)
    parts = [values[mask(labels, name)] for name in names]
    within = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
    free = len(values) - len(names)
    if total <= 0 or free <= 0:
        return 0.0
    return max(0.0, 1 - (within / free) / (total / (len(values) - 1)))


def family_choices(records: Sequence[TrialRecord]) -> list[str]:
    """Return the choices that define families: those with text values, or else with few; the most influential first."""
    ranked = [influence.choice for influence in influences(records)]
    words = [name for name in ranked if any(isinstance(record.choices.get(name), str) for record in records)]
    return words or [n for n in ranked if len({str(r.choices.get(n)) for r in records}) <= MAX_GROUPS]


def main_primitive(record: TrialRecord) -> str:
    """Return the primitive with most of a network's multiply-accumulates."""
    spent: Counter[str] = Counter()
    for node in record.graph.main.nodes[1:]:
        spent[type(node.op).__name__] += tally(node.placed).macs
    return max(spent, key=lambda name: (spent[name], name), default="")


def as_number(value: Any) -> float | None:
    """Return a choice as a number; None if it is not one."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
