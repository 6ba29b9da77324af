"""A full disk, a locked database, a driver that is stopped: nothing finished is lost, and the run goes on after."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from disk import fill
from search import idle

from nas.errors import RunError
from nas.genome import Graph, to_json
from nas.genome.primitives import Conv, GapHead, Stem
from nas.search.experiment_file import read_experiment
from nas.search.loop.search import Search, SearchEvent
from nas.search.store import storage
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.search.store.run_files import exclusive_lock
from nas.search.store.study import open_run
from nas.search.trial import Reason, TrialRecord
from nas.search.workers.job import Event, Job, Outcome
from nas.search.workers.processes import ProcessPool
from nas.search.workers.worker import train_job
from nas.training.data import Source, task
from nas.training.recipe import Recipe

pytestmark = pytest.mark.slow
TRIALS = 8


@pytest.fixture
def question(tmp_path: Path) -> Path:
    file = tmp_path / "question.toml"
    file.write_text(f'space = "mixed"\ndata = "digits"\nsampler = "random"\ntrials = {TRIALS}\n[recipe]\nepochs = 1\n')
    return file


def done(run: Path) -> dict[int, TrialRecord]:
    return {record.number: record for record in load_run(run).records if record.state == "complete"}


def resumed(run: Path, before: dict[int, TrialRecord]) -> bool:
    """Go on to the total; whether all is complete, nothing twice, and what was finished is as it was."""
    for _ in Search(open_run(run), idle.idle).events():
        pass
    after = done(run)
    distinct = {record.fingerprint for record in after.values()}
    return len(after) == len(distinct) == TRIALS and all(after[number] == before[number] for number in before)


def test_a_full_disk_leaves_a_readable_study(small_disk: Path, question: Path) -> None:
    run = small_disk / "run"
    events = Search(create(run, read_experiment(question), "idle"), idle.idle).events()
    hear(events, 4)
    ballast = fill(small_disk)
    with pytest.raises(RunError, match=rf"continue with: nas resume {run}"):
        hear(events, TRIALS)
    before = done(run)
    assert 4 <= len(before) < TRIALS
    ballast.unlink()
    assert resumed(run, before)


def hear(events: Iterator[SearchEvent], ended: int) -> None:
    for event in events:
        ended -= event.kind == "ended"
        if not ended:
            return


def test_no_room_for_weights_is_no_fault_of_the_network(small_disk: Path) -> None:
    fill(small_disk)
    graph = Graph.of(GapHead(10)(Conv(8, 3)(Stem(8)(task("digits").image()))))
    job = Job(0, to_json(graph), Source("digits"), Recipe(epochs=1), 0, str(small_disk / "w.safetensors"))
    assert [getattr(event, "reason", None) for event in train_job(job)] == [None, "disk"]


def no_room(job: Job) -> Iterator[Event]:
    yield Outcome(job.number, Reason.DISK_FULL, "No space left on device")


def test_no_room_for_weights_stops_the_run_and_the_trial_is_trained_later(tmp_path: Path, question: Path) -> None:
    run = tmp_path / "run"
    study = create(run, read_experiment(question), "idle")
    with pytest.raises(RunError, match=rf"no room for the weights of trial 0 in .*: No space.*nas resume {run}"):
        hear(Search(study, lambda asked: ProcessPool(1, train=no_room)).events(), 1)
    assert [record.state for record in load_run(run).records] == ["running"]
    assert resumed(run, {})


def test_a_locked_database_is_waited_for_then_named(
    tmp_path: Path, question: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "LOCKED_SECONDS", 0.2)
    run = tmp_path / "run"
    events = Search(create(run, read_experiment(question), "idle"), idle.idle).events()
    hear(events, 1)
    with closing(sqlite3.connect(run / "study.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RunError, match="database is locked"):
            hear(events, TRIALS)
        before = done(run)
        other.execute("ROLLBACK")
    assert before
    assert resumed(run, before)


def test_a_stopped_driver_keeps_its_run(tmp_path: Path, question: Path) -> None:
    """The kernel's lock knows no time: however long it sleeps, its run is its own, and it goes on."""
    run, many = tmp_path / "run", 100  # enough not to be over before it is stopped
    question.write_text(question.read_text().replace(f"trials = {TRIALS}", f"trials = {many}"))
    with subprocess.Popen([sys.executable, idle.__file__, str(question), str(run)], stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        driver.stdout.readline()
        driver.send_signal(signal.SIGSTOP)
        with pytest.raises(RunError, match="in use by another driver"), exclusive_lock(run):
            pass
        assert done(run)
        driver.send_signal(signal.SIGCONT)
        driver.communicate(timeout=100)
    assert driver.returncode == 0
    assert len(done(run)) == many
