"""Neural architecture search for convolutional networks, within a budget.

>>> import nas
>>> nas.cost("resnet50").params  # or of any graph, such as nas.baseline("resnet50")
25557032

`nas.search` is a room of the package, so the calls that search are `nas.run_search` and `nas.start_search`.

Rooms: `nas.genome` (what can be known without a tensor), `nas.model` (source and modules), `nas.training`,
`nas.search`, `nas.report`, `nas.cli`. What is named here is loaded when it is first used.
"""

import sys
from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from nas.api import PythonExperiment as Experiment
    from nas.api import load, run_search, start_search
    from nas.genome.baselines import baseline
    from nas.genome.cost import Cost
    from nas.genome.graph import Graph

    def cost(graph: Graph | str, auxiliary: bool = False) -> Cost: ...
    def module(graph: Graph | str, training: bool = False) -> nn.Module: ...
    def source(graph: Graph | str, story: str = "", training: bool = False) -> str: ...


_HOMES = {
    "baseline": "nas.genome.baselines.baseline",
    "cost": "nas.genome.cost.cost",
    "module": "nas.model.module.module",
    "source": "nas.model.source.source",
    "Experiment": "nas.api.PythonExperiment",
    "load": "nas.api.load",
    "run_search": "nas.api.run_search",
    "start_search": "nas.api.start_search",
}

_OF_NETWORKS = {"cost", "module", "source"}  # these also take a baseline's name

__all__ = ["Experiment", "baseline", "cost", "load", "module", "run_search", "source", "start_search"]


def _show_drawings() -> None:
    """Let a notebook show a graph as its drawing."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        formatter = shell.display_formatter.formatters["image/svg+xml"]
        formatter.for_type_by_name("nas.genome.graph", "Graph", lambda graph: _load("nas.report.network.draw")(graph))


def _load(place: str) -> Any:
    module, _, attribute = place.rpartition(".")
    return getattr(import_module(module), attribute)


@cache
def _of_network(name: str) -> Callable[..., Any]:
    """Return a function of a graph that also takes a baseline's name. It raises GenomeError with the nearest name."""
    function, baseline_of = _load(_HOMES[name]), _load(_HOMES["baseline"])

    @wraps(function)
    def named(graph: Any, *arguments: Any, **options: Any) -> Any:
        return function(baseline_of(graph) if isinstance(graph, str) else graph, *arguments, **options)

    return named


_show_drawings()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nas' has no attribute {name!r}")
    return _of_network(name) if name in _OF_NETWORKS else _load(_HOMES[name])
