"""The package is imported, and searches, where Python lacks what only POSIX has, as on Windows."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nas.errors import ExperimentError
from nas.search.experiment_file import load_experiment
from nas.search.store.create import on_this_machine
from nas.training.device import best_device, has_device

CODE = """
import signal, sys
import filelock, optuna, torch
from benchmarks.fuzz import InProcess
for name in ("fcntl", "resource"):
    sys.modules[name] = None
del signal.SIGHUP, signal.pthread_sigmask
import os
del os.statvfs
import nas.cli.progress, nas.report, nas.search.workers.processes, nas.search.workers.worker, nas.training.device
import nas
recipe = {"epochs": 1}
asked = nas.Experiment(space="plain", data="digits", trials=2, sampler="random", executor=InProcess, recipe=recipe)
print(len(nas.run_search(asked, sys.argv[1]).trials))
"""


def test_a_search_runs_without_what_only_posix_has(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CODE, str(tmp_path / "run")], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr


def test_a_limit_that_the_system_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr("nas.search.store.create.find_spec", lambda _: None)
    with pytest.raises(ExperimentError, match="memory_gb cannot be kept on this system"):
        on_this_machine(load_experiment("quickstart", {"memory_gb": 2.0}))


@pytest.mark.parametrize(
    ("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, False, "cuda")]
)
def test_auto_is_the_best_device_there_is(cuda: bool, mps: bool, best: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert best_device() == best
    assert [has_device(each) for each in ("cpu", "cuda", "mps")] == [True, cuda, mps]
    assert on_this_machine(load_experiment("quickstart", {"device": "auto"})).device == best
    assert on_this_machine(load_experiment("quickstart")).device == "cpu"
