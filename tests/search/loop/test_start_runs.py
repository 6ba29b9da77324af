"""A search that starts from an earlier run: what its sampler is told, on which terms, and what is refused."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from search.idle import InProcess

from nas.errors import ExperimentError
from nas.genome import Graph, Task, Trial
from nas.genome.primitives import GapHead, Stem
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment, read_experiment, to_toml
from nas.search.loop.search import Search
from nas.search.objectives import Vector
from nas.search.propose.candidate import Candidate
from nas.search.propose.choices import Choices, GuidedTrial
from nas.search.propose.earlier import EarlierTrial
from nas.search.propose.samplers.base import SamplerSetup
from nas.search.space import load_space
from nas.search.store.create import create
from nas.search.store.earlier_runs import read_earlier_runs
from nas.search.store.run import load_run
from nas.search.trial import TrialRecord
from nas.user_code import give

Told = tuple[Choices, Vector, str | None]
"""Choices and values of a trial, and the run it is from; None for a trial of the run itself."""


class Plain:
    """Draws uniformly, and keeps what it is told: `told` of the sampler that was made last."""

    told: list[Told]

    def __init__(self, setup: SamplerSetup) -> None:
        self.rng, type(self).told = random.Random(setup.seed), []

    def ask(self) -> GuidedTrial:
        return GuidedTrial(self.rng)

    def tell(self, trial: object, candidate: Candidate | None, values: Vector | None) -> None:
        if candidate is not None and values is not None and trial is None:
            self.told.append((candidate.choices, values, None))


class Aware(Plain):
    """Takes trials of earlier runs apart from its own."""

    def tell_earlier(self, candidate: Candidate, values: Vector, source: str) -> None:
        self.told.append((candidate.choices, values, source))


class Again(Plain):
    """Proposes what it was told."""

    def ask(self) -> GuidedTrial:
        return GuidedTrial(self.rng, self.rng.choice(self.told)[0])


def experiment(trials: int, **changes: Any) -> Experiment:
    changes = {"sampler": give(changes.pop("sampler", Plain)), "workers": 1, "baselines": []} | changes
    return load_experiment("quickstart", {"trials": trials, **changes})


def go(run: Path, trials: int, **changes: Any) -> tuple[TrialRecord, ...]:
    return search(run, experiment(trials, **changes))


def search(run: Path, question: Experiment) -> tuple[TrialRecord, ...]:
    """Search, or go on, with a worker that trains nothing; the trials after it."""
    for _ in Search(create(run, question, "test"), lambda _: InProcess()).events():
        pass
    return load_run(run).records


@pytest.fixture
def old(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the earlier run."""
    return Path(shutil.copytree(finished_run, tmp_path / "old"))


def told_of(run: Path, source: str | None) -> list[Told]:
    """What a sampler is to be told of a run."""
    found = []
    for record in load_run(run).records:
        values = record.objectives(("error", "macs"))
        assert values is not None
        found.append((record.choices, values, source))
    return found


@pytest.mark.parametrize("sampler", [Plain, Aware])
def test_each_trial_is_told_once_and_in_order(sampler: type[Plain], old: Path, tmp_path: Path) -> None:
    expected = told_of(old, str(old) if sampler is Aware else None)
    records = go(tmp_path / "run", 2, sampler=sampler, start=str(old))
    assert sampler.told == expected
    assert len(records) == 2
    assert load_run(tmp_path / "run").started_from == {str(old): 8}


def test_several_runs_are_told_in_order_and_choices_are_trained_first(old: Path, tmp_path: Path) -> None:
    choices = dict(go(tmp_path / "second", 2)[1].choices)
    records = go(tmp_path / "run", 2, sampler=Aware, start=[str(tmp_path / "second"), choices, str(old)])
    assert [source for *_, source in Aware.told[:10]] == [str(tmp_path / "second")] * 2 + [str(old)] * 8
    assert records[0].choices == choices


def grow(old: Path) -> None:
    question = load_run(old).experiment.model_copy(update={"trials": 10})
    assert len(search(old, question)) == 10


@pytest.mark.parametrize("change", [shutil.rmtree, grow], ids=["deleted", "grown"])
def test_a_resumed_run_is_told_the_same(change: Callable[[Path], None], old: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    go(run, 1, sampler=Aware, start=str(old))
    first = Aware.told
    change(old)
    assert len(go(run, 3, sampler=Aware, start=str(old))) == 3
    earlier = [each for each in Aware.told if each[2]]
    assert Aware.told[: len(earlier)] == earlier == first
    assert len(Aware.told) == 8 + 1
    assert read_experiment(run / "experiment.toml").start == (str(old),)
    assert load_run(run).started_from == {str(old): 8}


def test_a_network_of_the_old_run_is_trained_again(old: Path, tmp_path: Path) -> None:
    known = {record.fingerprint for record in load_run(old).records}
    records = go(tmp_path / "run", 3, sampler=Again, start=str(old))
    assert len({record.fingerprint for record in records} & known) == 3


@pytest.mark.parametrize("sampler", ["tpe", "evolution", "local-search", "evolution-graphs"])
def test_nothing_outside_todays_budget_is_trained(sampler: str, old: Path, tmp_path: Path) -> None:
    counts = sorted(record.cost.macs for record in load_run(old).records)
    changes: dict[str, Any] = {"budget.macs.max": counts[3], "sampler": sampler, "trials": 10, "workers": 1}
    question = load_experiment("quickstart", {**changes, "start": str(old), "baselines": []})
    records = search(tmp_path / "run", question)
    assert len(records) == 10
    assert all(record.cost.macs <= counts[3] for record in records)
    assert load_run(tmp_path / "run").started_from == {str(old): 8}, "those outside are told, too"


def test_networks_without_choices_are_told_by_their_genome(tmp_path: Path) -> None:
    changes = {"sampler": "evolution-graphs", "trials": 12, "workers": 1, "baselines": []}
    records = search(tmp_path / "old", load_experiment("quickstart", changes))
    assert any(not record.choices for record in records)
    question = load_experiment("quickstart", changes | {"start": str(tmp_path / "old")})
    earlier = read_earlier_runs(question)
    space, task = load_space("mixed"), load_run(tmp_path / "old").task
    made = [each.candidate(space, task) for each in earlier]
    assert [each and each.cost for each in made] == [record.cost for record in records]
    assert read_earlier_runs(question, max_trials=5) == earlier[-5:]
    assert read_earlier_runs(question, max_characters=len(earlier[-1].genome)) == earlier[-1:]
    assert len(search(tmp_path / "run", question)) == 12


def test_a_choice_keeps_its_type() -> None:
    def space(trial: Trial, task: Task) -> Graph:
        kinds: list[Any] = [True, 1, "1", 1.0]
        width = 8 if trial.suggest_categorical("wide", kinds) is True else 4
        trial.suggest_float("rate", 0.0, 4.0)
        return Graph.of(GapHead(task.classes)(Stem(width)(task.image())))

    task = Task("digits", (1, 8, 8), 10)
    for wide in (True, 1, "1", 1.0):
        made = EarlierTrial("old", (0.5,), {"wide": wide, "rate": 2.0}).candidate(space, task)
        assert made is not None
        assert type(made.choices["wide"]) is type(wide)
        assert type(made.choices["rate"]) is float
    assert EarlierTrial("old", (0.5,), {"wide": True, "rate": 5.0}).candidate(space, task) is None
    assert EarlierTrial("old", (0.5,), {"wide": True}).candidate(space, task) is None


def test_a_start_is_written_and_read_back(tmp_path: Path) -> None:
    for start in ("runs/old", {"width1": 16}, ["runs/old", {"width1": 16, "family1": "residual"}, "runs/older"]):
        question = load_experiment("quickstart", {"start": start})
        file = tmp_path / "mine.toml"
        file.write_text(to_toml(question), encoding="utf-8")
        assert read_experiment(file) == question
    assert question.start_runs == ("runs/old", "runs/older")
    assert question.start_choices == ({"width1": 16, "family1": "residual"},)


@pytest.mark.parametrize(
    ("start", "said"),
    [(3, "must be a run such as"), ([{}, 3], "must be a run such as"), (["runs/a", "runs/a"], "names a run twice")],
)
def test_a_start_of_another_kind_is_refused(start: Any, said: str) -> None:
    with pytest.raises(ExperimentError, match=f"--set start: `start`: {said}"):
        load_experiment("quickstart", {"start": start})
