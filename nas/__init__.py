"""Neural architecture search for convolutional networks, within a budget.

>>> import nas
>>> nas.cost(nas.baseline("resnet50")).params
25557032

Rooms: `nas.genome` (what can be known without a tensor), `nas.model` (source and modules), `nas.training`,
`nas.search`, `nas.report`, `nas.cli`. What is named here is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas.genome.baselines import baseline
    from nas.genome.cost import cost
    from nas.model.module import module
    from nas.model.source import source
    from nas.search.store.run import load_run as load

_HOMES = {
    "baseline": "nas.genome.baselines.baseline",
    "cost": "nas.genome.cost.cost",
    "module": "nas.model.module.module",
    "source": "nas.model.source.source",
    "load": "nas.search.store.run.load_run",
}

__all__ = ["baseline", "cost", "load", "module", "source"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nas' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].rpartition(".")
    return getattr(import_module(module), attribute)
