"""A table of finished trainings that samplers are judged on.

A search is told what a short training would tell it: a validation error with noise. It is judged by the error of a long
training, which it never sees.
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from statistics import fmean, median, variance

import numpy as np

from nas.genome import Task
from nas.genome.trial import Space
from nas.search.objectives import Budget, Range
from nas.search.propose.samplers.curves import Curve

TEST_IMAGES = 10_000  # of CIFAR-10; as many validate NAS-Bench-101
MIN_INSIDE = 100  # networks that a budget leaves, where there are as many


@dataclass(frozen=True)
class TableNetwork:
    """A network of a table: its exact counts, and the errors of its trainings as shares of one.

    number: its place in the table. short: validation errors that a search may be told. long: errors to judge by.
    curves: of each training in `short`, the validation errors after the epochs of which the table has them.
    """

    number: int
    params: int
    macs: int
    depth: int
    short: tuple[float, ...]
    long: tuple[float, ...]
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True)
class JudgedTable:
    """Trainings of the networks of a space, by the fingerprint of the network.

    noise_images: size of the validation set whose noise is added to what is told; None where `short` has several seeds.
    """

    space: Space
    task: Task
    networks: dict[str, TableNetwork]
    noise_images: int | None = None

    def told(self, network: TableNetwork, rng: np.random.Generator) -> float:
        """Return the validation error of one short training."""
        return self._noisy((float(rng.choice(network.short)),), rng)[0]

    def told_curve(self, network: TableNetwork, rng: np.random.Generator) -> Curve:
        """Return the validation errors of one training; noise of the images is that of one draw of them."""
        return self._noisy(network.curves[int(rng.integers(len(network.curves)))], rng)

    def _noisy(self, errors: Curve, rng: np.random.Generator) -> Curve:
        """Return errors with the noise of the validation images, which are the same for all of them."""
        if self.noise_images is None:
            return errors
        z = rng.standard_normal()
        return tuple([float(np.clip(e + sqrt(e * (1 - e) / self.noise_images) * z, 0, 1)) for e in errors])

    def expected(self, network: TableNetwork) -> float:
        """Return the validation error of a short training without noise: what a search can minimize."""
        return fmean(network.short)

    def judged(self, network: TableNetwork) -> float:
        """Return the error after long training, the mean of what there is."""
        return fmean(network.long)

    @cached_property
    def own_error(self) -> float:
        """Return the standard error of `judged`, over the better half of the networks.

        From the differences between trainings of one network; where each was trained once, from the number of images.
        """
        ordered = sorted(self.networks.values(), key=self.judged)
        half = ordered[: len(ordered) // 2 + 1]
        repeated = [network.long for network in half if len(network.long) > 1]
        if not repeated:
            error = self.judged(half[0])
            return sqrt(error * (1 - error) / TEST_IMAGES)
        squares = sum(variance(errors) * (len(errors) - 1) for errors in repeated)
        trainings = median(len(network.long) for network in half)
        return sqrt(squares / sum(len(errors) - 1 for errors in repeated) / trainings)

    def inside(self, share: float) -> tuple[Budget, list[TableNetwork]]:
        """Return limits on params and MACs, at one quantile each, that a share of the networks meets, and those.

        At least MIN_INSIDE networks are left, where there are as many.
        """
        networks = list(self.networks.values())
        counts = np.array([[network.params, network.macs] for network in networks])
        share = min(1.0, max(share, MIN_INSIDE / len(networks)))
        for quantile in np.linspace(share, 1, 200):
            limits = np.quantile(counts, quantile, axis=0).astype(int)
            met = (counts <= limits).all(axis=1)
            if met.mean() >= share:
                break
        budget = Budget(params=Range(max=int(limits[0])), macs=Range(max=int(limits[1])))
        return budget, [network for network, within in zip(networks, met, strict=True) if within]
