"""What moves the weights: where they start, which way they go, how fast, and their running mean."""

import math

import torch
from torch import nn

from nas.training.recipe import Recipe


def initialise(network: nn.Module) -> None:
    """He et al. 2015 (arXiv 1502.01852), equation 10: kernels from N(0, 2 / fan in), biases zero.

    All other modules start as their own `reset_parameters` sets them.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif callable(reset := getattr(layer, "reset_parameters", None)):
            reset()


def optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's; weight decay on kernels only, since a norm makes its own scale and a bias is no capacity."""
    kernels = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": recipe.decay}, {"params": rest, "weight_decay": 0.0}]
    lr, keep, epsilon = recipe.rate, recipe.momentum, recipe.epsilon
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr, betas=(keep, 0.999), eps=epsilon)  # 0.999: Kingma & Ba 2015, section 2
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, lr, alpha=keep, eps=epsilon)
    return torch.optim.SGD(groups, lr, momentum=keep, nesterov=recipe.optimizer == "nesterov" and keep > 0)


def rate(recipe: Recipe, progress: float) -> float:
    """Learning rate at a share of all steps: a linear rise, then the schedule."""
    if progress < recipe.warmup:
        return recipe.rate * progress / recipe.warmup
    return recipe.rate * _height(recipe, progress)


def _height(recipe: Recipe, progress: float) -> float:
    """The share of the highest rate after the warm-up."""
    left = (1 - progress) / (1 - recipe.warmup)
    if recipe.schedule == "cosine":  # Loshchilov & Hutter 2017, equation 5, without restarts
        return 0.5 * (1 - math.cos(math.pi * left))
    if recipe.schedule == "onecycle":  # Smith & Topin 2018, section 4; the momentum stays
        return left
    if recipe.schedule == "step":
        return float(recipe.factor ** sum(progress > drop for drop in recipe.drops))
    epoch = math.ceil(progress * recipe.epochs - 1e-9) - 1  # the epoch that this step belongs to, from 0
    return float(recipe.factor ** (max(epoch, 0) // recipe.every))


class WeightAverage:
    """A running mean of weights and of the norms' statistics, which is evaluated and kept (Szegedy et al. 2015, 8).

    The mean begins as a plain one, (1 + n) / (10 + n), so that it forgets where the weights started.
    """

    def __init__(self, network: nn.Module, keep: float) -> None:
        self.keep, self.steps = keep, 0
        self.weights = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
        self.means = [tensor.clone() for tensor in self.weights]

    def update(self) -> None:
        """Take the weights of another step in."""
        self.steps += 1
        keep = min(self.keep, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.means, self.weights, 1 - keep)

    def swap(self) -> None:
        """Put the mean into the network and its weights aside, or the other way round."""
        for weight, mean in zip(self.weights, self.means, strict=True):
            kept = weight.clone()
            weight.copy_(mean)
            mean.copy_(kept)
