"""The last word on a search: the front trained again from several seeds on the full recipe, then tested once.

A search ranks networks by one short training each; the best of many noisy scores flatters itself. Finalists are
judged by the mean over fresh seeds, and only then is the test split read, once for each.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, stdev

from nas.errors import RunError
from nas.search.loop.search import job
from nas.search.pareto import front_of
from nas.search.store.run_files import exclusive_lock, write_whole
from nas.search.trial import Run, TrialRecord
from nas.search.workers.executor import executor
from nas.training.recipe import Recipe

FIRST_SEED = 2**20  # away from the seeds of the search itself


@dataclass(frozen=True)
class Finalist:
    """A network of the front after retraining.

    errors: validation error (a fraction) by seed. low, high: 95 % interval of their mean (Student's t), equal to the
    mean with one seed. seed: of the training that was best on validation, whose weights are kept. test_error: of those
    weights, read once.
    """

    number: int
    errors: tuple[float, ...]
    low: float
    high: float
    seed: int
    test_error: float
    epochs: int

    @property
    def error(self) -> float:
        """Mean validation error over the seeds."""
        return mean(self.errors)


def interval(errors: tuple[float, ...]) -> tuple[float, float]:
    """The 95 % interval of a mean by Student's t."""
    if len(errors) < 2:
        return errors[0], errors[0]
    from scipy.stats import t

    half = float(t.ppf(0.975, len(errors) - 1)) * stdev(errors) / len(errors) ** 0.5
    return mean(errors) - half, mean(errors) + half


def weights(path: Path, number: int) -> Path:
    """Where a finalist's best weights lie."""
    return path / "finalists" / f"{number:06d}.safetensors"


def finalists(run: Run, recipe: Recipe, seeds: int, most: int) -> Iterator[str | Finalist]:
    """Train up to `most` networks of the front, of least error first, from `seeds` seeds each.

    Yields a line of progress after each training, then the finalists, best first. Raises RunError when the run has
    no front or another driver holds it.
    """
    complete = [record for record in run.records if record.error is not None]
    front = sorted(front_of(complete, run.experiment.objectives), key=lambda record: (record.error, record.number))
    if not front:
        raise RunError(f"{run.path}: no trial is complete yet; go on with: nas resume {run.path}")
    entries = [(record, FIRST_SEED + i) for record in front[:most] for i in range(seeds)]
    errors: dict[int, dict[int, float]] = {}  # by trial, then by place among the entries
    with exclusive_lock(run.path):
        for place, error, reason in _trained(run, recipe, entries):
            record, seed = entries[place]
            said = f"error {error:.4f}" if error is not None else f"failed: {reason}"
            yield f"finalist {record.number}, seed {seed - FIRST_SEED + 1} of {seeds}: {said}"
            if error is not None:
                errors.setdefault(record.number, {})[place] = error
        chosen = [_judge(run, entries, found, recipe) for found in errors.values()]
        ranked = sorted(chosen, key=lambda finalist: (finalist.error, finalist.number))
        write_whole(run.path / "finalists" / "finalists.json", json.dumps([asdict(f) for f in ranked], indent=1) + "\n")
    yield from ranked


def _part(run: Run, place: int) -> Path:
    return run.path / "finalists" / f"part-{place:04d}.safetensors"


def _trained(
    run: Run, recipe: Recipe, entries: list[tuple[TrialRecord, int]]
) -> Iterator[tuple[int, float | None, str]]:
    """Place, last validation error and reason of failure of each training, as they end."""
    waiting = list(range(len(entries)))
    last: dict[int, float] = {}
    with closing(executor(run.experiment, len(entries))) as workers:
        running = 0
        while waiting or running:
            while waiting and workers.idle():
                place = waiting.pop(0)
                record, seed = entries[place]
                workers.submit(job(run.experiment, recipe, record, place, seed, _part(run, place)))
                running += 1
            for event in workers.events(0.25):
                if event["kind"] == "score":
                    last[event["number"]] = event["score"]["error"]
                else:
                    running -= 1
                    failed = bool(event["reason"])
                    yield event["number"], None if failed else last[event["number"]], event["reason"]


def _judge(run: Run, entries: list[tuple[TrialRecord, int]], errors: dict[int, float], recipe: Recipe) -> Finalist:
    """Keep the weights that were best on validation and read the test split with them. errors: by place, of one."""
    import torch

    from nas.model.export import load_weights
    from nas.model.module import module
    from nas.training.data import load_data, load_test
    from nas.training.train import Batches, evaluate

    best = min(errors, key=lambda place: errors[place])
    record, seed = entries[best]
    kept = weights(run.path, record.number)
    _part(run, best).replace(kept)
    for place in errors:
        _part(run, place).unlink(missing_ok=True)
    network = module(record.graph)
    load_weights(network, kept)
    data, test = load_data(run.experiment.source), load_test(run.experiment.source)
    test_error, _ = evaluate(network, Batches(test, data, torch.device("cpu")))
    values = tuple(errors.values())
    low, high = (min(1.0, max(0.0, end)) for end in interval(values))  # an error is a share
    return Finalist(record.number, values, low, high, seed, test_error, recipe.epochs)


def load_finalists(path: Path) -> tuple[Finalist, ...]:
    """The finalists of a run, best first; none if there are none. Raises RunError when the file is damaged."""
    file = path / "finalists" / "finalists.json"
    if not file.is_file():
        return ()
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return tuple(replace(Finalist(**row), errors=tuple(map(float, row["errors"]))) for row in rows)
    except (ValueError, TypeError, KeyError) as problem:
        raise RunError(f"{file} is damaged ({problem!s:.100}); remove it and run: nas finalists {path}") from None
