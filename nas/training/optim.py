"""The weights' start, the optimizer, its learning rate, and the running mean of the weights."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from nas.training.recipe import Recipe


def initialize(network: nn.Module) -> None:
    """Initialize in place: kernels from N(0, 2 / fan in), biases zero (He et al. 2015, arXiv 1502.01852, equation 10).

    Any other module that has a `reset_parameters` is initialized by it.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif callable(reset := getattr(layer, "reset_parameters", None)):
            reset()


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimizer. Kernels alone have weight decay: a norm sets its own scale, a bias adds little."""
    kernels = [p for p in network.parameters() if p.ndim in (2, 4)]
    rest = [p for p in network.parameters() if p.ndim not in (2, 4)]
    groups = [{"params": kernels, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    lr, momentum, eps = recipe.learning_rate, recipe.momentum, recipe.epsilon
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr, betas=(momentum, 0.999), eps=eps)  # 0.999: Kingma & Ba 2015, section 2
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, lr, alpha=recipe.rms_alpha, eps=eps)
    return torch.optim.SGD(groups, lr, momentum, nesterov=recipe.optimizer == "nesterov" and momentum > 0)


def learning_rate(recipe: Recipe, progress: float) -> float:
    """Return the learning rate at `progress`, a share of all steps: a linear warm-up, then the schedule."""
    if progress < recipe.warmup:
        return recipe.learning_rate * progress / recipe.warmup
    return recipe.learning_rate * _share_of_highest(recipe, progress)


def _share_of_highest(recipe: Recipe, progress: float) -> float:
    """Return the schedule's value after the warm-up as a share of the highest rate."""
    remaining = (1 - progress) / (1 - recipe.warmup)
    if recipe.schedule == "cosine":  # Loshchilov & Hutter 2017, equation 5, without restarts
        return 0.5 * (1 - math.cos(math.pi * remaining))
    if recipe.schedule == "onecycle":  # Smith & Topin 2018, section 4; the momentum is constant here
        return remaining
    if recipe.schedule == "step":
        return float(recipe.gamma ** sum(progress > milestone for milestone in recipe.milestones))
    epoch = math.ceil(progress * recipe.epochs - 1e-9) - 1  # the epoch of this step, from 0
    return float(recipe.gamma ** (max(epoch, 0) // recipe.step_epochs))


class WeightAverage:
    """A running mean of the weights and of the norms' statistics, for evaluation and export (Szegedy et al. 2015, 8).

    Its decay starts at (1 + n) / (10 + n) after n steps, so that the initial weights are soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.weights = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
        self.means = [tensor.clone() for tensor in self.weights]

    def update(self) -> None:
        """Add the weights of one more step to the mean."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.means, self.weights, 1 - decay)

    def swap(self) -> None:
        """Exchange the network's weights and their mean."""
        for weight, mean in zip(self.weights, self.means, strict=True):
            previous = weight.clone()
            weight.copy_(mean)
            mean.copy_(previous)

    def state(self) -> dict[str, Any]:
        """Return the steps and the means, while `swap` has put the weights in their place as after an epoch."""
        return {"steps": self.steps, "means": [mean.clone() for mean in self.means]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state. Raises KeyError, RuntimeError or ValueError for one of another network."""
        self.steps = int(state["steps"])
        for mean, kept in zip(self.means, state["means"], strict=True):
            mean.copy_(kept)
