"""ConvNeXt's block against torch's own layers, and that it begins as the identity."""

import torch
from torch.nn import functional as F

from nas.genome import Graph, Input, cost
from nas.genome.op_kinds import Primitive
from nas.genome.primitives import ConvNeXtBlock, NormHead, PatchReduction, PatchStem
from nas.model import module
from nas.training.optim import initialize


def alone(op: Primitive, *shape: int) -> Graph:
    return Graph.of(op(Input(shape)()))


def images(*shape: int) -> torch.Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))


def test_the_block_by_hand() -> None:
    """Liu et al. 2022, fig. 4: depthwise, norm over channels, linear layers at every position, scaled and added."""
    network, x = module(alone(ConvNeXtBlock(5, 3), 6, 9, 9)).eval(), images(6, 9, 9)
    torch.manual_seed(0)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, 0, 0.3)
    depthwise, depthwise_bias, scale, shift, expand, expand_bias, project, project_bias, factor = network.parameters()
    y = F.conv2d(x, depthwise, depthwise_bias, padding=2, groups=6).permute(0, 2, 3, 1)
    y = F.linear(F.layer_norm(y, (6,), scale, shift, 1e-6), expand.flatten(1), expand_bias)
    y = F.linear(F.gelu(y), project.flatten(1), project_bias).permute(0, 3, 1, 2)
    torch.testing.assert_close(network(x), x + factor * y)


def test_a_fresh_block_is_nearly_the_identity() -> None:
    network, x = module(alone(ConvNeXtBlock(), 8, 7, 7)).eval(), images(8, 7, 7)
    initialize(network)
    y = network(x)
    torch.testing.assert_close(y, x, rtol=0, atol=1e-4)
    assert not torch.equal(y, x)


def test_parameters_by_hand() -> None:
    """Of ConvNeXt-T: a block has 49 + 8 x channels weights, and 9 biases and scales, per channel."""
    assert cost(alone(ConvNeXtBlock(), 96, 56, 56)).params == 96 * (49 + 8 * 96 + 9)
    assert cost(alone(PatchStem(96), 3, 224, 224)).params == 96 * (48 + 1 + 2)
    assert cost(alone(PatchReduction(192), 96, 56, 56)).params == 192 * (4 * 96 + 1) + 2 * 96
    assert cost(alone(NormHead(1000), 768, 7, 7)).params == 1000 * 769 + 2 * 768


def test_grids() -> None:
    assert alone(PatchStem(8), 3, 32, 32).nodes[-1].shape == (8, 8, 8)
    assert alone(PatchReduction(8), 4, 7, 7).nodes[-1].shape == (8, 3, 3)
    assert alone(ConvNeXtBlock(), 4, 7, 7).nodes[-1].shape == (4, 7, 7)
