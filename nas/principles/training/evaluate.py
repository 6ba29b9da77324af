"""A trained network evaluated once more, image by image."""

from pathlib import Path

import numpy as np

from nas.genome.graph import Graph
from nas.principles.judging.misclassified import Misclassified
from nas.training.data import Source


def find_misclassified(graph: Graph, weights: Path, source: Source) -> Misclassified:
    """Return which images of the validation split a network misclassifies. Raises OSError or NasError."""
    import torch

    from nas.model.export import load_weights
    from nas.model.module import module
    from nas.training.batches import Batches
    from nas.training.data import load_data

    torch.set_num_threads(1)  # the workers use the other cores
    network, data = module(graph, training=True), load_data(source)
    load_weights(network, weights)
    network.eval()
    with torch.no_grad():
        batches = Batches(data.validation, data, torch.device("cpu")).in_order()
        parts = [(network(images).argmax(1) != labels).numpy() for images, labels in batches]
    return np.concatenate(parts)
