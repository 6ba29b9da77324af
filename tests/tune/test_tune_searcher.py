"""The search algorithm for Ray Tune, driven as Tune drives it: asked, told, pickled, saved, restored."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from ray import cloudpickle, tune

import nas
from nas.errors import BudgetError, ExperimentError, RunError
from nas.genome import Graph, Input, Task, Trial, fingerprint, from_json, to_json
from nas.genome.cost import cost
from nas.genome.primitives import GapHead, RepVGGBlock, Stem
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment
from nas.tune import Searcher, sample
from nas.tune.config import checked_graph, to_job
from nas.tune.trainable import trainable

BUDGET = {"params": {"max": 20_000}, "macs": {"max": 1_000_000}}


def experiment(sampler: str = "random", **settings: Any) -> Experiment:
    return load_experiment("quickstart", {"sampler": sampler, "budget": BUDGET, "trials": 20, **settings})


def copied(searcher: Searcher) -> Searcher:
    """A searcher as Tune pickles it."""
    codec: Any = cloudpickle
    copy: Searcher = codec.loads(codec.dumps(searcher))
    return copy


def made_up_error(config: dict[str, Any]) -> float:
    return (len(config["network"]["genome"]) % 97) / 100


def drive(searcher: Searcher, names: list[str], rng: random.Random) -> list[dict[str, Any]]:
    """Ask for trials, some at a time, and tell of each: finished, stopped early, or failed."""
    configs: list[dict[str, Any]] = []
    open_trials: list[tuple[str, dict[str, Any]]] = []
    for name in names:
        config = searcher.suggest(name)
        assert isinstance(config, dict)
        configs.append(config)
        open_trials.append((name, config))
        if len(open_trials) == 3:
            told, its = open_trials.pop(rng.randrange(3))
            result = {"error": made_up_error(its), "training_iteration": 1}
            searcher.on_trial_result(told, result)
            failed = rng.random() < 0.2
            searcher.on_trial_complete(told, None if failed else result, error=failed)
    return configs


def check(configs: list[dict[str, Any]]) -> None:
    """No network is outside the budget, none comes twice, and each is that of its genome."""
    graphs = [from_json(config["network"]["genome"]) for config in configs]
    counts = [cost(graph) for graph in graphs]
    assert all(each.params <= 20_000 and each.macs <= 1_000_000 for each in counts)
    names = [fingerprint(graph) for graph in graphs]
    assert len(set(names)) == len(names)
    assert names == [config["network"]["fingerprint"] for config in configs]


@pytest.mark.parametrize("sampler", ["random", "tpe", "frontier", "evolution", "local-search", "evolution-graphs"])
def test_networks_are_inside_and_new_also_across_a_restore(sampler: str, tmp_path: Path) -> None:
    first = Searcher(experiment(sampler))
    before = drive(first, [f"a{number}" for number in range(9)], random.Random(1))
    first.save(str(tmp_path / "state"))
    second = copied(Searcher(experiment(sampler)))
    second.restore(str(tmp_path / "state"))
    assert second.records == first.records
    # Those in flight at the save are told to the restored searcher.
    for name, record in list(second.records.items()):
        if record.state == "running":
            second.on_trial_complete(name, {"error": 0.5, "training_iteration": 3})
    check(before + drive(second, [f"b{number}" for number in range(9)], random.Random(2)))
    assert json.loads((tmp_path / "state").read_text())["format"] == "nas-searcher/1"


def test_a_pickled_searcher_goes_on_with_what_it_was_told() -> None:
    first = Searcher(experiment("tpe"))
    before = drive(first, list("abcdef"), random.Random(0))
    check(before + drive(copied(first), list("ghijkl"), random.Random(0)))


def test_a_result_is_told_as_the_metric_says() -> None:
    searcher = Searcher(experiment(), metric="accuracy", mode="max")
    for name, result in {
        "good": {"accuracy": 0.75, "training_iteration": 4},
        "nan": {"accuracy": float("nan")},
        "gone": {"accuracy": 0.9, "diverged": True},
        "other": {"loss": 1.0},
    }.items():
        searcher.suggest(name)
        searcher.on_trial_complete(name, result)
    states = {name: (record.state, record.known_error) for name, record in searcher.records.items()}
    assert states == {
        "good": ("complete", 0.25), "nan": ("failed", None), "gone": ("failed", None), "other": ("failed", None),
    }  # fmt: skip


def test_a_trial_that_failed_is_told_as_failed_although_it_had_an_error() -> None:
    searcher = Searcher(experiment())
    searcher.suggest("a")
    searcher.on_trial_result("a", {"error": 0.2, "training_iteration": 1})
    searcher.on_trial_complete("a", {"error": 0.2, "training_iteration": 1}, error=True)
    assert searcher.records["a"].state == "failed"
    searcher.on_trial_complete("unknown", {"error": 0.2})


def three(trial: Trial, task: Task) -> Graph:
    x = Stem(trial.suggest_int("width", 8, 24, step=8))(task.image())
    return Graph.of(GapHead(task.classes)(x))


def test_it_finishes_when_the_space_holds_no_other_network() -> None:
    searcher = Searcher(nas.Experiment(space=three, data="digits"), sampler="random")
    proposed = [searcher.suggest(str(number)) for number in range(4)]
    assert [isinstance(each, dict) for each in proposed] == [True, True, True, False]
    assert proposed[3] == Searcher.FINISHED
    with pytest.raises(ExperimentError, match="only 3 networks inside the budget, not 4"):
        sample("quickstart", 4, space=three)


def test_a_param_space_may_hold_constants_only() -> None:
    searcher = Searcher(experiment())
    assert not searcher.set_search_properties(None, None, {"recipe": {"batch": 64}})
    with pytest.raises(ExperimentError, match="samples recipe/learning_rate"):
        searcher.set_search_properties(None, None, {"recipe": {"learning_rate": tune.loguniform(0.1, 1)}})
    with pytest.raises(ExperimentError, match="network"):
        searcher.set_search_properties(None, None, {"network": {}})


def test_the_state_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state"
    for text in ("", "[]", '{"format": "nas-searcher/2", "trials": []}', '{"format": "nas-searcher/1"}'):
        file.write_text(text)
        with pytest.raises(RunError, match=r"is not the state of a nas\.tune\.Searcher"):
            Searcher(experiment()).restore(str(file))


def test_a_config_lays_its_recipe_over_and_is_checked() -> None:
    quick = experiment()
    (table,) = sample(quick, 1)
    job = to_job({"network": table, "recipe": {"learning_rate": 0.5}}, quick)
    assert (job.recipe.learning_rate, job.recipe.epochs) == (0.5, quick.recipe.epochs)
    with pytest.raises(ExperimentError, match="rate_of_learning"):
        to_job({"network": table, "recipe": {"rate_of_learning": 0.5}}, quick)
    with pytest.raises(ExperimentError, match="the config has no 'network', found rate"):
        to_job({"rate": 1}, quick)
    counted = checked_graph(table["genome"], quick)
    small = experiment(budget={"params": {"max": counted.cost.params - 1}})
    with pytest.raises(BudgetError, match="outside the budget of params"):
        trainable(small)(config={"network": table})


def folding() -> Graph:
    return Graph.of(GapHead(10)(RepVGGBlock(8)(RepVGGBlock(8, 2)(Input((1, 8, 8))()))))


@pytest.mark.parametrize("other", [{}, {"genome": to_json(folding())}], ids=["of the space", "folding"])
def test_a_training_goes_on_from_a_checkpoint_to_the_bit(other: dict[str, str], tmp_path: Path) -> None:
    quick = experiment(recipe={"epochs": 3, "ema_decay": 0.9})
    table = sample(quick, 1)[0] | other
    made: Any = trainable(quick)
    whole, first, second = (made(config={"network": table}) for _ in range(3))
    scores = [whole.train() for _ in range(3)]
    first.train()
    first.save(str(tmp_path))
    second.restore(str(tmp_path))
    rest = [second.train() for _ in range(2)]
    kept = ("epoch", "error", "loss", "train_loss", "done", "params", "macs", "flops")
    assert [[each[key] for key in kept] for each in rest] == [[each[key] for key in kept] for each in scores[1:]]
    assert [each["done"] for each in scores] == [False, False, True]
    assert scores[0]["flops"] == 2 * scores[0]["macs"]
    net = nas.tune.network(tmp_path)
    assert sum(each.numel() for each in net.parameters()) == scores[0]["params"]
    second.reset_config({"network": table, "recipe": {"learning_rate": 0.01}})
    assert second.train()["epoch"] == 1


@pytest.mark.parametrize("sampler", ["tpe", "evolution-graphs"])
def test_a_searcher_is_told_the_same_of_an_earlier_run_after_a_restore(
    sampler: str, finished_run: Path, tmp_path: Path
) -> None:
    old = shutil.copytree(finished_run, tmp_path / "old")
    first = Searcher(experiment(sampler, start=str(old)))
    before = drive(first, list("abcdef"), random.Random(0))
    first.save(str(tmp_path / "state"))
    shutil.rmtree(old)
    second = Searcher(experiment(sampler, start=str(old)))
    second.restore(str(tmp_path / "state"))
    assert second.earlier == first.earlier == copied(first).earlier
    assert len(second.earlier or ()) == 8
    check(before + drive(second, list("ghijkl"), random.Random(1)))
