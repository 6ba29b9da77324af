"""What a search is about to do, printed before anything is trained."""

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from nas.cli.app import info
from nas.errors import ExperimentError, NasError

if TYPE_CHECKING:
    from nas.search.experiment import Experiment
    from nas.search.store.earlier_facts import EarlierTrials


def print_latency(experiment: "Experiment", run: Path) -> "Experiment":
    """Return the experiment with the model of latency that it needs, and print how exact that is. Raises LatencyError.

    The model is that of the run, if there is one, or is learned now from networks that are measured.
    """
    from nas.search.loop.latency import with_latency

    if not experiment.uses_latency:
        return experiment
    if not experiment.latency_model:
        info("latency: measuring networks of the space, unless the run has a model")
    experiment = with_latency(experiment, run)
    model = experiment.latency_model
    assert model is not None
    info(f"latency: {model.measured_on}; {model.error}")
    info(f"  a limit is kept by the prediction and {model.error.margin:.1%} more, which 9 of 10 networks keep")
    return experiment


def print_plan(experiment: "Experiment") -> None:
    """Print what is trained on, and what the space holds within the budget.

    Raises BudgetError when nothing is within it, DataError when images are missing, ExperimentError when there is no
    GPU for `device = "cuda"`, when the trainer cannot be imported, or when the metric does not suit the images.
    """
    from nas.genome.cost import cost
    from nas.search.durations import format_duration
    from nas.search.objectives import OBJECTIVES
    from nas.search.propose.baselines import fit_baseline
    from nas.search.propose.preflight import preflight
    from nas.search.space import load_space
    from nas.training.balance import imbalance
    from nas.training.data import load_data as images_of
    from nas.training.data import overview
    from nas.training.metrics import METRICS
    from nas.training.trainer import check_trainer_name

    _check_gpu(experiment)
    check_trainer_name(experiment.trainer)
    lines, images = overview(experiment.source), images_of(experiment.source)
    METRICS[experiment.metric].check_classes(images.task.classes)
    sample = preflight(experiment, load_space(experiment.space), images.task)
    limits = ", ".join(
        f"{name} {' and '.join(f'{end} {value:,}' for end, value in ends.items())}"
        for name, ends in experiment.budget.as_dict().items()
    )
    info(f"{experiment.name}: space {experiment.space} on {experiment.images}; budget: {limits or 'none'}")
    for line in lines:
        info(line)
    if note := imbalance(images.train.labels, images.task.classes, experiment.metric, experiment.recipe):
        info(fill(note, 80, initial_indent="  ", subsequent_indent="    "))
    for name in ("params", "macs"):
        values = sorted(OBJECTIVES[name].of(network) for network in sample.networks)
        low, middle, high = values[0], values[len(values) // 2], values[-1]
        info(f"  {name:<7}{low:>12,} to {high:,}, median {middle:,}")
    for name in experiment.baselines:
        fitted = fit_baseline(name, images.task, experiment.budget)
        counts = cost(fitted.graph)
        info(f"  baseline {fitted.label}: {counts.params:,} params, {counts.macs:,} MACs")
    if sample.refused:
        action = "scaled to fit where possible" if experiment.fit else "rejected"
        limits = ", ".join(f"{name} {count}" for name, count in sample.refused.most_common())
        info(f"  networks outside the budget are {action}; the limit they exceed most: {limits}")
    if experiment.time_limit:
        info(f"  time limit: {format_duration(experiment.time_limit)} over all resumes")
    if again := experiment.finalists:
        epochs = again.recipe(experiment.recipe).epochs
        info(f"  then the best {again.top} will be trained from {again.seeds} seeds each, for {epochs} epochs")
    info(f"  {sample.inside} of {sample.drawn} sampled networks are within the budget; {experiment.trials} will be "
        f"trained, {experiment.recipe.epochs} epochs each, by {experiment.workers} workers")  # fmt: skip


def _check_gpu(experiment: "Experiment") -> None:
    """Raise ExperimentError if the workers of this machine need a GPU and there is none."""
    if experiment.executor != "local" or experiment.device in ("auto", "cpu"):
        return
    from nas.training.device import has_device

    if not has_device(experiment.device):
        raise ExperimentError(
            f"device (={experiment.device!r}): torch finds no such GPU here; use --device cpu, or auto"
        )


def print_start(earlier: "EarlierTrials") -> None:
    """Print the runs that a search is started from."""
    from collections import Counter

    from nas.report.text import counted_runs

    if earlier:
        info(f"started from: {counted_runs(Counter(each.source for each in earlier))}")


def print_cost_estimate(experiment: "Experiment") -> None:
    """Print how much time and disk the run would take, measured by training a network of median MACs for two epochs."""
    from datetime import timedelta

    from nas.search.results.estimate import estimate_run
    from nas.search.space import load_space
    from nas.training.data import task

    try:
        estimate = estimate_run(experiment, load_space(experiment.space), task(experiment.source))
    except NasError as problem:
        info(f"  time and disk could not be estimated: {problem}")
        return
    info(f"  one epoch of a network of median MACs ({estimate.network.macs:,}) takes {estimate.epoch:.2g} s here; "
        f"the run about {timedelta(seconds=round(estimate.seconds))} if every worker has a core")  # fmt: skip
    info(f"  disk: {estimate.study / 1e6:.1f} MB for the study, at most {estimate.weights / 1e6:.1f} MB for weights")
