"""What every registered op promises: a new op is tested by existing."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import ops, shapes

from nas.errors import GenomeError
from nas.genome import OPS, Graph, Input, cost
from nas.genome.graph import Value
from nas.genome.primitives import Conv
from nas.testing.ops import check_op_class, check_op_counts, check_op_forms

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


def test_a_value_knows_its_shape_on_the_authors_line() -> None:
    x = Input((3, 8, 8))()
    with pytest.raises(GenomeError, match=r"\(3, 8, 8\), \(4, 8, 8\)"):
        x + Conv(4, 3)(x)
    assert isinstance(x, Value)
