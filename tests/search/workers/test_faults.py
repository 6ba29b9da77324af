"""Faults end a trial with a reason, never the run: each one is really provoked."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.errors import RunError
from nas.genome import Graph, to_json
from nas.genome.primitives import Conv, GapHead, Stem
from nas.search.experiment_file import load_experiment
from nas.search.loop.search import Search
from nas.search.results.export_trial import export_trial
from nas.search.results.finalist_files import Finalist, finalist_weights, load_finalists
from nas.search.results.finalists import train_finalists
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.search.workers.job import Event, Job, Outcome
from nas.search.workers.processes import ProcessPool
from nas.statistics import mean_interval
from nas.training.data import Source, task
from nas.training.recipe import Recipe


def genome(width: int = 8) -> str:
    return to_json(Graph.of(GapHead(10)(Conv(width, 3)(Stem(8)(task("digits").image())))))


def tried(tmp_path: Path, **changes: Any) -> Outcome:
    """One job in one worker: how it ended."""
    recipe = Recipe(epochs=changes.pop("epochs", 1), learning_rate=changes.pop("rate", 0.1))
    signals = changes.pop("signals", ())
    job = Job(0, genome(), Source("digits"), recipe, 0, str(tmp_path / "w.safetensors"), timeout=60.0)
    workers = ProcessPool(1)
    try:
        workers.submit(replace(job, **changes))
        for number in signals:
            os.kill(multiprocessing.active_children()[0].pid or 0, number)
        return next(event for event in listen(workers) if isinstance(event, Outcome))
    finally:
        workers.close()


def listen(workers: ProcessPool) -> Iterator[Event]:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        yield from workers.events(0.2)
    raise AssertionError("the worker sent nothing")


def test_a_good_trial_leaves_weights_and_hears_no_signal(tmp_path: Path) -> None:
    """What is said to all processes is the driver's to answer."""
    assert tried(tmp_path, signals=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)).reason == ""
    assert (tmp_path / "w.safetensors").is_file()


@pytest.mark.slow
def test_a_worker_that_died_may_be_late_too() -> None:
    workers = ProcessPool(1)
    workers.submit(Job(7, "", Source("digits"), Recipe(), 0, "", timeout=0.001))
    (process,) = multiprocessing.active_children()
    process.kill()
    process.join()
    assert [event.reason for event in workers.events(9) if isinstance(event, Outcome)] == ["lost"]
    assert workers.idle()
    workers.close()


def test_an_idle_worker_that_is_killed_has_lost_its_next_job_and_no_other(tmp_path: Path) -> None:
    job = Job(0, genome(), Source("digits"), Recipe(epochs=1), 0, str(tmp_path / "w.safetensors"))
    workers, ended = ProcessPool(1), list[Outcome]()
    for number in range(2):
        workers.submit(replace(job, number=number))
        if not number:
            multiprocessing.active_children()[0].kill()
        ended.append(next(event for event in listen(workers) if isinstance(event, Outcome)))
    workers.close()
    assert [outcome.reason for outcome in ended] == ["lost", ""]
    assert ended[0].detail == "the worker process ended with exit code -9 before it began the trial"


@pytest.mark.slow
def test_a_hang_is_a_timeout(tmp_path: Path) -> None:
    assert tried(tmp_path, epochs=100_000, timeout=4.0).reason == "timeout"


def test_too_much_memory_is_oom(tmp_path: Path) -> None:
    ended = tried(tmp_path, genome=genome(65_536), memory_gb=1.0)
    assert ended.reason == "oom", ended


@pytest.mark.slow
def test_a_loss_that_explodes_is_nan(tmp_path: Path) -> None:
    assert tried(tmp_path, rate=1e5, epochs=20).reason == "nan"


def test_a_crash_is_an_error_that_says_what(tmp_path: Path) -> None:
    ended = tried(tmp_path, data=Source("nothing"))
    assert ended.reason == "error"
    assert "nothing" in ended.detail


@pytest.mark.slow
def test_a_run_in_which_most_trials_crash_stops_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = load_experiment("quickstart", {"trials": 30, "sampler": "random", "workers": 1})
    search = Search(create(tmp_path / "run", question, "nas"))
    original = search._job
    monkeypatch.setattr(search, "_job", lambda record: replace(original(record), data=Source("nothing")))
    for _ in search.events():
        pass
    records = load_run(tmp_path / "run").records
    assert len(records) == 10
    assert {record.reason for record in records} == {"error"}
    assert "10 of 10 trials failed" in search.fault
    assert "nothing" in records[0].detail


@pytest.mark.slow
def test_finalists_are_judged_by_fresh_seeds(finished_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    run = load_run(Path(shutil.copytree(finished_run, path)))
    steps = list(train_finalists(run, Recipe(epochs=2), seeds=2, top=2))
    ranked = [step for step in steps if isinstance(step, Finalist)]
    assert len(steps) == 4 + len(ranked)
    assert tuple(ranked) == load_finalists(path)
    for finalist in ranked:
        assert len(finalist.errors) == 2
        assert finalist.low <= finalist.error <= finalist.high
        assert 0 <= finalist.test_error < 1
        assert finalist_weights(path, finalist.number).is_file()
    assert not list((path / "finalists").glob("part-*"))
    best = ranked[0]
    export_trial(run, run.record(str(best.number)), tmp_path / "export", lambda _: None)
    card = (tmp_path / "export" / "README.md").read_text(encoding="utf-8")
    assert f"{min(best.errors):.4f} after 2 epochs" in card
    assert f"{1 - best.test_error:.4f}, read once" in card
    assert f"{best.seed} (trial {best.number}" in card


def test_interval_is_students() -> None:
    low, high = mean_interval((0.1, 0.2, 0.3))
    assert (low + high) / 2 == pytest.approx(0.2)
    assert high - low == pytest.approx(2 * 4.302652729911275 * 0.1 / 3**0.5)
    assert mean_interval((0.5,)) == (0.5, 0.5)


def test_a_damaged_list_of_finalists_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "finalists").mkdir()
    (tmp_path / "finalists" / "finalists.json").write_text(json.dumps([{"number": 1}]))
    with pytest.raises(RunError, match="damaged"):
        load_finalists(tmp_path)
