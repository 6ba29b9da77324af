"""The result of one epoch of training."""

from dataclasses import dataclass

MAX_LOSS = 1e4
"""Nats. Guessing costs ln(classes), 7 for a thousand; training does not recover from a loss beyond this."""


@dataclass(frozen=True)
class Score:
    """One epoch's result on the validation split.

    error: share of images misclassified, in [0, 1]. loss: mean cross-entropy in nats. seconds: since the trial began.
    train_loss: mean over the epoch's steps, with label smoothing and augmentation. images_per_second: of training,
    without the evaluation. peak_bytes: on a GPU the peak of memory allocated in this trial; on a CPU the peak of
    resident memory of the worker process since it started, so earlier trials count. Both are 0 where not recorded.
    """

    epoch: int
    error: float
    loss: float
    seconds: float
    train_loss: float
    images_per_second: float = 0.0
    peak_bytes: int = 0

    @property
    def diverged(self) -> bool:
        """Return whether a loss exceeds MAX_LOSS or is not a number: training ends here."""
        return not (self.loss < MAX_LOSS and self.train_loss < MAX_LOSS)
