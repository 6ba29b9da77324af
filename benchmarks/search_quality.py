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
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from benchmarks.nasbench201 import EDGES, SETS, TASK, everything, network, space, table
from nas.genome import Budget, Cost, Range, cost
from nas.search.experiment import Experiment
from nas.search.pareto import hypervolume
from nas.search.propose import Proposal, Proposer
from nas.search.table import Table, rehearse

SAMPLERS = ("random", "tpe", "nsga2", "evolution", "local", "frontier")
AFTER = (50, 100, 150, 300)
NOISE = 0.15  # points
TRAININGS = 100  # of the noisy part
FINALISTS, AGAIN = 5, 2
SHARE = 0.25  # of the cells, inside the budget


def proposer(sampler: str, seed: int, trials: int, budget: Budget, objectives: Sequence[str] = ("error",)) -> Proposer:
    """The toolkit's own, with nothing but the space."""
    settings = {"name": "table", "space": "cells", "data": "digits", "sampler": sampler, "seed": seed, "trials": trials}
    question = Experiment.model_validate({**settings, "budget": budget, "objectives": tuple(objectives)})
    return Proposer(question, space, TASK, [], (), Counter())


def accuracy(scores: Table, choices: dict[str, Any], name: str = "cifar10") -> float:
    """Points of test accuracy."""
    return scores[choices][f"{name}_test_acc_200ep"]


def interval(values: Sequence[float]) -> str:
    """Mean and the half width of its 95 % interval."""
    half = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{mean(values):.4f} ±{half:.4f}"


def clean(scores: Table, samplers: Sequence[str], seeds: int, after: Sequence[int]) -> None:
    """Regret without noise, without a budget."""
    best = max(row["cifar10_test_acc_200ep"] for row in scores.rows.values())
    print(f"CIFAR-10, no budget, {seeds} seeds: regret in points after so many trainings, 95 % interval of the mean")
    print("| sampler |" + "".join(f" {count} |" for count in after) + f" optimum by {min(150, after[-1])} | ms each |")
    print("|---|" + "---|" * (len(after) + 2))
    for sampler in samplers:
        regrets, begun = np.zeros((seeds, after[-1])), time.process_time()
        for seed in range(seeds):
            asker = proposer(sampler, seed, after[-1], Budget())
            told = rehearse(asker, lambda p: 1 - accuracy(scores, p.choices) / 100, after[-1])
            found = [accuracy(scores, proposal.choices) for proposal, _ in told]
            regrets[seed] = best - np.maximum.accumulate(found)
        each = (time.process_time() - begun) / regrets.size * 1e3
        cells = "".join(f" {interval(regrets[:, count - 1].tolist())} |" for count in after)
        share = (regrets[:, min(150, after[-1]) - 1] < 1e-6).mean()
        print(f"| {sampler} |{cells} {share:.0%} | {each:.0f} |", flush=True)


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


def noisy(scores: Table, samplers: Sequence[str], seeds: int) -> None:
    """Regret under budgets, each training one noisy seed."""
    budget, inside = quarter()
    print(f"\nOne noisy seed a training, {len(inside):,} cells inside the budget, {seeds} seeds: regret in points")
    for name in SETS:
        best = max(accuracy(scores, dict(zip(EDGES, cell, strict=True)), name) for cell in inside)
        print(f"| {name} | {TRAININGS} trainings | {TRAININGS - FINALISTS * AGAIN} and {FINALISTS} finalists | asked |")
        print("|---|---|---|---|")
        for sampler in samplers:
            runs = [noisy_run(scores, name, sampler, seed, budget) for seed in range(seeds)]
            plain, again = ([best - run[which] for run in runs] for which in (0, 1))
            print(
                f"| {sampler} | {interval(plain)} | {interval(again)} | {mean(run[2] for run in runs):.1f} |",
                flush=True,
            )


def noisy_run(scores: Table, name: str, sampler: str, seed: int, budget: Budget) -> tuple[float, float, float]:
    """True accuracy of what is chosen after all trainings, and after finalists; proposals a training."""
    luck = np.random.default_rng(seed)

    def once(proposal: Proposal) -> float:
        return accuracy(scores, proposal.choices, name) + NOISE * luck.standard_normal()

    asker = proposer(sampler, seed, TRAININGS, budget)
    told = list(rehearse(asker, lambda p: 1 - once(p) / 100, TRAININGS))
    chosen = min(told, key=lambda row: row[1])[0]
    first = sorted(told[: TRAININGS - FINALISTS * AGAIN], key=lambda row: row[1])[:FINALISTS]
    means = [(error + sum(1 - once(p) / 100 for _ in range(AGAIN))) / (1 + AGAIN) for p, error in first]
    finalist = first[int(np.argmin(means))][0]
    truth = [accuracy(scores, p.choices, name) for p in (chosen, finalist)]
    return truth[0], truth[1], asker.ledger["proposed"] / len(told)


def front(scores: Table, samplers: Sequence[str], seeds: int, after: Sequence[int]) -> None:
    """Share of the hypervolume of the true front of error and MACs."""
    cells = everything()
    macs = [cost(network(cell)).macs for cell in cells]
    worst = (90.0, 1.1 * max(macs))  # percent: guessing

    def point(choices: dict[str, Any], counts: Cost) -> tuple[float, float]:
        return 100 - accuracy(scores, choices), float(counts.macs)

    true = np.array(
        [(100 - accuracy(scores, dict(zip(EDGES, c, strict=True))), m) for c, m in zip(cells, macs, strict=True)]
    )
    whole = hypervolume(true, worst)
    print(f"\nError and MACs, CIFAR-10, {seeds} seeds: percent of the true front's hypervolume that is missing")
    print("| sampler |" + "".join(f" {count} |" for count in after))
    print("|---|" + "---|" * len(after))
    for sampler in samplers:
        missing = []
        for seed in range(seeds):
            asker = proposer(sampler, seed, after[-1], Budget(), ("error", "macs"))
            told = rehearse(asker, lambda p: 1 - accuracy(scores, p.choices) / 100, after[-1])
            points = np.array([point(p.choices, p.cost) for p, _ in told])
            missing.append([100 - 100 * hypervolume(points[:count], worst) / whole for count in after])
        print(f"| {sampler} |" + "".join(f" {interval(column)} |" for column in zip(*missing, strict=True)), flush=True)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--part", nargs="+", choices=("clean", "noisy", "front"), default=("clean", "noisy", "front"))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--samplers", nargs="+", choices=(*SAMPLERS, "gp"), default=SAMPLERS)
    parser.add_argument("--after", nargs="+", type=int, default=AFTER, help="numbers of trainings, rising")
    options = parser.parse_args()
    if not options.table.is_file():
        sys.exit(f"no table at {options.table}: nothing is compared")
    scores = table(options.table)
    if "clean" in options.part:
        clean(scores, options.samplers, options.seeds, options.after)
    if "noisy" in options.part:
        noisy(scores, options.samplers, options.seeds)
    if "front" in options.part:
        front(scores, options.samplers, options.seeds, options.after)


if __name__ == "__main__":
    main()
