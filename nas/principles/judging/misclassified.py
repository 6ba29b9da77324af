"""Which validation images a trained network misclassifies: a file in the trial's folder."""

from pathlib import Path

from nas.files import atomic_write
from nas.search.store.run_files import trial_folder
from nas.training.metrics import Misclassified, misclassified_images, misclassified_text

FILE = "wrong.txt"


def save_misclassified(path: Path, number: int, images: Misclassified) -> None:
    """Write the misclassified images of a trial into its folder. Raises OSError."""
    atomic_write(trial_folder(path, number) / FILE, f"{misclassified_text(images)}\n")


def load_misclassified(path: Path, number: int) -> Misclassified | None:
    """Return the misclassified images of a trial; None where the file is missing or damaged."""
    try:
        return misclassified_images((trial_folder(path, number) / FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
