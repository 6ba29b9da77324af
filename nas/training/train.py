"""The trainer: takes a network, data and a recipe, and yields a Score after each epoch. The caller may stop anytime.

The same code runs on a CPU core and on a GPU. No step reads a value back from the device: the host queues work, and
waits once per epoch, for the losses.
"""

import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.model.module import outputs
from nas.training.batches import Batches
from nas.training.data import Data
from nas.training.device import peak_bytes, reset_peak_bytes, safe_kernels, step_dtype
from nas.training.optim import WeightAverage, initialize, learning_rate, make_optimizer
from nas.training.recipe import Recipe
from nas.training.score import Score

__all__ = ["Batches", "evaluate", "train"]


def train(network: nn.Module, data: Data, recipe: Recipe, seed: int, device: str = "cpu") -> Iterator[Score]:
    """Train in place and yield a Score after each epoch, when the network holds the weights that were scored.

    `device` is "cpu" or "cuda". The same seed gives the same scores on one CPU with one thread count. After a score
    whose loss is not a number or beyond MAX_LOSS, training ends.
    """
    start, target = time.perf_counter(), torch.device(device)
    reset_peak_bytes(target)
    torch.manual_seed(seed)
    initialize(network)  # before the move: the same weights on every device
    network.to(target, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches, validation = Batches(data.train, data, target, recipe.crop_padding), Batches(data.validation, data, target)
    loop, generator = TrainingLoop(network, recipe, target, len(batches)), torch.Generator().manual_seed(seed)
    for epoch in range(1, recipe.epochs + 1):
        torch.manual_seed(generator.initial_seed() + epoch)  # for dropout; the caller may draw numbers between epochs
        epoch_start = time.perf_counter()
        with safe_kernels(network, target):
            train_loss = loop.run_epoch(batches.epoch(recipe, generator))
        images_per_second = len(batches) / (time.perf_counter() - epoch_start)
        error, loss = evaluate(network, validation)
        seconds = time.perf_counter() - start
        score = Score(epoch, error, loss, seconds, train_loss, images_per_second, peak_bytes(target))
        yield score
        if score.diverged:
            return


class TrainingLoop:
    """The state of training: the network, the optimizer, the steps taken of all, and the running mean of weights."""

    def __init__(self, network: nn.Module, recipe: Recipe, device: torch.device, images: int) -> None:
        self.network, self.recipe = network, recipe
        self.forward: nn.Module = torch.compile(network) if recipe.compile else network  # type: ignore[assignment]
        self.optimizer = make_optimizer(network, recipe)
        self.average = WeightAverage(network, recipe.ema_decay) if recipe.ema_decay else None
        self.steps, self.total_steps = 0, recipe.epochs * math.ceil(images / recipe.batch)
        dtype = step_dtype(recipe, device)
        self.autocast = torch.autocast(device.type, dtype, enabled=dtype != torch.float32)

    def run_epoch(self, batches: Iterator[tuple[Tensor, Tensor]]) -> float:
        """Take a step per batch and return the mean loss. The network then holds the mean of weights, if there is one.

        The two are exchanged back when the next epoch starts.
        """
        if self.average and self.steps:
            self.average.swap()
        self.network.train()
        losses = [self.step(images, labels) for images, labels in batches]
        if self.average:
            self.average.swap()
        return float(torch.stack(losses).mean())  # the one wait for the device

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Take one step on one batch and return the classifier's loss, still on the device."""
        self.steps += 1
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe, self.steps / self.total_steps)
        classifier_loss, total = self.losses(images, labels)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        if self.recipe.grad_clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.grad_clip)
        self.optimizer.step()
        if self.average:
            self.average.update()
        return classifier_loss.detach()

    def losses(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the classifier's loss, and its sum with the weighted losses of the auxiliary heads."""
        with self.autocast:
            heads = outputs(self.forward, images)
        smoothing = self.recipe.label_smoothing
        main, *auxiliary = (F.cross_entropy(head.float(), labels, label_smoothing=smoothing) for head in heads)
        return main, main + self.recipe.auxiliary * sum(auxiliary, torch.zeros_like(main))


@torch.no_grad()
def evaluate(network: nn.Module, split: Batches) -> tuple[float, float]:
    """Return the error (a share of images) and mean cross-entropy over a split, in float32, as the export computes."""
    network.eval()
    wrong, loss = torch.zeros((2, 1), device=split.labels.device).unbind()
    for images, labels in split.in_order():
        logits = network(images)
        wrong += (logits.argmax(1) != labels).sum()
        loss += F.cross_entropy(logits, labels, reduction="sum")
    return float(wrong) / len(split), float(loss) / len(split)
