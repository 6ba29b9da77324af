"""The list of finalists is replaced at the very end, and keeps what earlier trainings gave."""

import errno
import json
import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from search.results.image_run import image_run, write_images
from typer.testing import CliRunner

from nas.cli.app import app
from nas.cli.results import finalists_table
from nas.errors import ExperimentError, RunError
from nas.genome.genome_json import from_json
from nas.model.export import save_weights
from nas.model.module import module
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment, to_toml, validate_experiment
from nas.search.finalist_settings import FinalistSettings
from nas.search.pareto import front_of
from nas.search.results import compare_errors, finalists
from nas.search.results import retraining as room
from nas.search.results.export_trial import export_trial
from nas.search.results.finalist_files import (
    Finalist,
    comparable,
    finalist_weights,
    find_finalist,
    load_baselines,
    load_finalists,
)
from nas.search.results.finalist_variants import train_pending
from nas.search.results.finalists import chosen, train_baselines, train_finalists
from nas.search.results.retraining import FIRST_SEED
from nas.search.results.run_data import load_run_data
from nas.search.store.readings import load_readings
from nas.search.store.run import Run, load_run
from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.statistics import mean_share_interval, pooled_interval
from nas.training.recipe import Recipe
from nas.training.score import Score

RECIPE = Recipe(epochs=2)


class Untrained:
    """One worker that writes untrained weights, or ends a job with the reason given for its number.

    The network says that every image is of one class, by the seed.
    """

    def __init__(self, reasons: dict[int, Reason], meanwhile: Callable[[], object] = lambda: None) -> None:
        self.reasons, self.meanwhile = reasons, meanwhile
        self._events: list[Event] = []

    def idle(self) -> bool:
        return not self._events

    def submit(self, job: Job) -> None:
        self.meanwhile()
        if reason := self.reasons.get(job.number):
            self._events = [Outcome(job.number, reason, f"why {job.number}")]
            return
        torch.manual_seed(job.seed)
        network = module(from_json(job.genome))
        bias = [*network.parameters()][-1]
        with torch.no_grad():
            bias[job.seed % len(bias)] = 1_000
        save_weights(network, Path(job.weights))
        self._events = [Progress(job.number, Score(1, 0.5 + job.number / 100, 1.0, 0.1, 1.0)), Outcome(job.number)]

    def stop(self, number: int) -> None: ...

    def proceed(self, number: int) -> None: ...

    def events(self, seconds: float) -> list[Event]:
        found, self._events = self._events, []
        return found

    def close(self) -> None: ...


Employ = Callable[..., None]


@pytest.fixture
def employ(monkeypatch: pytest.MonkeyPatch) -> Employ:
    def replaced(reasons: dict[int, Reason] | None = None, meanwhile: Callable[[], object] = lambda: None) -> None:
        monkeypatch.setattr(room, "make_executor", lambda *_: Untrained(reasons or {}, meanwhile))

    return replaced


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Run:
    return load_run(Path(shutil.copytree(finished_run, tmp_path / "run")))


def train(run: Run, seeds: int = 1, top: int = 2, recipe: Recipe = RECIPE) -> tuple[list[Finalist], list[str]]:
    steps = list(train_finalists(run, recipe, seeds, top))
    return [s for s in steps if isinstance(s, Finalist)], [s for s in steps if isinstance(s, str)]


def files(run: Run) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (run.path / "finalists").iterdir()}


def test_when_all_trainings_fail_each_reason_is_shown_and_earlier_finalists_stay(run: Run, employ: Employ) -> None:
    employ()
    train(run)
    before, readings = files(run), load_readings(run.path)
    employ({0: Reason.DIVERGED, 1: Reason.KILLED, 2: Reason.ERROR, 3: Reason.TIMEOUT})
    with pytest.raises(RunError, match=r"all trainings of finalists failed; the 2 earlier finalists are kept") as told:
        train(run, seeds=2)
    for place, reason in enumerate((Reason.DIVERGED, Reason.KILLED, Reason.ERROR, Reason.TIMEOUT)):
        assert f"{reason} why {place}" in str(told.value)
    assert files(run) == before
    assert load_readings(run.path) == readings
    done = CliRunner().invoke(app, ["finalists", str(run.path), "--seeds", "2", "--top", "2"])
    assert isinstance(done.exception, RunError)
    assert done.exit_code != 0


def test_the_test_error_of_every_seed_is_that_of_its_weights(run: Run, employ: Employ) -> None:
    employ()
    (best,), _ = train(run, seeds=3, top=1)
    labels = load_run_data(run).require_test().labels
    expected = [1 - float((labels == (FIRST_SEED + i) % 10).mean()) for i in range(3)]
    assert len(set(expected)) > 1
    assert best.test_errors == pytest.approx(expected)
    assert best.test_error == best.test_errors[best.seed - FIRST_SEED]
    assert sum(each.verb == "nas finalists" for each in load_readings(run.path, best.number)) == 1
    low, high = mean_share_interval(expected)
    row = re.split(r"\s{2,}", finalists_table(run, [best]).splitlines()[-1].strip())
    assert row[3:] == [f"{sum(expected) / 3:.4f}", f"{low:.4f} to {high:.4f}", f"{best.test_error:.4f}"]


def test_a_network_that_fails_keeps_its_earlier_result(run: Run, employ: Employ) -> None:
    employ()
    (first, second), told = train(run)
    assert [line for line in told if "kept" in line] == []
    employ({0: Reason.DIVERGED})
    (again,), told = train(run, recipe=Recipe(epochs=5))
    failed = first if again.number == second.number else second
    assert f"finalist {failed.number} failed this time: its result of 2 epochs is kept" in told
    assert load_finalists(run.path) == (again, failed)
    assert comparable(load_finalists(run.path)) == (again,), "errors of other epochs are not compared"
    for finalist in (again, failed):
        finalist.check_weights(finalist_weights(run.path, finalist.number))
    employ()
    _, told = train(run, top=1)
    assert any("not trained again: its result" in line for line in told)
    assert len(load_finalists(run.path)) == 2
    assert len(list((run.path / "finalists").glob("*.safetensors"))) == 2


def test_until_the_list_is_written_the_earlier_one_and_its_weights_hold(
    run: Run, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    employ()
    (first, *_), _ = train(run)
    before = files(run)

    def full(*_: object) -> None:
        assert {path: path.read_bytes() for path in before} == before  # what a kill at this moment leaves
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(finalists, "_write", full)
        with pytest.raises(RunError, match=r"No space left.*Earlier finalists are kept.*run again: nas finalists "):
            train(run, seeds=3, recipe=Recipe(epochs=7))
    assert before.items() <= files(run).items()
    assert load_finalists(run.path)[0] == first
    employ(dict.fromkeys(range(6), Reason.ERROR))
    ranked, told = train(run, seeds=3, recipe=Recipe(epochs=7))
    assert sum("trained before" in line for line in told) == 6, "the trainings were kept"
    assert load_finalists(run.path) == tuple(ranked)
    assert {path.name for path in files(run)} == {"finalists.json", *(each.weights for each in ranked)}


def test_an_interruption_loses_no_training_that_ended(run: Run, employ: Employ) -> None:
    begun = []

    def interrupt() -> None:
        begun.append(1)
        if len(begun) == 3:
            raise KeyboardInterrupt

    employ({}, interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(run, seeds=2)
    assert load_finalists(run.path) == ()
    employ({0: Reason.ERROR, 1: Reason.ERROR})
    ranked, _ = train(run, seeds=2)
    employ()
    shutil.rmtree(run.path / "finalists")
    assert [(each.number, each.errors) for each in ranked] == [(each.number, each.errors) for each in train(run, 2)[0]]


def test_kept_trainings_are_of_one_recipe_and_unchanged_weights(run: Run, employ: Employ) -> None:
    def stop_at_last(seen: list[int]) -> None:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt

    for damage in (False, True):
        employ({}, lambda seen=[]: stop_at_last(seen))
        with pytest.raises(KeyboardInterrupt):
            train(run)
        (kept,) = (run.path / "finalists").glob("training-*.safetensors")
        if damage:
            kept.write_bytes(b"damaged")
        employ()
        _, told = train(run, recipe=RECIPE if damage else Recipe(epochs=5))
        assert not any("trained before" in line for line in told)


def test_a_damaged_list_of_trainings_is_one_message(run: Run, employ: Employ) -> None:
    (run.path / "finalists").mkdir()
    (run.path / "finalists" / "trainings.json").write_text('[{"number": -1}]', encoding="utf-8")
    with pytest.raises(RunError, match=r"trainings.json is damaged .*remove it and run: nas finalists"):
        train(run)


def test_what_a_killed_driver_left_is_removed(run: Run, employ: Employ) -> None:
    employ()
    train(run)
    home = run.path / "finalists"
    for name in ("part-0007.safetensors", "000001-0123456789abcdef.safetensors"):
        (home / name).write_bytes(b"left")
    train(run)
    assert len(list(home.glob("*.safetensors"))) == 2


def test_weights_of_an_earlier_version_are_read_and_replaced_by_their_own(run: Run, employ: Employ) -> None:
    employ()
    (first, second), _ = train(run)
    home = run.path / "finalists"
    rows = []
    for each in (first, second):
        (home / each.weights).rename(home / f"{each.number:06d}.safetensors")
        rows.append({name: value for name, value in asdict(each).items() if name != "weights"})
    (home / "finalists.json").write_text(json.dumps(rows), encoding="utf-8")
    assert [each.weights for each in load_finalists(run.path)] == ["", ""]
    assert finalist_weights(run.path, first.number).is_file()
    (best,), _ = train(run, top=1)
    kept = {first.number: first, second.number: second}
    del kept[best.number]
    assert {path.name for path in home.glob("*.safetensors")} == {
        best.weights, *(f"{n:06d}.safetensors" for n in kept)
    }  # fmt: skip


def test_swapped_weights_of_a_finalist_are_refused(run: Run, employ: Employ, tmp_path: Path) -> None:
    employ()
    (first, *_), _ = train(run, seeds=2)
    file = finalist_weights(run.path, first.number)
    file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(RunError, match="is missing or was changed; restore it, or run: nas finalists"):
        export_trial(run, run.record(str(first.number)), tmp_path / "export", lambda _: None)
    file.unlink()
    with pytest.raises(RunError, match="is missing or was changed"):
        export_trial(run, run.record(str(first.number)), tmp_path / "export", lambda _: None)


def test_images_that_change_while_finalists_train_are_refused(employ: Employ, tmp_path: Path) -> None:
    images = write_images(tmp_path / "pets")
    run = image_run(tmp_path / "run", images)
    other = (images / "train" / "dog" / "3.png").read_bytes()
    employ({}, lambda: (images / "train" / "cat" / "3.png").write_bytes(other))
    with pytest.raises(RunError, match="the images for training and validation differ"):
        train(run)
    assert load_finalists(run.path) == ()
    assert load_readings(run.path) == ()


def test_the_front_is_trained_again_first_and_then_the_lowest_errors(run: Run) -> None:
    complete = [record for record in run.records if record.error is not None]
    front = front_of(complete, run.experiment.objectives)
    everyone = chosen(run, len(complete))
    assert sorted(record.number for record in everyone) == sorted(record.number for record in complete)
    for group in (everyone[: len(front)], everyone[len(front) :]):
        errors = [record.error for record in group if record.error is not None]
        assert errors == sorted(errors)
    assert {record.number for record in everyone[: len(front)]} == {record.number for record in front}
    assert chosen(run, 1) == everyone[:1]


def test_the_settings_of_finalists() -> None:
    short, table = (load_experiment("quickstart", {"finalists": each}) for each in (4, {"top": 4, "epochs": 9}))
    assert short.finalists == FinalistSettings(top=4)
    assert load_experiment("quickstart").finalists is None
    assert table.finalists is not None
    assert (table.finalists.seeds, table.finalists.recipe(table.recipe).epochs) == (3, 9)
    assert FinalistSettings().recipe(table.recipe).epochs == 2 * table.recipe.epochs
    assert read_experiment_again(table) == table
    for wrong, message in (
        ({"tops": 4}, "did you mean 'top'"),
        (0, "greater than or equal to 1"),
        ("four", "finalists"),
    ):
        with pytest.raises(ExperimentError, match=message):
            load_experiment("quickstart", {"finalists": wrong})


def read_experiment_again(experiment: Experiment) -> Experiment:
    return validate_experiment(tomllib.loads(to_toml(experiment)), "again")


@pytest.mark.slow
def test_a_search_trains_its_finalists_once(tmp_path: Path) -> None:
    changes = ("trials=2", "workers=1", "recipe.epochs=1", "finalists.top=1", "finalists.seeds=2", "finalists.epochs=1")
    command = ["search", "quickstart", "--out", str(tmp_path / "run"), *(f"--set={each}" for each in changes)]
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.stderr
    assert "then the best 1 will be trained from 2 seeds each, for 1 epochs" in first.stderr
    assert "training the best 1 networks again" in first.stderr
    (finalist,) = load_finalists(tmp_path / "run")
    assert len(finalist.errors) == 2
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0, again.stderr
    assert "networks again" not in again.stderr
    assert load_finalists(tmp_path / "run") == (finalist,)


BASELINES = "cifar_resnet20,cifar_plain20"


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A search of two trials with two baselines."""
    path = tmp_path_factory.mktemp("compared") / "run"
    asked = ["search", "quickstart", "--trials", "2", "--set", "recipe.epochs=1", "--set", "workers=1"]
    done = CliRunner().invoke(app, [*asked, "--baselines", BASELINES, "--out", str(path)])
    assert done.exit_code == 0, done.output
    return load_run(path)


def test_baselines_are_trained_as_finalists_are_and_stand_beside_them(
    compared: Run, tmp_path: Path, employ: Employ
) -> None:
    run = load_run(Path(shutil.copytree(compared.path, tmp_path / "run")))
    employ()
    settings = FinalistSettings(top=1, seeds=2, epochs=2, baselines=True)
    made = [step for step in train_pending(run, settings) if isinstance(step, Finalist)]
    (best,), known = load_finalists(run.path), load_baselines(run.path)
    assert made == [best, *known]
    assert {each.number for each in known} == {record.number for record in run.baselines}
    assert [each.error for each in known] == sorted(each.error for each in known)
    assert all(len(each.test_errors) == 2 and each.seconds == pytest.approx(0.2) for each in made)
    assert list(train_pending(run, settings)) == []
    assert find_finalist(run.path, known[0].number) == known[0]
    for each in known:
        each.check_weights(finalist_weights(run.path, each.number))
    assert "cifar_resnet20" in finalists_table(run, made)
    done = CliRunner().invoke(app, ["report", str(run.path)])
    assert done.exit_code == 0, done.output
    page = (run.path / "report" / "index.html").read_text()
    assert "trained likewise" in page
    assert f"mean less that of trial {best.number}, points" in page
    train(run)  # finalists trained again leave the baselines and their weights
    assert load_baselines(run.path) == known
    for each in known:
        each.check_weights(finalist_weights(run.path, each.number))


def test_a_baseline_that_is_added_is_trained_alone(compared: Run, tmp_path: Path, employ: Employ) -> None:
    run = load_run(Path(shutil.copytree(compared.path, tmp_path / "run")))
    employ()
    first = replace(run, baselines=run.baselines[:1])
    (one,) = [step for step in train_baselines(first, RECIPE, 1) if isinstance(step, Finalist)]
    steps = list(train_baselines(run, RECIPE, 1))
    (other,) = [step for step in steps if isinstance(step, Finalist)]
    assert {each.number for each in load_baselines(run.path)} == {one.number, other.number}
    assert steps[-1] == f"{run.baselines[0].baseline} not trained again: its result of 2 epochs is kept"


def test_a_run_without_baselines_says_how_to_add_some(run: Run) -> None:
    done = CliRunner().invoke(app, ["finalists", str(run.path), "--baselines"])
    assert isinstance(done.exception, RunError)
    assert "has no baselines yet; the command that made it adds some, with: --baselines NAME,NAME" in str(
        done.exception
    )
    assert list(train_baselines(run, RECIPE, 1)) == ["no baseline of the search is complete, so none is trained again"]
    with pytest.raises(ExperimentError, match=r"none are named; add baselines = \[\.\.\.\]"):
        load_experiment("quickstart", {"finalists.baselines": True})


def test_the_difference_of_test_errors_is_of_means_over_seeds() -> None:
    def made(number: int, *errors: float) -> Finalist:
        return Finalist(number, errors, 0.0, 1.0, 0, errors[0], 1, "", errors)

    rows = [made(0, 0.10, 0.12), made(1, 0.20, 0.22), made(2, 0.5)]
    found = compare_errors.test_difference(rows, rows[0], rows[1])
    assert found is not None
    low, high = pooled_interval([(0.10, 0.12), (0.20, 0.22), (0.5,)]) or (0, 0)
    assert (found.value, found.low, found.high) == pytest.approx((0.10, low, high))
    assert compare_errors.test_difference(rows[2:], rows[2], rows[2]) is None
