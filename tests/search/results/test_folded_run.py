"""A search over blocks that train in branches: its winner is folded, and does what was measured."""

import re
import shutil
from pathlib import Path

import optuna
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import nas
from benchmarks.fuzz import InProcess
from nas.api import LoadedRun, LoadedTrial
from nas.model.export import load_weights
from nas.optuna import Objective
from nas.search.results.doctor import find_inconsistencies
from nas.search.results.finalist_files import Finalist, finalist_weights
from nas.search.results.finalists import train_finalists
from nas.training.batches import Batches
from nas.training.data import load_data, load_test
from nas.training.evaluation import evaluate
from nas.training.recipe import Recipe

SPACE = '''"""Two stages of RepVGG's block."""

from nas.genome import Graph
from nas.genome.primitives import GapHead, RepVGGBlock


def folded(trial, task):
    x = RepVGGBlock(trial.suggest_int("stem", 4, 12, step=4), 2)(task.image())
    for stage in (1, 2):
        width = trial.suggest_int(f"width{stage}", 8, 16, step=4)
        x = RepVGGBlock(width, groups=trial.suggest_categorical("groups", [1, 2]))(RepVGGBlock(width)(x))
    return Graph.of(GapHead(task.classes)(x))
'''


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    folder = tmp_path_factory.mktemp("folded")
    (folder / "folded.py").write_text(SPACE, encoding="utf-8")
    experiment = nas.Experiment(
        space=f"{folder / 'folded.py'}:folded", data="digits", trials=3, sampler="random", executor=InProcess,
        recipe={"epochs": 2}, train_images=400,
    )  # fmt: skip
    return nas.run_search(experiment, folder / "run")


def copied(run: LoadedRun, folder: Path) -> LoadedRun:
    return nas.load(shutil.copytree(run.path, folder / "run"))


def validation_error(run: LoadedRun, network: nn.Module) -> float:
    data = load_data(run.experiment.source)
    return evaluate(network, Batches(data.validation, data, torch.device("cpu"))).error


def error_on_test(run: LoadedRun, network: nn.Module) -> float:
    source = run.experiment.source
    return evaluate(network, Batches(load_test(source), load_data(source), torch.device("cpu"))).error


def is_of_training(weights: Path) -> bool:
    return any("conv1" in name for name in load_file(weights))


def exported(trial: LoadedTrial, folder: Path) -> nn.Module:
    """The network of an export, which is checked to be folded and to agree with the trained one."""
    result = trial.export(folder)
    assert result.agrees
    assert not is_of_training(folder / "weights.safetensors")
    network = nas.module(trial.graph).eval()
    load_weights(network, folder / "weights.safetensors")
    return network


def test_a_trial_is_kept_as_it_trained_and_given_out_folded(run: LoadedRun) -> None:
    best = run.best()
    network = best.module()
    assert is_of_training(run.run.weights(best.record))
    assert sum(p.numel() for p in network.parameters()) == best.params
    assert validation_error(run, network) == best.error


def test_an_objective_of_optuna_trains_the_same_network(run: LoadedRun) -> None:
    first, study = run.trials[0], optuna.create_study(directions=["minimize"] * 2)
    study.enqueue_trial(first.choices)
    study.optimize(Objective(run.experiment), n_trials=1)
    assert study.trials[0].values == [first.error, first.macs]


@pytest.mark.slow
def test_the_winner_is_exported_and_does_the_same(run: LoadedRun, tmp_path: Path) -> None:
    own, best = copied(run, tmp_path), run.best()
    network = exported(own.best(), tmp_path / "kept")
    assert validation_error(run, network) == best.error
    card = (tmp_path / "kept" / "README.md").read_text(encoding="utf-8")
    accuracy = re.search(r"\| Test accuracy \| (0\.\d+)", card)
    assert accuracy
    assert float(accuracy[1]) == round(1 - error_on_test(run, network), 4)
    own.run.weights(best.record).unlink()
    again = exported(own.best(), tmp_path / "trained again").state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in network.state_dict().items())


@pytest.mark.slow
def test_a_finalist_is_tested_and_exported(run: LoadedRun, tmp_path: Path) -> None:
    own = copied(run, tmp_path)
    recipe = Recipe(epochs=3)
    (finalist,) = [each for each in train_finalists(own.run, recipe, 1, 1) if isinstance(each, Finalist)]
    assert is_of_training(finalist_weights(own.path, finalist.number))
    trial = own.trials[finalist.number]
    network = exported(trial, tmp_path / "finalist")
    assert validation_error(run, network) == finalist.error
    assert error_on_test(run, network) == finalist.test_error
    given = trial.module().state_dict()
    assert all(torch.equal(tensor, given[name]) for name, tensor in network.state_dict().items())


def test_lost_weights_are_trained_again_as_they_were(run: LoadedRun, tmp_path: Path) -> None:
    own = copied(run, tmp_path)
    kept = own.run.weights(own.best().record)
    before = load_file(kept)
    kept.unlink()
    assert any("without its weights" in each.what for each in find_inconsistencies(own.path, fix=True))
    after = load_file(kept)
    assert after.keys() == before.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
