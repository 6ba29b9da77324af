"""One contract for all executors; then what only a cluster has: nodes that die, and a driver that dies with it."""

import importlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import lost_node
import pytest
import waiting_worker

from nas.errors import RunError
from nas.search.pareto import front_of
from nas.search.store.run import load_run
from nas.search.trial import Reason, TrialRecord
from nas.search.workers.executor import Executor
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.search.workers.processes import ProcessPool
from nas.search.workers.train_all import FailurePolicy, train_all
from nas.search.workers.worker import Train
from nas.testing.executors import check_executor, train_by_number
from nas.training.data import Source
from nas.training.recipe import Recipe
from nas.training.score import Score

# Ray alone takes seconds to start, or many on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400, func_only=True), pytest.mark.usefixtures("one_ray")]


def local(train: Train) -> Executor:
    return ProcessPool(2, train=train)


def ray(train: Train = train_by_number) -> Executor:
    from nas.search.workers.ray_cluster import RayCluster

    pickler: Any = importlib.import_module("ray.cloudpickle")
    pickler.register_pickle_by_value(sys.modules[__name__])  # which Ray's workers cannot import
    return RayCluster(2, cpus=1, gpus=0, train=train)


@pytest.mark.parametrize("make", [local, ray])
def test_the_contract(make: Callable[[Train], Executor], tmp_path: Path) -> None:
    check_executor(make, tmp_path)


def tell_pid(job: Job) -> Iterator[Event]:
    """In the place of memory, the score holds the worker's process."""
    yield Progress(job.number, Score(1, 0.5, peak_bytes=os.getpid()))
    yield Outcome(job.number)


def die_at_once(job: Job) -> Iterator[Event]:
    if job.number == 0:
        os._exit(7)
    yield Outcome(job.number)


@pytest.mark.parametrize("make", [local, ray])
def test_a_worker_that_dies_idle_loses_no_trial(make: Callable[[Train], Executor], tmp_path: Path) -> None:
    jobs = (Job(number, "", Source("digits"), Recipe(), 0, str(tmp_path / "w")) for number in range(8))
    pids, seen = set[int](), list[tuple[int, Reason]]()
    with closing(make(tell_pid)) as workers:
        for trained in train_all(workers, jobs, FailurePolicy(tmp_path)):
            seen.append((trained.job.number, trained.outcome.reason))
            if (pid := trained.scores[-1].peak_bytes) not in pids and len(pids) < 3:
                pids.add(pid)
                os.kill(pid, signal.SIGKILL)
    assert sorted(seen) == [(number, Reason.NONE) for number in range(8)]
    assert len(pids) == 3


@pytest.mark.parametrize("make", [local, ray])
def test_a_network_that_kills_its_worker_at_once_fails(make: Callable[[Train], Executor], tmp_path: Path) -> None:
    job = Job(0, "", Source("digits"), Recipe(), 0, str(tmp_path / "w"))
    with closing(make(die_at_once)) as workers:
        (trained,) = train_all(workers, [job], FailurePolicy(tmp_path))
    assert trained.outcome.reason is Reason.KILLED
    assert trained.outcome.detail


@pytest.mark.parametrize("make", [local, ray])
def test_a_worker_that_is_killed_while_it_waits(make: Callable[[Train], Executor]) -> None:
    with closing(make(tell_pid)) as workers:
        pid = wait_at_rung(workers, 0)
        os.kill(pid, signal.SIGKILL)
        while not (events := workers.events(1)):
            pass
        assert [event.reason for event in events if isinstance(event, Outcome)] == [Reason.KILLED]
        workers.proceed(0)  # a word that nobody can hear any more
        pid = wait_at_rung(workers, 0)
        workers.stop(1)
        workers.proceed(1)  # about a job that does not run
        workers.stop(0)
        while not (events := workers.events(1)):
            pass
        assert events == [Outcome(0, Reason.STOPPED)]
        pid = wait_at_rung(workers, 2)
    wait_for(lambda: is_gone(pid))  # closed while a worker waits


@pytest.mark.parametrize("name", ["local", "ray"])
def test_a_worker_that_waits_ends_with_its_driver(name: str) -> None:
    command = [sys.executable, waiting_worker.__file__, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        pid = int(driver.stdout.readline())
        assert not is_gone(pid)
        driver.send_signal(signal.SIGKILL)
    wait_for(lambda: is_gone(pid))


def wait_at_rung(workers: Executor, number: int) -> int:
    """Submit a job and return the process of the worker that waits after its first epoch."""
    while not workers.idle():
        workers.events(1)
    workers.submit(Job(number, "", Source("digits"), Recipe(), 0, "", rungs=(1,)))
    while not (events := workers.events(1)):
        pass
    (event,) = events
    assert isinstance(event, Progress)
    return event.score.peak_bytes


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, collected by its parent or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(RunError, match=r"no Ray cluster at 127\.0\.0\.1:1: .*refused"):
        ray()


def test_a_cluster_whose_driver_is_killed(finished_run: Path, tmp_path: Path) -> None:
    """The same experiment gives the same trials as on local workers, and a SIGKILL of the driver loses none."""
    path = tmp_path / "run"
    small = ["--trials", "4", "--set", "recipe.epochs=1", "--set", "sampler=random", "--out", str(path)]
    command = [sys.executable, "-m", "nas", "search", "quickstart", "--executor", "ray", *small]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as driver:
        assert driver.stderr is not None
        next(line for line in driver.stderr if line.startswith("trial "))
        driver.send_signal(signal.SIGKILL)
    before = load_run(path).records
    resume = [sys.executable, "-m", "nas", "resume", str(path)]
    resumed = subprocess.run(resume, capture_output=True, text=True, check=False, timeout=300)
    assert resumed.returncode == 0, resumed.stderr
    run, reference = load_run(path), load_run(finished_run)
    assert run.experiment.executor == "ray"
    assert [what(record) for record in before] == [what(record) for record in reference.records[: len(before)]]
    done = [record for record in before if record.state == "complete"]
    assert done
    assert all(run.records[record.number] == record for record in done)
    assert len({record.fingerprint for record in run.records if run.experiment.budget.allows(record)}) == 4
    assert {record.state for record in run.records} == {"complete"}
    front = {f"{record.number:06d}" for record in front_of(run.records, run.experiment.objectives)}
    assert {place.name for place in (path / "trials").iterdir()} == front


def what(record: TrialRecord) -> tuple[object, ...]:
    return record.number, record.choices, record.fingerprint, record.seed


def test_a_trial_outlives_its_node(tmp_path: Path) -> None:
    command = [sys.executable, lost_node.__file__, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    lost = [int(number) for number in re.findall(r"^lost (\d+)$", done.stdout, re.MULTILINE)]
    assert len(lost) == 1
    records = load_run(tmp_path / "run").records
    assert [record.state for record in records] == ["complete"] * 2
    assert len(records[lost[0]].scores) == 12
