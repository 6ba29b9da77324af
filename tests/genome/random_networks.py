"""Random networks made of every registered op, for tests of what must hold of any network."""

import random
import types
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from nas.errors import GenomeError
from nas.genome import OPS, Graph, Input, Op, Value
from nas.genome.graph import place_op
from nas.genome.hyperparameters import Limits
from nas.genome.interning import construct
from nas.genome.primitives import Add, GapHead, Linear

ANY = Limits(-8, 8)
SIZES = (1, 2, 3, 4, 6, 8)


def clear_caches() -> None:
    """Drop all ops and what is computed from them, as in a new process."""
    construct.cache_clear()
    place_op.cache_clear()


def random_op(rng: random.Random, cls: type[Op]) -> Op:
    """An op of this class with small legal hyperparameters. Raises GenomeError where they do not go together."""
    hints = get_type_hints(cls, include_extras=True)
    chosen = [spec.name for spec in fields(cls) if spec.default is MISSING or rng.random() < 0.7]
    return cls(**{name: random_value(rng, hints[name]) for name in chosen})


def random_value(rng: random.Random, kind: Any, limits: Limits = ANY) -> Any:
    """A legal value of an annotation."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = [extra for extra in arguments[1:] if isinstance(extra, Limits)]
        return random_value(rng, arguments[0], bounds[0] if bounds else limits)
    if origin in (Union, types.UnionType):
        return random_value(rng, rng.choice(arguments), limits)
    if origin is Literal:
        return rng.choice(arguments)
    if origin is tuple:
        length = rng.randint(1, 3) if arguments[-1] is Ellipsis else len(arguments)
        return tuple(random_value(rng, arguments[0 if arguments[-1] is Ellipsis else i], limits) for i in range(length))
    if kind is bool:
        return rng.random() < 0.5
    if kind is float:
        return rng.choice([value for value in (0.0, 1e-3, 0.25, 0.5, 1.0) if limits.low <= value <= limits.high])
    if kind is int:
        return rng.choice([value for value in (0, *SIZES) if limits.low <= value <= limits.high])
    assert kind is type(None)
    return None


def random_network(seed: int, nodes: int = 6, ops: Sequence[str] = (), size: int = 12) -> Graph:
    """A network of about `nodes` ops on a `size` x `size` image; whatever does not fit is drawn again."""
    rng = random.Random(seed)
    kinds = list(ops) or [name for name in sorted(OPS) if name != "Input"]
    values: list[Value] = [Input((rng.choice(SIZES), size, size))()]
    for _ in range(50 * nodes):
        op = OPS[rng.choice(kinds)]
        count = rng.randint(2, 3) if op.arity is None else op.arity or 0
        recent = values[-4:]
        try:
            values.append(random_op(rng, op)(*rng.choices(recent, k=count)))
        except GenomeError:
            continue
        if len(values) > nodes:
            break
    loose = [value for value in values if not any(value in other.inputs for other in values)]
    return Graph.of(_join(loose))


def _join(values: Sequence[Value]) -> Value:
    scores = [GapHead(10)(v) if len(v.shape) == 3 else Linear(10)(v) for v in values]
    total = scores[0]
    for score in scores[1:]:
        total = Add()(total, score)
    return total
