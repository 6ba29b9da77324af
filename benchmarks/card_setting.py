"""What the parts of `benchmarks.card` share: how much is measured, on which images, and what a measure is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nas.errors import DataError
from nas.training.data import Source, load_data


@dataclass(frozen=True)
class Size:
    """How much is measured.

    images: to train on. epochs: timed, of ResNet-20. networks: drawn from `mixed`. workers: packed on one card, each
    number in turn. passes: trainings of every network by packed workers. steps: timed, of eager and of captured steps.
    search, principles: settings of the command line.
    """

    images: int
    epochs: int
    networks: int
    mixed_images: int
    workers: tuple[int, ...]
    passes: int
    steps: int
    search: tuple[str, ...]
    principles: tuple[str, ...]


FULL = Size(
    images=45_000, epochs=5, networks=24, mixed_images=10_000, workers=(4, 8), passes=2, steps=100,
    search=("trials=1000", "workers=8", "gpus_per_trial=0.125"),
    principles=(
        "train_images=40000", "workers=5", "gpus_per_trial=0.2", "recipe.epochs=2", "principles.side=32",
        "principles.width=[32, 32]", "principles.shallow=[20]", "principles.deep=[56]", "principles.repeats=[1]",
    ),
)  # fmt: skip
SMALL = Size(
    images=256, epochs=1, networks=2, mixed_images=128, workers=(2,), passes=1, steps=1,
    search=("trials=2", "workers=1", "train_images=256", "recipe.epochs=1"),
    principles=(
        "train_images=256", "workers=1", "validation=0.2", "recipe.epochs=1", "principles.side=8",
        "principles.width=[8, 8]", "principles.shallow=[8]", "principles.deep=[14]", "principles.repeats=[1]",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What a part is given. source: the images. seconds: its share of the time. out: a folder for its files."""

    device: str
    small: bool
    source: Source
    out: Path
    seconds: float = 60.0

    @property
    def size(self) -> Size:
        """Return how much is measured."""
        return SMALL if self.small else FULL

    @property
    def has_card(self) -> bool:
        """Return whether a graphics card is measured."""
        return self.device == "cuda"


@dataclass(frozen=True)
class Measure:
    """One figure, and the bound that it must keep to: minimum or maximum, None where there is none."""

    name: str
    value: float
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None

    @property
    def is_met(self) -> bool:
        """Return whether the figure keeps to its bound; one that is not a number does not."""
        above = self.minimum is None or self.value >= self.minimum
        return above and (self.maximum is None or self.value <= self.maximum)


class Skipped(Exception):  # noqa: N818  (nothing is wrong)
    """Why a part is not measured here."""


def find_images(out: Path, small: bool) -> tuple[Source, str]:
    """Return a source, CIFAR-10 where its files are, and a line that says which images these are.

    Elsewhere, and where little is measured, images of CIFAR's shape are generated and written into a file in `out`.
    """
    if not small:
        try:
            load_data(cifar10 := Source("cifar10"))
        except DataError:
            pass
        else:
            return cifar10, "CIFAR-10"
    train, test = (400, 100) if small else (50_000, 10_000)
    file = out / "generated.npz"
    np.savez(file, **generated_images(train, test))
    return Source("npz", str(file.absolute())), f"{train:,} generated images of 32 pixels; errors mean nothing"


def generated_images(train: int, test: int) -> dict[str, Any]:
    """Return arrays of an .npz data set: per class a pattern of its own, (32, 32, 3) bytes, under heavy noise."""
    rng, arrays = np.random.default_rng(0), dict[str, Any]()
    patterns = rng.integers(64, 192, (10, 4, 4, 3), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    for part, count in (("train", train), ("test", test)):
        labels = np.arange(count) % 10
        noise = rng.integers(0, 128, (count, 32, 32, 3), dtype=np.uint8)
        arrays |= {f"x_{part}": patterns[labels] // 2 + noise, f"y_{part}": labels}
    return arrays


def format_measure(measure: Measure) -> str:
    """Return a line of the table, of at most 80 columns."""
    bound = f">= {measure.minimum:g}" if measure.minimum is not None else ""
    bound = f"<= {measure.maximum:g}" if measure.maximum is not None else bound
    met = "" if not bound else "met" if measure.is_met else "MISSED"
    value = f"{measure.value:,.0f}" if abs(measure.value) >= 1000 else f"{measure.value:.3g}"
    return f"    {measure.name:40.40} {value:>9.9} {measure.unit:9.9} {bound:8.8} {met}".rstrip()


def spread(name: str, values: Sequence[float], unit: str = "") -> list[Measure]:
    """Return the median of some values, the smallest and the largest."""
    lowest, highest = Measure(f"{name}, lowest", min(values), unit), Measure(f"{name}, highest", max(values), unit)
    return [Measure(f"{name}, median of {len(values)}", float(np.median(values)), unit), lowest, highest]
