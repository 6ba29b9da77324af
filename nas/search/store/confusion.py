"""How the networks on the front confuse classes: a file beside the weights of each, so that the study stays small."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from nas.errors import RunError
from nas.files import atomic_write
from nas.search.store.rows import STRICT, Number, read_rows
from nas.search.store.run_files import trial_folder
from nas.search.trial import TrialRecord
from nas.training.metrics import MAX_CONFUSION_CLASSES, Confusion
from nas.training.score import Score


@dataclass(frozen=True)
class ConfusionRow:
    """The validation images of one class, by the class that was predicted."""

    __pydantic_config__ = STRICT

    predicted: tuple[Number, ...]


def last_predictions(scores: tuple[Score, ...]) -> tuple[Score, ...]:
    """Return the scores with the confusion matrix, and the misclassified images, of the last alone."""
    return (*map(_without_predictions, scores[:-1]), *scores[-1:])


def _without_predictions(score: Score) -> Score:
    return replace(score, confusion=(), misclassified="") if score.confusion or score.misclassified else score


def record_confusion(path: Path, record: TrialRecord) -> None:
    """Write the confusion matrix of a complete trial, if it has one. Raises OSError."""
    if record.error is not None and (rows := record.scores[-1].confusion):
        kept = [asdict(ConfusionRow(row)) for row in rows]
        atomic_write(_file(path, record.number), json.dumps(kept, separators=(",", ":")) + "\n")


def load_confusion(path: Path, number: int) -> Confusion | None:
    """Return the confusion matrix of a trial; None where none was kept. Raises RunError when its file is damaged."""
    file = _file(path, number)
    try:
        rows = read_rows(file, ConfusionRow)
        if any(len(row.predicted) != len(rows) for row in rows) or len(rows) > MAX_CONFUSION_CLASSES:
            raise ValueError(f"not a square matrix of at most {MAX_CONFUSION_CLASSES} classes")
    except ValueError as problem:
        raise RunError(f"{file} is damaged ({problem}); remove it, and the report leaves it out") from None
    return np.array([row.predicted for row in rows], np.int64) if rows else None


def _file(path: Path, number: int) -> Path:
    return trial_folder(path, number) / "confusion.json"
