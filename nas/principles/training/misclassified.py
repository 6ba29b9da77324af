"""Which validation images a trained network gets wrong: a bit an image, kept in the trial's folder."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.genome.graph import Graph
from nas.search.store.run_files import write_whole
from nas.search.trial import trial_folder
from nas.training.data import Source

Wrong = NDArray[np.bool_]
FILE = "wrong.txt"  # the number of images, then their bits in hexadecimal


def wrong(graph: Graph, weights: Path, source: Source) -> Wrong:
    """(images,): whether each image of the validation split is misclassified, in the split's order."""
    import torch

    from nas.model.export import load_weights
    from nas.model.module import module
    from nas.training.batches import Batches
    from nas.training.data import load_data

    torch.set_num_threads(1)  # beside the workers, who have the cores
    network, data = module(graph), load_data(source)
    load_weights(network, weights)
    network.eval()
    with torch.no_grad():
        batches = Batches(data.validation, data, torch.device("cpu")).in_order()
        parts = [(network(images).argmax(1) != labels).numpy() for images, labels in batches]
    return np.concatenate(parts)


def keep(path: Path, number: int, found: Wrong) -> None:
    """Write a trial's answers into its folder."""
    write_whole(trial_folder(path, number) / FILE, f"{len(found)} {np.packbits(found).tobytes().hex()}\n")


def kept(path: Path, number: int) -> Wrong | None:
    """A trial's answers, or None where they were not kept or are damaged."""
    try:
        count, bits = (trial_folder(path, number) / FILE).read_text(encoding="ascii").split()
        return np.unpackbits(np.frombuffer(bytes.fromhex(bits), np.uint8), count=int(count)).astype(bool)
    except (OSError, ValueError):
        return None
