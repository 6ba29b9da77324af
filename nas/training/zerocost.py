"""Scores of an untrained network: three zero-cost proxies of the literature, and two counts as controls.

Abdelfattah et al. 2021 (arXiv 2101.08134) compare the three. Counts of parameters and MACs often order networks about
as well (White et al. 2022, "A deeper look at zero-cost proxies"), so they are given as controls. All five are higher
for networks expected to be better.
"""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.genome.cost import cost
from nas.genome.graph import Graph
from nas.model.module import module, outputs
from nas.training.batches import Batches
from nas.training.data import Data
from nas.training.optim import initialize
from nas.training.recipe import Recipe

BATCH = 64  # images per score; the papers use 64 to 256
RIDGE = 1e-5  # keeps the logarithm of a vanishing eigenvalue finite, as in the authors' code


def zero_cost_scores(graph: Graph, data: Data, seed: int) -> dict[str, float]:
    """Return synflow, jacob_cov, grad_norm, params and macs of a network, initialized from `seed`.

    The first three are of the form that trains. params and macs are those at evaluation, without auxiliary heads; macs
    are per image. All are finite for a network whose gradients are.
    """
    counts = cost(graph)
    with torch.random.fork_rng(devices=[]):
        network = module(graph, training=True)
        torch.manual_seed(seed)
        initialize(network)
        images, labels = _first_batch(data, seed)
        return {
            "synflow": synflow(network, data.task.input),
            "jacob_cov": jacobian_covariance(network, images),
            "grad_norm": gradient_norm(network, images, labels),
            "params": float(counts.params),
            "macs": float(counts.macs),
        }


def synflow(network: nn.Module, shape: tuple[int, ...]) -> float:
    """Return synflow as ln(1 + R).

    R is the sum over kernels of weight x dS/dweight, S the sum of the outputs (Tanaka et al. 2020, arXiv 2006.05467).
    Every weight is replaced by its magnitude and the image is all ones, so no data are read. Norms are in evaluation
    mode, where they only scale. Numbers are float64, since R is a product over depth; the logarithm keeps the order.
    """
    linear = copy.deepcopy(network).double().eval()
    with torch.no_grad():
        for weight in linear.parameters():
            weight.abs_()
    outputs(linear, torch.ones(1, *shape, dtype=torch.float64))[0].sum().backward()  # type: ignore[no-untyped-call]
    used = [(weight.detach(), weight.grad) for weight in linear.parameters() if weight.grad is not None]
    return math.log1p(sum(float((weight * gradient).sum()) for weight, gradient in used if weight.ndim > 1))


def jacobian_covariance(network: nn.Module, images: Tensor) -> float:
    """Return how much the network's Jacobians differ between images (Mellor et al. 2020, arXiv 2006.04647v1).

    This is minus the sum of ln(v + k) + 1 / (v + k) over the eigenvalues v of the correlations between the images'
    Jacobians.
    """
    network = copy.deepcopy(network).train()
    images = images.clone().requires_grad_()
    (gradients,) = torch.autograd.grad(outputs(network, images)[0].sum(), images)
    jacobians = gradients.flatten(1).double()
    jacobians = F.normalize(jacobians - jacobians.mean(1, keepdim=True))
    eigenvalues = torch.linalg.eigvalsh(jacobians @ jacobians.T).clamp(min=0) + RIDGE
    return -float((eigenvalues.log() + 1 / eigenvalues).sum())


def gradient_norm(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the sum over kernels of the gradient's norm, for one batch (Abdelfattah et al. 2021)."""
    network = copy.deepcopy(network).train()
    kernels = [weight for weight in network.parameters() if weight.ndim > 1]
    loss = F.cross_entropy(outputs(network, images)[0], labels)
    gradients = torch.autograd.grad(loss, kernels, allow_unused=True)
    return sum(float(gradient.norm()) for gradient in gradients if gradient is not None)


def _first_batch(data: Data, seed: int) -> tuple[Tensor, Tensor]:
    """Return the first batch of a training with this seed, without augmentation."""
    batches = Batches(data.train, data, torch.device("cpu"))
    return next(batches.epoch(Recipe(batch=BATCH), torch.Generator().manual_seed(seed)))
