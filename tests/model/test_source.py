"""The one emitter: its text is what a person would write, and it is the network."""

import ast
import re

import pytest
import torch
from hypothesis import given, settings
from strategies import networks

from nas.genome import Graph, Input, Task, cost
from nas.genome.primitives import Add, BasicBlock, BatchNorm, Conv, ConvStack, DenseBlock, GapHead, MaxPool, Relu, Stem
from nas.model import module, source
from nas.model.module import run_source

CIFAR = Task("cifar10", (3, 32, 32), 10)


def resnet(width: int = 16) -> Graph:
    x = Stem(width)(CIFAR.image())
    for i in range(3):
        for j in range(4):
            x = BasicBlock(width * 2**i, 2 if i and not j else 1)(x)
    return Graph.of(GapHead(10)(x))


def classes(text: str) -> list[str]:
    return re.findall(r"^class (\w+)", text, re.MULTILINE)


def test_one_class_for_each_kind_of_block() -> None:
    text = source(resnet())
    assert classes(text) == ["Stem", "BasicBlock", "BasicBlockProjection", "GapHead", "Network"]
    assert "self.stage1 = nn.Sequential(*(BasicBlock(16) for _ in range(4)))" in text


def test_depth_becomes_an_argument() -> None:
    x = Stem(8)(CIFAR.image())
    for depth in (3, 5):
        x = MaxPool(2, 2)(DenseBlock(4, depth)(x))
    text = source(Graph.of(GapHead(10)(x)))
    assert classes(text) == ["Stem", "DenseLayer", "DenseBlock", "GapHead", "Network"]
    assert "for i in range(depth)" in text


def test_names_in_a_genome_never_reach_the_text() -> None:
    x = CIFAR.image()
    x = ConvStack(4, 2)(x, name="class")
    x = ConvStack(4, 2)(x, name="x; import os  # \n'''\"\"\"")
    text = source(Graph.of(GapHead(10)(x, name="__import__('os')")))
    assert "import os" not in text
    assert "__import__" not in text
    assert run_source(text)


@given(graph=networks())
@settings(max_examples=8)
def test_random_networks_run_forward_and_backward(graph: Graph) -> None:
    text = source(graph)
    assert ast.parse(text)
    assert max(map(len, text.splitlines())) <= 120
    network = module(graph)
    scores = network(torch.randn(2, *graph.input))
    assert scores.shape == (2, 10)
    scores.sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    assert sum(p.numel() for p in network.parameters()) == cost(graph).params


def test_shared_values_are_computed_once_in_the_right_order() -> None:
    """x is read after newer values were made from it; a wrong reuse of names would change the sum."""
    image = Input((2, 4, 4))()
    a = Relu()(image)
    b = Conv(2, 1)(a)
    c = Relu()(Add()(a, b))
    graph = Graph.of(GapHead(3)(Add()(Add()(c, a), BatchNorm()(b))))
    network = module(graph).eval()
    x = torch.randn(5, 2, 4, 4)
    with torch.no_grad():
        first = x.relu()
        second = dict(network.named_children())["conv"](first)
        third = (first + second).relu()
        norm = dict(network.named_children())["norm"]
        expected = network.head(third + first + norm(second))
        assert torch.allclose(network(x), expected, atol=1e-6)


def test_auxiliary_heads_answer_in_training_only() -> None:
    x = Stem(8)(CIFAR.image())
    graph = Graph.of(GapHead(10)(BasicBlock(8)(x)), GapHead(10)(x))
    network = module(graph)
    images = torch.randn(2, 3, 32, 32)
    assert len(network(images)) == 2
    assert network.eval()(images).shape == (2, 10)


def test_traceback_shows_the_generated_line() -> None:
    import traceback

    network = module(resnet())
    with pytest.raises(RuntimeError) as problem:
        network(torch.randn(2, 4, 32, 32))
    shown = "".join(traceback.format_tb(problem.value.__traceback__))
    assert "return F.relu(self.norm(self.conv(x)))" in shown
