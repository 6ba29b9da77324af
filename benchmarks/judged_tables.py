"""Tables of finished trainings that samplers are judged on.

A search is told what a short training would tell it: a validation error with noise. It is judged by the test error of a
long training, which it never sees. No table of others comes with the toolkit: they are read from a folder.

| set | a search is told | it is judged by | file |
|---|---|---|---|
| nasbench201-{cifar10, cifar100, imagenet16} | validation after 12 epochs | test after 200 | nasbench201.parquet |
| nasbench201-{cifar10, ...}-long | test after 200 epochs | the same without noise | nasbench201.parquet |
| nasbench101, nasbench101-36 | validation after 12, 36 epochs | validation after 108 | nasbench101_sample20k.parquet |
| nasbench101-long | validation after 108 epochs | the same without noise | nasbench101_sample20k.parquet |
| widths, stages | last validation error of one seed | test, the mean of the seeds | SET.parquet of make_table |

The sets named long show what noise alone takes from a search; the others, what short training takes as well.
Rows whose networks have one fingerprint are trainings of one network: a search is told one of them at random, and is
judged by their mean. The files of NAS-Bench hold one short training per row, so the noise of a validation set of n
images is added, of standard deviation sqrt(e (1 - e) / n) for an error e.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import sqrt
from pathlib import Path
from statistics import fmean, median, variance
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import nasbench101, nasbench201
from benchmarks.cifar16 import Cifar16
from nas.errors import DataError, GenomeError
from nas.genome import Graph, Task, Trial, cost, fingerprint
from nas.genome.trial import Space
from nas.search.objectives import Budget, Range
from nas.search.space import load_space

if TYPE_CHECKING:
    import pandas as pd

TEST_IMAGES = 10_000  # of CIFAR-10; as many validate NAS-Bench-101
MIN_INSIDE = 100  # networks that a budget leaves, where there are as many
GUESS = 0.9  # the error of a training that diverged, of ten classes


@dataclass(frozen=True)
class TableNetwork:
    """A network of a table: its exact counts, and the errors of its trainings as shares of one.

    number: its place in the table. short: validation errors that a search may be told. long: errors to judge by.
    """

    number: int
    params: int
    macs: int
    depth: int
    short: tuple[float, ...]
    long: tuple[float, ...]


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
        error = float(rng.choice(network.short))
        if self.noise_images is None:
            return error
        noise = sqrt(error * (1 - error) / self.noise_images)
        return float(np.clip(error + noise * rng.standard_normal(), 0, 1))

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


@dataclass(frozen=True)
class TableFile:
    """Where a table lies in the folder, how it is read, and after how many trainings it can still judge."""

    name: str
    read: Callable[[Path], JudgedTable]
    max_trainings: int = 100


def load_table(folder: Path, name: str) -> JudgedTable:
    """Return a table by the name of its set. Raises DataError for a file that is missing or lacks a column."""
    return TABLES[name].read(folder / TABLES[name].name)


def _read(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as problem:
        raise DataError(f"{path} cannot be read as Parquet: {problem!s:.200}") from None
    if missing := [name for name in columns if name not in table.columns]:
        raise DataError(f"{path} has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))[:300]}")
    return table


Row = tuple[str, tuple[int, int, int], float, float]
"""A fingerprint; params, MACs and depth; a short and a long error."""


def _networks(rows: Iterable[Row]) -> dict[str, TableNetwork]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return {
        name: TableNetwork(number, *same[0][1], tuple([row[2] for row in same]), tuple([row[3] for row in same]))
        for number, (name, same) in enumerate(found.items())
    }


def _row(graph: Graph, short: float, long: float) -> Row:
    counts = cost(graph)
    return fingerprint(graph), (counts.params, counts.macs, counts.depth), short, long


def read_nasbench201(images: str, told: str, validation: int, path: Path) -> JudgedTable:
    """Return NAS-Bench-201 on one of its image sets, told an accuracy with the noise of so many images."""
    scores = [f"{images}_{told}", f"{images}_test_acc_200ep"]
    table = _read(path, [*nasbench201.EDGES, *scores])
    graphs = map(nasbench201.network, table[list(nasbench201.EDGES)].itertuples(index=False, name=None))
    errors = (1 - table[scores].to_numpy(float) / 100).tolist()
    networks = _networks(_row(graph, *both) for graph, both in zip(graphs, errors, strict=True))
    return JudgedTable(nasbench201.space, nasbench201.TASK, networks, validation)


def read_nasbench101(epochs: int, path: Path) -> JudgedTable:
    """Return the sample of NAS-Bench-101, told after so many epochs."""
    scores = [f"val_acc_{epochs}ep", "val_acc_108ep"]
    table = _read(path, ["adjacency", "ops", *scores])
    cells = list(table[["adjacency", "ops"]].itertuples(index=False, name=None))
    errors = (1 - table[scores].to_numpy(float)).tolist()
    graphs = map(nasbench101.network, cells)
    networks = _networks(_row(graph, *both) for graph, both in zip(graphs, errors, strict=True))
    return JudgedTable(nasbench101.CellSpace(cells), nasbench101.TASK, networks, TEST_IMAGES)


def read_own(space: str, path: Path) -> JudgedTable:
    """Return a table that make_table wrote, also a part of one. What it lacks counts as no network."""
    columns = ["fingerprint", "params", "macs", "depth", "error_8", "test_error"]
    table = _read(path, columns).fillna({"error_8": GUESS, "test_error": GUESS})
    rows = table[columns].itertuples(index=False, name=None)
    networks = _networks((name, (params, macs, depth), *both) for name, params, macs, depth, *both in rows)
    whole = load_space(space)

    def trained(trial: Trial, task: Task) -> Graph:
        graph = whole(trial, task)
        if fingerprint(graph) not in networks:
            raise GenomeError("the table does not have this network")
        return graph

    return JudgedTable(trained, Cifar16.task, networks)


TABLES = {
    **{
        f"nasbench201-{images}{suffix}": TableFile(
            "nasbench201.parquet", partial(read_nasbench201, images, told, validation)
        )
        for suffix, told in (("", "val_acc_12ep"), ("-long", "test_acc_200ep"))
        for images, validation in (("cifar10", 25_000), ("cifar100", 5_000), ("imagenet16", 3_000))
    },
    "nasbench101": TableFile("nasbench101_sample20k.parquet", partial(read_nasbench101, 12)),
    "nasbench101-36": TableFile("nasbench101_sample20k.parquet", partial(read_nasbench101, 36)),
    "nasbench101-long": TableFile("nasbench101_sample20k.parquet", partial(read_nasbench101, 108)),
    "widths": TableFile("widths.parquet", partial(read_own, "widths"), max_trainings=50),
    "stages": TableFile("stages.parquet", partial(read_own, "stages"), max_trainings=50),
}
