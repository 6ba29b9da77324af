"""Image sets as arrays: bytes in, splits out. The test split has a door of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import DataError
from nas.genome.task import Task

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """`images` (n, channels, height, width), 0 to 255; `labels` (n,)."""

    images: Images
    labels: Labels


@dataclass(frozen=True)
class Data:
    """What a search may see: train and validation. `mean` and `std` are the train split's, a channel each."""

    task: Task
    train: Split
    validation: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]


def _digits() -> Split:
    from sklearn.datasets import load_digits

    raw: Any = load_digits()
    return Split((raw.images * 15).astype(np.uint8)[:, None], raw.target.astype(np.int64))


TASKS = {"digits": Task("digits", (1, 8, 8), 10)}
SETS: dict[str, Callable[[], Split]] = {"digits": _digits}


def task(name: str) -> Task:
    """The task of a data set, without reading it. Raises DataError for an unknown name."""
    if name not in TASKS:
        raise DataError(f"no data set {name[:60]!r}. There are: {', '.join(sorted(TASKS))}")
    return TASKS[name]


@cache
def _splits(name: str) -> tuple[Split, Split, Split]:
    """Train, validation and test: 60, 20 and 20 % of each class, cut once and for all."""
    task(name)
    whole = SETS[name]()
    order = np.random.default_rng(0).permutation(len(whole.labels))
    parts: list[list[NDArray[np.intp]]] = [[], [], []]
    for label in np.unique(whole.labels):
        members = order[whole.labels[order] == label]
        cuts = [round(0.6 * len(members)), round(0.8 * len(members))]
        for part, chosen in zip(parts, np.split(members, cuts), strict=True):
            part.append(chosen)
    train, validation, test = (np.sort(np.concatenate(part)) for part in parts)
    return _take(whole, train), _take(whole, validation), _take(whole, test)


def _take(whole: Split, rows: NDArray[np.intp]) -> Split:
    return Split(whole.images[rows], whole.labels[rows])


def load(name: str) -> Data:
    """The train and validation splits. Raises DataError."""
    train, validation, _ = _splits(name)
    scaled = train.images / 255
    mean, std = scaled.mean((0, 2, 3)), scaled.std((0, 2, 3))
    return Data(task(name), train, validation, tuple(mean.tolist()), tuple(std.tolist()))


def load_test(name: str) -> Split:
    """The test split: for the final reading of a chosen network, never for choosing."""
    return _splits(name)[2]
