"""How good samplers are on NAS-Bench-201, whose 15,625 networks are all trained already.

    python -m benchmarks.search_quality TABLE [--part clean noisy front] [--seeds 30] [--samplers random frontier]

Every sampler goes through the toolkit's own proposer: inside the budget, nothing twice. Regret is the accuracy of the
best network there is inside the budget less that of the network chosen, in points of test accuracy.

clean  CIFAR-10, true accuracies, no budget: mean regret after 50, 100, 150 and 300 distinct trainings.
noisy  each training one seed (noise of standard deviation 0.15 points added), budgets of params and MACs that a quarter
       of the cells meet: regret of the best score after 100 trainings; and after 90, the 5 best trained twice more.
front  error and MACs: share of the true front's hypervolume.

TABLE is a CSV or Parquet file with the columns op_0_1 ... op_2_3 and {cifar10, cifar100, imagenet16}_test_acc_200ep. It
does not come with the toolkit.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import nan
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.nasbench201 import EDGES, SETS, TASK, everything, network, space, table
from benchmarks.table import Table, rehearse
from nas.genome import Cost, cost
from nas.search.experiment import Experiment
from nas.search.objectives import Budget, Range
from nas.search.pareto import hypervolume
from nas.search.propose.proposer import Proposal, Proposer
from nas.statistics import mean_interval

SAMPLERS = ("random", "tpe", "nsga2", "evolution", "local", "frontier")
AFTER = (50, 100, 150, 300)
NOISE = 0.15  # points
TRAININGS = 100  # of the noisy part
FINALISTS, AGAIN = 5, 2
SHARE = 0.25  # of the cells, inside the budget

scores = cache(table)  # each process reads it once


@dataclass(frozen=True)
class Asked:
    """What is run, and how often."""

    table: Path
    samplers: tuple[str, ...]
    seeds: range
    after: tuple[int, ...]
    pool: Any  # of processes

    def each(self, run: Any, sampler: str, *settings: Any) -> list[Any]:
        """What a run gives for every seed."""
        found: list[Any] = self.pool.starmap(run, [(self.table, sampler, seed, *settings) for seed in self.seeds], 1)
        return found


def proposer(sampler: str, seed: int, trials: int, budget: Budget, objectives: Sequence[str] = ("error",)) -> Proposer:
    """The toolkit's own, with nothing but the space."""
    settings = {"name": "table", "space": "cells", "data": "digits", "sampler": sampler, "seed": seed, "trials": trials}
    question = Experiment.model_validate({**settings, "budget": budget, "objectives": tuple(objectives)})
    return Proposer(question, space, TASK)


def accuracy(known: Table, choices: dict[str, Any], name: str = "cifar10") -> float:
    """Points of test accuracy."""
    return known[choices][f"{name}_test_acc_200ep"]


def shown_interval(values: Sequence[float], digits: int = 3) -> str:
    """Mean and the half width of its 95 % interval by Student's t."""
    half = mean_interval(tuple(values))[1] - mean(values) if len(values) > 1 else nan
    return f"{mean(values):.{digits}f} ±{half:.{digits}f}"


def header(asked: Asked, title: str, columns: Sequence[Any]) -> None:
    """The head of a table."""
    print(f"\n{title}, seeds {asked.seeds[0]} to {asked.seeds[-1]}")
    print(f"| sampler | {' | '.join(map(str, columns))} |\n|---|{'---|' * len(columns)}", flush=True)


def clean(asked: Asked) -> None:
    """Regret without noise, without a budget."""
    title = "CIFAR-10, no budget: regret in points after so many trainings"
    header(asked, title, [*asked.after, "optimum by 150", "ms each"])
    for sampler in asked.samplers:
        runs = asked.each(clean_run, sampler, asked.after[-1])
        regrets = np.array([regrets for regrets, _ in runs])
        cells = [shown_interval(regrets[:, count - 1].tolist()) for count in asked.after]
        found = (regrets[:, min(150, asked.after[-1]) - 1] < 1e-6).mean()
        each = mean(seconds for _, seconds in runs) / asked.after[-1] * 1e3
        print(f"| {sampler} | {' | '.join(cells)} | {found:.0%} | {each:.0f} |", flush=True)


def clean_run(path: Path, sampler: str, seed: int, trainings: int) -> tuple[list[float], float]:
    """Regret after each training, and the CPU time of all."""
    known = scores(path)
    best = max(row["cifar10_test_acc_200ep"] for row in known.rows.values())
    asker, begun = proposer(sampler, seed, trainings, Budget()), time.process_time()
    told = rehearse(asker, lambda p: 1 - accuracy(known, p.choices) / 100, trainings)
    found = [accuracy(known, proposal.choices) for proposal, _ in told]
    return (best - np.maximum.accumulate(found)).tolist(), time.process_time() - begun


def quarter() -> tuple[Budget, list[tuple[str, ...]]]:
    """Limits on params and MACs at one quantile each, that SHARE of the cells meet; and those cells."""
    cells = everything()
    counts = np.array([[counted.params, counted.macs] for counted in map(cost, map(network, cells))])
    for quantile in np.linspace(SHARE, 1, 200):
        limits = np.quantile(counts, quantile, axis=0)
        inside = (counts <= limits).all(axis=1)
        if inside.mean() >= SHARE:
            break
    budget = Budget(params=Range(max=int(limits[0])), macs=Range(max=int(limits[1])))
    return budget, [cell for cell, within in zip(cells, inside, strict=True) if within]


def noisy(asked: Asked) -> None:
    """Regret under budgets, each training one noisy seed."""
    budget, inside = quarter()
    for name in SETS:
        best = max(accuracy(scores(asked.table), dict(zip(EDGES, cell, strict=True)), name) for cell in inside)
        title = f"{name}, one noisy seed a training, {len(inside):,} cells inside the budget: regret in points"
        some = f"{TRAININGS - FINALISTS * AGAIN} and {FINALISTS} finalists"
        header(asked, title, [f"{TRAININGS} trainings", some, "proposals a training"])
        for sampler in asked.samplers:
            runs = asked.each(noisy_run, sampler, name, budget)
            plain, again = ([best - run[which] for run in runs] for which in (0, 1))
            proposed = mean(run[2] for run in runs)
            print(f"| {sampler} | {shown_interval(plain)} | {shown_interval(again)} | {proposed:.1f} |", flush=True)


def noisy_run(path: Path, sampler: str, seed: int, name: str, budget: Budget) -> tuple[float, float, float]:
    """True accuracy of what is chosen after all trainings, and after finalists; proposals a training."""
    luck, known = np.random.default_rng(seed), scores(path)

    def once(proposal: Proposal) -> float:
        return 1 - (accuracy(known, proposal.choices, name) + NOISE * luck.standard_normal()) / 100

    asker = proposer(sampler, seed, TRAININGS, budget)
    told = list(rehearse(asker, once, TRAININGS))
    chosen = min(told, key=lambda row: row[1])[0]
    first = sorted(told[: TRAININGS - FINALISTS * AGAIN], key=lambda row: row[1])[:FINALISTS]
    means = [mean([error, *(once(proposal) for _ in range(AGAIN))]) for proposal, error in first]
    finalist = first[int(np.argmin(means))][0]
    truth = [accuracy(known, proposal.choices, name) for proposal in (chosen, finalist)]
    return truth[0], truth[1], asker.proposal_counts["proposed"] / len(told)


def front(asked: Asked) -> None:
    """What is missing of the hypervolume of the true front of error and MACs."""
    cells = everything()
    macs = [cost(network(cell)).macs for cell in cells]
    worst = (90.0, 1.1 * max(macs))  # percent: guessing
    errors = [100 - accuracy(scores(asked.table), dict(zip(EDGES, cell, strict=True))) for cell in cells]
    whole = hypervolume(np.array(list(zip(errors, macs, strict=True))), worst)
    title = "error and MACs, CIFAR-10: percent of the true front's hypervolume that is missing"
    header(asked, title, asked.after)
    for sampler in asked.samplers:
        runs = asked.each(front_run, sampler, asked.after, worst)
        missing = 100 - 100 * np.array(runs) / whole
        print(f"| {sampler} | {' | '.join(shown_interval(column.tolist(), 2) for column in missing.T)} |", flush=True)


def front_run(path: Path, sampler: str, seed: int, after: Sequence[int], worst: tuple[float, float]) -> list[float]:
    """Hypervolume after so many trainings."""
    known = scores(path)

    def point(choices: dict[str, Any], counts: Cost) -> tuple[float, float]:
        return 100 - accuracy(known, choices), float(counts.macs)

    asker = proposer(sampler, seed, after[-1], Budget(), ("error", "macs"))
    told = rehearse(asker, lambda p: 1 - accuracy(known, p.choices) / 100, after[-1])
    points = np.array([point(proposal.choices, proposal.cost) for proposal, _ in told])
    return [hypervolume(points[:count], worst) for count in after]


def main() -> None:
    """Run what is asked for."""
    parts = {"clean": clean, "noisy": noisy, "front": front}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--part", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--samplers", nargs="+", choices=(*SAMPLERS, "gp"), default=SAMPLERS)
    parser.add_argument("--after", nargs="+", type=int, default=AFTER, help="numbers of trainings, rising")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    if not options.table.is_file():
        sys.exit(f"no table at {options.table}: nothing is compared")
    seeds = range(options.first, options.first + options.seeds)
    with get_context("spawn").Pool(options.jobs) as pool:
        asked = Asked(options.table, tuple(options.samplers), seeds, tuple(options.after), pool)
        for part in options.part:
            parts[part](asked)


if __name__ == "__main__":
    main()
