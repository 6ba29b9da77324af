"""Images with labels, and how they are divided."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nas.genome.task import Task

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """`images` (n, channels, height, width), 0 to 255; `labels` (n,).

    notes: what the files were like and what was done to them, in words, and of how many of them; of the whole of which
    this may be a part.
    """

    images: Images
    labels: Labels
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """What a search may see: train and validation.

    `mean` and `std`, per channel in units of 255, are those of train and validation together, so that they do not
    depend on the division. `digest` is that of the same images and labels.
    """

    task: Task
    train: Split
    validation: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    digest: str = ""


def select_rows(split: Split, rows: Rows) -> Split:
    """Return a copy of some rows."""
    return replace(split, images=np.asarray(split.images[rows]), labels=split.labels[rows])


def join_splits(first: Split, second: Split) -> Split:
    """Return the images of both, with the notes of the first."""
    images = np.concatenate([first.images, second.images])
    return replace(first, images=images, labels=np.concatenate([first.labels, second.labels]))


def sample_rows(labels: Labels, count: int, seed: int) -> Rows:
    """Return `count` sorted rows, a stratified random sample: each class has its `class_quotas`."""
    order = np.random.default_rng(seed).permutation(len(labels))
    grouped = order[np.argsort(labels[order], kind="stable")]
    sizes = np.bincount(labels)
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(grouped[rank < class_quotas(sizes, count)[labels[grouped]]])


def class_quotas(sizes: Rows, count: int) -> Rows:
    """Return `count` divided among classes in proportion to their sizes, by largest remainder."""
    quotas, remainder = np.divmod(sizes * count, sizes.sum())
    largest = np.argsort(-remainder, kind="stable")[: count - quotas.sum()]
    quotas[largest] += 1
    return quotas


def remaining_rows(total: int, rows: Rows) -> Rows:
    """Return the rows from 0 to `total` that are not among `rows`."""
    remaining = np.ones(total, bool)
    remaining[rows] = False
    return np.flatnonzero(remaining)
