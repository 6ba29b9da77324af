"""The list of finalists is replaced at the very end, and keeps what earlier trainings gave."""

import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from search.results.image_run import image_run, write_images
from typer.testing import CliRunner

from nas.cli.app import app
from nas.errors import RunError
from nas.genome.genome_json import from_json
from nas.model.export import save_weights
from nas.model.module import module
from nas.search.results import finalists as room
from nas.search.results.export_trial import export_trial
from nas.search.results.finalists import Finalist, comparable, finalist_weights, load_finalists, train_finalists
from nas.search.store.readings import load_readings
from nas.search.store.run import Run, load_run
from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.training.recipe import Recipe
from nas.training.score import Score

RECIPE = Recipe(epochs=2)


class Untrained:
    """One worker that writes untrained weights, or ends a job with the reason given for its number."""

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
        save_weights(module(from_json(job.genome)), Path(job.weights))
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
        patch.setattr(room, "_write", full)
        with pytest.raises(RunError, match=r"No space left.*Earlier finalists are kept.*run again: nas finalists "):
            train(run, seeds=3, recipe=Recipe(epochs=7))
    assert files(run) == before, "what is not in the list is removed"
    assert load_finalists(run.path)[0] == first


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
