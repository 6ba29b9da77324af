"""The runs that a search may start from: which are refused, and what is told of one that somebody tampered with."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from search.idle import InProcess

import nas
from nas.errors import ExperimentError, RunError
from nas.genome import Task
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment
from nas.search.loop.search import Search
from nas.search.objectives import OBJECTIVES, Objective
from nas.search.results.doctor import find_inconsistencies
from nas.search.space import load_space
from nas.search.store.create import create
from nas.search.store.earlier_runs import read_earlier_runs
from nas.search.store.run import load_run


def experiment(trials: int, **changes: Any) -> Experiment:
    return load_experiment("quickstart", {"trials": trials, "sampler": "random", "workers": 1, **changes})


def search(run: Path, question: Experiment) -> None:
    """Search, or go on, with a worker that trains nothing."""
    for _ in Search(create(run, question, "test"), lambda _: InProcess()).events():
        pass


@pytest.fixture
def old(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the earlier run."""
    return Path(shutil.copytree(finished_run, tmp_path / "old"))


@contextmanager
def edited(run: Path) -> Iterator[Callable[..., sqlite3.Cursor]]:
    """The study of a run, to be tampered with."""
    with closing(sqlite3.connect(run / "study.db")) as database, database:
        yield database.execute


def images(shape: tuple[int, ...], classes: int) -> tuple[Any, Any]:
    values = np.random.default_rng(0).integers(0, 255, (20 * classes, *shape), dtype=np.uint8)
    return values, np.arange(20 * classes) % classes


def test_costs_are_those_of_todays_images(old: Path) -> None:
    question = nas.Experiment(space="mixed", data=images((12, 12, 3), 4), start=old)
    earlier = read_earlier_runs(question)
    assert len(earlier) == 8
    task = Task("own", (3, 12, 12), 4)
    for each, record in zip(earlier, load_run(old).records, strict=True):
        made = each.candidate(load_space("mixed"), task)
        assert made is not None
        assert made.choices == record.choices
        assert made.cost.macs > record.cost.macs
        assert each.measured == (record.error,)


def of_other_images(old: Path, tmp_path: Path) -> Experiment:
    with edited(old) as sql:
        sql("DELETE FROM trial_params")
    return nas.Experiment(space="mixed", data=images((12, 12, 3), 4), start=str(old))


def not_a_run(old: Path, tmp_path: Path) -> Experiment:
    return experiment(2, start=str(old.with_name("odl")))


def another_space(old: Path, tmp_path: Path) -> Experiment:
    return experiment(2, space="stages", start=str(old))


def an_edited_space(old: Path, tmp_path: Path) -> Experiment:
    with edited(old) as sql:
        sql("UPDATE study_user_attributes SET value_json = replace(value_json, 'residual', 'straight') "
            "WHERE key = 'space'")  # fmt: skip
    return experiment(2, start=str(old))


def nothing_finished(old: Path, tmp_path: Path) -> Experiment:
    with edited(old) as sql:
        sql("UPDATE trials SET state = 'FAIL'")
    return experiment(2, start=str(old))


def another_metric(old: Path, tmp_path: Path) -> Experiment:
    return experiment(2, metric="balanced_error", start=str(old))


def an_objective_more(old: Path, tmp_path: Path) -> Experiment:
    return experiment(2, objectives=["error", "test_unrecorded"], start=str(old))


def damaged(old: Path, tmp_path: Path) -> Experiment:
    with edited(old) as sql:
        sql("UPDATE trial_user_attributes SET value_json = '[]' WHERE key = 'result'")
    return experiment(2, start=str(old))


def a_choice_that_is_a_list(old: Path, tmp_path: Path) -> Experiment:
    with edited(old) as sql:
        sql("UPDATE trial_params SET distribution_json = replace(distribution_json, '\"residual\"', '[[], {}]') "
            "WHERE param_name = 'family1'")  # fmt: skip
    return experiment(2, start=str(old))


@pytest.fixture
def _unrecorded() -> Iterator[None]:
    OBJECTIVES.register(
        Objective("test_unrecorded", "top-5 error", "%", lambda trial: trial.scores[-1].top5_error, exact=False)
    )
    yield
    OBJECTIVES.unregister("test_unrecorded")


@pytest.mark.usefixtures("_unrecorded")
@pytest.mark.parametrize(
    ("case", "said"),
    [
        (not_a_run, r"odl is not a run directory: it has no study\.db; did you mean '.*old'\?"),
        (another_space, "old is a run of another search space, mixed, not of stages as it is now"),
        (an_edited_space, r"another search space, mixed, .*Changed in mixed\.py:\n.*straight"),
        (nothing_finished, "old has no finished trial; continue it with: nas resume .*old"),
        (another_metric, "old measured the metric 'error', not 'balanced_error'; start from a run of the same metric"),
        (
            an_objective_more,
            r"old does not hold all objectives that are measured \(error, test_unrecorded\): TypeError",
        ),
        (of_other_images, r"none of the 8 finished trials of .*old is a network for images of \(3, 12, 12\) in 4"),
        (damaged, "old: trial 0 of the study is damaged"),
        (a_choice_that_is_a_list, r"trial \d of the study is damaged"),
    ],
)
def test_a_run_that_does_not_suit_is_refused(
    case: Callable[[Path, Path], Experiment], said: str, old: Path, tmp_path: Path
) -> None:
    question = case(old, tmp_path)
    with pytest.raises(ExperimentError, match=f"start: .*{said}"):
        create(tmp_path / "run", question, "test")
    assert not (tmp_path / "run").exists(), "nothing was written"


def test_a_renamed_space_file_is_the_same_space(tmp_path: Path) -> None:
    text = (Path(nas.__file__).parents[1] / "search_spaces" / "mixed.py").read_text()
    runs: dict[str, Experiment] = {}
    for name in ("first.py", "second.py"):
        (tmp_path / name).write_text(text)
        runs[name] = experiment(2, space=f"{tmp_path / name}:mixed")
    search(tmp_path / "run", runs["first.py"])
    question = runs["second.py"].model_copy(update={"start": (str(tmp_path / "run"),)})
    assert len(read_earlier_runs(question)) == 2


def test_code_that_an_old_run_names_is_not_run(old: Path, tmp_path: Path) -> None:
    code = tmp_path / "evil.py"
    code.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef mixed(trial, task): ...\n")
    text = (old / "experiment.toml").read_text()
    text = text.replace('space = "mixed"', f'space = "{code}:mixed"').replace("random", f"{code}:mixed")
    (old / "experiment.toml").write_text(text)
    assert str(code) in text
    assert len(read_earlier_runs(experiment(2, start=str(old)))) == 8
    assert not (tmp_path / "ran").exists()


TRICKS = {
    "an error beyond all": """UPDATE trial_user_attributes SET value_json =
        '{"scores": [{"epoch": 1, "error": Infinity}]}' WHERE key = 'result' AND trial_id < 4""",
    "a width beyond the space": """UPDATE trial_params SET param_value = 100000001, distribution_json =
        replace(distribution_json, '"high": ', '"high": 100000') WHERE param_name = 'stem' AND trial_id < 4""",
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trial_that_the_space_cannot_have_made_is_not_told(trick: str, old: Path) -> None:
    with edited(old) as sql:
        assert sql(TRICKS[trick]).rowcount == 3
    told = [each.choices for each in read_earlier_runs(experiment(2, start=str(old)))]
    assert told == [record.choices for record in load_run(old).records[3:]]


def test_a_run_is_read_as_carefully_as_any_other(old: Path, tmp_path: Path) -> None:
    (old / "log.txt").unlink()
    (old / "log.txt").symlink_to("/etc/passwd")
    with pytest.raises(ExperimentError, match=r"start: .*old: 'log\.txt' is a link"):
        read_earlier_runs(experiment(2, start=str(old)))


BAD = ['"x"', "[3]", '[{"source": "a"}]', '[{"source": "a", "measured": [NaN]}]', '[{"source": 3, "measured": []}]']


@pytest.mark.parametrize("recorded", BAD)
def test_a_damaged_record_of_what_was_told_is_one_message(recorded: str, old: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    search(run, experiment(1, start=str(old)))
    with edited(run) as sql:
        sql("UPDATE study_user_attributes SET value_json = ? WHERE key = 'earlier'", (recorded,))
    with pytest.raises(RunError, match="cannot be read as a study"):
        load_run(run)
    assert any("cannot be read as a study" in each.what for each in find_inconsistencies(run, fix=False))


@pytest.mark.parametrize("change", [{"measured": [0.1, 0.2]}, {"choices": {"stem": 1_000_003}}, {"genome": "x"}])
def test_a_record_that_is_of_another_experiment_is_not_told(change: dict[str, Any], old: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    search(run, experiment(1, start=str(old)))
    with edited(run) as sql:
        (text,) = sql("SELECT value_json FROM study_user_attributes WHERE key = 'earlier'").fetchone()
        rows = json.loads(text)
        rows[3] |= change
        sql("UPDATE study_user_attributes SET value_json = ? WHERE key = 'earlier'", (json.dumps(rows),))
    with pytest.raises(RunError, match=r"a trial that was recorded of .*old is not one of this experiment"):
        search(run, experiment(2, start=str(old)))
