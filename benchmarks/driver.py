"""Milliseconds the driver takes to propose one trial when so many are recorded, without storage and training.

    python -m benchmarks.driver [--samplers random evolution frontier] [--recorded 100 1000 3000]

The space is the quickstart's, with its budget and two objectives; errors are made up.
"""

import argparse
import random
import time
from statistics import median

from nas.genome import Task
from nas.search.experiment_file import load_experiment
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.proposer import Proposer
from nas.search.propose.samplers.base import vector
from nas.search.space import load_space

TASK = Task("digits", (1, 8, 8), 10)
SAMPLERS = ("random", "evolution", "evolution-graphs", "local-search", "nsga2", "tpe", "frontier")


def made_up(drawn: Candidate) -> float:
    """Fewer errors with more MACs, and the second stage of one family."""
    return 0.5 / (1 + drawn.cost.macs / 1e5) + (0.0 if drawn.choices.get("family2") == "dense" else 0.05)


def history(count: int) -> list[Candidate]:
    """Networks inside the budget, drawn uniformly."""
    question, rng = load_experiment("quickstart"), random.Random(0)
    found: list[Candidate] = []
    while len(found) < count:
        drawn = make_candidate(load_space(question.space), TASK, GuidedTrial(rng))
        if question.budget.allows(drawn):
            found.append(drawn)
    return found


def each(sampler: str, past: list[Candidate], asks: int) -> float:
    """The median time of ask and tell."""
    question = load_experiment("quickstart", {"sampler": sampler, "trials": 3_000})
    proposer = Proposer(question, load_space(question.space), TASK)
    for drawn in past:
        proposer.sampler.tell(None, drawn, vector(proposer.objectives, drawn, (made_up(drawn),)))
    times = []
    for _ in range(asks):
        begun = time.process_time()
        proposal = proposer.ask()
        assert proposal is not None
        proposer.tell(proposal, made_up(proposal.candidate))
        times.append(time.process_time() - begun)
    return median(times[asks // 4 :]) * 1e3


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samplers", nargs="+", default=SAMPLERS)
    parser.add_argument("--recorded", nargs="+", type=int, default=(100, 1_000, 3_000))
    parser.add_argument("--asks", type=int, default=20)
    options = parser.parse_args()
    past = history(max(options.recorded))
    print("| ms a trial, CPU time, median | " + " | ".join(f"{count:,} recorded" for count in options.recorded) + " |")
    print("|---|" + "---|" * len(options.recorded))
    for sampler in options.samplers:
        cells = [f" {each(sampler, past[:count], options.asks):.1f} |" for count in options.recorded]
        print(f"| {sampler} |" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
