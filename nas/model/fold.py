"""From the form in which a network trains to the one that is counted and exported.

A module with a method `folded()` is replaced by the layer whose state that returns (Ding et al. 2021, section 3.3).
"""

from torch import Tensor, nn

from nas.genome.graph import Graph
from nas.model.module import module


def fold(network: nn.Module) -> dict[str, Tensor]:
    """Return the state dict of a trained network with its branches folded, for `module(graph).load_state_dict`.

    At evaluation the two networks compute the same, up to rounding. It is that of the network where nothing folds.
    """
    state: dict[str, Tensor] = dict(network.state_dict())
    for name, folding in _folding(network).items():
        kept = {key: tensor for key, tensor in state.items() if not key.startswith(f"{name}.")}
        state = kept | {f"{name}.{key}": tensor for key, tensor in folding.folded().items()}  # type: ignore[operator]
    return state


def fold_network(graph: Graph, network: nn.Module) -> nn.Module:
    """Return a trained network of a graph as it is exported: on the CPU, or the same object where nothing folds."""
    if not _folding(network):
        return network
    exported = module(graph)
    exported.load_state_dict(fold(network))
    return exported.train(network.training)


def _folding(network: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that fold, by name."""
    return {name: each for name, each in network.named_modules() if callable(getattr(each, "folded", None))}
