"""Successive halving as trials come and go: stop a trial early when others of its cost are clearly better.

Trials are compared when they reach a rung: epochs / factor, epochs / factor^2 and so on. One goes on if it is in the
best 1 / factor of all that reached the rung so far (ASHA: Li et al. 2018, section 3). Best is by front, not by error:
with costs among the objectives, a small network is not stopped for being less accurate than a large one, only for
being less accurate than others as small. A rung at which errors do not tell how trainings end stops nothing
(`RungWorth`).

Among few, a good trial may be stopped. So the best of those stopped wait, and one that later trials show to be in the
best 1 / factor is promoted: trained again from its seed, past that rung. That costs all the epochs of a training: those
it repeats and those that its stop has saved. So a trial is promoted only while the stops have saved as many in all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from nas.search.loop.rung_worth import RungWorth
from nas.search.objectives import OBJECTIVES, Vector
from nas.search.pareto import as_points, dominates
from nas.search.trial import TrialRecord

Array = NDArray[np.float64]
MIN_AT_RUNG = 4  # trials at a rung before any is stopped there


def rungs(epochs: int, factor: int) -> tuple[int, ...]:
    """Return the epochs after which trials are compared, rising; none at the last."""
    found = {ceil(epochs / factor**level) for level in range(1, epochs.bit_length() + 1)}
    return tuple(sorted(epoch for epoch in found if 1 <= epoch < epochs))


class Halving:
    """Records how trials stood at each rung, and returns which to stop and which to promote."""

    def __init__(self, names: tuple[str, ...], epochs: int, factor: int, records: Iterable[TrialRecord] = ()) -> None:
        records = tuple(records)
        self._measured = next((i for i, name in enumerate(names) if not OBJECTIVES[name].exact), 0)
        self.worth = RungWorth()
        self.names, self.epochs, self.factor = names, epochs, factor
        self.saved = epochs_saved(records, epochs)
        self.reached: dict[int, dict[int, Vector]] = {rung: {} for rung in rungs(epochs, factor)}  # by number
        self.waiting: list[TrialRecord] = []
        self._standings: dict[int, dict[int, float]] = {}  # by rung and number, while nothing new reached it
        for record in records:
            for epoch in range(len(record.scores) if record.state in ("complete", "pruned") else 0):
                self._note(replace(record, scores=record.scores[: epoch + 1]))
            self.end(record)

    def rungs_ahead(self, record: TrialRecord) -> tuple[int, ...]:
        """Return the rungs at which a trial is compared: none that it passed before it was promoted or lost."""
        return tuple([rung for rung, reached in self.reached.items() if record.number not in reached])

    def stops(self, record: TrialRecord) -> bool:
        """Return whether a running trial is to be stopped after the last of its scores."""
        epoch = record.scores[-1].epoch
        passed = record.number in self.reached.get(epoch, {})  # before it was promoted
        if passed or not self._note(record):
            return False
        if self.worth.is_sampled(record.number) or not self.worth.tells(epoch):
            return False
        return len(self.reached[epoch]) >= MIN_AT_RUNG and self._standing(record) >= 1 / self.factor

    def end(self, record: TrialRecord) -> None:
        """Record how a trial ended."""
        if record.state == "complete" and not record.baseline:
            self.worth.end(record.number, record.vector(self.names)[self._measured])

    def pause(self, record: TrialRecord) -> None:
        """Record that a trial was stopped and waits for promotion."""
        self.waiting.append(record)
        self.saved += self.epochs - record.scores[-1].epoch

    def promoted(self) -> TrialRecord | None:
        """Return a waiting trial that is now among the best at its rung, highest rung first.

        None without one, and where it would cost more epochs than all stops have saved.
        """
        able = [record for record in self.waiting if self._standing(record) < 1 / self.factor]
        if not able or self.saved < self.epochs:
            return None
        chosen = max(able, key=lambda record: record.scores[-1].epoch)
        self.waiting.remove(chosen)
        self.saved -= self.epochs
        return replace(chosen, scores=(), seconds=0.0, repeated=chosen.repeated + chosen.scores[-1].epoch)

    def given_up(self, most: int) -> list[TrialRecord]:
        """Return the trials that need not wait any longer, so that only the best ones wait."""
        ranked = sorted(self.waiting, key=self._standing)
        self.waiting, gone = ranked[:most], ranked[most:]
        return gone

    def _standing(self, record: TrialRecord) -> float:
        """Return its standing among all at the last rung it reached."""
        epoch = max(epoch for epoch, reached in self.reached.items() if record.number in reached)
        if epoch not in self._standings:
            rung = self.reached[epoch]
            self._standings[epoch] = dict(zip(rung, standings(list(rung.values())).tolist(), strict=True))
        return self._standings[epoch][record.number]

    def _note(self, record: TrialRecord) -> bool:
        """Record how a trial stands after the last of its scores, if that is a rung."""
        epoch = record.scores[-1].epoch
        if epoch not in self.reached:
            return False
        vector = self.reached[epoch][record.number] = record.vector(self.names)
        self.worth.note(record.number, epoch, vector[self._measured])
        self._standings.pop(epoch, None)
        return True


def standings(points: Sequence[Vector]) -> Array:
    """Return for each point the share of points that are on better fronts; 0 on the first (Deb et al. 2002, III A).

    A point's front is one behind the last front that has a point which dominates it.
    """
    table = as_points(points)
    order, fronts = np.lexsort(table.T[::-1]), np.zeros(len(points), dtype=np.int64)
    for rank, place in enumerate(order):
        before = order[:rank]
        ahead = dominates(table[before], table[place : place + 1])[:, 0]
        fronts[place] = fronts[before[ahead]].max(initial=-1) + 1
    return np.searchsorted(np.sort(fronts), fronts) / len(points)


def epochs_saved(records: Iterable[TrialRecord], epochs: int) -> int:
    """Return the epochs not trained because their trials were stopped, less those trained twice to promote some."""
    over = [record for record in records if record.state in ("complete", "pruned") and record.scores]
    return sum((epochs - record.scores[-1].epoch) * (record.state == "pruned") - record.repeated for record in over)
