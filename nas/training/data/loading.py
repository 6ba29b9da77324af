"""A source's images, cut into what a search may see and what it may not."""

import os
from functools import lru_cache

import numpy as np

from nas.errors import DataError
from nas.genome.task import Task
from nas.training.data.cache import Prepared, prepare
from nas.training.data.catalog.public_sets import PUBLISHED
from nas.training.data.reader import Part, Reader
from nas.training.data.readers.digits import Digits
from nas.training.data.readers.folder import Folder
from nas.training.data.readers.npz import Npz
from nas.training.data.readers.parquet import Parquet
from nas.training.data.source import Source
from nas.training.data.split import Data, Labels, Rows, Split, others, sample_rows, take

TEST, VALIDATION, VALIDATION_UNDIVIDED = 0.2, 0.1, 0.25
"""Shares held out: for the test where a set has none of its own; for validation; and of the rest of such a set."""
CUT = 0
"""Seed of every cut. The same images are held out whatever a search's seed, so that searches compare."""
MAX_CLASSES = 100_000
READERS: dict[str, Reader] = {
    "digits": Digits(), **PUBLISHED, "folder": Folder(), "npz": Npz(), "parquet": Parquet()
}  # fmt: skip


def task(source: Source | str) -> Task:
    """What a network is asked to do. Files are read only where they decide it. Raises DataError."""
    source = _source(source)
    if (known := _reader(source).task) is not None:
        return known
    part = _part(source, "train")
    return Task(source.name, part.split.images.shape[1:], len(part.facts.counts))


def class_names(source: Source | str) -> tuple[str, ...]:
    """In the order of the classes' numbers; none where the set does not say. Raises DataError."""
    source = _source(source)
    return _reader(source).names(source.place)


def digest(source: Source | str) -> str:
    """What `load` gives as the data's digest, without loading them where that is known. Raises DataError."""
    return _part(_source(source), "train").facts.digest


def load_data(source: Source | str) -> Data:
    """The train and validation splits; read once a process. Raises DataError."""
    source = _source(source)
    return _load(source, os.path.abspath(source.place))


def load_test(source: Source | str) -> Split:
    """The test split: for the final reading of a chosen network, never for choosing. Raises DataError."""
    source = _source(source)
    test, asked = _part(source, "test"), task(source)
    shape, classes = test.split.images.shape[1:], len(test.facts.counts)
    if shape != asked.input or classes > asked.classes:
        raise DataError(
            f"{source.place}: for the test there are images of {shape} in {classes} classes, for training of "
            f"{asked.input} in {asked.classes}; they must agree"
        )
    return take(test.split, np.arange(len(test.split.labels)))


def _source(source: Source | str) -> Source:
    return Source(source) if isinstance(source, str) else source


def _reader(source: Source) -> Reader:
    found = READERS.get(source.name)
    if found is None:
        raise DataError(f"no data set {source.name[:60]!r}. There are: {', '.join(READERS)}")
    if source.image_size and not found.resizes:
        raise DataError(f"image_size (={source.image_size}) is for folder and parquet; {source.name} has its own size")
    return found


@lru_cache(2)
def _load(source: Source, _place: str) -> Data:
    part = _part(source, "train")
    kept, held = _divide(source, part.split.labels)
    train, validation = take(part.split, kept), take(part.split, held)
    return Data(task(source), train, validation, part.facts.mean, part.facts.std, part.facts.digest)


def _divide(source: Source, labels: Labels) -> tuple[Rows, Rows]:
    """The rows to train on and those to validate with."""
    share = source.validation
    if share is None:
        share = VALIDATION if _reader(source).divided(source.place) else VALIDATION_UNDIVIDED
    held = sample_rows(labels, round(share * len(labels)), CUT)
    kept = others(len(labels), held)
    if source.train_images is not None:
        if source.train_images > len(kept):
            raise DataError(f"train_images (={source.train_images:,}): only {len(kept):,} are left beside validation")
        kept = kept[sample_rows(labels[kept], source.train_images, CUT)]
    missing = np.setdiff1d(labels, labels[kept])
    if len(missing) or not len(held):
        what = f"to train class {missing[0]} with" if len(missing) else "to validate with"
        raise DataError(f"{source.place}: no image is left {what}; add images, or change train_images or validation")
    return kept, held


def _part(source: Source, part: Part) -> Prepared:
    """Images for training or for the test: the set's own division, or a cut of the whole."""
    reader, place, size = _reader(source), source.place, source.image_size
    divided = reader.divided(place)
    wanted: Part = part if divided else "train"
    files = reader.files(place, wanted)

    def read() -> Split:
        split = reader.read(files, wanted, size)
        _check(split.labels, place)
        return split if divided else _cut(split, part)

    return prepare(files, place, "-".join([source.name, part, *([str(size)] if size else [])]), read)


def _check(labels: Labels, place: object) -> None:
    counts = np.bincount(labels) if labels.min() >= 0 and labels.max() < MAX_CLASSES else np.zeros(1)
    if len(counts) == 1 and counts.all():
        raise DataError(f"{place}: {len(labels):,} images, all of one class; there is nothing to tell apart")
    if not counts.all():
        raise DataError(
            f"{place}: {len(labels):,} labels from {labels.min()} to {labels.max()}, some number between 0 and the "
            "highest without an image; number the classes from 0 without gaps"
        )


def _cut(whole: Split, part: Part) -> Split:
    test = sample_rows(whole.labels, round(TEST * len(whole.labels)), CUT)
    return take(whole, test if part == "test" else others(len(whole.labels), test))
