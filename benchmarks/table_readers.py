"""Tables of finished trainings, read from a folder; those of others do not come with the toolkit.

| set | a search is told | it is judged by | file |
|---|---|---|---|
| nasbench201-{cifar10, cifar100, imagenet16} | validation after 12 epochs | test after 200 | nasbench201.parquet |
| nasbench201-{cifar10, ...}-long | test after 200 epochs | the same without noise | nasbench201.parquet |
| nasbench101, nasbench101-36 | validation after 12, 36 epochs | validation after 108 | nasbench101_sample20k.parquet |
| nasbench101-long | validation after 108 epochs | the same without noise | nasbench101_sample20k.parquet |
| widths, stages | last validation error of one seed | test, the mean of the seeds | SET.parquet of make_table |

In the sets named long, noise alone keeps a search from the best network; in the others, short training does as well.
Rows whose networks have one fingerprint are trainings of one network: a search is told one of them at random, and is
judged by their mean. The files of NAS-Bench hold one short training per row, so the noise of a validation set of n
images is added, of standard deviation sqrt(e (1 - e) / n) for an error e.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import pandas as pd

from benchmarks import nasbench101, nasbench201
from benchmarks.cifar16 import Cifar16
from benchmarks.judged_tables import TEST_IMAGES, JudgedTable, TableNetwork
from nas.errors import DataError
from nas.genome import Graph, Task, Trial, cost, fingerprint
from nas.genome.trial import Choice, Space
from nas.search.propose.choices import AskedTrial, GuidedTrial
from nas.search.propose.samplers.curves import Curve
from nas.search.space import load_space

GUESS = 0.9  # the error of a training that diverged, of ten classes


@dataclass(frozen=True)
class TableFile:
    """Where a table lies in the folder, how it is read, and after how many trainings it can still judge."""

    name: str
    read: Callable[[Path], JudgedTable]
    max_trainings: int = 100


def load_table(folder: Path, name: str) -> JudgedTable:
    """Return a table by the name of its set. Raises DataError for a file that is missing or lacks a column."""
    return TABLES[name].read(folder / TABLES[name].name)


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as problem:
        raise DataError(f"{path} cannot be read as Parquet: {problem!s:.200}") from None
    if missing := [name for name in columns if name not in table.columns]:
        raise DataError(f"{path} has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))[:300]}")
    return table


Row = tuple[str, tuple[int, int, int], float, float, Curve]
"""A fingerprint; params, MACs and depth; a short and a long error; errors after each epoch, where there are any."""


def _networks(rows: Iterable[Row]) -> dict[str, TableNetwork]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return {
        name: TableNetwork(number, *same[0][1], *zip(*[row[2:] for row in same], strict=True))
        for number, (name, same) in enumerate(found.items())
    }


def _row(graph: Graph, short: float, long: float, curve: Curve = ()) -> Row:
    counts = cost(graph)
    return fingerprint(graph), (counts.params, counts.macs, counts.depth), short, long, curve


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
    steps = (4, 12, 36, 108)
    table = _read(path, ["adjacency", "ops", *(f"val_acc_{epoch}ep" for epoch in steps)])
    cells = list(table[["adjacency", "ops"]].itertuples(index=False, name=None))
    errors = {epoch: (1 - table[f"val_acc_{epoch}ep"].to_numpy(float)).tolist() for epoch in steps}
    graphs = map(nasbench101.network, cells)
    curves = zip(*(errors[epoch] for epoch in steps if epoch <= epochs), strict=True)
    rows = zip(graphs, errors[epochs], errors[108], curves, strict=True)
    networks = _networks(_row(*row) for row in rows)
    return JudgedTable(nasbench101.CellSpace(cells), nasbench101.TASK, networks, TEST_IMAGES)


class PartOfSpace:
    """A space of which some networks are trained, known by their choices: None for one that a network does not have.

    Other choices are moved to the trained network that differs in the fewest; of equals, to the first.
    """

    def __init__(self, space: Space, rows: Sequence[Mapping[str, Choice | None]]) -> None:
        self.space, self.rows = space, rows

    def __call__(self, trial: Trial, task: Task) -> Graph:
        """Ask for the choices of the space, and return the nearest network."""
        graph = self.space(trial, task)
        asked = cast("AskedTrial", trial).params
        nearest = min(self.rows, key=lambda row: sum(asked.get(name) != value for name, value in row.items()))
        given = {name: value for name, value in nearest.items() if value is not None}
        return graph if given == asked else self.space(GuidedTrial(random.Random(0), given), task)


def read_own(space: str, path: Path) -> JudgedTable:
    """Return a table that make_table wrote, also a part of one."""
    curve = [f"error_{epoch}" for epoch in range(1, 9)]
    columns = ["fingerprint", "params", "macs", "depth", "test_error", *curve]
    table = _read(path, columns).fillna(dict.fromkeys((*curve, "test_error"), GUESS))
    rows = table[columns].itertuples(index=False, name=None)
    networks = _networks(
        (name, (params, macs, depth), errors[-1], test, tuple(errors))
        for name, params, macs, depth, test, *errors in rows
    )
    choices = table.iloc[:, : table.columns.get_loc("fingerprint")].drop_duplicates().astype(object)
    known = cast("list[dict[str, Choice | None]]", choices.where(choices.notna(), None).to_dict("records"))
    return JudgedTable(PartOfSpace(load_space(space), known), Cifar16.task, networks)


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
