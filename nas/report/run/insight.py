"""What the population of trained networks says about the choices that made it.

Only complete trials count, and every trained network is inside the budget, so nothing here is of networks that the
question rules out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.genome.cost import tally
from nas.search.trial import TrialRecord

MAX_GROUPS = 6  # of one choice that are told apart; more are not told apart by eye either
MIN_TRIALS = 8  # below, nothing is said of any choice
Labels = list[str]


@dataclass(frozen=True)
class Influence:
    """What one choice alone accounts for.

    share: of the variance of log error, between the choice's groups, less what groups of that size get by chance
    (epsilon squared, Kelley 1935), so 0 for a choice without effect; best: the group of least median error.
    """

    choice: str
    share: float
    best: str


def influences(records: Sequence[TrialRecord]) -> list[Influence]:
    """Every choice by its influence, the largest first; none while there are fewer than eight complete trials."""
    if len(records) < MIN_TRIALS:
        return []
    errors = log_errors(records)
    found = []
    for name in choices(records):
        labels = groups(records, name)
        if len(set(labels)) > 1:
            medians = {label: float(np.median(errors[mask(labels, label)])) for label in set(labels)}
            share = epsilon_squared(errors, labels)
            found.append(Influence(name, share, min(medians, key=lambda label: (medians[label], label))))
    return sorted(found, key=lambda influence: (-influence.share, influence.choice))


def log_errors(records: Sequence[TrialRecord]) -> NDArray[np.float64]:
    """Natural logarithm of the errors; a perfect network is taken for one with half the least error above zero."""
    errors = np.array([record.error for record in records], dtype=np.float64)
    least = errors[errors > 0].min(initial=1.0)
    return np.asarray(np.log(np.maximum(errors, least / 2)), dtype=np.float64)


def choices(records: Sequence[TrialRecord]) -> list[str]:
    """The names of all choices, in the order in which they are made."""
    return list(dict.fromkeys(name for record in records for name in record.choices))


def groups(records: Sequence[TrialRecord], name: str) -> Labels:
    """For each record the group of a choice: its value, or of a number with many values a fifth of its range."""
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
    """Where a label stands."""
    return np.array([each == label for each in labels])


def epsilon_squared(values: NDArray[np.float64], labels: Labels) -> float:
    """The share of variance between groups, corrected for chance; 0 at least."""
    total = float(((values - values.mean()) ** 2).sum())
    names = set(labels)
    parts = [values[mask(labels, name)] for name in names]
    within = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
    free = len(values) - len(names)
    if total <= 0 or free <= 0:
        return 0.0
    return max(0.0, 1 - (within / free) / (total / (len(values) - 1)))


def marks(records: Sequence[TrialRecord]) -> list[str]:
    """The choices that may name families: those made in words, or else with few values; the most telling first."""
    ranked = [influence.choice for influence in influences(records)]
    words = [name for name in ranked if any(isinstance(record.choices.get(name), str) for record in records)]
    return words or [n for n in ranked if len({str(r.choices.get(n)) for r in records}) <= MAX_GROUPS]


def main_primitive(record: TrialRecord) -> str:
    """The primitive in which most of a network's multiply-accumulates are spent."""
    spent: Counter[str] = Counter()
    for node in record.graph.main.nodes[1:]:
        spent[type(node.op).__name__] += tally(node.placed).macs
    return max(spent, key=lambda name: (spent[name], name), default="")


def as_number(value: Any) -> float | None:
    """A choice as a number, if it is one."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
