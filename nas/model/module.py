"""A graph as a torch module, made by running its generated source: what is trained is what is exported.

Layers that train as several branches are folded first; see `nas/model/fold.py`.
"""

import linecache
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nas.errors import GenomeError
from nas.genome.cost import cost
from nas.genome.graph import Graph
from nas.model.source import source

if TYPE_CHECKING:  # a network's source is written without torch
    from torch import Tensor, nn

MAX_BYTES = 64 * 2**30


def module(graph: Graph, training: bool = False) -> "nn.Module":
    """Return the network as a torch module. A traceback through it shows the line of generated source.

    With `training`, it has the form that trains, which `fold` of nas.model.fold turns into the other. Weights are
    torch's defaults; initialization is part of training. Raises GenomeError when the weights alone would need more than
    64 GiB.
    """
    counts = cost(graph, auxiliary=True)
    if 4 * counts.params > MAX_BYTES:
        raise GenomeError(f"the network has {counts.params:,} parameters, which need more than {MAX_BYTES:,} bytes")
    return run_source(source(graph, training=training))


def run_source(text: str) -> "nn.Module":
    """Execute source text and return its Network. Only for text written by `source`: it runs whatever it contains.

    The network can be pickled and copied: what is kept of its classes is their text.
    """
    return _classes(text)["Network"]()


@lru_cache(maxsize=64)
def _classes(text: str) -> "dict[str, type[nn.Module]]":
    """Return the classes of source text by name. Those of one text are the same objects, so that a copy has them."""
    name = f"<network {hash(text) & 0xFFFFFFFF:08x}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace: dict[str, object] = {"__name__": "network"}
    exec(compile(text, name, "exec"), namespace)
    classes = {key: made for key, made in namespace.items() if isinstance(made, type) and made.__module__ == "network"}
    for key, made in classes.items():
        made.__reduce_ex__ = _reducer(text, key)  # type: ignore[method-assign, assignment]
    return classes


def _reducer(text: str, name: str) -> Callable[[Any, Any], tuple[Any, ...]]:
    """Return how pickle takes apart a module whose class is in no file: the class's text and name, and its state."""
    return lambda module, _protocol: (_blank, (text, name), module.__getstate__())


def _blank(text: str, name: str) -> "nn.Module":
    """Return a module of a class in the text, for pickle to give it its state."""
    made = _classes(text)[name]
    return made.__new__(made)


def outputs(network: "nn.Module", images: "Tensor") -> "tuple[Tensor, ...]":
    """Return the logits of all heads, the classifier first, whether the network returns a tensor or a tuple."""
    given = network(images)
    return given if isinstance(given, tuple) else (given,)
