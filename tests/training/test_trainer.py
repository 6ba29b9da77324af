"""One contract for all that trains: a state goes on to the bit, a generator is taken, a bad score is one message."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from search.results.image_run import card_of, image_run, write_images
from torch import nn

from nas.errors import ExperimentError, RunError, TrainingError
from nas.genome import Graph, to_json
from nas.genome.primitives import GapHead, Stem
from nas.model import module
from nas.search.experiment import Experiment
from nas.search.results.export_trial import export_trial
from nas.search.store.run import load_run
from nas.search.trial import Reason, TrialRecord
from nas.search.workers.job import Event, Job, Outcome, Progress, event_from_json, event_to_json
from nas.search.workers.worker import train_job
from nas.testing.trainers import check_trainer
from nas.training.data import Data, Source, Split, load_data, task
from nas.training.recipe import Recipe
from nas.training.score import Score
from nas.training.train import Training
from nas.training.trainer import checked_score, run_trainer
from nas.user_code import trust

DIGITS = load_data("digits")
FEW = replace(DIGITS, train=Split(DIGITS.train.images[:200], DIGITS.train.labels[:200]))


def network() -> nn.Module:
    return module(Graph.of(GapHead(10, 0.3)(Stem(8)(task("digits").image()))))


def result(score: Score) -> tuple[Any, ...]:
    return score.epoch, score.error, score.loss, score.train_loss, score.balanced_error, score.confusion


def by_hand(network: nn.Module, data: Data, recipe: Recipe, seed: int, device: str) -> Iterator[Score]:
    """A trainer as somebody writes it: one full batch per epoch."""
    images = torch.from_numpy(data.train.images[:100]).float() / 255
    labels = torch.from_numpy(data.train.labels[:100])
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for epoch in range(1, recipe.epochs + 1):
        loss = nn.functional.cross_entropy(network.train()(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        error = (network.eval()(images).argmax(1) != labels).float().mean()
        yield Score(epoch, error, loss.detach())  # type: ignore[arg-type]  # tensors are taken too


class Confused(Training):
    """Ours, with a state that no file keeps safely."""

    def state(self) -> dict[str, Any]:
        return super().state() | {"network": SimpleNamespace()}


class Elsewhere(Training):
    """Ours, training a network of its own."""

    def __init__(self, _: nn.Module, *rest: Any) -> None:
        super().__init__(network(), *rest)


class Forgetful(Training):
    """Ours, without the optimizer's moments in its state."""

    def load(self, state: Any) -> None:
        super().load({**state, "loop": state["loop"] | {"moments": {}}})


def test_trainers_keep_the_contract_and_the_check_can_fail() -> None:
    check_trainer(Training)
    check_trainer(Training, "balanced_error")
    check_trainer(by_hand)
    with pytest.raises(AssertionError, match="more than tensors and plain data"):
        check_trainer(Confused)
    with pytest.raises(AssertionError, match="no weight has changed"):
        check_trainer(Elsewhere)
    with pytest.raises(AssertionError, match="scores differ after a state was loaded"):
        check_trainer(Forgetful)
    with pytest.raises(TrainingError, match="gives no balanced_error"):
        check_trainer(by_hand, "balanced_error")


def test_the_trainer_of_the_page_keeps_the_contract() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(import.*?)^```", page, re.MULTILINE | re.DOTALL)
    made: dict[str, Any] = {}
    exec(compile(block, "docs/training.md", "exec"), made)
    check_trainer(made["Mine"])
    check_trainer(made["Mine"], "balanced_error")


@pytest.mark.parametrize(
    "change",
    [
        {"ema_decay": 0.9},
        {"optimizer": "adamw", "learning_rate": 0.01, "schedule": "step", "milestones": (0.5,)},
        {"optimizer": "rmsprop", "epsilon": 1.0, "mixup": 0.2, "cutout": 3, "flip": True},
        {"class_weights": "balanced", "schedule": "onecycle"},
    ],
    ids=str,
)
@pytest.mark.parametrize("carried", [1, 3])
def test_a_state_goes_on_to_the_bit(change: dict[str, Any], carried: int) -> None:
    recipe = Recipe(epochs=4, **change)
    whole, there, here = network(), network(), network()
    expected = [result(score) for score in run_trainer(Training(whole, FEW, recipe, 3), 4)]
    first = Training(there, FEW, recipe, 3)
    scores = [result(score) for score in run_trainer(first, carried)]
    state = first.state()
    first.epoch()  # a state is a copy: what is trained meanwhile does not change it
    torch.rand(7)
    second = Training(here, FEW, recipe, 999)
    second.load(state)
    scores += [result(score) for score in run_trainer(second, 4, done=carried)]
    assert scores == expected
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, here.state_dict()[name]), name
    with pytest.raises(StopIteration):
        second.epoch()


def test_another_recipe_holds_after_a_state_was_loaded() -> None:
    first = Training(network(), FEW, Recipe(epochs=4), 0)
    first.epoch()
    second = Training(network(), FEW, Recipe(epochs=4, weight_decay=0.01, learning_rate=0.02), 0)
    second.load(first.state())
    second.epoch()
    assert [group["weight_decay"] for group in second.loop.optimizer.param_groups] == [0.01, 0]
    assert second.loop.optimizer.param_groups[0]["lr"] < 0.02


@pytest.mark.parametrize("other", [{"optimizer": "adamw"}, {"ema_decay": 0.5}])
def test_a_state_of_another_training_is_refused(other: dict[str, Any]) -> None:
    first = Training(network(), FEW, Recipe(epochs=2), 0)
    first.epoch()
    with pytest.raises(TrainingError, match="the state is not of a training of this network: optimizer"):
        Training(network(), FEW, Recipe(**other), 0).load(first.state())
    larger = module(Graph.of(GapHead(10)(Stem(16)(task("digits").image()))))
    with pytest.raises(TrainingError, match="not of a training of this network"):
        Training(larger, FEW, Recipe(epochs=2), 0).load(first.state())


GOOD = Score(1, 0.25, 1.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (0.25, "gave float (0.25) for epoch 1, not a nas.training.score.Score"),
        (None, "gave NoneType"),
        (replace(GOOD, epoch=2), "gave epoch 2 where 1 was due; epochs count from 1"),
        (replace(GOOD, epoch=0), "gave epoch 0"),
        (replace(GOOD, error=25.0), "gave error 25 for epoch 1; it is a share of images, from 0 to 1"),
        (replace(GOOD, error=-0.1), "gave error -0.1"),
        (replace(GOOD, error="low"), "holds what is not a number"),  # type: ignore[arg-type]
        (replace(GOOD, loss=None), "holds what is not a number"),  # type: ignore[arg-type]
        (replace(GOOD, confusion=((1, 2), (3,))), "confusion must be square"),
        (replace(GOOD, confusion=((1, -2), (3, 4))), "counts of images"),
    ],
)
def test_a_bad_score_is_one_message(given: Any, said: str) -> None:
    with pytest.raises(TrainingError) as problem:
        checked_score(given, 1)
    assert said in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_score_is_taken_with_the_metric_as_its_error() -> None:
    counts = np.array([[3, 1], [0, 4]])
    given = Score(1, np.float32(0.25), torch.tensor(2.0), balanced_error=0.5, confusion=counts)  # type: ignore[arg-type]
    score = checked_score(given, 1, "balanced_error")
    assert (score.error, score.loss, score.confusion) == (0.5, 2.0, ((3, 1), (0, 4)))
    event = Progress(7, score)
    assert event_from_json(event_to_json(event)) == event
    assert checked_score(replace(GOOD, error=float("nan")), 1).diverged


MINE = """
from nas.training.score import Score

def ended(*_):
    yield Score(1, 0.5)

def empty(*_):
    yield from ()

def lost(*_):
    yield Score(1, float("nan"))

def wrong(*_):
    yield 0.5

def raising(*_):
    yield Score(1, 0.5)
    raise KeyError("no such\\nthing")

def nothing(*_):
    return None

def grown(network, *_):
    network.extra = type(network)()
    yield Score(1, 0.5)

def few():
    yield Score(1, 0.5)

number = 7
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_trainers.py").write_text(MINE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "my_trainers", raising=False)
    return "my_trainers"


def job(trainer: str, folder: Path, **changes: Any) -> list[Event]:
    genome = to_json(Graph.of(GapHead(10)(Stem(4)(task("digits").image()))))
    made = Job(5, genome, Source("digits"), Recipe(epochs=2), 0, str(folder / "w.safetensors"), trainer, **changes)
    return list(train_job(made))


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("ended", Reason.NONE, ""),
        ("empty", Reason.ERROR, "TrainingError: the trainer ended without a score"),
        ("lost", Reason.DIVERGED, ""),
        ("wrong", Reason.ERROR, "TrainingError: the trainer gave float (0.5)"),
        ("raising", Reason.ERROR, "KeyError: 'no such\\nthing' (my_trainers.py, line 18)"),
        ("nothing", Reason.ERROR, "TrainingError: trainer my_trainers:nothing returned NoneType, which has no epoch"),
        ("grown", Reason.ERROR, "TrainingError: the trainer changed the network, first its weights extra."),
        ("few", Reason.ERROR, "TypeError: few() takes 0 positional arguments but 5 were given"),
        ("number", Reason.ERROR, "ExperimentError: trainer my_trainers:number is not a class or function"),
        ("none", Reason.ERROR, "ExperimentError: my_trainers:none: my_trainers has no none; did you mean 'lost'?"),
    ],
)
def test_a_fault_of_a_trainer_is_a_failed_trial(
    mine: str, name: str, reason: Reason, said: str, tmp_path: Path
) -> None:
    *_, last = job(f"{mine}:{name}", tmp_path)
    assert isinstance(last, Outcome)
    assert last.reason is reason
    assert last.detail.startswith(said.partition(";")[0])
    assert (tmp_path / "w.safetensors").exists() == (not reason)


def test_a_metric_that_a_trainer_does_not_tell_is_a_failed_trial(mine: str, tmp_path: Path) -> None:
    *_, last = job(f"{mine}:ended", tmp_path, metric="top5_error")
    assert isinstance(last, Outcome)
    assert "the trainer gives no top5_error, which is the metric of the search" in last.detail


def test_a_trainer_is_given_as_a_function_of_a_module() -> None:
    made = Experiment(name="x", space="mixed", data="digits", trainer=by_hand)  # type: ignore[arg-type]
    assert made.trainer == f"{__name__}:by_hand"
    with pytest.raises(ValueError, match="cannot be imported by the workers"):
        Experiment(name="x", space="mixed", data="digits", trainer=lambda: None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no trainer 'standart'; did you mean 'standard'"):
        Experiment(name="x", space="mixed", data="digits", trainer="standart")


def test_a_file_of_a_trainer_travels_with_the_job(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    name = f"{tmp_path / 'mine.py'}:ended"
    trust(name)
    experiment = Experiment(name="x", space="mixed", data="digits", trainer=name, recipe=Recipe(epochs=1))
    record = TrialRecord.of(Graph.of(GapHead(10)(Stem(4)(task("digits").image()))), 0, 3)
    made = Job.for_trial(experiment, record, tmp_path / "w.safetensors")
    (tmp_path / "mine.py").unlink()  # as on another machine
    assert list(train_job(Job.from_json(made.to_json())))[-1] == Outcome(3)


def test_an_export_keeps_the_weights_of_a_trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.model.export.parity", lambda *_: {"source": {1: 0.0}})
    name, images = f"{__name__}:by_hand", write_images(tmp_path / "pets")
    with pytest.raises(ExperimentError, match=r"the trainer '.*:unknown' is code that a file names"):
        image_run(tmp_path / "untrusted", images, trainer=f"{__name__}:unknown")
    trust(name)
    run = image_run(tmp_path / "run", images, trainer=name)
    monkeypatch.setattr("nas.user_code._trusted", set())  # nothing is imported any more
    kept = run.weights(run.best()).read_bytes()
    export_trial(load_run(run.path), run.best(), tmp_path / "export", lambda _: None)
    assert (tmp_path / "export" / "weights.safetensors").read_bytes() == kept
    assert f"the error that {name} told" in card_of(tmp_path / "export")  # it normalizes in another way
    run.weights(run.best()).unlink()
    with pytest.raises(RunError, match=rf"was not kept, and {name}, which trained it, is not run again"):
        export_trial(load_run(run.path), run.best(), tmp_path / "export", lambda _: None)
