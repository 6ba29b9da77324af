"""The trainer: a network, data and a recipe in, a Score an epoch out. Whoever pulls may stop."""

import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.model.module import outputs
from nas.training.data import Data, Split
from nas.training.recipe import Recipe
from nas.training.score import Score


class Batches:
    """A split on the device, normalised and augmented in batches there."""

    def __init__(self, split: Split, data: Data, device: torch.device) -> None:
        self.images = torch.from_numpy(split.images).to(device)
        self.labels = torch.from_numpy(split.labels).to(device)
        self.mean = torch.tensor(data.mean, device=device).view(1, -1, 1, 1) * 255
        self.std = torch.tensor(data.std, device=device).view(1, -1, 1, 1) * 255

    def normalised(self, images: Tensor) -> Tensor:
        """uint8 (n, c, h, w) to float32 with mean 0 and deviation 1."""
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def epoch(self, recipe: Recipe, random: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled and shifted batches; the last one may be smaller, but never a single image."""
        order = torch.randperm(len(self.labels), generator=random)
        for rows in torch.split(order, recipe.batch):
            if len(rows) > 1:
                yield self.normalised(shifted(self.images[rows], recipe.shift, random)), self.labels[rows]


def shifted(images: Tensor, most: int, random: torch.Generator) -> Tensor:
    """Each image moved by up to `most` pixels both ways, zeros moving in: one gather for the whole batch."""
    if not most:
        return images
    n, channels, height, width = images.shape
    padded = F.pad(images, (most, most, most, most))
    offsets = torch.randint(0, 2 * most + 1, (2, n, 1), generator=random)
    rows = (offsets[0] + torch.arange(height)).to(images.device)
    columns = (offsets[1] + torch.arange(width)).to(images.device)
    image = torch.arange(n, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def initialise(network: nn.Module) -> None:
    """He et al. 2015 (arXiv 1502.01852), equation 10: kernels from N(0, 2 / fan in), biases zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """Nesterov's SGD; weight decay on kernels only."""
    kernels = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": recipe.decay}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=recipe.rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0)


def rate(recipe: Recipe, progress: float) -> float:
    """Learning rate after a share of all steps: a linear rise, then a half cosine to zero."""
    if progress < recipe.warmup:
        return recipe.rate * progress / recipe.warmup
    return recipe.rate * 0.5 * (1 + math.cos(math.pi * (progress - recipe.warmup) / (1 - recipe.warmup)))


def train(network: nn.Module, data: Data, recipe: Recipe, seed: int, device: str = "cpu") -> Iterator[Score]:
    """Train in place and yield a Score after each epoch.

    The same seed gives the same scores on one CPU with one thread count. A loss that is not finite ends the stream
    after a last Score that holds it.
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    place = torch.device(device)
    network.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    initialise(network)
    batches, validation = Batches(data.train, data, place), Batches(data.validation, data, place)
    steps = recipe.epochs * math.ceil(len(data.train.labels) / recipe.batch)
    descent, step = optimizer(network, recipe), 0
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        losses = []
        for images, labels in batches.epoch(recipe, random):
            step += 1
            for group in descent.param_groups:
                group["lr"] = rate(recipe, step / steps)
            losses.append(_step(network, descent, recipe, images, labels))
        error, loss = evaluate(network, validation)
        trained = float(torch.stack(losses).mean())
        yield Score(epoch, error, loss, time.perf_counter() - start, trained)
        if not (math.isfinite(trained) and math.isfinite(loss)):
            return


def _step(network: nn.Module, descent: torch.optim.SGD, recipe: Recipe, images: Tensor, labels: Tensor) -> Tensor:
    main, *auxiliary = (
        F.cross_entropy(scores, labels, label_smoothing=recipe.smoothing) for scores in outputs(network, images)
    )
    loss = main + recipe.auxiliary * sum(auxiliary, torch.zeros_like(main))
    descent.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
    descent.step()
    return main.detach()


@torch.no_grad()
def evaluate(network: nn.Module, split: Batches) -> tuple[float, float]:
    """Error (a fraction) and mean cross-entropy over a split, at evaluation."""
    network.eval()
    wrong, loss = 0, 0.0
    for images, labels in zip(torch.split(split.images, 512), torch.split(split.labels, 512), strict=True):
        scores = network(split.normalised(images))
        wrong += int((scores.argmax(1) != labels).sum())
        loss += float(F.cross_entropy(scores, labels, reduction="sum"))
    return wrong / len(split.labels), loss / len(split.labels)
