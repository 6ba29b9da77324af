"""What can be read off a network before training: three scores of the literature, and the two they must beat.

Abdelfattah et al. 2021 (arXiv 2101.08134) compare the three. Counts of parameters and MACs often order networks about
as well (White et al. 2022, "A deeper look at zero-cost proxies"), so they stand beside them as controls. All five are
higher for networks expected to be better.
"""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.model.module import outputs
from nas.training.batches import Batches
from nas.training.data import Data
from nas.training.optim import initialise
from nas.training.recipe import Recipe

BATCH = 64  # images read; the papers take 64 to 256
RIDGE = 1e-5  # keeps the logarithm of a vanishing eigenvalue finite, as in the authors' code


def scores(network: nn.Module, data: Data, seed: int) -> dict[str, float]:
    """synflow, jacob_cov, grad_norm, params and macs of the network as initialised by `seed`; it is left as it was.

    params and macs are of the network at evaluation, without auxiliary heads; macs are of one image. All are finite
    for a network whose gradients are.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = copy.deepcopy(network).cpu()
        initialise(network)
        images, labels = _batch(data, seed)
        flow, params = synflow(network, data.task.input)
        return {
            "synflow": flow,
            "jacob_cov": jacobian_covariance(network, images),
            "grad_norm": gradient_norm(network, images, labels),
            "params": params,
            "macs": macs(network, images[:1]),
        }


def synflow(network: nn.Module, shape: tuple[int, ...]) -> tuple[float, float]:
    """ln(1 + R), R the sum over kernels of weight x dS/dweight, S the outputs' sum (Tanaka et al. 2020).

    arXiv 2006.05467. Every weight is replaced by its magnitude and the image is of ones, so no data are read. Norms
    are at evaluation, where they scale alone; doubles, since R is a product over depth. The logarithm keeps its order.
    Also gives the number of parameters that the outputs depend on.
    """
    linear = copy.deepcopy(network).double().eval()
    with torch.no_grad():
        for weight in linear.parameters():
            weight.abs_()
    outputs(linear, torch.ones(1, *shape, dtype=torch.float64))[0].sum().backward()  # type: ignore[no-untyped-call]
    used = [(weight.detach(), weight.grad) for weight in linear.parameters() if weight.grad is not None]
    flow = sum(float((weight * slope).sum()) for weight, slope in used if weight.ndim > 1)
    return math.log1p(flow), float(sum(weight.numel() for weight, _ in used))


def jacobian_covariance(network: nn.Module, images: Tensor) -> float:
    """How unlike the network's slopes at different images are (Mellor et al. 2020, arXiv 2006.04647v1).

    Minus the sum of ln(v + k) + 1 / (v + k) over the eigenvalues v of the correlations between the images' Jacobians.
    """
    network = copy.deepcopy(network).train()
    images = images.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(outputs(network, images)[0].sum(), images)
    away = slopes.flatten(1).double()
    away = F.normalize(away - away.mean(1, keepdim=True))
    values = torch.linalg.eigvalsh(away @ away.T).clamp(min=0) + RIDGE
    return -float((values.log() + 1 / values).sum())


def gradient_norm(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum over layers of the length of the kernel's gradient, for one batch (Abdelfattah et al. 2021)."""
    network = copy.deepcopy(network).train()
    kernels = [weight for weight in network.parameters() if weight.ndim > 1]
    loss = F.cross_entropy(outputs(network, images)[0], labels)
    slopes = torch.autograd.grad(loss, kernels, allow_unused=True)
    return sum(float(slope.norm()) for slope in slopes if slope is not None)


def macs(network: nn.Module, image: Tensor) -> float:
    """Multiply-accumulates of convolutions and linear layers for `image` (1, *shape) at evaluation."""
    counts: list[int] = []

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        counts.append(output.numel() * layer.weight[0].numel())

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        network.eval()(image)
    for hook in hooks:
        hook.remove()
    return float(sum(counts))


def _batch(data: Data, seed: int) -> tuple[Tensor, Tensor]:
    """The first batch that training with this seed would see, unaugmented."""
    whole = Batches(data.train, data, torch.device("cpu"))
    return next(whole.epoch(Recipe(batch=BATCH), torch.Generator().manual_seed(seed)))
