"""A file system that fills under each verb: one message, nothing half written, and the same command completes later."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from disk import fill

from nas.search.results.doctor import find_inconsistencies
from nas.search.results.finalist_files import load_finalists
from nas.search.store.readings import load_readings
from nas.search.store.run import load_run
from nas.search.trial import TrialRecord

REPO = Path(__file__).parent.parent.parent
TRIALS = 3
READABLE = 72 * 1024  # bytes that suffice to read a study, and for nothing that a verb writes
HALF_A_STUDY = 60 * 1024
REPORT_FILES = 9  # a page, two tables and two figures in two formats each
Result = tuple[int, str, str]
Call = Callable[..., Result]


def begin(*arguments: object) -> "subprocess.Popen[str]":
    """Begin a verb in a process of its own."""
    command = [sys.executable, "-m", "nas", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPO, env=environment
    )


def succeed(ended: Result) -> None:
    code, _, messages = ended
    assert code == 0, messages


def refusal(ended: Result) -> str:
    """Return the message of a verb that found no room: one line, the last on stderr."""
    code, _, messages = ended
    assert code == 2, messages
    assert "Traceback" not in messages
    assert messages.count("nas: ") == 1, messages
    *_, last = messages.splitlines()
    assert last.startswith("nas: ")
    return last


def search(run: Path, *more: object) -> tuple[object, ...]:
    """Return the command of a small search."""
    settings = {
        "space": "plain",
        "sampler": "random",
        "recipe.epochs": 1,
        "budget.macs.max": 300_000,
        "tracker": "tensorboard",
    }
    changes = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    return ("search", "quickstart", "--out", run, "--trials", TRIALS, "--workers", 1, *changes, *more)


def finalists(run: Path) -> tuple[object, ...]:
    """Return the command that trains one finalist."""
    return ("finalists", run, "--seeds", 1, "--top", 1, "--epochs", 1)


def finished(run: Path) -> dict[int, TrialRecord]:
    return {record.number: record for record in load_run(run).records if record.state == "complete"}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def halves(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".part") or path.name.startswith("part-")]


@pytest.fixture
def run(finished_run: Path, small_disk: Path) -> Path:
    """A finished run on a small disk, without what other tests made of it."""
    made = shutil.ignore_patterns("report", "export", "finalists", "test_readings.json")
    return shutil.copytree(finished_run, small_disk / "run", ignore=made)


@pytest.mark.parametrize("resumes", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["search", "resume"])
def test_a_search_keeps_what_is_finished_and_goes_on(resumes: bool, small_disk: Path, nas: Call) -> None:
    run = small_disk / "run"
    driver = begin(*search(run))
    while driver.poll() is None and not (run / "log.txt").exists():
        time.sleep(0.01)
    ballast = fill(small_disk)
    out, err = driver.communicate(timeout=300)
    message = refusal((driver.returncode, out, err))
    assert "cannot be written" in message or "no room" in message
    assert message.endswith(f"continue with: nas resume {run}")
    ballast.unlink()
    before = finished(run)
    assert 1 <= len(before) < TRIALS
    succeed(nas(*(("resume", run) if resumes else search(run))))
    after = finished(run)
    assert len(after) == TRIALS
    assert all(after[number] == record for number, record in before.items())
    assert list(find_inconsistencies(run, fix=False)) == []


@pytest.mark.parametrize("room", [HALF_A_STUDY, pytest.param(0, marks=pytest.mark.slow)])
def test_a_run_that_cannot_be_made_is_made_by_the_same_command(room: int, small_disk: Path, nas: Call) -> None:
    run = small_disk / "run"
    ballast = fill(small_disk, room)
    message = refusal(nas(*search(run, "--trials", 1)))
    assert f"{run} cannot be written" in message
    assert message.endswith("Fix that, or choose another place with --out")
    ballast.unlink()
    succeed(nas(*search(run, "--trials", 1)))
    assert len(finished(run)) == 1
    assert list(find_inconsistencies(run, fix=False)) == []


@pytest.mark.parametrize("verb", ["doctor", pytest.param("resume", marks=pytest.mark.slow)])
def test_a_study_that_cannot_be_read_for_want_of_room_is_not_called_damaged(verb: str, run: Path, nas: Call) -> None:
    ballast = fill(run.parent)
    message = refusal(nas(verb, run))
    assert f"{run / 'study.db'} cannot be read" in message
    assert message.endswith("Its file system is full: make room and run the command again")
    ballast.unlink()
    assert list(find_inconsistencies(run, fix=False)) == []


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["report", "export", "finalists"])
def test_without_any_room_a_study_is_read_and_what_cannot_be_written_is_named(verb: str, run: Path, nas: Call) -> None:
    ballast = fill(run.parent)
    succeed(nas("status", run))
    message = refusal(nas(verb, run))
    assert "cannot be written: No space left on device" in message or "no room for the weights" in message
    assert str(run) in message
    ballast.unlink()
    assert list(find_inconsistencies(run, fix=False)) == []


def test_a_report_is_written_file_by_file(run: Path, nas: Call) -> None:
    ballast = fill(run.parent, READABLE)
    message = refusal(nas("report", run))
    assert f"{run / 'report'}/" in message
    assert message.endswith("cannot be written: No space left on device. Fix that and run the same command again")
    before = contents(run / "report")
    assert before
    ballast.unlink()
    succeed(nas("report", run))
    after = contents(run / "report")
    assert before.items() <= after.items()
    assert len(after) == REPORT_FILES


@pytest.mark.slow
def test_an_earlier_report_stays(run: Path, nas: Call) -> None:
    succeed(nas("report", run))
    before = contents(run / "report")
    fill(run.parent, READABLE)
    refusal(nas("report", run))
    assert contents(run / "report") == before


def test_finalists_are_all_listed_or_none(run: Path, nas: Call) -> None:
    ballast = fill(run.parent, READABLE)
    message = refusal(nas(*finalists(run)))
    assert "no room for the weights" in message
    assert message.endswith(f"make room and continue with: nas finalists {run}")
    assert load_finalists(run) == ()
    assert halves(run) == []
    ballast.unlink()
    succeed(nas(*finalists(run)))
    assert len(load_finalists(run)) == 1
    assert list(find_inconsistencies(run, fix=False)) == []


@pytest.mark.slow
def test_earlier_finalists_stay(run: Path, nas: Call) -> None:
    succeed(nas(*finalists(run)))
    before = contents(run / "finalists")
    fill(run.parent, READABLE)
    refusal(nas(*finalists(run)))
    assert contents(run / "finalists") == before


@pytest.mark.parametrize("formats", ["source", pytest.param("all", marks=pytest.mark.slow)])
def test_an_export_replaces_the_earlier_one_or_leaves_it(formats: str, run: Path, nas: Call) -> None:
    command, earlier = ("export", run, "--format", formats), len(load_readings(run))
    succeed(nas(*command))
    before = contents(run / "export")
    ballast = fill(run.parent, READABLE)
    message = refusal(nas(*command))
    assert "An earlier export there is unchanged; make room" in message
    assert contents(run / "export") == before
    ballast.unlink()
    succeed(nas(*command))
    assert contents(run / "export").keys() == before.keys()
    assert len(load_readings(run)) == earlier + 3, "a reading counts, whatever becomes of the export"
    assert list(find_inconsistencies(run, fix=False)) == []


def test_a_drawing_is_whole_or_not_there(small_disk: Path, nas: Call) -> None:
    fill(small_disk)
    drawing = small_disk / "net.svg"
    message = refusal(nas("show", "resnet50", "--svg", drawing))
    assert (
        message == f"nas: {drawing} cannot be written: No space left on device. Fix that and run the same command again"
    )
    assert not drawing.exists()
