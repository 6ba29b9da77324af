"""What a network does on a split."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from nas.training.batches import Batches
from nas.training.metrics import Confusion, Misclassified, recalls


@dataclass(frozen=True)
class Evaluation:
    """A network's predictions on a split.

    loss: mean cross-entropy in nats. confusion: (classes, classes), images by class and by predicted class.
    top5_misses: images whose class is not among the five of the largest logits. misclassified: (images,), in order.
    """

    loss: float
    confusion: Confusion
    top5_misses: int
    misclassified: Misclassified

    @cached_property
    def images(self) -> int:
        """Return the number of images."""
        return int(self.confusion.sum())

    @property
    def error(self) -> float:
        """Return the share of images misclassified."""
        return (self.images - int(self.confusion.trace())) / self.images

    @property
    def balanced_error(self) -> float:
        """Return the mean of 1 - recall over the classes that the split has."""
        return 1 - float(np.nanmean(recalls(self.confusion)))

    @property
    def top5_error(self) -> float:
        """Return the share of images whose class is not among the five of the largest logits."""
        return self.top5_misses / self.images

    def metric(self, name: str) -> float:
        """Return the value of a metric."""
        return float(getattr(self, name))


@torch.no_grad()
def evaluate(network: nn.Module, split: Batches) -> Evaluation:
    """Return what a network does on a split, in float32, as the export computes."""
    network.eval()
    predicted, missed = [], []
    loss = torch.zeros((), device=split.labels.device)
    for images, labels in split.in_order():
        logits = network(images)
        predicted.append(logits.argmax(1))
        own = logits.gather(1, labels[:, None])
        missed.append((~(logits <= own)).sum(1) >= 5)  # a logit that is not a number counts against the network
        loss += F.cross_entropy(logits, labels, reduction="sum")
    answers = torch.cat(predicted)
    cells = (split.labels * split.classes + answers).cpu()
    confusion = torch.bincount(cells, minlength=split.classes**2).view(split.classes, split.classes)
    wrong = (answers != split.labels).cpu().numpy()
    return Evaluation(float(loss) / len(split), confusion.numpy(), int(torch.cat(missed).sum()), wrong)
