"""Trackers, told by a search: into stand-ins of their packages, and into the packages where they are installed."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from search.idle import InProcess

import nas.cli
from nas.errors import ExperimentError, RunError
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment
from nas.search.loop.search import Search
from nas.search.registries import TRACKERS
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.training.score import Score

Call = tuple[str, Any]
PACKAGES = ["mlflow", "wandb"]


def two_epochs(job: Job) -> Iterator[Event]:
    """The second of the trials fails."""
    yield Progress(job.number, Score(1, 0.5, 1.0, 0.1, 1.5))
    if job.number == 1:
        yield Outcome(job.number, Reason.ERROR, "ValueError:\nno")
        return
    yield Progress(job.number, Score(2, 0.25, 0.5, 0.2, 0.75))
    yield Outcome(job.number)


def searched(path: Path, tracker: str, trials: int = 2) -> None:
    settings = {"tracker": tracker, "trials": trials, "recipe.epochs": 2, "sampler": "random", "name": "small"}
    study = create(path, load_experiment("quickstart", settings), "test")
    for _ in Search(study, lambda _: InProcess(two_epochs)).events():
        pass


class StandIn(ModuleType):
    """A package that remembers how it was called."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None)
        self.calls: list[Call] = []

    def noted(self, name: str, result: object = None) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.calls.append((name, (*arguments, named) if arguments else named))
            return result

        return call

    def of(self, name: str) -> list[Any]:
        return [arguments for each, arguments in self.calls if each == name]


def mlflow() -> StandIn:
    made = StandIn("mlflow")
    client = SimpleNamespace(
        get_experiment_by_name=made.noted("get_experiment_by_name"),
        create_experiment=made.noted("create_experiment", "7"),
        create_run=lambda *given, **named: made.noted(
            "create_run", SimpleNamespace(info=SimpleNamespace(run_id=f"run {len(made.of('create_run'))}"))
        )(*given, **named),
        log_batch=made.noted("log_batch"),
        set_tag=made.noted("set_tag"),
        set_terminated=made.noted("set_terminated"),
    )
    entities = SimpleNamespace(
        Metric=lambda key, value, _, step: (key, value, step), Param=lambda key, value: (key, value)
    )
    vars(made).update(MlflowClient=made.noted("client", client), MlflowException=KeyError, entities=entities)
    return made


def wandb() -> StandIn:
    made = StandIn("wandb")

    def init(**named: Any) -> SimpleNamespace:
        number = len(made.of("init"))
        made.calls.append(("init", named))
        summary, files = (
            SimpleNamespace(update=made.noted("summary")),
            Path(named["dir"], "wandb", str(number), "files"),
        )
        files.mkdir(parents=True)
        (files.parent / "core.log").symlink_to("/dev/null")
        return SimpleNamespace(
            log=made.noted(f"log {number}"), summary=summary, finish=made.noted("finish"), dir=str(files)
        )

    vars(made).update(init=init, Settings=dict, Error=KeyError)
    return made


@pytest.fixture
def stand_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "")
    made: StandIn = {"mlflow": mlflow, "wandb": wandb}[request.param]()
    monkeypatch.setitem(sys.modules, request.param, made)
    return made


@pytest.mark.parametrize("stand_in", ["mlflow"], indirect=True)
def test_mlflow_gets_a_run_a_trial_in_the_run_directory(stand_in: StandIn, tmp_path: Path) -> None:
    searched(tmp_path / "run", "mlflow")
    assert stand_in.of("client") == [{"tracking_uri": f"sqlite:///{tmp_path}/run/mlflow.db"}]
    assert stand_in.of("create_experiment")[0][0] == "small"
    assert [named["run_name"] for *_, named in stand_in.of("create_run")] == ["trial 000000", "trial 000001"]
    params = dict(stand_in.of("log_batch")[0][1]["params"])
    assert {"trial", "params", "flops", "stem"} <= set(params)
    metrics = [(run, named["metrics"]) for run, named in stand_in.of("log_batch") if "metrics" in named]
    assert [run for run, _ in metrics] == ["run 0", "run 0", "run 1"]
    assert metrics[1][1] == [("error", 0.25, 2), ("loss", 0.5, 2), ("train_loss", 0.75, 2)]
    assert [given[:2] for given in stand_in.of("set_terminated")] == [("run 0", "FINISHED"), ("run 1", "FAILED")]
    assert stand_in.of("set_tag")[0][:3] == ("run 1", "reason", "error ValueError: no")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


@pytest.mark.parametrize("stand_in", ["wandb"], indirect=True)
def test_wandb_gets_an_offline_run_a_trial_in_the_run_directory(stand_in: StandIn, tmp_path: Path) -> None:
    searched(tmp_path / "run", "wandb")
    assert len(load_run(tmp_path / "run").records) == 2  # no link is left, at which reading would stop
    begun = stand_in.of("init")
    assert {(each["mode"], each["dir"], each["project"]) for each in begun} == {
        ("offline", str(tmp_path / "run"), "small")
    }
    assert [each["name"] for each in begun] == ["trial 000000", "trial 000001"]
    assert {"trial", "params", "flops", "stem"} <= set(begun[0]["config"])
    assert stand_in.of("log 0")[1] == ({"error": 0.25, "loss": 0.5, "train_loss": 0.75}, {"step": 2})
    assert [each["exit_code"] for each in stand_in.of("finish")] == [0, 1]
    assert stand_in.of("summary")[1][0]["reason"] == "error"
    assert os.environ["WANDB_ERROR_REPORTING"] == "false"


@pytest.mark.parametrize("stand_in", PACKAGES, indirect=True)
def test_a_tracker_that_cannot_write_ends_the_search_with_its_message(stand_in: StandIn, tmp_path: Path) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise KeyError("no\nroom")

    vars(stand_in).update(MlflowClient=full, init=full)
    with pytest.raises(RunError, match=r"cannot write .*run directory: 'no.nroom'"):
        searched(tmp_path / "run", stand_in.__name__)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_is_missing_is_told_before_a_run_is_made(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "nas.search.store.trackers.tracker.find_spec", lambda name: None if name == package else find_spec(name)
    )
    run = tmp_path / "run"
    monkeypatch.setattr(sys, "argv", ["nas", "search", "quickstart", "--set", f"tracker={package}", "--out", str(run)])
    with pytest.raises(SystemExit) as ended:
        nas.cli.main()
    assert ended.value.code == 2
    assert f"pip install 'nas-convnets[{package}]'" in capsys.readouterr().err
    assert not run.exists()


def test_an_unknown_tracker_is_refused_with_those_there_are() -> None:
    with pytest.raises(ExperimentError, match=r"did you mean 'mlflow'.*tensorboard, mlflow, wandb"):
        load_experiment("quickstart", {"tracker": "mlflw"})
    assert isinstance(load_experiment("quickstart", {"tracker": None}), Experiment)


def test_every_tracker_is_told_of_every_trial(tmp_path: Path) -> None:
    searched(tmp_path / "run", "tensorboard")
    assert sorted(each.name for each in (tmp_path / "run" / "tensorboard").iterdir()) == ["000000", "000001"]
    assert set(TRACKERS) == {"tensorboard", *PACKAGES}


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_itself_writes_into_the_run_directory(package: str, tmp_path: Path) -> None:
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    code = f"from test_trackers import searched; from pathlib import Path; searched(Path('run'), {package!r})"
    folders = [
        str(Path(__file__).parent),
        str(Path(__file__).parents[2]),
        str(Path(nas.__file__).parents[1]),
        *filter(None, sys.path),
    ]
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "WANDB"))}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=kept | {"PYTHONPATH": os.pathsep.join(folders), "HOME": str(home)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["home", "run"]
    assert [each.state for each in load_run(tmp_path / "run").records] == ["complete", "failed"]
    if package == "mlflow":
        with sqlite3.connect(tmp_path / "run" / "mlflow.db") as database:
            rows = database.execute("SELECT key, value, step FROM metrics ORDER BY value").fetchall()
        assert ("error", 0.25, 2) in rows
        assert len(rows) == 9
    else:
        assert len(list((tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb"))) == 2
