"""Networks inside two budgets at once: drawn until they fit, against moved until they fit.

    python -m benchmarks.fit [--seconds 5]

Five tasks: a space, a data set, and a range [0.8, 1] of a limit on params and of one on MACs. Both ways count with the
same warm cost model, alternate in one process, and only distinct choices count. Then, of each way on a space of which
about 1 % fits: proposals a second, and the median share used of the limit that binds.
"""

import argparse
import random
import time
from collections.abc import Callable
from math import exp, log
from statistics import median

from nas.errors import GenomeError
from nas.genome import Graph, Task, Trial
from nas.genome.primitives import BasicBlock, Bottleneck, ConvStack, ConvUnit, DenseBlock, GapHead, Stem, Transition
from nas.genome.trial import Space
from nas.search.experiment import Experiment
from nas.search.objectives import Budget, Range
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import GuidedTrial, choices_key
from nas.search.propose.fit_budget import BudgetFitter
from nas.search.propose.proposer import Proposer
from nas.search.space import load_space

CIFAR, TINY = Task("cifar10", (3, 32, 32), 10), Task("tiny", (3, 64, 64), 200)


def stages(trial: Trial, task: Task) -> Graph:
    """Four stages of residual blocks, width and depth of each free (AnyNet: Radosavovic et al. 2020)."""
    x = Stem(trial.suggest_int("stem", 8, 64, step=8))(task.image())
    for i in range(4):
        width = trial.suggest_int(f"width{i}", 8, 256, step=8)
        for j in range(trial.suggest_int(f"depth{i}", 1, 6)):
            x = BasicBlock(width, 2 if i and not j else 1)(x)
    return Graph.of(GapHead(task.classes)(x))


def bottlenecks(trial: Trial, task: Task) -> Graph:
    """The same of bottlenecks, their expansion free too."""
    x = Stem(trial.suggest_int("stem", 8, 64, step=8))(task.image())
    expansion = trial.suggest_categorical("expansion", [1, 2, 4])
    for i in range(4):
        width = trial.suggest_int(f"width{i}", 8, 128, step=8)
        for j in range(trial.suggest_int(f"depth{i}", 1, 6)):
            x = Bottleneck(width, 2 if i and not j else 1, expansion)(x)
    return Graph.of(GapHead(task.classes)(x))


def growths(trial: Trial, task: Task) -> Graph:
    """Three dense blocks, growth and depth of each free."""
    x = Stem(trial.suggest_int("stem", 8, 64, step=4))(task.image())
    for i in range(3):
        x = DenseBlock(trial.suggest_int(f"growth{i}", 4, 48, step=2), trial.suggest_int(f"depth{i}", 2, 16))(x)
        x = Transition(trial.suggest_categorical(f"keep{i}", [0.5, 1.0]))(x)
    return Graph.of(GapHead(task.classes)(ConvUnit(64, 1)(x)))


def stacks(trial: Trial, task: Task) -> Graph:
    """Four plain stages, width and depth of each free."""
    x = task.image()
    for i in range(4):
        x = ConvUnit(trial.suggest_int(f"width{i}", 8, 256, step=8), 3, 2 if i else 1)(x)
        x = ConvStack(x.shape[0], trial.suggest_int(f"depth{i}", 1, 6))(x)
    return Graph.of(GapHead(task.classes)(x))


TASKS: dict[str, tuple[Space, Task, int, int]] = {  # the limits: params, MACs
    "stages, CIFAR-10": (stages, CIFAR, 500_000, 60_000_000),
    "bottlenecks, 64x64": (bottlenecks, TINY, 400_000, 150_000_000),
    "growths, CIFAR-10": (growths, CIFAR, 300_000, 60_000_000),
    "stacks, CIFAR-10": (stacks, CIFAR, 400_000, 40_000_000),
    "mixed, CIFAR-10": (load_space("mixed"), CIFAR, 40_000, 6_000_000),
}


def band(limit: int) -> Range:
    """[0.8, 1] of a limit."""
    return Range(round(0.8 * limit), limit)


def rate(
    seconds: float, space: Space, task: Task, keep: Callable[[Candidate], Candidate | None], seed: int
) -> tuple[int, int]:
    """Draws made in so much CPU time, and distinct networks that came of them."""
    rng, found, draws = random.Random(seed), set(), 0
    end = time.process_time() + seconds
    while time.process_time() < end:
        draws += 1
        try:
            kept = keep(make_candidate(space, task, GuidedTrial(rng)))
        except GenomeError:
            continue
        if kept is not None:
            found.add(choices_key(kept.choices))
    return draws, len(found)


def both_budgets(seconds: float) -> None:
    """Goal P5: at least 25 times rejection, geometric mean over the tasks."""
    ratios = []
    for name, (space, task, params, macs) in TASKS.items():
        budget = Budget(params=band(params), macs=band(macs))
        fitter = BudgetFitter(space, task, budget, 0)
        rate(seconds / 5, space, task, fitter.fit, 9)  # what both ways keep of ops they counted
        draws, hits = rate(seconds * 3, space, task, lambda d, b=budget: d if b.allows(d) else None, 1)  # type: ignore[misc]
        asked, fitted = rate(seconds, space, task, fitter.fit, 2)
        ratios.append(fitted / seconds / max(hits / seconds / 3, 1 / seconds / 3))
        print(f"{name:<20} rejection {hits / draws:8.4%} inside, {hits / seconds / 3:6.1f} a second;  fitted "
              f"{fitted / asked:4.0%} of draws, {fitted / seconds:6.1f} a second;  ratio {ratios[-1]:5.1f}",
              flush=True)  # fmt: skip
    print(f"geometric mean of the ratios: {exp(sum(map(log, ratios)) / len(ratios)):.1f}")


def proposals(fit: bool, asked: int) -> None:
    """How fast, and how full, where 1 % of the space fits; every proposal is inside by the proposer's own check."""
    params, macs = 900_000, 90_000_000
    budget = Budget(params=Range(max=params), macs=Range(max=macs))
    settings = {"name": "fit", "space": "mixed", "data": "digits", "sampler": "random", "trials": asked, "fit": fit}
    over, shares, spent, inside = 0, [], 0.0, 0
    for seed in range(3):
        question = Experiment.model_validate({**settings, "budget": budget, "seed": seed})
        begun = time.process_time()
        proposer = Proposer(question, stages, CIFAR)
        for _ in range(asked):
            proposal = proposer.ask()
            assert proposal is not None
            over += not budget.allows(proposal)
            shares.append(max(proposal.cost.params / params, proposal.cost.macs / macs))
            proposer.tell(proposal, 0.5)
        spent += time.process_time() - begun
        inside += proposer.proposal_counts["proposed"]
    print(f"fit = {str(fit).lower()}: {3 * asked} proposals of {inside} draws, {over} over budget, "
          f"{3 * asked / spent:.0f} a second, median share of the limit that binds {median(shares):.3f}")  # fmt: skip


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="CPU seconds a task for ours, three times for theirs"
    )
    parser.add_argument("--trials", type=int, default=300)
    options = parser.parse_args()
    both_budgets(options.seconds)
    for fit in (False, True):
        proposals(fit, options.trials)


if __name__ == "__main__":
    main()
