"""Images with labels, and the one way in which they are divided."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.genome.task import Task

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """`images` (n, channels, height, width), 0 to 255; `labels` (n,)."""

    images: Images
    labels: Labels


@dataclass(frozen=True)
class Data:
    """What a search may see: train and validation.

    `mean` and `std`, a channel each, in units of 255, are those of all images a search may see, so that they do not
    depend on how these are divided. `digest` names these images and labels: other pixels, another digest.
    """

    task: Task
    train: Split
    validation: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    digest: str = ""


def take(whole: Split, rows: Rows) -> Split:
    """Some rows, copied."""
    return Split(np.asarray(whole.images[rows]), whole.labels[rows])


def sample_rows(labels: Labels, count: int, seed: int) -> Rows:
    """`count` rows, in order, with each class in its share of the whole: quotas by largest remainder."""
    order = np.random.default_rng(seed).permutation(len(labels))
    grouped = order[np.argsort(labels[order], kind="stable")]
    sizes = np.bincount(labels)
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(grouped[rank < quotas(sizes, count)[labels[grouped]]])


def quotas(sizes: Rows, count: int) -> Rows:
    """`count` divided among classes in proportion to their sizes."""
    whole, remainder = np.divmod(sizes * count, sizes.sum())
    most = np.argsort(-remainder, kind="stable")[: count - whole.sum()]
    whole[most] += 1
    return whole


def others(total: int, rows: Rows) -> Rows:
    """The rows of `total` that are not among `rows`."""
    left = np.ones(total, bool)
    left[rows] = False
    return np.flatnonzero(left)
