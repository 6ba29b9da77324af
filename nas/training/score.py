"""The result of one epoch of training."""

from dataclasses import dataclass, field
from math import isfinite

MAX_LOSS = 1e4
"""Nats. Guessing costs ln(classes), 7 for a thousand; training does not recover from a loss beyond this."""


@dataclass(frozen=True)
class Score:
    """One epoch's result on the validation split.

    epoch: from 1. error: share of images misclassified, in [0, 1]; in a search, the value of its metric. loss: mean
    cross-entropy in nats. seconds: since the trial began; 0 lets whoever asked for the epoch measure it. train_loss:
    mean over the epoch's steps, with label smoothing and augmentation. images_per_second: of training, without the
    evaluation. peak_bytes: on a GPU the peak of memory allocated in this trial; on a CPU the peak of resident memory of
    the worker process since it started, so earlier trials count. Both are 0 where not recorded.

    balanced_error: mean over classes of 1 - recall. top5_error: share of images whose class is not among the five of
    the largest logits. confusion: images by class (rows) and predicted class. misclassified: which validation images
    are, as `misclassified_text` of nas.training.metrics writes it. These four are optional.
    """

    epoch: int
    error: float
    loss: float = 0.0
    seconds: float = 0.0
    train_loss: float = 0.0
    images_per_second: float = 0.0
    peak_bytes: int = 0
    balanced_error: float | None = None
    top5_error: float | None = None
    confusion: tuple[tuple[int, ...], ...] = field(default=(), repr=False)
    misclassified: str = field(default="", repr=False)

    @property
    def diverged(self) -> bool:
        """Return whether a loss exceeds MAX_LOSS, or it or the error is not a number: training ends here."""
        losses = (self.loss, self.train_loss)
        return not (isfinite(self.error) and all(isfinite(loss) and loss < MAX_LOSS for loss in losses))
