"""Random legal ops, shapes and networks, read off the annotations that ops are declared with."""

import types
from dataclasses import MISSING, fields
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from nas.genome import Graph, Op, Shape
from nas.genome.graph import checks
from nas.genome.hyperparameters import Limits
from nas.resources import names
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space
from nas.training.data import task

MAX_SIDE = 6  # keeps random networks small; the bounds themselves are tested in test_fields


SMALL = Limits(0, MAX_SIDE)


def field(kind: Any, limits: Limits = SMALL) -> st.SearchStrategy[Any]:
    """Small legal values of one annotation."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return field(arguments[0], next((a for a in arguments[1:] if isinstance(a, Limits)), limits))
    if origin in (Union, types.UnionType):
        return st.one_of([field(argument, limits) for argument in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(field(arguments[0], limits), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(field(argument, limits) for argument in arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if kind is float:
        return st.floats(max(limits.low, 1e-6), min(limits.high, 1.0))
    if kind is int:
        return st.integers(int(limits.low), int(min(limits.high, max(limits.low, MAX_SIDE))))
    return {bool: st.booleans(), types.NoneType: st.none()}[kind]


def ops(cls: type[Op]) -> st.SearchStrategy[dict[str, Any]]:
    """Fields of an op; the op itself may still refuse their combination."""
    hints = get_type_hints(cls, include_extras=True)
    drawn = {name: field(hints[name]) for name in checks(cls)}
    optional = {spec.name: drawn.pop(spec.name) for spec in fields(cls) if spec.default is not MISSING}
    return st.fixed_dictionaries(drawn, optional=optional)


sides = st.integers(1, 20)
images: st.SearchStrategy[Shape] = st.tuples(st.sampled_from([1, 2, 3, 4, 6, 12]), sides, sides)
shapes: st.SearchStrategy[Shape] = st.one_of(images, images, images, st.tuples(st.integers(1, 20)))


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """A network of any search space, for digits."""
    name = draw(st.sampled_from(names("search_spaces", ".py")))
    return sample_network(load_space(name), task("digits"), draw(st.integers(0, 10**6)))
