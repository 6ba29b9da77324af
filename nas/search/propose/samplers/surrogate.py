"""A model of the error: a mixture of Gaussian processes over choices, counts and sequences of layers.

The processes differ in what they take for alike and in the noise of a training. Each counts by how well it explains the
errors seen. Errors below the median enter as they are, those above it by their logarithm, so that a network that learns
nothing does not stretch the scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh, solve_triangular

from nas.search.propose.samplers.encoding import Array, Rows
from nas.search.propose.samplers.kernel import Kernel, weighted

NOISES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # variances of seed noise, of a variance near 1 between networks
WEIGHTS = tuple(
    (*choices, counts, layers, trend)
    for choices in ((1.0, 0.0), (0.0, 1.0), (0.1, 0.0), (0.0, 0.1))
    for counts, layers, trend in product((0.1, 1.0), (0.1, 1.0), (0.0, 0.5))
)  # of the kernel's parts
MAX_SETTINGS = 8  # processes in the mixture


@dataclass(frozen=True)
class KernelSetting:
    """One process. weights: of the kernel's parts. scale: of all variances. noise: variance. share: of the mixture."""

    weights: tuple[float, ...]
    scale: float
    noise: float
    share: float

    def covariance(self, parts: Array) -> Array:
        """Return the covariance of networks from the parts of their similarity."""
        return self.scale * weighted(self.weights, parts)


def targets(errors: Sequence[float] | Array) -> Array:
    """Return the modelled values: errors in units of median less best, larger ones by their logarithm."""
    found = np.asarray(errors, dtype=np.float64)
    unit = float(np.median(found) - found.min())
    if unit <= 0:
        unit = max(float(found.max() - found.min()), 1e-9)
    far = (found - found.min()) / unit
    scaled = np.where(far < 1, far, 1 + np.log(np.maximum(far, 1)))
    return np.asarray((scaled - scaled.mean()) / (scaled.std() or 1.0))


def likely_settings(parts: Array, values: Array, doubt: Array) -> list[KernelSetting]:
    """Return the settings that explain the values best, with their shares.

    parts: of the kernel, (parts, rows, rows). values, doubt: (rows,); a row's noise is multiplied by its doubt. The
    likelihood is the one at the best scale (Rasmussen & Williams 2006, section 5.4.1), which is used if it is above 1:
    a smaller one, from few networks, makes the model overconfident.
    """
    root = np.sqrt(doubt)
    found: list[tuple[float, tuple[float, ...], float, float]] = []
    for weights in WEIGHTS:
        eigenvalues, vectors = eigh(weighted(weights, parts) / np.outer(root, root), check_finite=False)
        squares = (vectors.T @ (values / root)) ** 2
        for noise in NOISES:
            variances = np.maximum(eigenvalues, 0.0) + noise
            scale = max(1e-12, float((squares / variances).mean()))
            likelihood = -0.5 * float(len(values) * np.log(scale) + np.log(variances).sum())
            found.append((likelihood, weights, max(1.0, scale), noise))
    found = sorted(found, reverse=True)[:MAX_SETTINGS]
    shares = np.exp(np.array([likelihood for likelihood, *_ in found]) - found[0][0])
    return [
        KernelSetting(weights, scale, scale * noise, float(share))
        for (_, weights, scale, noise), share in zip(found, shares / shares.sum(), strict=True)
    ]


class Surrogate:
    """The posterior of the error, in units of `targets`.

    rows, values: the trained networks and their errors, as `targets` makes them. doubt: by what the noise of each is
    multiplied; 1 for a training of this search. settings: of an earlier surrogate, in place of new ones.
    """

    def __init__(
        self, rows: Rows, values: Array, doubt: Array | None = None, settings: Sequence[KernelSetting] | None = None
    ) -> None:
        self._rows, self._values = rows, values
        self._doubt = np.ones(len(rows)) if doubt is None else doubt
        self._kernel = Kernel(rows)
        parts = self._kernel.parts(rows, rows)
        self.settings = tuple(settings or likely_settings(parts, self._values, self._doubt))
        self._shares = np.array([setting.share for setting in self.settings])
        self._solve(parts)

    def _solve(self, parts: Array) -> None:
        self._factors, self._solved = list[Array](), list[Array]()
        for setting in self.settings:
            covariance = setting.covariance(parts) + np.diag(setting.noise * self._doubt)
            factor, _ = cho_factor(covariance, lower=True, overwrite_a=True, check_finite=False)
            self._factors.append(factor)
            self._solved.append(cho_solve((factor, True), self._values, check_finite=False))

    def add_fantasies(self, rows: Rows) -> None:
        """Add networks in training with their predicted error (a fantasy), so that the next choice avoids them."""
        mean, _ = self.predict(rows)
        self._values = np.concatenate([self._values, mean])
        self._doubt = np.concatenate([self._doubt, np.ones(len(mean))])
        self._rows = Rows(
            np.concatenate([self._rows.choices, rows.choices]),
            rows.ordered,
            np.concatenate([self._rows.counts, rows.counts]),
            np.concatenate([self._rows.ngrams, rows.ngrams]),
        )
        self._solve(self._kernel.parts(self._rows, self._rows))

    def training_mean(self) -> Array:
        """Return the posterior mean at each training row and fantasy, in order."""
        means = [
            self._values - setting.noise * self._doubt * solved
            for setting, solved in zip(self.settings, self._solved, strict=True)
        ]
        return np.asarray(self._shares @ np.array(means))

    def predict(self, rows: Rows) -> tuple[Array, Array]:
        """Return mean and standard deviation of the error without noise."""
        parts, diagonal = self._kernel.parts(rows, self._rows), self._kernel.diagonal(rows)
        means, squares = [], []
        for setting, factor, solved in zip(self.settings, self._factors, self._solved, strict=True):
            shared = setting.covariance(parts)
            known = solve_triangular(factor, shared.T, lower=True, check_finite=False)
            left = np.maximum(setting.covariance(diagonal) - (known**2).sum(axis=0), 1e-12)
            means.append(shared @ solved)
            squares.append(left + means[-1] ** 2)
        mean = self._shares @ np.array(means)
        return mean, np.sqrt(np.maximum(self._shares @ np.array(squares) - mean**2, 1e-12))
