"""What a search can minimize as the error of a trained network, and the predictions that it is read from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.errors import ExperimentError
from nas.registry import Registry

Confusion = NDArray[np.int64]
"""(classes, classes): images by class and by predicted class."""
MAX_CONFUSION_CLASSES = 100
"""A larger confusion matrix is not kept: ten thousand numbers are what a page can still show."""
Misclassified = NDArray[np.bool_]
"""(images,): whether each image of a split, in its order, is misclassified."""
MAX_MISCLASSIFIED_IMAGES = 100_000
"""Of a larger split it is not kept which images are misclassified: 25 kB per trial."""


@dataclass(frozen=True)
class Metric:
    """A share of images or of classes that a network gets wrong: an attribute of a Score and of an Evaluation.

    title: in a sentence, after "validation" or "test". guesses: predictions per image, of which one must be right.
    """

    name: str
    title: str
    summary: str
    guesses: int = 1

    def of_guessing(self, classes: int) -> float:
        """Return its value for a network that guesses."""
        return 1 - self.guesses / classes if classes > self.guesses else 1.0

    def check_classes(self, classes: int) -> None:
        """Raise ExperimentError when it says nothing about a task of so many classes."""
        if classes <= self.guesses and self.guesses > 1:
            raise ExperimentError(
                f"metric (={self.name!r}) is 0 for every network of {classes} classes: it needs more than "
                f"{self.guesses}; use 'error' or 'balanced_error'"
            )


METRICS: Registry[Metric] = Registry("metric")
METRICS.register(Metric("error", "error", "share of images misclassified"))
METRICS.register(Metric("balanced_error", "balanced error", "mean over classes of 1 - recall"))
METRICS.register(
    Metric("top5_error", "top-5 error", "share of images whose class is not among the first five", guesses=5)
)


def recalls(confusion: Confusion) -> NDArray[np.float64]:
    """Return per class the share of its images that are recognized; nan for a class without images."""
    totals = confusion.sum(1)
    shares = np.full(len(totals), np.nan)
    np.divide(confusion.diagonal(), totals, out=shares, where=totals > 0)
    return shares


def confusion_rows(confusion: Confusion) -> tuple[tuple[int, ...], ...]:
    """Return a confusion matrix as it is kept; empty for more than MAX_CONFUSION_CLASSES classes."""
    return tuple(map(tuple, confusion.tolist())) if len(confusion) <= MAX_CONFUSION_CLASSES else ()


def misclassified_text(images: Misclassified) -> str:
    """Return which images are misclassified as it is kept: their number, then a bit for each in hexadecimal."""
    return f"{len(images)} {np.packbits(images).tobytes().hex()}"


def misclassified_images(text: str) -> Misclassified | None:
    """Return which images are misclassified, from what is kept; None where nothing is, or where it is damaged."""
    try:
        count, bits = text.split()
        kept = np.frombuffer(bytes.fromhex(bits), np.uint8)
        return np.unpackbits(kept, count=int(count)).astype(bool) if len(kept) == -(-int(count) // 8) else None
    except (OverflowError, ValueError):
        return None
