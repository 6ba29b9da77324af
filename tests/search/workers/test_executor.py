"""One contract for all executors; then what only a cluster has: nodes that die, and a driver that dies with it."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lost_node
import pytest

from nas.errors import RunError
from nas.search.pareto import front_of
from nas.search.store.run import load_run
from nas.search.trial import TrialRecord
from nas.search.workers.executor import Executor
from nas.search.workers.processes import ProcessPool
from nas.search.workers.worker import Train
from nas.testing.executors import check_executor, train_by_number

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # Ray alone takes seconds to start, or many on a busy machine


def local(train: Train) -> Executor:
    return ProcessPool(2, train=train)


def ray(train: Train = train_by_number) -> Executor:
    from nas.search.workers.ray_cluster import RayCluster

    return RayCluster(2, cpus=1, gpus=0, train=train)


@pytest.mark.parametrize("make", [local, ray])
def test_the_contract(make: Callable[[Train], Executor], tmp_path: Path) -> None:
    check_executor(make, tmp_path)


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
