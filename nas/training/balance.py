"""Whether some classes have far more images than others, and which settings are for that."""

import numpy as np

from nas.training.data.split import Labels
from nas.training.recipe import Recipe

MAX_RATIO = 2.0
"""Images of the largest class over those of the smallest, up to which nothing is said: CIFAR has 1, MNIST 1.2."""


def imbalance(labels: Labels, classes: int, metric: str, recipe: Recipe) -> str:
    """Return that classes are unbalanced, with the settings that are not used yet; "" when there is nothing to say.

    labels: (n,), of the images for training.
    """
    counts = np.bincount(labels, minlength=classes)
    settings = [
        *(['metric = "balanced_error"'] if metric == "error" else []),
        *(['recipe.class_weights = "balanced"'] if recipe.class_weights == "none" else []),
    ]
    if counts.max() <= MAX_RATIO * counts.min() or not settings:
        return ""
    return (
        f"classes are unbalanced, {counts.min():,} to {counts.max():,} training images each; consider "
        f"{' and '.join(settings)}"
    )
