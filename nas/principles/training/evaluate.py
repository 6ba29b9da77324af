"""A trained network evaluated once more, image by image."""

from pathlib import Path

from nas.genome.graph import Graph
from nas.training.data import Source
from nas.training.metrics import Misclassified


def find_misclassified(graph: Graph, weights: Path, source: Source) -> Misclassified:
    """Return which images of the validation split a network misclassifies. Raises OSError or NasError."""
    import torch

    from nas.model.export import load_weights
    from nas.model.module import module
    from nas.training.batches import Batches
    from nas.training.data import load_data
    from nas.training.evaluation import evaluate

    torch.set_num_threads(1)  # the workers use the other cores
    network, data = module(graph, training=True), load_data(source)
    load_weights(network, weights)
    return evaluate(network, Batches(data.validation, data, torch.device("cpu"))).misclassified
