"""Which validation images a trained network misclassifies: one bit per image in the trial's folder."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.files import atomic_write
from nas.search.store.run_files import trial_folder

Misclassified = NDArray[np.bool_]
"""(images,), in the order of the validation split."""
FILE = "wrong.txt"  # the number of images, then their bits in hexadecimal


def save_misclassified(path: Path, number: int, images: Misclassified) -> None:
    """Write the misclassified images of a trial into its folder. Raises OSError."""
    atomic_write(trial_folder(path, number) / FILE, f"{len(images)} {np.packbits(images).tobytes().hex()}\n")


def load_misclassified(path: Path, number: int) -> Misclassified | None:
    """Return the misclassified images of a trial; None where the file is missing or damaged."""
    try:
        count, bits = (trial_folder(path, number) / FILE).read_text(encoding="ascii").split()
        return np.unpackbits(np.frombuffer(bytes.fromhex(bits), np.uint8), count=int(count)).astype(bool)
    except (OSError, ValueError):
        return None
