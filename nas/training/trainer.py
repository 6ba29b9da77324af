"""The contract of all that trains a network, and the trainers that an experiment may name."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from nas.errors import ExperimentError, TrainingError
from nas.registry import Plugin, Registry, outside_plugin
from nas.training.data import Data
from nas.training.metrics import MAX_CONFUSION_CLASSES
from nas.training.recipe import Recipe
from nas.training.score import Score
from nas.user_code import is_outside

if TYPE_CHECKING:
    from torch import nn

TRAINERS: Registry[Plugin] = Registry("trainer", outside_plugin)
"""A target is called as `target(network, data, recipe, seed, device)` and returns a `Trainer` or yields scores."""

TRAINERS.register(
    Plugin("standard", "the recipe's optimizer, schedule, loss and augmentation", "nas.training.train:Training")
)


class Trainer(Protocol):
    """The training of one network, in place. `nas.testing.trainers.check_trainer` tests this contract."""

    def epoch(self) -> Score:
        """Train for one epoch and return its score, when the network holds the weights that were scored.

        Raises StopIteration when training is over before the last epoch that the caller wants.
        """
        ...

    def state(self) -> Mapping[str, Any]:
        """Return all that `load` needs, in what `torch.load(weights_only=True)` reads: tensors and plain data."""
        ...

    def load(self, state: Any) -> None:
        """Go on, in a trainer that has not trained yet, after the epoch at which the state was taken."""
        ...


class GeneratorTrainer:
    """A generator of scores as a trainer. It has no state: `load` trains again, up to the same epoch."""

    def __init__(self, scores: Iterator[Score]) -> None:
        self._scores, self.epochs = scores, 0

    def epoch(self) -> Score:
        """Return the next score. Raises StopIteration after the last."""
        score = next(self._scores)
        self.epochs += 1
        return score

    def state(self) -> dict[str, int]:
        """Return the number of epochs trained."""
        return {"epochs": self.epochs}

    def load(self, state: Mapping[str, int]) -> None:
        """Train up to the epoch of the state."""
        for _ in range(state["epochs"]):
            self.epoch()


def find_trainer(name: str) -> Callable[..., Any]:
    """Return the class or function that a name stands for. Raises ExperimentError, also for what cannot be called."""
    target = TRAINERS.find(name).load()
    if not callable(target):
        raise ExperimentError(f"trainer {name} is not a class or function: {target!r:.60}")
    found: Callable[..., Any] = target
    return found


def check_trainer_name(name: str) -> None:
    """Raise ExperimentError for a name that is no trainer's. The toolkit's own is not imported: torch is slow."""
    if is_outside(TRAINERS.check(name)):
        find_trainer(name)


def make_trainer(
    name: str, network: "nn.Module", data: Data, recipe: Recipe, seed: int, device: str,
    teacher: "nn.Module | None" = None,
) -> Trainer:  # fmt: skip
    """Return the trainer of that name for a network, which is on the CPU.

    teacher: a trained network to learn from; only a trainer with a parameter of that name takes one. Raises
    ExperimentError for an unknown name, and TrainingError as `as_trainer`.
    """
    given = {"teacher": teacher} if teacher is not None else {}
    return as_trainer(name, find_trainer(name)(network, data, recipe, seed, device, **given))


def as_trainer(name: str, made: object) -> Trainer:
    """Return what a class or function of that name returned as a trainer.

    Raises TrainingError for what is neither a trainer nor a generator of scores.
    """
    missing = [member for member in ("epoch", "state", "load") if not callable(getattr(made, member, None))]
    if len(missing) == 3 and isinstance(made, Iterator):
        return GeneratorTrainer(made)
    if missing:
        raise TrainingError(
            f"trainer {name} returned {type(made).__name__}, which has no {', '.join(missing)}: return an object with "
            "epoch(), state() and load(state), or yield a Score after each epoch"
        )
    return cast("Trainer", made)


def run_trainer(trainer: Trainer, epochs: int, metric: str = "error", done: int = 0) -> Iterator[Score]:
    """Yield the score of each epoch, checked, with the metric as its error; the caller may stop at any.

    Training ends after the last epoch, when the trainer says so, or after a score that diverged. done: epochs of a
    state that was loaded. Raises TrainingError for a score that is not one, and what the trainer raises.
    """
    start = time.perf_counter()
    for epoch in range(done + 1, epochs + 1):
        try:
            given = trainer.epoch()
        except StopIteration:
            if epoch == 1:
                raise TrainingError("the trainer ended without a score; give one after each epoch") from None
            return
        score = checked_score(given, epoch, metric)
        score = score if score.seconds else replace(score, seconds=time.perf_counter() - start)
        yield score
        if score.diverged:
            return


def checked_score(given: object, epoch: int, metric: str = "error") -> Score:
    """Return a trainer's score of an epoch with plain numbers, and the metric as its error.

    Raises TrainingError for what is not a score, for another epoch, and for an error outside of 0 to 1.
    """
    if not isinstance(given, Score):
        raise TrainingError(
            f"the trainer gave {type(given).__name__} ({given!r:.60}) for epoch {epoch}, not a nas.training.score.Score"
        )
    if given.epoch != epoch:
        raise TrainingError(f"the trainer gave epoch {given.epoch!r:.20} where {epoch} was due; epochs count from 1")
    if getattr(given, metric) is None:
        raise TrainingError(
            f"the trainer gives no {metric}, which is the metric of the search; give Score(..., {metric}=...)"
        )
    try:
        score = replace(given, error=float(getattr(given, metric)), **_numbers(given))
    except (TypeError, ValueError, OverflowError) as problem:
        raise TrainingError(f"the trainer's score of epoch {epoch} holds what is not a number: {problem}") from None
    if not score.diverged and not 0 <= score.error <= 1:
        raise TrainingError(
            f"the trainer gave {metric} {score.error:g} for epoch {epoch}; it is a share of images, from 0 to 1"
        )
    return score


def _numbers(score: Score) -> dict[str, Any]:
    """Return the other fields as plain numbers, which travel as JSON: tensors and numpy's are taken too."""
    names = ("loss", "seconds", "train_loss", "images_per_second")
    optional = {name: getattr(score, name) for name in ("balanced_error", "top5_error")}
    return {
        **{name: float(getattr(score, name)) for name in names},
        **{name: None if value is None else float(value) for name, value in optional.items()},
        "peak_bytes": int(score.peak_bytes),
        "confusion": _confusion(score),
        "misclassified": str(score.misclassified),
    }


def _confusion(score: Score) -> tuple[tuple[int, ...], ...]:
    """Return the confusion matrix as it is kept. Raises ValueError for one that is not square, or not of counts."""
    rows = tuple([tuple(map(int, row)) for row in score.confusion])
    if any(len(row) != len(rows) or min(row) < 0 for row in rows):
        raise ValueError("confusion must be square, with counts of images")
    return rows if len(rows) <= MAX_CONFUSION_CLASSES else ()
