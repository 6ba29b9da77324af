"""The contract of a trainer: call `check_trainer` in a test with the class or function. A small network is trained."""

from collections.abc import Callable
from dataclasses import asdict, replace
from io import BytesIO
from typing import Any

import torch
from torch import nn

from nas.genome import Graph, Task
from nas.genome.primitives import GapHead, Stem
from nas.model.module import module
from nas.training.data import Data, Source, Split, load_data
from nas.training.recipe import Recipe
from nas.training.score import Score
from nas.training.trainer import Trainer, as_trainer, run_trainer

MakeTrainer = Callable[[nn.Module, Data, Recipe, int, str], Any]

RECIPE = Recipe(epochs=3, batch=32)
MEASURED = ("seconds", "images_per_second", "peak_bytes")
"""What differs between two trainings that are the same."""


def check_trainer(make: MakeTrainer, metric: str = "error", repeats: bool = True) -> None:
    """Check that a trainer trains in place, gives its scores, and goes on from its state in a fresh object.

    make: the class, or the function that yields scores. metric: that a search reads. repeats: whether the same seed
    gives the same scores and weights, to the bit. Raises AssertionError that names the broken promise, TrainingError,
    and what the trainer raises.
    """
    data = _few_digits()
    network, trainer = _begun(make, data)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    whole = list(run_trainer(trainer, RECIPE.epochs, metric))
    after = network.state_dict()
    assert {name: tensor.shape for name, tensor in before.items()} == {
        name: tensor.shape for name, tensor in after.items()
    }, "the network has other weights than before: it must be trained in place"
    assert any(not torch.equal(before[name].to(after[name].device), after[name]) for name in before), (
        "no weight has changed: the network that is given must be trained"
    )
    _, first = _begun(make, data)
    for _ in run_trainer(first, 1, metric):
        pass
    state = _stored(first.state())
    resumed, second = _begun(make, data)
    second.load(state)
    rest = list(run_trainer(second, RECIPE.epochs, metric, done=1))
    assert [score.epoch for score in rest] == [score.epoch for score in whole[1:]], "a loaded state loses epochs"
    if repeats:
        assert list(map(_result, rest)) == list(map(_result, whole[1:])), "scores differ after a state was loaded"
        same = all(torch.equal(tensor, resumed.state_dict()[name]) for name, tensor in after.items())
        assert same, "weights differ after a state was loaded"


def _few_digits() -> Data:
    data = load_data(Source("digits"))
    return replace(data, train=Split(data.train.images[:160], data.train.labels[:160]))


def _begun(make: MakeTrainer, data: Data) -> tuple[nn.Module, Trainer]:
    torch.manual_seed(7)
    graph = Graph.of(GapHead(10, 0.2)(Stem(8)(Task("digits", (1, 8, 8), 10).image())))
    network = module(graph, training=True)
    return network, as_trainer("that is checked", make(network, data, RECIPE, 7, "cpu"))


def _stored(state: Any) -> Any:
    """Return a state as it is read again from a file."""
    file = BytesIO()
    torch.save(state, file)
    file.seek(0)
    try:
        return torch.load(file, weights_only=True)
    except Exception as problem:  # noqa: BLE001  (torch raises several)
        raise AssertionError(f"the state holds more than tensors and plain data: {problem}") from None


def _result(score: Score) -> dict[str, Any]:
    return {name: value for name, value in asdict(score).items() if name not in MEASURED}
