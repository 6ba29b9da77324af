"""A search from Python: experiment, search, run, trial; and the notebook of docs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch

import nas
from benchmarks.fuzz import InProcess
from nas.api import LoadedRun, PythonExperiment
from nas.errors import ExperimentError, NasError, RunError
from nas.genome import Graph, Task
from nas.genome.primitives import ConvUnit, GapHead, Stem
from nas.search.experiment_file import load_experiment
from nas.training.score import Score

ROOT = Path(__file__).parent.parent


def two_widths(trial: Any, task: Task) -> Graph:
    x = Stem(trial.suggest_int("stem", 4, 16))(task.image())
    return Graph.of(GapHead(task.classes)(ConvUnit(trial.suggest_int("width", 4, 16))(x)))


def asked(**changes: Any) -> PythonExperiment:
    known = {"space": two_widths, "data": "digits", "trials": 4, "recipe": {"epochs": 1}, "executor": InProcess}
    return nas.Experiment(**known | {"sampler": "random"} | changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    seen: list[str] = []
    found = nas.run_search(asked(), tmp_path_factory.mktemp("api") / "run", lambda event: seen.append(event.kind))
    assert seen.count("ended") == 4
    return found


def test_a_baseline_is_meant_by_its_name() -> None:
    assert nas.cost("resnet50") == nas.cost(nas.baseline("resnet50"))
    assert nas.source("lenet5_paper") == nas.source(nas.baseline("lenet5_paper"))
    assert sum(each.numel() for each in nas.module("lenet5_paper").parameters()) == nas.cost("lenet5_paper").params
    assert nas.cost is nas.cost
    with pytest.raises(NasError, match="did you mean resnet50"):
        nas.cost("resnet5")


def test_a_run_is_a_table_a_front_and_trials(run: LoadedRun) -> None:
    table = run.to_pandas()
    assert list(table["number"]) == [trial.number for trial in run.trials] == [0, 1, 2, 3]
    assert run.best().error == table["error"].min()
    assert [trial.number for trial in run.front()] == list(table[table["on_front"]].sort_values("error")["number"])
    assert run.best().choices.keys() == {"stem", "width"}
    assert nas.load(str(run.path)).run == run.run


def test_a_trial_is_a_module_with_its_weights_and_an_export(run: LoadedRun, tmp_path: Path) -> None:
    best = run.best()
    network = best.module()
    assert not network.training
    exported = best.export(tmp_path / "e")
    assert exported.agrees
    from nas.model.export import load_weights

    again = nas.module(best.graph).eval()
    load_weights(again, exported.folder / "weights.safetensors")
    images = torch.rand(2, 1, 8, 8)
    assert torch.equal(network(images), again(images))


def test_weights_that_are_not_kept_are_one_message(run: LoadedRun) -> None:
    others = [trial for trial in run.trials if trial.number not in {each.number for each in run.front()}]
    for trial in others:
        with pytest.raises(RunError, match="are not kept, only those of the front; to train it again: nas export"):
            trial.module()


def test_what_a_notebook_shows_is_short(run: LoadedRun) -> None:
    assert repr(run).startswith(f"<run {run.path}: 4 of 4 trials complete, front of ")
    assert "<table" in run._repr_html_()
    assert "<svg" in run.best()._repr_html_()
    assert len(repr(run.best())) < 100


def test_a_search_is_followed_stopped_and_continued(tmp_path: Path) -> None:
    search = nas.start_search(asked(), tmp_path / "run")
    for event in search:
        if event.kind == "ended":
            search.stop()
    assert len(search.finish().trials) == 1
    assert len(nas.run_search(asked(), tmp_path / "run").trials) == 4
    with pytest.raises(RunError, match=r"different experiment \(recipe.epochs was 1, is now 2\)"):
        nas.start_search(asked(recipe={"epochs": 2}), tmp_path / "run")


@pytest.mark.parametrize(
    "sampler", [optuna.samplers.TPESampler(seed=3), optuna.samplers.RandomSampler, "optuna.samplers:NSGAIISampler"]
)
def test_any_sampler_of_optunas_proposes(sampler: Any, tmp_path: Path) -> None:
    assert len(nas.run_search(asked(sampler=sampler, trials=2), tmp_path / "run").trials) == 2


def test_an_experiment_in_python_is_that_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('space = "mixed"\ndata = "digits"\nobjectives = ["error", "params"]\n[budget]\nmacs = {max = 9}\n')
    mine = nas.Experiment(
        name="mine", space="mixed", data="digits", objectives=["error", "params"], budget={"macs": {"max": 9}}
    )
    assert mine.as_dict() == load_experiment(str(file)).as_dict()
    (tmp_path / "tiny.py").write_text("def tiny(trial, task): ...\n", encoding="utf-8")
    assert nas.Experiment(space=f"{tmp_path}/tiny.py", data="digits").space == f"{tmp_path}/tiny.py:tiny"
    with pytest.raises(ExperimentError, match=r"nas\.Experiment: .*unknown key 'trails'"):
        nas.Experiment(space="mixed", data="digits", trails=3)


class Squares(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """Bright squares on the left or right."""

    classes = ("left", "right")

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = torch.zeros(1, 8, 8)
        image[:, 2:6, (0, 4)[index % 2] : (4, 8)[index % 2]] = 0.5 + index / 100
        return image, index % 2


def own_training(network: Any, data: Any, recipe: Any, seed: int, device: str) -> Iterator[Score]:
    for epoch in range(1, recipe.epochs + 1):
        yield Score(epoch, 0.5 / epoch, 1.0, 0.1, 1.0)


def failing_training(network: Any, data: Any, recipe: Any, seed: int, device: str) -> Iterator[Score]:
    raise ValueError("wrong images")


def test_a_dataset_and_a_training_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NAS_DATA", raising=False)
    experiment = asked(data=Squares(), trainer=own_training, trials=2, recipe={"epochs": 2})
    assert (experiment.data, experiment.name) == ("npz", "two_widths")
    run = nas.run_search(experiment)
    assert [trial.error for trial in run.trials] == [0.25, 0.25]
    assert run.run.data.class_names == ("left", "right")
    assert run.path == Path("runs/two_widths")
    run.best().export(tmp_path / "e")
    assert json.loads((tmp_path / "e" / "labels.json").read_text(encoding="utf-8")) == {"0": "left", "1": "right"}


def test_a_run_of_others_does_not_become_trusted(run: LoadedRun, tmp_path: Path) -> None:
    evil = run.experiment.model_copy(update={"space": f"{tmp_path}/evil.py:evil"})
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'marker')!r}, 'w')\n", encoding="utf-8")
    with pytest.raises(ExperimentError, match="is code that a file names"):
        for _ in nas.start_search(evil, tmp_path / "run"):
            pass
    assert not (tmp_path / "marker").exists()


def test_a_training_that_always_fails_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="all 1 failed, the last with: error ValueError: wrong images"):
        nas.run_search(asked(trainer=failing_training, trials=1), tmp_path / "run")


@pytest.mark.slow
def test_a_script_without_a_guard_searches(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import nas\n"
        "from nas.genome import Graph\n"
        "from nas.genome.primitives import GapHead, Stem\n"
        "def space(trial, task):\n"
        "    return Graph.of(GapHead(task.classes)(Stem(trial.suggest_int('w', 4, 16))(task.image())))\n"
        "run = nas.run_search(nas.Experiment(space=space, data='digits', trials=2, recipe={'epochs': 1}), 'run')\n"
        "print(len(run.trials), run.best().error < 1)\n",
        encoding="utf-8",
    )
    command = [sys.executable, "script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("2 True\n", 0), done.stderr
    resumed = [sys.executable, "-m", "nas", "resume", "run", "--trials", "3"]
    again = subprocess.run(resumed, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
