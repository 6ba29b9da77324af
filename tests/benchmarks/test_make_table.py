from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.cifar16 import Cifar16, halve
from benchmarks.make_table import train_missing
from benchmarks.table_files import write_table
from benchmarks.table_plan import TablePlan
from benchmarks.training_store import Training, TrainingStore
from nas.genome import Graph, Task, Trial, fingerprint
from nas.genome.primitives import ConvUnit, GapHead
from nas.search.space import load_space
from nas.search.workers.job import Event, Job
from nas.search.workers.worker import train_job
from nas.testing.enumeration import enumerate_space
from nas.training.data import Source
from nas.training.data.split import Split
from nas.training.recipe import Recipe

SMALL = Cifar16.task


class Here:
    """An executor that trains in this process, and counts what it trains."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self._waiting: list[Event] = []

    def idle(self) -> bool:
        return not self._waiting

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        self._waiting = list(train_job(job))

    def stop(self, number: int) -> None:
        pass

    def proceed(self, number: int) -> None:
        pass

    def events(self, seconds: float) -> list[Event]:
        ended, self._waiting = self._waiting, []
        return ended

    def close(self) -> None:
        pass


@pytest.fixture
def plan() -> TablePlan:
    """Two networks of a space, for one epoch on a few digits."""
    plan = TablePlan("stages", Source("digits", train_images=40, validation=0.05), Recipe(epochs=1))
    plan.networks[2:] = []
    return plan


def store(plan: TablePlan, folder: Path) -> TrainingStore:
    return TrainingStore(folder / "tables" / "stages.db", plan.settings)


@pytest.mark.parametrize(("space", "count"), [("widths", 243), ("stages", 225)])
def test_a_space_has_so_many_different_networks_of_a_million_macs(space: str, count: int) -> None:
    networks = list(enumerate_space(load_space(space), SMALL))
    macs = [network.cost.macs for network in networks]
    assert len(networks) == len({fingerprint(network.graph) for network in networks}) == count
    assert np.mean(macs) <= 1_000_000
    assert max(macs) <= 2_000_000


def test_conditional_choices_are_enumerated_where_they_are_asked() -> None:
    def space(trial: Trial, task: Task) -> Graph:
        x = task.image()
        for i in range(trial.suggest_int("depth", 1, 2)):
            x = ConvUnit(2, trial.suggest_categorical(f"kernel{i}", [1, 3, 5]))(x)
        return Graph.of(GapHead(task.classes)(x))

    found = [tuple(network.choices.values()) for network in enumerate_space(space, SMALL)]
    assert sorted(found) == [(1, a) for a in (1, 3, 5)] + [(2, a, b) for a in (1, 3, 5) for b in (1, 3, 5)]


def test_the_networks_come_in_one_shuffled_order_with_the_first_seed_first() -> None:
    plans = [TablePlan("widths", Source("digits")) for _ in range(2)]
    first, second = ([(fingerprint(network.graph), seed) for network, seed in plan.pairs] for plan in plans)
    assert first == second
    assert [seed for _, seed in first] == [0] * 243 + [1] * 243
    assert [name for name, _ in first[:243]] == [name for name, _ in first[243:]]
    enumerated = [
        fingerprint(network.graph) for network in enumerate_space(load_space("widths"), Task("d", (1, 8, 8), 10))
    ]
    assert enumerated != [name for name, _ in first[:243]]


def test_a_table_that_is_killed_and_continued_trains_nothing_twice(plan: TablePlan, tmp_path: Path) -> None:
    workers = Here()
    with closing(train_missing(plan, store(plan, tmp_path), workers)) as trainings:
        before = list(islice(trainings, 1))
    assert [job.seed for job in workers.jobs] == [0]
    after = list(train_missing(plan, store(plan, tmp_path), workers))
    assert [each.seed for each in (*before, *after)] == [0, 0, 1, 1]
    assert len({(job.genome, job.seed) for job in workers.jobs}) == len(workers.jobs) == 4
    assert list(train_missing(plan, store(plan, tmp_path), workers)) == []
    assert all(0 <= each.test_error <= 1 for each in after if each.test_error is not None)


def test_other_settings_are_other_trainings(plan: TablePlan, tmp_path: Path) -> None:
    here, there = store(plan, tmp_path), TrainingStore(tmp_path / "tables" / "stages.db", "others")
    there.add(Training("a", 0, (0.5,), 0.5, 1.0, "2"))
    assert here.load() == {}
    assert list(there.load()) == [("a", 0)]


def test_no_training_begins_when_the_time_is_over(plan: TablePlan, tmp_path: Path) -> None:
    assert list(train_missing(plan, store(plan, tmp_path), Here(), seconds=0)) == []


def test_the_files_hold_what_there_is(plan: TablePlan, tmp_path: Path) -> None:
    trainings = store(plan, tmp_path)
    first, second = (fingerprint(network.graph) for network in plan.networks)
    trainings.add(Training(second, 0, (0.25,), 0.5, 1.5, "2.13"))
    trainings.add(Training(first, 1, (0.75,), None, 2.5, "2.13"))
    trainings.add(Training(second, 1, (0.35,), 0.5, 1.5, "2.13"))
    write_table(tmp_path / "stages.parquet", plan, trainings.load(), "python -m benchmarks.make_table")
    rows = pd.read_parquet(tmp_path / "stages.parquet")
    assert rows["fingerprint"].tolist() == [second, first, second]
    assert rows["error_1"].tolist() == [0.25, 0.75, 0.35]
    assert rows["test_error"].isna().tolist() == [False, True, False]
    for row, network in zip(rows.itertuples(), [plan.networks[i] for i in (1, 0, 1)], strict=True):
        asked = {name: getattr(row, name) for name in network.choices}
        assert (row.params, row.macs, row.depth, asked) == (
            network.cost.params, network.cost.macs, network.cost.depth, network.choices,
        )  # fmt: skip
    card = (tmp_path / "stages.md").read_text()
    assert "3 trainings of 2 of the 2 networks of the space `stages`: 1 from seed 0, 2 from seed 1." in card
    assert "between seeds: 7.07 points, from 1 networks" in card


def test_images_are_halved_by_the_mean_of_four() -> None:
    images = np.array([[[[0, 1, 255, 255], [1, 0, 255, 254]]]], np.uint8)
    assert halve(Split(images, np.zeros(1, np.int64))).images.tolist() == [[[[1, 255]]]]
