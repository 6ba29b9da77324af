"""Successive halving as trials come and go: stop early what others of its cost leave behind.

Trials are compared when they reach a rung: epochs / factor, epochs / factor^2 and so on. One goes on if it is in the
best 1 / factor of all that reached the rung so far (ASHA's rule of stopping: Li et al. 2018, section 3). Best is by
front, not by error: with costs among the objectives, a small network is not stopped for being less accurate than a
large one, only for being less accurate than others as small.
"""

from collections.abc import Iterable
from math import ceil

from nas.search.samplers import Objectives, beats, objectives
from nas.search.study import Record

FEWEST = 4  # trials at a rung before any is stopped there


def rungs(epochs: int, factor: int) -> tuple[int, ...]:
    """The epochs after which trials are compared, rising; none at the last."""
    found = {ceil(epochs / factor**level) for level in range(1, epochs.bit_length() + 1)}
    return tuple(sorted(epoch for epoch in found if 1 <= epoch < epochs))


class Halving:
    """Remembers how trials stood at each rung, and says which to stop."""

    def __init__(self, names: tuple[str, ...], epochs: int, factor: int, records: Iterable[Record] = ()) -> None:
        self.names, self.factor = names, factor
        self.reached: dict[int, dict[int, Objectives]] = {rung: {} for rung in rungs(epochs, factor)}  # by number
        for record in records:
            for score in record.scores if record.state in ("complete", "pruned") else ():
                self._note(record, score.epoch, score.error)

    def stops(self, record: Record) -> bool:
        """Whether a running trial, after the last of its scores, is to be stopped."""
        score = record.scores[-1]
        if not self._note(record, score.epoch, score.error):
            return False
        others = self.reached[score.epoch]
        return len(others) >= FEWEST and standing(others[record.number], list(others.values())) >= 1 / self.factor

    def _note(self, record: Record, epoch: int, error: float) -> bool:
        if epoch not in self.reached:
            return False
        self.reached[epoch][record.number] = objectives(self.names, error, record.cost)
        return True


def standing(mine: Objectives, points: list[Objectives]) -> float:
    """The share of points that are on better fronts; 0 for those that no other beats (Deb et al. 2002, III A)."""
    ahead, left = 0, points
    while True:
        front = [point for point in left if not any(beats(other, point) for other in left)]
        if mine in front:
            return ahead / len(points)
        ahead += len(front)
        left = [point for point in left if point not in front]


def saved(records: Iterable[Record], epochs: int) -> int:
    """Epochs that were not trained because their trials were stopped."""
    return sum(epochs - record.scores[-1].epoch for record in records if record.state == "pruned" and record.scores)
