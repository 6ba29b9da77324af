"""How good samplers are, on tables of networks that are all trained already.

    python -m benchmarks.search_quality --tables FOLDER [--sets widths stages] [--samplers random frontier oracle]
        [--seeds 20] [--first 0] [--trainings 100] [--budget-share 0.25] [--objectives error | error macs] [--jobs 2]
        --out runs/quality.csv

A run is a set, a sampler, a seed, a number of trainings, objectives and a budget. When it ends it is one row of the CSV
file; the same command continues after a kill, and runs nothing twice. The tables are those of benchmarks/table_readers,
each where FOLDER has its file. `python -m benchmarks.quality_report runs/quality.csv` compares the samplers.

Every sampler goes through the toolkit's own proposer: inside a budget of params and MACs that a quarter of the networks
meet, nothing twice. Regret is the judged error, in points, of the network with the lowest told error, less the lowest
judged error inside the budget. `short_regret` is the same of the short trainings without their noise, which is all that
a sampler can lower: where short and long trainings disagree, less of it need not be less regret.

`finalists_regret` is the regret where the last SHARE of the trainings is kept for the FINALISTS of lowest told error:
each is trained again as often, and the one of lowest mean is chosen.

With error and MACs as objectives, a row also says which share of the true front's hypervolume is missing from the
judged errors of the networks that are on the front of the told errors. The reference point is the worst error, and 1.1
times the most MACs, inside the budget. From one seed, every sampler is told the same of a network.

Beside the toolkit's samplers there are controls: `most-params`, `most-macs` and `deepest` (of equals, with the most
MACs) train the networks inside the budget in that order, equals in random order; `oracle` is told of all of them once.
Its regret is what noise and short training leave to a search that overlooks nothing.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.judged_tables import JudgedTable, TableNetwork
from benchmarks.quality_rows import CHECKPOINTS, Run, append, finished
from benchmarks.table_readers import TABLES, load_table
from nas.errors import DataError
from nas.search.experiment import Experiment
from nas.search.objectives import Budget
from nas.search.pareto import hypervolume, on_front
from nas.search.propose.proposer import Proposer
from nas.user_code import is_outside, trust

SAMPLERS = ("random", "tpe", "nsga2", "evolution", "local-search", "frontier")
RULES: dict[str, Callable[[TableNetwork], tuple[int, ...]]] = {
    "most-params": lambda network: (network.params,),
    "most-macs": lambda network: (network.macs,),
    "deepest": lambda network: (network.depth, network.macs),
}
ORACLE = "oracle"
CONTROLS = (*RULES, ORACLE)
FINALISTS, SHARE = 4, 0.16
Told = tuple[TableNetwork, float]
"""A network and the error that a search was told."""

table = cache(load_table)  # each process reads one once


def told(known: JudgedTable, network: TableNetwork, seed: int, training: int = 0) -> float:
    """Return what a search from this seed is told of a network, when it trains it again so often."""
    return known.told(network, np.random.default_rng((seed, network.number, training)))


def chosen_finalist(known: JudgedTable, found: Sequence[Told], trainings: int, seed: int) -> TableNetwork:
    """Return the network that is chosen where the last of so many trainings are of finalists."""
    again = round(SHARE * trainings / FINALISTS)
    searched = found if len(found) > trainings else found[: trainings - FINALISTS * again]

    def mean(each: Told) -> float:
        return float(np.mean([each[1], *(told(known, each[0], seed, 1 + i) for i in range(again))]))

    return min(sorted(searched, key=lambda each: each[1])[:FINALISTS], key=mean)[0]


def sampled(known: JudgedTable, run: Run, budget: Budget) -> Iterator[Told]:
    """Search with a sampler; ends early when it finds no other network."""
    settings = {"name": "table", "space": "cells", "data": "digits", "sampler": run.sampler, "seed": run.seed}
    settings |= {"trials": run.trainings, "budget": budget, "objectives": tuple(run.objectives.split())}
    proposer = Proposer(Experiment.model_validate(settings), known.space, known.task)
    for _ in range(run.trainings):
        proposal = proposer.ask()
        if proposal is None:
            return
        network = known.networks[proposal.fingerprint]
        error = told(known, network, run.seed)
        proposer.tell(proposal, error)
        yield network, error


def ruled(rule: str, networks: Sequence[TableNetwork], seed: int) -> list[TableNetwork]:
    """Return networks in the order of a rule, equals in random order."""
    shuffled = [networks[i] for i in np.random.default_rng(seed).permutation(len(networks))]
    return sorted(shuffled, key=RULES[rule], reverse=True)


def trained(known: JudgedTable, run: Run, budget: Budget, inside: Sequence[TableNetwork]) -> list[Told]:
    """Return the networks that a run trains, in order, with what it is told."""
    if run.sampler not in CONTROLS:
        return list(sampled(known, run, budget))
    chosen = inside if run.sampler == ORACLE else ruled(run.sampler, inside, run.seed)[: run.trainings]
    return [(network, told(known, network, run.seed)) for network in chosen]


def missing(known: JudgedTable, found: Sequence[Told], inside: Sequence[TableNetwork]) -> float:
    """Return the share of the true front's hypervolume that the front of what was told lacks, once it is judged."""
    true = _judged(known, inside)
    reference = (true[:, 0].max(), 1.1 * true[:, 1].max())
    front = on_front(np.array([(error, network.macs) for network, error in found], float))
    judged = _judged(known, [network for network, _ in found])[front]
    return 1 - hypervolume(judged, reference) / hypervolume(true, reference)


def _judged(known: JudgedTable, networks: Sequence[TableNetwork]) -> np.ndarray:
    return np.array([(known.judged(network), network.macs) for network in networks])


def result(folder: Path, run: Run) -> dict[str, object]:
    """Carry out a run and return its row. Raises DataError where no network was proposed."""
    known = table(folder, run.set)
    budget, inside = known.inside(run.budget_share)
    begun = time.process_time()
    found = trained(known, run, budget, inside)
    seconds = time.process_time() - begun
    if not found:
        raise DataError(
            f"{run.set}: {run.sampler} proposed no network of the table; was it written by another version?"
        )
    best, short_best = min(map(known.judged, inside)), min(map(known.expected, inside))
    row: dict[str, object] = {**asdict(run), "own_error": 100 * known.own_error, "cpu_seconds": round(seconds, 3)}
    for count in CHECKPOINTS:
        if count <= run.trainings:
            first = found[: None if run.sampler == ORACLE else count]
            chosen = min(first, key=lambda each: each[1])[0]
            row[f"regret_{count}"] = 100 * (known.judged(chosen) - best)
            finalist = chosen_finalist(known, first, count, run.seed)
            row[f"finalists_regret_{count}"] = 100 * (known.judged(finalist) - best)
            row[f"short_regret_{count}"] = 100 * (known.expected(chosen) - short_best)
            row["optimum"] = int(known.judged(chosen) == best)
            if run.objectives != "error":
                row[f"missing_{count}"] = missing(known, first, inside)
    return row


def carry_out(asked: tuple[Path, Run]) -> dict[str, object]:
    """Return the row of a run; its sampler, if it is of the user's own, is one that the user named."""
    if is_outside(asked[1].sampler):
        trust(asked[1].sampler)
    return result(*asked)


def rows(asked: Sequence[tuple[Path, Run]], jobs: int) -> Iterator[dict[str, object]]:
    """Yield the rows of runs as they end, from so many processes."""
    if jobs == 1:
        yield from map(carry_out, asked)
        return
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes to come
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(carry_out, asked)


def planned(options: argparse.Namespace) -> list[Run]:
    """Return what is asked for, one set after another; says which tables are absent."""
    runs = []
    for name in options.sets:
        file = options.tables / TABLES[name].name
        if not file.is_file():
            print(f"{name}: no {file}, so it is left out", file=sys.stderr)
            continue
        trainings = min(options.trainings, TABLES[name].max_trainings)
        settings = (trainings, " ".join(options.objectives), options.budget_share)
        seeds = range(options.first, options.first + options.seeds)
        runs += [Run(name, sampler, seed, *settings) for seed in seeds for sampler in options.samplers]
    return runs


def main() -> None:
    """Carry out what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--sets", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--samplers", nargs="+", default=[*SAMPLERS, *CONTROLS], help="also module:Name of your own")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--trainings", type=int, choices=CHECKPOINTS, default=CHECKPOINTS[-1])
    parser.add_argument("--budget-share", type=float, default=0.25, help="of the networks that are inside; 1 for all")
    parser.add_argument("--objectives", nargs="+", default=["error"])
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, required=True, help="CSV file, one row per run")
    options = parser.parse_args()
    done = finished(options.out)
    runs = [(options.tables, run) for run in planned(options) if run not in done]
    for count, row in enumerate(rows(runs, options.jobs), 1):
        append(options.out, row)
        print(f"{count} of {len(runs)}: {row['set']}, {row['sampler']}, seed {row['seed']}", flush=True)


if __name__ == "__main__":
    main()
