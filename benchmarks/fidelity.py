"""How many epochs a search takes to find what random search finds in 50 full trainings, on tables with curves.

    python -m benchmarks.fidelity --tables FOLDER [--sets widths stages nasbench101-long] [--samplers random frontier]
        [--halving 0 3] [--seeds 20] [--first 0] [--trainings 50] [--jobs 2] --out runs/fidelity.csv

A run is a set, a sampler, halving or not (0), and a seed. It searches inside the budget of benchmarks/search_quality
with the toolkit's own proposer and its own successive halving, one training at a time, until as many epochs are trained
as that many full trainings have. Trials that are promoted pay for their first epochs again. A row holds the regret of
the network with the lowest error told after its last epoch, after each twentieth of the epochs; before one is complete,
that of the worst network inside. Where a table has the errors of a few epochs only, these are the rungs.

It then prints, from all rows of the file: the mean regret of `random` without halving at the end, and the share of the
epochs after which the mean regret of each other reaches it, with a 95 % bootstrap interval over seeds. A second run of
the command goes on where it stopped.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.bootstrap import estimate
from benchmarks.judged_tables import JudgedTable, TableNetwork
from benchmarks.quality_report import shown
from benchmarks.resumed_rows import carried_out, read_rows
from benchmarks.search_quality import table
from nas.search.experiment import Experiment
from nas.search.loop.halving import Halving
from nas.search.objectives import Budget
from nas.search.propose.proposer import Proposal, Proposer
from nas.search.trial import TrialRecord
from nas.training.score import Score

POINTS = 20  # at which a regret is recorded
EPOCHS = {"widths": tuple(range(1, 9)), "stages": tuple(range(1, 9)), "nasbench101-long": (4, 12, 36, 108)}
"""The epochs of which a table has the error, the last of which a training ends with."""
BUDGET_SHARE = 0.25


@dataclass(frozen=True)
class Run:
    """What one row is the result of. halving: 0 for none."""

    set: str
    sampler: str
    halving: int
    seed: int
    trainings: int


class TableSearch:
    """One search over a table. spent: epochs so far. best: the network of the lowest error after its last epoch."""

    def __init__(self, known: JudgedTable, epochs: Sequence[int], run: Run, budget: Budget) -> None:
        settings: dict[str, object] = {"name": "table", "space": "cells", "data": "digits", "objectives": ("error",)}
        settings |= {"sampler": run.sampler, "seed": run.seed, "trials": run.trainings, "budget": budget}
        settings |= {"halving": run.halving or None}
        self.known, self.epochs, self.run = known, epochs, run
        experiment = Experiment.model_validate(settings)
        self.proposer = Proposer(experiment, known.space, known.task)
        self.halving = Halving(("error",), epochs[-1], run.halving) if run.halving else None
        self.proposals: dict[int, Proposal] = {}
        self.spent, self.best_error = 0, 1.0
        self.best: TableNetwork | None = None

    def steps(self) -> Iterator[tuple[int, TableNetwork | None]]:
        """Yield epochs spent and the best network, after each training, complete or not; ends without new networks."""
        while (record := self._next()) is not None:
            self._train(record)
            yield self.spent, self.best

    def _next(self) -> TrialRecord | None:
        promoted = self.halving and self.halving.promoted()
        if promoted:
            return promoted
        proposal = self.proposer.ask()
        if proposal is None:
            return None
        number = len(self.proposals)
        self.proposals[number] = proposal
        return TrialRecord.of(
            proposal.graph, 0, number, choices=proposal.choices, fingerprint=proposal.fingerprint, cost=proposal.cost
        )

    def _train(self, record: TrialRecord) -> None:
        network = self.known.networks[record.fingerprint]
        curve = self.known.told_curve(network, np.random.default_rng((self.run.seed, network.number)))
        ahead = self.halving.rungs_ahead(record) if self.halving else ()
        for epoch, error in zip(self.epochs, curve, strict=True):
            record = replace(record, scores=(*record.scores, Score(epoch, error)))
            if self.halving and epoch in ahead and self.halving.stops(record):
                self.halving.pause(record)
                self.spent += epoch
                for gone in self.halving.given_up(1):
                    self._tell(gone)
                return
        self.spent += self.epochs[-1]
        if self.halving:
            self.halving.end(replace(record, state="complete"))
        self._tell(record)
        if curve[-1] < self.best_error:
            self.best, self.best_error = network, curve[-1]

    def _tell(self, record: TrialRecord) -> None:
        errors = tuple([score.error for score in record.scores])
        self.proposer.tell(self.proposals[record.number], errors[-1], curve=errors if self.halving else ())


def result(folder: Path, asked: dict[str, Any]) -> dict[str, object]:
    """Carry out a run on a table of a folder and return its result."""
    run = Run(**asked)
    known, epochs = table(folder, run.set), EPOCHS[run.set]
    budget, inside = known.inside(BUDGET_SHARE)
    errors = [known.judged(each) for each in inside]
    total = run.trainings * epochs[-1]
    spent, regrets = [0], [max(errors) - min(errors)]
    for after, best in TableSearch(known, epochs, run, budget).steps():
        if after > total:
            break
        spent.append(after)
        regrets.append(regrets[0] if best is None else known.judged(best) - min(errors))
    at = [total * point / POINTS for point in range(1, POINTS + 1)]
    places = np.searchsorted(spent, at, side="right") - 1
    found = {f"regret_{point}": 100 * regrets[place] for point, place in enumerate(places, 1)}
    return {"own_error": 100 * known.own_error, **found}


Array = NDArray[np.float64]


def share_to_reach(runs: Array, level: float) -> float:
    """Return the share of the epochs after which the mean regret over runs stays at or below a level; 1 for never.

    runs: (seeds, POINTS). Between two points, by a straight line.
    """
    mean = np.maximum(runs.mean(axis=0), 0)
    above = np.flatnonzero(mean > level)
    if not len(above):
        return 1 / POINTS
    last = int(above[-1])
    if last == POINTS - 1:
        return 1.0
    return float(last + 1 + (mean[last] - level) / (mean[last] - mean[last + 1])) / POINTS


def report(rows: pd.DataFrame) -> None:
    """Print how many times fewer epochs each took."""
    columns = [f"regret_{point}" for point in range(1, POINTS + 1)]
    rng = np.random.default_rng(0)
    for name, runs in rows.groupby("set", sort=False):
        groups = runs.groupby(["sampler", "halving"])
        by = {key: each.sort_values("seed")[columns].to_numpy(float) for key, each in groups}
        random, floor = by["random", 0], runs["own_error"].max()
        level = max(random[:, -1].mean(), floor)
        print(f"{name}: random after all epochs {random[:, -1].mean():.3f}, own error {floor:.3f}")
        for (sampler, halving), each in by.items():
            drawn = []
            for _ in range(500):
                a, b = (rng.integers(0, len(one), len(one)) for one in (random, each))
                drawn.append(1 / share_to_reach(each[b], max(random[a, -1].mean(), floor)))
            fewer = shown(estimate(1 / share_to_reach(each, level), np.array(drawn)))
            print(f"  {sampler:<10} halving {halving}  {len(each)} seeds  {fewer} times fewer epochs; "
                  f"at the end {each[:, -1].mean():.3f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=EPOCHS, default=list(EPOCHS))
    parser.add_argument("--samplers", nargs="+", default=["random", "frontier"])
    parser.add_argument("--halving", nargs="+", type=int, default=[0, 3])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--trainings", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    runs = [
        asdict(Run(name, sampler, halving, seed, asked.trainings))
        for name in asked.sets
        for seed in range(asked.first, asked.first + asked.seeds)
        for sampler in asked.samplers
        for halving in asked.halving
    ]
    for _ in carried_out(asked.out, runs, partial(result, asked.tables), asked.jobs):
        pass
    report(read_rows(asked.out))


if __name__ == "__main__":
    main()
