"""What training says after each epoch."""

from dataclasses import dataclass

ABSURD = 1e4
"""Nats. Guessing costs ln(classes), 7 for a thousand; a loss beyond this never comes back."""


@dataclass(frozen=True)
class Score:
    """One epoch's result on the validation split.

    error: share of images misclassified, in [0, 1]. loss: mean cross-entropy in nats. seconds: since the trial began.
    train_loss: mean over the epoch's steps, smoothed labels and augmentation included. images_per_second: of training,
    without the evaluation. peak_bytes: on a GPU the most memory allocated in this trial; on a CPU the most resident
    memory of the worker process since it started, so earlier trials count. Both are 0 where they were not recorded.
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
        """Whether a loss is absurd or no number: training ends here."""
        return not (self.loss < ABSURD and self.train_loss < ABSURD)
