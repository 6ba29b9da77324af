"""One contract for all executors; then what only a cluster has: nodes that die, and a driver that dies with it."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import lost_node
import pytest
from tricks import DEADLY, ENDLESS, GOOD, HANGING, tricks

from nas.errors import RunError
from nas.search.pareto import front_of
from nas.search.store.run import load_run
from nas.search.trial import Reason, TrialRecord
from nas.search.workers.executor import Executor
from nas.search.workers.job import Event, Job, Outcome
from nas.search.workers.processes import ProcessPool
from nas.training.data import Source
from nas.training.recipe import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # Ray alone takes seconds to start, or many on a busy machine


def local() -> Executor:
    return ProcessPool(2, train=tricks)


def ray() -> Executor:
    from nas.search.workers.ray_cluster import RayCluster

    return RayCluster(2, cpus=1, gpus=0, train=tricks)


def settle(workers: Executor, seconds: float = 200) -> None:
    """Wait until a worker is free."""
    end = time.monotonic() + seconds
    while not workers.idle():
        assert time.monotonic() < end, "no worker came"
        workers.events(0.1)


def listen(workers: Executor) -> Iterator[Event]:
    end = time.monotonic() + 200
    while time.monotonic() < end:
        yield from workers.events(0.1)
    raise AssertionError("the workers said nothing")


def ended(workers: Executor, job: Job) -> tuple[Reason, int]:
    """The reason with which a job ends, and how many scores came before; it is stopped after the third."""
    settle(workers)
    workers.submit(job)
    for scores, event in enumerate(listen(workers)):
        assert event.number == job.number
        if isinstance(event, Outcome):
            return event.reason, scores
        if scores == 2:
            workers.stop(job.number)
    raise AssertionError


@pytest.mark.parametrize("make", [local, ray])
def test_the_contract(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # where Ray's workers find the tricks
    weights = tmp_path / "trials" / "000000" / "weights.safetensors"
    job = Job(0, "x", Source("digits"), Recipe(), 0, str(weights))
    handler = signal.getsignal(signal.SIGTERM)
    with closing(make()) as workers:
        assert signal.getsignal(signal.SIGTERM) == handler
        assert ended(workers, replace(job, number=DEADLY))[0] == "killed"
        assert ended(workers, replace(job, number=HANGING, timeout=1.0))[0] == "timeout"
        reason, scores = ended(workers, replace(job, number=ENDLESS))
        assert reason == "stopped"
        assert scores >= 3
        assert not weights.exists()
        assert ended(workers, replace(job, number=GOOD, timeout=60.0)) == ("", 1)
        assert weights.read_bytes() == b"weights"
        assert [path.name for path in weights.parent.iterdir()] == [weights.name]


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
