"""Scores before training: equal to the papers' formulas where these can be computed by hand."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from nas.genome import Graph, cost
from nas.genome.primitives import BasicBlock, DenseBlock, GapHead, RepVGGBlock, Stem, Transition
from nas.model import module
from nas.training.data import Data, Split, load_data
from nas.training.optim import initialize
from nas.training.zerocost import RIDGE, gradient_norm, jacobian_covariance, synflow, zero_cost_scores

DIGITS = load_data("digits")


def graph(width: int = 8) -> Graph:
    return Graph.of(GapHead(10)(BasicBlock(2 * width, 2)(Stem(width)(DIGITS.task.image()))))


def chain(*widths: int) -> nn.Sequential:
    """Linear layers without biases, a ReLU after each but the last."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after, bias=False), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def blank() -> Data:
    """Digits with every image black and every label 0."""
    n = len(DIGITS.train.labels)
    return replace(DIGITS, train=Split(np.zeros_like(DIGITS.train.images), np.zeros(n, np.int64)))


@pytest.mark.parametrize("widths", [(6, 3), (6, 5, 4, 3)])
def test_synflow_of_a_chain_is_the_product_of_magnitudes_once_a_layer(widths: tuple[int, ...]) -> None:
    network = chain(*widths)
    product = torch.ones(widths[0], dtype=torch.float64)
    for weight in network.parameters():
        product = weight.detach().double().abs() @ product
    flow = synflow(network, (1, 2, 3))
    layers = len(widths) - 1  # each conserves the flow (Tanaka et al. 2020, theorem 2)
    assert math.expm1(flow) == pytest.approx(layers * float(product.sum()), rel=1e-12)


def test_synflow_ignores_data_and_signs_and_grows_with_every_layer_scaled() -> None:
    assert zero_cost_scores(graph(), DIGITS, 3)["synflow"] == zero_cost_scores(graph(), blank(), 3)["synflow"]
    network = chain(6, 5, 4, 3)
    before = synflow(network, (1, 2, 3))
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(-2)
    after = synflow(network, (1, 2, 3))
    assert math.expm1(after) == pytest.approx(8 * math.expm1(before), rel=1e-12)


def test_jacobian_covariance_of_a_linear_network_is_the_lowest_of_all() -> None:
    images = torch.randn(8, 6)
    alike = -(math.log(8 + RIDGE) + 1 / (8 + RIDGE) + 7 * (math.log(RIDGE) + 1 / RIDGE))
    assert jacobian_covariance(chain(6, 3), images) == pytest.approx(alike, rel=1e-6)
    assert jacobian_covariance(chain(6, 64, 64, 3), images) > alike / 2


def test_jacobian_covariance_depends_on_directions_only() -> None:
    network, images = chain(6, 64, 3), torch.randn(8, 6)
    first = jacobian_covariance(network, images)
    assert jacobian_covariance(network, images.flip(0)) == pytest.approx(first, rel=1e-4)
    with torch.no_grad():
        next(reversed(list(network.parameters()))).mul_(1000)
    assert jacobian_covariance(network, images) == pytest.approx(first, rel=1e-4)


def test_gradient_norm_of_a_softmax_is_that_of_its_residuals() -> None:
    network, images, labels = chain(6, 3), torch.randn(8, 6), torch.arange(8) % 3
    residuals = network(images).softmax(1) - nn.functional.one_hot(labels, 3)
    by_hand = (residuals.detach().T @ images / 8).norm()
    assert gradient_norm(network, images, labels) == pytest.approx(float(by_hand), rel=1e-5)


def test_controls_are_the_cost_models_counts_without_auxiliary_heads() -> None:
    x = Transition()(DenseBlock(4, 2)(Stem(8)(DIGITS.task.image())))
    for each in (graph(), Graph.of(GapHead(10)(x)), Graph.of(GapHead(10)(BasicBlock(16)(x)), GapHead(10)(x))):
        found = zero_cost_scores(each, DIGITS, 0)
        assert (found["params"], found["macs"]) == (cost(each).params, cost(each).macs)


def test_scores_are_of_the_form_that_trains_and_counts_of_the_one_that_is_exported() -> None:
    asked = Graph.of(GapHead(10)(RepVGGBlock(8)(Stem(8)(DIGITS.task.image()))))
    found, trained = zero_cost_scores(asked, DIGITS, 3), module(asked, training=True)
    torch.manual_seed(3)
    initialize(trained)
    assert found["synflow"] == synflow(trained, DIGITS.task.input)
    assert found["params"] == cost(asked).params < sum(weight.numel() for weight in trained.parameters())
    assert found["macs"] == cost(asked).macs


def test_scores_repeat_themselves_and_leave_all_as_it_was() -> None:
    torch.manual_seed(1)
    first, then = zero_cost_scores(graph(), DIGITS, 5), torch.rand(3)
    assert zero_cost_scores(graph(), DIGITS, 5) == first
    assert zero_cost_scores(graph(), DIGITS, 6) != first
    torch.manual_seed(1)
    assert torch.equal(torch.rand(3), then)
    assert all(math.isfinite(value) for value in first.values())
