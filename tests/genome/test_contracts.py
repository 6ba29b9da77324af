"""What every registered op promises: a new op is tested by existing."""

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import ops, shapes

from nas.errors import GenomeError
from nas.genome import OPS, Graph, Input, cost
from nas.genome.graph import Value
from nas.genome.layers import pair
from nas.genome.op_kinds import Layer, SlidingWindow
from nas.genome.primitives import Conv
from nas.model import module
from nas.testing.ops import check_op_class, check_op_counts, check_op_folding, check_op_forms
from nas.training.optim import initialize

NAMES = sorted(set(OPS) - {"Input"})
few = settings(max_examples=5, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


def drawn(name: str, data: st.DataObject) -> Graph:
    """The op alone in a network, on inputs it takes; other draws are passed over."""
    cls = OPS[name]
    fields = data.draw(ops(cls))
    first = data.draw(shapes)
    image = Input(first)()
    try:
        op = cls(**fields)
        count = op.arity or data.draw(st.integers(2, 3))
        value = op(*[image] * count)
    except GenomeError:
        assume(False)
    return Graph.of(value)


@pytest.mark.parametrize("name", NAMES)
def test_the_class_of_an_op(name: str) -> None:
    check_op_class(OPS[name])


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@few
def test_counts_equal_torch(name: str, data: st.DataObject) -> None:
    graph = drawn(name, data)
    assume(cost(graph).params < 10**7)
    check_op_counts(graph)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@few
def test_json_and_layers_say_the_same(name: str, data: st.DataObject) -> None:
    check_op_forms(drawn(name, data))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@few
def test_an_op_computes_the_same_once_folded(name: str, data: st.DataObject) -> None:
    graph = drawn(name, data)
    assume(cost(graph).params < 10**6)
    check_op_folding(graph)


@pytest.mark.parametrize("name", [name for name, op in sorted(OPS.items()) if issubclass(op, Layer) and not op.pools])
@given(data=st.data())
@few
def test_a_layer_reads_no_unit_outside_its_window(name: str, data: st.DataObject) -> None:
    graph = drawn(name, data)
    layer, shape = graph.nodes[-1].op, graph.nodes[-1].shape
    assert isinstance(layer, Layer)
    if cost(graph).params > 10**7 or not len(graph.input) == len(shape) == 3:
        return
    images = torch.randn(1, *graph.input, requires_grad=True)
    unit = shape[1] // 2, shape[2] // 2
    module(graph).eval()(images)[0, :, unit[0], unit[1]].sum().backward()
    assert images.grad is not None
    read = images.grad[0].abs().sum(0).nonzero()
    for axis, sides in enumerate(zip(*map(pair, layer.sliding_window() or SlidingWindow()), strict=True)):
        kernel, stride, padding = sides
        first = unit[axis] * stride - padding
        assert ((first <= read[:, axis]) & (read[:, axis] < first + kernel)).all()


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@few
def test_initialization_forgets_earlier_weights(name: str, data: st.DataObject) -> None:
    graph = drawn(name, data)
    assume(cost(graph).params < 10**6)
    network = module(graph, training=True)
    starts = []
    for _ in range(2):
        torch.manual_seed(0)
        initialize(network)
        starts.append([weights.clone() for weights in network.parameters()])
        with torch.no_grad():
            for weights in network.parameters():
                weights.fill_(7)
    assert all(torch.equal(first, second) for first, second in zip(*starts, strict=True))


def test_a_value_knows_its_shape_on_the_authors_line() -> None:
    x = Input((3, 8, 8))()
    with pytest.raises(GenomeError, match=r"\(3, 8, 8\), \(4, 8, 8\)"):
        x + Conv(4, 3)(x)
    assert isinstance(x, Value)
