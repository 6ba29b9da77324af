"""What Ray Tune found, as ours: the network of a checkpoint, and results as a run directory."""

import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from math import isnan, nan
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from nas.api import LoadedRun, as_experiment, load
from nas.errors import NasError, RunError, one_line
from nas.genome.genome_json import from_json, read_genome
from nas.model.export import load_weights
from nas.model.fold import fold_network
from nas.model.module import module
from nas.search.experiment import Experiment
from nas.search.pareto import front_of
from nas.search.propose.candidate import make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.space import load_space
from nas.search.store.create import create
from nas.search.store.earlier_facts import EarlierTrials
from nas.search.store.log import log
from nas.search.store.run_files import trial_weights
from nas.search.trial import Reason, TrialRecord
from nas.training.data import task
from nas.training.score import Score
from nas.tune.config import NETWORK, network_table
from nas.tune.trainable import GENOME, WEIGHTS

if TYPE_CHECKING:
    from ray.tune import Checkpoint, Result, ResultGrid
    from torch import nn


def network(checkpoint: "Checkpoint | str | Path") -> "nn.Module":
    """Return the network of a checkpoint, or of its folder, with its weights, as it is exported, in evaluation mode.

    Raises GenomeError and OSError for what is not a checkpoint of `trainable`.
    """
    if not isinstance(checkpoint, str | Path):
        with checkpoint.as_directory() as folder:
            return network(folder)
    graph = read_genome(Path(checkpoint) / GENOME)
    net = module(graph, training=True)
    load_weights(net, Path(checkpoint) / WEIGHTS)
    return fold_network(graph, net).eval()


def keep(
    results: "ResultGrid",
    experiment: Experiment | str | Path,
    path: str | Path,
    space: Any = None,
    seconds: float = 0.0,
    earlier: EarlierTrials | None = None,
) -> LoadedRun:
    """Write the results of a Tuner as a run directory, which `nas report`, `nas finalists` and `nas export` read.

    A trial that a scheduler stopped is kept as stopped early; weights are kept for the Pareto front. seconds: that the
    search took. earlier: the trials that it was started from, by default those of the experiment's runs as they are
    now. Raises RunError for a directory that holds something already, and for results without networks.
    """
    experiment, path = as_experiment(experiment, space=space), Path(path)
    found = list(_records(results, experiment))
    if not found:
        raise RunError("the results have no trial of nas.tune.trainable that has trained for an epoch")
    if path.exists() and any(path.iterdir()):
        raise RunError(f"{path} exists and is not empty; keep the results in another place")
    study = create(path, experiment, f"nas.tune.keep(results, {experiment.name!r})", earlier)
    front = front_of([record for record, _ in found], experiment.objectives)
    with study.held():
        for record, result in found:
            number = study.begin(record)
            numbered = replace(record, number=number)
            if record in front and result.checkpoint:
                _keep_weights(result.checkpoint, trial_weights(path, number))
            study.end(numbered)
            log(path, numbered)
        study.add_seconds(seconds)
    return load(path)


def _keep_weights(checkpoint: "Checkpoint", target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with checkpoint.as_directory() as folder:
        shutil.copyfile(Path(folder) / WEIGHTS, target)


def _records(results: "ResultGrid", experiment: Experiment) -> "Iterable[tuple[TrialRecord, Result]]":
    """Yield the trial of each result that has scores or failed."""
    space, images = load_space(experiment.space), task(experiment.source)
    for number in range(len(results)):
        result = results[number]
        if NETWORK not in (result.config or {}):
            continue
        scores = _scores(result)
        if not scores and not result.error:
            continue  # proposed, and never trained
        table = network_table(result.config or {})
        choices = dict(table["choices"])
        graph = from_json(table["genome"])
        known: dict[str, Any] = {"choices": {}}
        with suppress(NasError):  # a space that has changed since: the network stands, without its choices
            drawn = make_candidate(space, images, GuidedTrial(Random(0), choices))
            if drawn.choices == choices:
                known = {"choices": choices, "distributions": drawn.distributions}
        reason, detail = _reason(result, scores, experiment.recipe.epochs)
        state = "complete" if not reason else "pruned" if reason is Reason.STOPPED else "failed"
        seconds = scores[-1].seconds if scores else 0.0
        yield (
            TrialRecord.of(
                graph, int(table["seed"]), number, scores=scores, state=state, reason=reason, detail=detail,
                seconds=seconds, predicted=experiment.predictions(graph), **known,
            ),
            result,
        )  # fmt: skip


def _scores(result: "Result") -> tuple[Score, ...]:
    """Return the epochs of a result, each once; of an epoch trained twice after a loss, the last."""
    table = result.metrics_dataframe
    rows: list[Mapping[Any, Any]] = [] if table is None else list(table.to_dict("records"))
    if not rows and result.metrics and "epoch" in result.metrics:
        rows = [result.metrics]
    by_epoch: dict[int, Score] = {}
    for row in rows:
        if isnan(row.get("epoch", nan)) or isnan(row.get("error", nan)):
            continue
        epoch = int(row["epoch"])  # Tune's own count goes on where a population starts again
        loss, seconds, train_loss = (float(row.get(name) or 0.0) for name in ("loss", "seconds", "train_loss"))
        by_epoch[epoch] = Score(epoch, float(row["error"]), loss, seconds, train_loss)
    return tuple([by_epoch[epoch] for epoch in sorted(by_epoch)])


def _reason(result: "Result", scores: tuple[Score, ...], epochs: int) -> tuple[Reason, str]:
    """Return why a trial ended before its last epoch, and what was said."""
    if result.error:
        return Reason.ERROR, one_line(str(result.error).strip().splitlines()[-1])
    if (result.metrics or {}).get("diverged"):
        return Reason.DIVERGED, "the loss or the error was no longer a number"
    return (Reason.STOPPED if scores[-1].epoch < epochs else Reason.NONE), ""
