"""A finished search made up: real networks, synthetic scores."""

import dataclasses
import math
import random
from pathlib import Path
from typing import Any

from nas.genome import Graph, Task, cost, fingerprint
from nas.genome import primitives as p
from nas.genome.genome_json import to_json
from nas.search.experiment import Experiment
from nas.search.objectives import Budget, Range
from nas.search.store.run import Run
from nas.search.trial import Reason, TrialRecord
from nas.training.score import Score

EVIL = "<script>alert(1)</script> $x_1$ [red] \"q\" 'a' & {x} </title></style></template>-->\u2028`"

DIGITS = Task("digits", (1, 8, 8), 10)


def network(choices: dict[str, Any]) -> Graph:
    """A stem, two blocks of one family, a head."""
    width, depth = choices["width"], choices["depth"]
    x = p.Stem(width)(DIGITS.image())
    if choices["family"] == "dense":
        x = p.Transition()(p.DenseBlock(width, depth)(x))
        x = p.DenseBlock(width, depth)(x)
    elif choices["family"] == "plain":
        x = p.ConvStack(2 * width, depth)(p.MaxPool(2, 2)(p.ConvStack(width, depth)(x)))
    else:
        for stride in (2, *[1] * depth):
            x = p.BasicBlock(2 * width, stride)(x)
    return Graph.of(p.GapHead(10)(x))


def record(number: int, seed: int = 0, state: Any = "complete", **changes: Any) -> TrialRecord:
    """One trial; its error falls with its cost and with its number, and is noisy."""
    dice = random.Random(seed * 100_003 + number)
    family = dice.choice(["plain", "residual", "dense"])
    choices = {"family": family, "width": dice.randrange(4, 28, 4), "depth": dice.randint(1, 4)}
    graph = network(choices)
    counts = cost(graph)
    last = 0.6 / math.log10(counts.macs) ** 1.8 * (1 + 0.8 * dice.random() + 10 / (number + 20))
    scores = tuple(
        Score(epoch, last * (1 + 3 / epoch), 3.2 * last * (1 + 3 / epoch), 0.2 * epoch, last) for epoch in range(1, 9)
    )
    reason = Reason.DIVERGED if state == "failed" else Reason.NONE
    made = {"number": number, "choices": choices, "genome": to_json(graph),
            "fingerprint": fingerprint(graph), "cost": counts,
            "seed": number, "scores": scores if state != "running" else (), "state": state, "reason": reason,
            "seconds": 1.6 + dice.random()}  # fmt: skip
    return TrialRecord(**(made | changes))


def run(path: Path, trials: int = 30, records: tuple[TrialRecord, ...] | None = None, **changes: Any) -> Run:
    """A run with so many trials, one in ten failed."""
    settings = {"name": "quickstart", "space": "mixed", "data": "digits", "trials": max(trials, 1),
                "budget": Budget(params=Range(max=120_000), macs=Range(max=4_500_000))}  # fmt: skip
    made = tuple(record(n, state="failed" if n % 10 == 9 else "complete") for n in range(trials))
    ledger = {"proposed": 4 * trials, "trained": trials, "outside budget: macs": 2 * trials, "duplicate": trials}
    versions = {"nas": "0.1.0", "python": "3.11", "torch": "2.13.0"}
    experiment = Experiment(**(settings | changes))
    records = made if records is None else records
    return Run(path, experiment, records, ledger, "nas search quickstart --seed 0", versions)


def rich_run(path: Path, trials: int = 30) -> Run:
    """A run with everything there can be: stopped trials, baselines, finalists."""
    import json

    records = [record(n, state=("pruned", "failed")[n % 14 > 7] if n % 7 == 6 else "complete") for n in range(trials)]
    known = tuple(
        record(trials + i, choices={}, baseline=name) for i, name in enumerate(("lenet5", "vgg_A, widths x 0.5"))
    )
    made = dataclasses.replace(run(path, trials, tuple(records)), baselines=known)
    best = sorted((r for r in made.records if r.error is not None), key=lambda r: r.error or 0)[:2]
    rows = [
        {
            "number": r.number,
            "seed": 2**20 + i,
            "errors": [0.05, 0.07],
            "low": 0.04 + 0.01 * i,
            "high": 0.08,
            "test_error": 0.065,
            "epochs": 9,
        }
        for i, r in enumerate(best)
    ]
    (path / "finalists").mkdir(parents=True, exist_ok=True)
    (path / "finalists" / "finalists.json").write_text(json.dumps(rows), encoding="utf-8")
    return made


def evil_run(path: Path) -> Run:
    """A run in which everything a person can name is hostile."""
    choices = {EVIL: EVIL, "=1+1": "@x", "long" * 2_500: "z" * 10_000}
    records = [record(n, choices=choices | {f"kind {EVIL}": f"{n % 2} {EVIL}"}) for n in range(10)]
    records += [record(n, choices=choices, state="failed", reason=Reason.ERROR, detail=EVIL) for n in range(10, 13)]
    made = run(path, 13, tuple(records), name=EVIL[:100], space=EVIL * 50)
    made = dataclasses.replace(made, command=EVIL * 3, versions={EVIL: EVIL}, proposal_counts={EVIL: 3, "proposed": 9},
                               baselines=(record(13, choices={}, baseline=EVIL * 9),))  # fmt: skip
    made.__dict__["task"] = dataclasses.replace(DIGITS, name=EVIL * 50)
    return made
