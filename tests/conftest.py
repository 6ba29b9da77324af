"""Shared by all tests: one thread, and a small finished run."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.update(OMP_NUM_THREADS="1", GOMP_SPINCOUNT="0")
os.environ.update({"RAY_worker_niceness": "0"})  # by default Ray's workers starve beside other tests
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "genome")]
settings.register_profile("nas", deadline=None, derandomize=True)  # a slow machine is no failure, and runs repeat
settings.load_profile("nas")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that start Ray: they take turns, and the first tests go to one process of xdist."""
    items.sort(key=lambda item: "one_ray" not in getattr(item, "fixturenames", ()))


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _own_configuration(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let no test write into the configuration of whoever runs it."""
    os.environ["NAS_CONFIG_DIR"] = str(tmp_path_factory.mktemp("configuration"))


@pytest.fixture
def nas(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """The command line in this process: called with arguments, it returns the exit code, stdout and stderr."""
    from nas.cli import main

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nas", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), *capsys.readouterr()

    return call


@pytest.fixture
def one_ray() -> Iterator[None]:
    """Let one test at a time start Ray: several that start on a busy machine give each other up."""
    from filelock import FileLock

    with FileLock(Path(tempfile.gettempdir()) / f"nas-tests-ray-{os.getuid()}.lock"):
        yield


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight trials of one epoch, searched once for all tests that read a run."""
    from nas.search.experiment_file import load_experiment
    from nas.search.loop.search import Search
    from nas.search.store.create import create

    path = tmp_path_factory.mktemp("runs") / "small"
    changes = {"trials": 8, "recipe.epochs": 1, "sampler": "random"}
    question = load_experiment("quickstart", changes)
    for _ in Search(create(path, question, "nas search quickstart --trials 8")).events():
        pass
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB: a run and its report fit."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk takes the right to mount one")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
