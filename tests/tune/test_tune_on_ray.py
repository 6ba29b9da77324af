"""Ray Tune itself: from the command line with a kill and a resume, a lost node, an example that is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lost_tune_node
import pytest

import nas

# Ray alone takes seconds to start, or many on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600, func_only=True), pytest.mark.usefixtures("one_ray")]
EXAMPLES = Path(__file__).parent.parent.parent / "examples"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(EXAMPLES.parent)}


def kill_when(reached: Callable[[], bool], command: list[str], folder: Path) -> None:
    """Start a command, and kill it with its workers' driver once it has come so far."""
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        while not reached():
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)


def trained(folder: Path) -> int:
    """How many trials have reported three epochs."""
    return sum(len(file.read_text().splitlines()) >= 3 for file in folder.glob("*/result.json"))


def test_a_search_on_tune_is_killed_resumed_and_kept(tmp_path: Path, finished_run: Path) -> None:
    shutil.copytree(finished_run, tmp_path / "old")
    settings = ["--trials", "6", "--max-params", "20k", "--set", "recipe.epochs=3", "--set", "halving=3"]
    command = [sys.executable, "-m", "nas", "tune", "quickstart", *settings, "--start", "old", "--out", "kept"]
    state = tmp_path / "kept.tune" / "tune"
    kill_when(lambda: trained(state) >= 2, command, tmp_path)
    assert not (tmp_path / "kept").exists()
    again = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (again.returncode, "continue it with --resume" in again.stderr) == (2, True), again.stderr
    other = subprocess.run(
        [*command, "--resume", "--seed", "7"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (other.returncode, "seed was 0, is now 7" in other.stderr) == (2, True), other.stderr
    shutil.rmtree(tmp_path / "old")
    subprocess.run([*command, "--resume"], cwd=tmp_path, env=ENVIRONMENT, check=True)
    run = nas.load(tmp_path / "kept")
    assert len({record.fingerprint for record in run.records}) == len(run.records) == 6
    assert run.run.started_from == {"old": 8}
    assert max(record.cost.params for record in run.records) <= 20_000
    assert {record.state for record in run.records} <= {"complete", "pruned"}
    assert run.best().export(tmp_path / "export").agrees
    assert run.report(tmp_path / "page.html").is_file()


def test_a_trial_goes_on_from_its_last_epoch_when_its_node_is_lost(tmp_path: Path) -> None:
    command = [sys.executable, lost_tune_node.__file__, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr[-2000:]
    records = nas.load(tmp_path / "run").records
    assert [record.state for record in records] == ["complete"] * 2
    assert [len(record.scores) for record in records] == [lost_tune_node.EPOCHS] * 2
    files = (tmp_path / "tune" / "tune").glob("network_*/result.json")
    rows = [[json.loads(line) for line in file.read_text().splitlines()] for file in files]
    begun = [row["epoch"] for trial in rows for row in trial if row["iterations_since_restore"] == 1]
    assert sorted(begun)[:2] == [1, 1]
    assert len(begun) > 2
    assert min(sorted(begun)[2:]) > 1


def test_the_example_with_own_training_code_goes_on_after_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "own_trainable.py")]
    kill_when(lambda: trained(tmp_path / "tune" / "own") >= 3, command, tmp_path)
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "error 0." in done.stdout
    assert "8 networks, 8 different" in done.stdout
