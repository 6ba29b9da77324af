"""A source's images, divided into what a search may see and what it may not."""

import os
import re
from functools import lru_cache

import numpy as np

from nas.errors import DataError, ExperimentError
from nas.genome.task import Task
from nas.training.data.cache import DataPart, Statistics, cached_part
from nas.training.data.reader import Part, Reader
from nas.training.data.registry import READERS
from nas.training.data.source import Source
from nas.training.data.split import Data, Labels, Rows, Split, remaining_rows, sample_rows, select_rows

TEST, VALIDATION, VALIDATION_WITHOUT_TEST = 0.2, 0.1, 0.25
"""Shares held out: for the test where a set has no test part; for validation; and of what is left of such a set."""
DIVISION_SEED = 0
"""The same images are held out whatever a search's seed, so that searches can be compared."""
MAX_CLASSES = 100_000


def task(source: Source | str) -> Task:
    """Return the shape of the images and the number of classes; files are read only if needed. Raises DataError."""
    source = _as_source(source)
    if (fixed := _find_reader(source).task) is not None:
        return fixed
    part = _load_part(source, "train")
    return Task(source.name, part.split.images.shape[1:], len(part.statistics.counts))


def class_names(source: Source | str) -> tuple[str, ...]:
    """Return the names of the classes in the order of their labels; none if unknown. Raises DataError."""
    source = _as_source(source)
    return _find_reader(source).class_names(source.data_dir)


def digest(source: Source | str) -> str:
    """Return the digest that `load_data` gives, from the cache if there is one. Raises DataError."""
    return part_statistics(source, "train").digest


def part_statistics(source: Source | str, part: Part) -> Statistics:
    """Return digest, class counts, mean and std of a part, from the cache if there is one. Raises DataError."""
    return _load_part(_as_source(source), part).statistics


def load_data(source: Source | str) -> Data:
    """Return the train and validation splits, which are read once per process. Raises DataError."""
    source = _as_source(source)
    return _load_data(source, os.path.abspath(source.data_dir))


def load_test(source: Source | str) -> Split:
    """Return the test split: for the final evaluation of a network, never for choosing one. Raises DataError."""
    source = _as_source(source)
    test, expected = _load_part(source, "test"), task(source)
    shape, classes = test.split.images.shape[1:], len(test.statistics.counts)
    if shape != expected.input or classes > expected.classes:
        raise DataError(
            f"{source.data_dir}: the test images are {shape} in {classes} classes, those for training "
            f"{expected.input} in {expected.classes}; they must agree"
        )
    return select_rows(test.split, np.arange(len(test.split.labels)))


def _as_source(source: Source | str) -> Source:
    return Source(source) if isinstance(source, str) else source


def _find_reader(source: Source) -> Reader:
    try:
        reader = READERS.find(source.name)
    except ExperimentError as problem:
        raise DataError(str(problem)) from problem
    if source.image_size and not reader.resizes:
        able = " and ".join(name for name, each in READERS.items() if each.resizes)
        raise DataError(f"image_size (={source.image_size}) is for {able}; {source.name} has its own size")
    return reader


@lru_cache(2)
def _load_data(source: Source, _place: str) -> Data:
    part = _load_part(source, "train")
    kept, held_out = _hold_out(source, part.split.labels)
    train, validation = select_rows(part.split, kept), select_rows(part.split, held_out)
    statistics = part.statistics
    return Data(task(source), train, validation, statistics.mean, statistics.std, statistics.digest)


def _hold_out(source: Source, labels: Labels) -> tuple[Rows, Rows]:
    """Return the rows to train on and those to validate with."""
    share = source.validation
    if share is None:
        share = VALIDATION if _find_reader(source).has_test(source.data_dir) else VALIDATION_WITHOUT_TEST
    held_out = sample_rows(labels, round(share * len(labels)), DIVISION_SEED)
    kept = remaining_rows(len(labels), held_out)
    if source.train_images is not None:
        if source.train_images > len(kept):
            raise DataError(f"train_images (={source.train_images:,}): only {len(kept):,} are left after validation")
        kept = kept[sample_rows(labels[kept], source.train_images, DIVISION_SEED)]
    missing = np.setdiff1d(labels, labels[kept])
    if len(missing) or not len(held_out):
        purpose = f"to train class {missing[0]} with" if len(missing) else "to validate with"
        raise DataError(
            f"{source.data_dir}: no image is left {purpose}; add images, or change train_images or validation"
        )
    return kept, held_out


def _load_part(source: Source, part: Part) -> DataPart:
    """Return the images for training or for the test: the set's own division, or ours."""
    reader, data_dir, size = _find_reader(source), source.data_dir, source.image_size
    has_test = reader.has_test(data_dir)
    stored: Part = part if has_test else "train"
    files = reader.files(data_dir, stored)

    def read() -> Split:
        split = reader.read(files, stored, size)
        _check_labels(split.labels, data_dir)
        return split if has_test else _divide(split, part)

    name = re.sub(r"[^\w.-]+", "_", source.name)  # a user's file.py:Class as a file name
    return cached_part(files, data_dir, "-".join([name, part, *([str(size)] if size else [])]), read)


def _check_labels(labels: Labels, data_dir: object) -> None:
    counts = np.bincount(labels) if labels.min() >= 0 and labels.max() < MAX_CLASSES else np.zeros(1)
    if len(counts) == 1 and counts.all():
        raise DataError(f"{data_dir}: {len(labels):,} images, all of one class; there is nothing to tell apart")
    if not counts.all():
        raise DataError(
            f"{data_dir}: {len(labels):,} labels from {labels.min()} to {labels.max()}, some number between 0 and the "
            "highest without an image; number the classes from 0 without gaps"
        )


def _divide(split: Split, part: Part) -> Split:
    test = sample_rows(split.labels, round(TEST * len(split.labels)), DIVISION_SEED)
    return select_rows(split, test if part == "test" else remaining_rows(len(split.labels), test))
