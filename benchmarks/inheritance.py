"""Weight inheritance, tried: a search whose networks start from the weights of the nearest known one.

    python -m benchmarks.inheritance FOLDER [--seeds 10] [--epochs 120] [--jobs 2] --out runs/inheritance.csv

FOLDER holds Fashion-MNIST's files. Space, budget, images and recipe are those of benchmarks/images.py, the sampler is
`evolution`, and the error is the only objective. All arms spend as many epochs:

scratch    each network is trained for 3 epochs from its own initial weights
short      after the first 8, each is trained for 1 epoch, so there are three times as many; the control of the next
inherited  the same, but each of those starts from the weights of the known network that shares most of its choices (of
           equals, the one of lower error): layers are aligned in order, what overlaps of two tensors is taken, and
           mixed with the new initial weights by halves (shrink and perturb: Ash & Adams 2020)

Then the three networks of lowest error are trained from scratch, and the best of them on validation is the result of
its arm: its test error, the mean over four other seeds from scratch. A row of the file is one arm from one seed; a
second call goes on. It prints each arm less `scratch`, paired by seed.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd
import torch
from torch import nn

from benchmarks.images import BUDGET, RECIPE, space
from benchmarks.resumed_rows import carried_out, read_rows
from nas.genome import Graph
from nas.model.module import module
from nas.search.experiment import Experiment
from nas.search.propose.proposer import Proposal, Proposer
from nas.statistics import mean_interval
from nas.training.batches import Batches
from nas.training.data import Source, load_data, load_test, task
from nas.training.evaluation import evaluate
from nas.training.train import train

ARMS = ("scratch", "short", "inherited")
FIRST = 8  # networks that every arm trains in full
FINALISTS, JUDGED = 3, 4
MIX = 0.5  # of the inherited weights, with the new ones

State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Parent:
    """A network that was trained."""

    proposal: Proposal
    network: nn.Module
    error: float


def layers(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the modules that hold tensors of their own, in order."""
    found = network.named_modules()
    return [(name, each) for name, each in found if any(True for _ in each.parameters(recurse=False))]


def _kind(layer: nn.Module) -> tuple[object, ...]:
    """Return what layers that are aligned must share: what they are, and their kernel."""
    return type(layer).__name__, *(tuple(each.shape[2:]) for each in layer.parameters(recurse=False))


def inherit(child: nn.Module, parent: nn.Module) -> int:
    """Take what overlaps of the parent's layers, aligned in order, into the child; return how many layers."""
    mine, theirs = layers(child), layers(parent)
    keys = [[_kind(each) for _, each in row] for row in (mine, theirs)]
    taken = 0
    for start, other, size in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_matching_blocks():
        for (_, one), (_, two) in zip(mine[start : start + size], theirs[other : other + size], strict=True):
            for name, tensor in one.state_dict().items():
                _mix(tensor, two.state_dict()[name], MIX if tensor.dim() > 1 else 1.0)
            taken += 1
    return taken


def _mix(tensor: torch.Tensor, source: torch.Tensor, share: float) -> None:
    """Mix what overlaps of a source into a tensor, in place; counters are left alone."""
    if not tensor.is_floating_point():
        return
    overlap = tuple([slice(min(a, b)) for a, b in zip(tensor.shape, source.shape, strict=True)])
    tensor[overlap] = share * source[overlap] + (1 - share) * tensor[overlap]


def nearest(proposal: Proposal, known: Sequence[Parent]) -> Parent:
    """Return the known network that shares most choices, of equals the one of lowest error."""

    def distance(parent: Parent) -> tuple[int, float]:
        theirs = parent.proposal.choices
        return sum(theirs.get(name) != value for name, value in proposal.choices.items()), parent.error

    return min(known, key=distance)


def fit(
    source: Source, graph: Graph, seed: int, epochs: int, parent: nn.Module | None = None
) -> tuple[nn.Module, float]:
    """Return a network trained for some epochs and its validation error."""
    torch.manual_seed(seed)
    network = module(graph, training=True)
    if parent is not None:
        inherit(network, parent)
    return network, list(train(network, load_data(source), replace(RECIPE, epochs=epochs), seed))[-1].error


def searched(source: Source, arm: str, seed: int, epochs: int) -> list[Parent]:
    """Search until so many epochs are spent."""
    settings = {"name": "inheritance", "space": "mixed", "data": "fashion_mnist", "sampler": "evolution", "seed": seed}
    settings |= {"trials": epochs, "budget": BUDGET, "objectives": ("error",)}
    proposer = Proposer(Experiment.model_validate(settings), space, task(source))
    known: list[Parent] = []
    while epochs > 0 and (proposal := proposer.ask()):
        short = arm != "scratch" and len(known) >= FIRST
        parent = nearest(proposal, known).network if arm == "inherited" and short else None
        spent = 1 if short else RECIPE.epochs
        network, error = fit(source, proposal.graph, seed * 1_000 + len(known), spent, parent)
        proposer.tell(proposal, error)
        known.append(Parent(proposal, network, error))
        epochs -= spent
    return known


def run(source: Source, asked: dict[str, Any]) -> dict[str, object]:
    """Carry out one arm from one seed."""
    arm, seed, epochs = asked["arm"], asked["seed"], asked["epochs"]
    torch.set_num_threads(1)
    test = Batches(load_test(source), load_data(source), torch.device("cpu"))
    known = searched(source, arm, seed, epochs)
    best = sorted(known, key=lambda each: each.error)[:FINALISTS]
    graphs = [each.proposal.graph for each in best]
    again = [fit(source, graph, seed * 1_000 + 900 + i, RECIPE.epochs)[1] for i, graph in enumerate(graphs)]
    chosen = graphs[again.index(min(again))]
    tests = [evaluate(fit(source, chosen, seed * 1_000 + 950 + i, RECIPE.epochs)[0], test).error for i in range(JUDGED)]
    told = 100 * min(each.error for each in known)
    return {"networks": len(known), "told": told, "test": 100 * fmean(tests)}


def summary(rows: pd.DataFrame) -> Iterator[str]:
    """Yield a line per arm: its test error, and that less the error from scratch."""
    by = rows.pivot_table(index="seed", columns="arm", values="test").dropna()
    for arm in [each for each in ARMS if each in by]:
        line = f"{arm:<10} {len(by)} seeds, test error {by[arm].mean():.2f} %"
        if arm != "scratch" and len(by) > 1:
            differences = (by[arm] - by["scratch"]).tolist()
            low, high = mean_interval(differences)
            line += f", less scratch {fmean(differences):+.2f} [{low:+.2f}, {high:+.2f}] points"
        yield line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    source = Source("fashion_mnist", str(asked.folder), train_images=3_000, validation=0.05)
    arms = [{"arm": arm, "seed": seed, "epochs": asked.epochs} for seed in range(asked.seeds) for arm in ARMS]
    for row in carried_out(asked.out, arms, partial(run, source), asked.jobs):
        print(f"{row['arm']}, seed {row['seed']}: {row['test']:.2f} %", flush=True)
    print("\n".join(summary(read_rows(asked.out))))


if __name__ == "__main__":
    main()
