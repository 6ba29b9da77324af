"""The trainer: a network, data and a recipe in, a Score an epoch out. Whoever pulls may stop.

The same text runs on a CPU core and on a card. Nothing in the loop over steps reads a value back from the device: the
host queues work, and waits once an epoch, for the losses.
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
from nas.training.device import forget_peak, number_format, peak_bytes
from nas.training.optim import WeightAverage, initialise, optimizer, rate
from nas.training.recipe import Recipe
from nas.training.score import Score

__all__ = ["Batches", "evaluate", "train"]


def train(network: nn.Module, data: Data, recipe: Recipe, seed: int, device: str = "cpu") -> Iterator[Score]:
    """Train in place and yield a Score after each epoch; at each, the network holds the weights that were scored.

    `device` is "cpu" or "cuda". The same seed gives the same scores on one CPU with one thread count. A loss that is
    absurd or no number ends the stream after a last Score that holds it.
    """
    start, place = time.perf_counter(), torch.device(device)
    forget_peak(place)
    torch.manual_seed(seed)
    initialise(network)  # before the move: the same weights on every device
    network.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches, validation = Batches(data.train, data, place, recipe.shift), Batches(data.validation, data, place)
    descent, source = TrainingLoop(network, recipe, place, len(batches)), torch.Generator().manual_seed(seed)
    for epoch in range(1, recipe.epochs + 1):
        torch.manual_seed(source.initial_seed() + epoch)  # dropout's, so that whoever pulls may draw numbers too
        began = time.perf_counter()
        trained = descent.epoch(batches.epoch(recipe, source))
        speed = len(batches) / (time.perf_counter() - began)
        error, loss = evaluate(network, validation)
        score = Score(epoch, error, loss, time.perf_counter() - start, trained, speed, peak_bytes(place))
        yield score
        if score.diverged:
            return


class TrainingLoop:
    """A network on its way down: the optimizer, the schedule and the running mean of its weights."""

    def __init__(self, network: nn.Module, recipe: Recipe, place: torch.device, images: int) -> None:
        self.network, self.recipe = network, recipe
        self.forward: nn.Module = torch.compile(network) if recipe.compile else network  # type: ignore[assignment]
        self.optimizer = optimizer(network, recipe)
        self.average = WeightAverage(network, recipe.average) if recipe.average else None
        self.done, self.steps = 0, recipe.epochs * math.ceil(images / recipe.batch)
        numbers = number_format(recipe, place)
        self.cast = torch.autocast(place.type, numbers, enabled=numbers != torch.float32)

    def epoch(self, batches: Iterator[tuple[Tensor, Tensor]]) -> float:
        """A step for each batch; the mean loss. Leaves the mean of weights in the network, if there is one."""
        if self.average and self.done:
            self.average.swap()
        self.network.train()
        losses = [self.step(images, labels) for images, labels in batches]
        if self.average:
            self.average.swap()
        return float(torch.stack(losses).mean())  # the one wait for the device

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """One step on one batch; the classifier's loss, still on the device."""
        self.done += 1
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.recipe, self.done / self.steps)
        main, total = self.losses(images, labels)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimizer.step()
        if self.average:
            self.average.update()
        return main.detach()

    def losses(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The classifier's loss, and its sum with the auxiliary heads' share."""
        with self.cast:
            heads = outputs(self.forward, images)
        main, *auxiliary = (F.cross_entropy(h.float(), labels, label_smoothing=self.recipe.smoothing) for h in heads)
        return main, main + self.recipe.auxiliary * sum(auxiliary, torch.zeros_like(main))


@torch.no_grad()
def evaluate(network: nn.Module, split: Batches) -> tuple[float, float]:
    """Error (a fraction) and mean cross-entropy over a split, in float32: of the very network that is exported."""
    network.eval()
    wrong, loss = torch.zeros((2, 1), device=split.labels.device).unbind()
    for images, labels in split.plain():
        scores = network(images)
        wrong += (scores.argmax(1) != labels).sum()
        loss += F.cross_entropy(scores, labels, reduction="sum")
    return float(wrong) / len(split), float(loss) / len(split)
