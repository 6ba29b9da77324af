"""What a search is about to do, said before anything is trained."""

from typing import TYPE_CHECKING

from nas.cli.app import info
from nas.errors import ExperimentError, NasError

if TYPE_CHECKING:
    from nas.search.experiment import Experiment


def print_plan(question: "Experiment") -> None:
    """Say what is trained on, and what the space holds inside the budget.

    Raises BudgetError when nothing is inside, DataError when images are missing, ExperimentError without a card.
    """
    from nas.genome.cost import cost
    from nas.search.objectives import OBJECTIVES
    from nas.search.propose.baselines import fit_baseline
    from nas.search.propose.preflight import preflight
    from nas.search.space import load_space
    from nas.training.data import class_names
    from nas.training.data import load_data as images_of

    require(question)
    images, names = images_of(question.source), class_names(question.source)
    called = f": {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}" if names else ""
    seen = preflight(question, load_space(question.space), images.task)
    limits = ", ".join(
        f"{name} {' and '.join(f'{end} {value:,}' for end, value in ends.items())}"
        for name, ends in question.budget.as_dict().items()
    )
    info(f"{question.name}: space {question.space} on {question.data}; budget {limits or 'none'}")
    info(f"  {len(images.train.labels):,} images to train on, {len(images.validation.labels):,} to validate with, "
        f"{images.task.classes} classes{called}")  # fmt: skip
    for name in ("params", "macs"):
        values = sorted(OBJECTIVES[name].of(network) for network in seen.networks)
        low, middle, high = values[0], values[len(values) // 2], values[-1]
        info(f"  {name:<7}{low:>12,} to {high:,}, median {middle:,}")
    for name in question.baselines:
        fitted = fit_baseline(name, images.task, question.budget)
        counts = cost(fitted.graph)
        info(f"  beside it {fitted.label}: {counts.params:,} params, {counts.macs:,} MACs")
    if seen.refused:
        fate = "are moved inside where they can be" if question.fit else "are refused"
        limits = ", ".join(f"{name} {count}" for name, count in seen.refused.most_common())
        info(f"  those outside {fate}; the limit they break most: {limits}")
    info(f"  {seen.inside} of {seen.drawn} networks drawn are inside; {question.trials} will be trained, "
        f"{question.recipe.epochs} epochs each, by {question.workers} workers")  # fmt: skip


def require(question: "Experiment") -> None:
    """A card, where the workers of this machine are to train on one. Raises ExperimentError."""
    if question.device == "cuda" and question.executor == "local":
        import torch

        if not torch.cuda.is_available():
            raise ExperimentError("device (='cuda'): torch sees no card here; choose --device cpu")


def print_cost_estimate(question: "Experiment") -> None:
    """Say what time and disk the run would take, from a network of median MACs trained here for two epochs."""
    from datetime import timedelta

    from nas.search.results.estimate import estimate_run
    from nas.search.space import load_space
    from nas.training.data import task

    try:
        seen = estimate_run(question, load_space(question.space), task(question.source))
    except NasError as problem:
        info(f"  time and disk are not known: {problem}")
        return
    info(f"  an epoch of a network of median MACs ({seen.network.macs:,}) takes {seen.epoch:.2g} s here; the run "
        f"about {timedelta(seconds=round(seen.seconds))} where every worker has a core")  # fmt: skip
    info(f"  disk: {seen.study / 1e6:.1f} MB for the study, at most {seen.weights / 1e6:.1f} MB for weights")
