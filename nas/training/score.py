"""What training says after each epoch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """One epoch's result on the validation split.

    error: share of images misclassified, in [0, 1]. loss: mean cross-entropy in nats. seconds: since the trial began.
    """

    epoch: int
    error: float
    loss: float
    seconds: float
    train_loss: float
