"""The values behind the page, as CSV files beside it: each contrast and each training in each setting."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from nas.genome.cost import cost
from nas.principles.claims.principle import Principle
from nas.principles.judging.power import threshold
from nas.principles.judging.results import contrast_values
from nas.principles.judging.study_results import StudyResults
from nas.report.principles.scale import arm_text, data_name, drawn_settings, image_side
from nas.report.run.frame import write_csv

CONTRASTS, TRAININGS = "contrasts.csv", "trainings.csv"
CONTRAST_COLUMNS = (
    "claim", "bound", "metric", "threshold", "setting", "data", "side", "width", "growth", "repeats", "shallow",
    "deep", "value",
)  # fmt: skip
TRAINING_COLUMNS = (
    "claim", "arm", "setting", "error", "train_loss", "early_loss", "params", "macs", "depth", "seconds", "recipe",
    "seed", "fingerprint",
)  # fmt: skip


def write_values(results: StudyResults, directory: Path) -> None:
    """Write every contrast and every training as CSV; a value that is missing is empty. Raises OSError."""
    write_csv(contrasts_frame(results), directory / CONTRASTS)
    write_csv(trainings_frame(results), directory / TRAININGS)


def contrasts_frame(results: StudyResults) -> pd.DataFrame:
    """Return a row per bound and setting.

    threshold, value: in percent of the error (100 times a difference of logarithms), or in nats for a loss. side:
    pixels that the networks see. setting: from 0.
    """
    rows = [row for each in results.study.principles for row in _contrast_rows(results, each)]
    return pd.DataFrame(rows, columns=list(CONTRAST_COLUMNS))


def _contrast_rows(results: StudyResults, principle: Principle) -> Iterator[tuple[Any, ...]]:
    drawn = drawn_settings(results, principle.key)
    for bound in principle.bounds:
        limit = threshold(bound, results.study.design)
        values = contrast_values(bound, results.by_principle[principle.key])
        for index, (setting, value) in enumerate(zip(drawn, values, strict=True)):
            yield (principle.key, bound.name, bound.metric, limit, index, data_name(results.study, index),
                   image_side(setting), setting.width, setting.growth, setting.repeats, setting.shallow, setting.deep,
                   value)  # fmt: skip


def trainings_frame(results: StudyResults) -> pd.DataFrame:
    """Return a row per arm and setting. A training that two claims share has two rows with one fingerprint and seed.

    error: in percent of the images, with the handicap of a control. train_loss, early_loss: in nats. params, macs:
    per network and per image. seconds: of training. recipe: how it differs from the study's.
    """
    rows = [row for each in results.study.principles for row in _training_rows(results, each)]
    return pd.DataFrame(rows, columns=list(TRAINING_COLUMNS))


def _training_rows(results: StudyResults, principle: Principle) -> Iterator[tuple[Any, ...]]:
    for name, row in results.by_principle[principle.key].items():
        recipe = arm_text(principle.arm(name), results.study.experiment)
        for index, (result, arms) in enumerate(zip(row, results.plan.arms[principle.key], strict=True)):
            counts, key = cost(arms.graphs[name]), arms.keys[name]
            record = results.records.get(key)
            measured = (result.error, result.train_loss, result.early_loss) if result else (None, None, None)
            yield (principle.key, name, index, *measured, counts.params, counts.macs, counts.depth,
                   record.seconds if record else None, recipe, key[2], key[0])  # fmt: skip
