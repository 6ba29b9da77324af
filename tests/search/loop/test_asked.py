"""Configurations that a person, or another program through Optuna, asks for are trained first; others' trials pass."""

import warnings
from pathlib import Path
from typing import Any

import optuna
import pytest
from search.idle import InProcess

from nas.errors import ExperimentError, RunError
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment, read_experiment
from nas.search.loop.search import Search
from nas.search.results.doctor import find_inconsistencies
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.search.store.study import open_run


def experiment(trials: int, **changes: Any) -> Experiment:
    return load_experiment(
        "quickstart", {"trials": trials, "sampler": "random", "workers": 1, "baselines": []} | changes
    )


def go(run: Path, trials: int, **changes: Any) -> None:
    for _ in Search(create(run, experiment(trials, **changes), "test"), lambda _: InProcess()).events():
        pass


def with_optuna(run: Path) -> optuna.Study:
    return optuna.load_study(study_name=None, storage=f"sqlite:///{run / 'study.db'}")


def an_inside(run: Path) -> dict[str, Any]:
    """Choices of a network inside the budget."""
    go(run, 2)
    return dict(load_run(run).records[1].choices)


def test_start_is_trained_first_and_once(tmp_path: Path) -> None:
    choices = an_inside(tmp_path / "first")
    for trials in (3, 5):
        go(tmp_path / "run", trials, start=[choices])
        records = load_run(tmp_path / "run").records
        assert records[0].choices == choices
        assert len({record.fingerprint for record in records}) == len(records) == trials
    assert read_experiment(tmp_path / "run" / "experiment.toml").start == (choices,), "the file holds it"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"width9": 8}, "'width9' is not asked for"),
        ({"stem": 1_000_003}, "'stem' cannot be 1000003"),
        ({"family1": ["plain"]}, "cannot be"),
    ],
)
def test_a_start_that_the_space_does_not_have_is_refused(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=f"start, configuration 1: .*{said}"):
        go(tmp_path / "run", 3, start=[wrong])


def test_a_start_outside_the_budget_is_refused(tmp_path: Path) -> None:
    choices = an_inside(tmp_path / "first")
    with pytest.raises(ExperimentError, match="configuration 1: the network is outside the budget of macs"):
        go(tmp_path / "run", 3, start=[choices], **{"budget.macs.max": 1_000})


def test_a_trial_enqueued_through_optuna_is_trained_next_under_its_number(tmp_path: Path) -> None:
    choices = an_inside(tmp_path / "other")
    run = tmp_path / "run"
    go(run, 1, seed=5)
    with_optuna(run).enqueue_trial(choices)
    with_optuna(run).enqueue_trial({"family1": "unheard of"})
    with_optuna(run).enqueue_trial(choices)
    assert load_run(run).foreign == 3
    go(run, 4, seed=5)
    found = load_run(run)
    assert found.records[1].number == 1
    assert found.records[1].choices == choices
    assert [record.number for record in found.records] == [0, 1, 4, 5]
    assert found.foreign == 2
    assert any("unheard of" in reason for reason in found.refusals)
    assert any("proposed before" in reason for reason in found.refusals)
    assert found.proposal_counts["trained"] == 4
    wrong = [each.what for each in find_inconsistencies(run, fix=False)]
    assert all("without its weights" in what or "study.db-wal" in what for what in wrong), wrong


def test_trials_of_other_programs_are_counted_and_passed_over(tmp_path: Path) -> None:
    run = tmp_path / "run"
    go(run, 2)
    study = with_optuna(run)
    study.ask()
    study.add_trial(optuna.trial.create_trial(values=[0.1, 10.0]))
    found = load_run(run)
    assert (found.foreign, len(found.records)) == (2, 2)
    go(run, 4)
    assert [record.number for record in load_run(run).records] == [0, 1, 4, 5]


def test_a_renamed_study_is_read_and_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    go(run, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optuna.copy_study(
            from_study_name="search",
            from_storage=f"sqlite:///{run / 'study.db'}",
            to_storage=f"sqlite:///{run / 'study.db'}",
            to_study_name="mine",
        )
    optuna.delete_study(study_name="search", storage=f"sqlite:///{run / 'study.db'}")
    assert len(load_run(run).records) == 1
    go(run, 2)
    assert len(load_run(run).records) == 2
    optuna.create_study(study_name="third", storage=f"sqlite:///{run / 'study.db'}")
    for read in (load_run, open_run):
        with pytest.raises(RunError, match="'mine', 'third'"):
            read(run)


def test_objectives_have_their_names_in_optuna(tmp_path: Path) -> None:
    go(tmp_path / "run", 1)
    assert with_optuna(tmp_path / "run").metric_names == ["error", "macs"]
