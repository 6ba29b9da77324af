"""Recipes: every number with its reason, nothing misspelt, the papers' schedules to the step."""

import dataclasses
import json
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from nas.errors import ExperimentError
from nas.training.optim import WeightAverage, initialise, optimizer, rate
from nas.training.recipe import HERE, RECIPES, Recipe, recipe


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 2))


@pytest.mark.parametrize("name", RECIPES)
def test_every_number_of_a_named_recipe_has_its_reason_and_travels_as_json(name: str) -> None:
    for line in (HERE / f"{name}.toml").read_text().splitlines():
        assert line.startswith("# ") or len(line.partition("  # ")[2]) > 6, line
    found = recipe(name)
    assert Recipe(**json.loads(json.dumps(dataclasses.asdict(found)))) == found
    optimizer(small(), found)


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(ExperimentError, match="densenet_cifar, fast"):
        recipe("resnet")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": True}, "epochs"),
        ({"rate": "0.1"}, "rate"),
        ({"momentum": 1.0}, "momentum"),
        ({"optimizer": "adam"}, "nesterov"),
        ({"colour": 1}, "colour"),
        ({"schedule": "step"}, "needs `drops`"),
        ({"drops": [0.5]}, "step"),
        ({"schedule": "step", "drops": [0.7, 0.5]}, "must rise"),
    ],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Recipe(**wrong)


RESNET, INCEPTION = recipe("resnet_cifar"), recipe("inception_v3")


@pytest.mark.parametrize(
    ("settings", "progress", "expected"),
    [
        (RESNET, 32_000 / 64_000, 0.1),
        (RESNET, 32_001 / 64_000, 0.01),
        (RESNET, 48_001 / 64_000, 0.001),
        (INCEPTION, 2 / 100, 0.045),  # the last step of the second epoch
        (INCEPTION, 2.001 / 100, 0.045 * 0.94),
        (INCEPTION, 1.0, 0.045 * 0.94**49),
        (Recipe(rate=0.5, warmup=0.25), 0.125, 0.25),
        (Recipe(rate=0.5, warmup=0.25), 0.625, 0.25),
        (Recipe(rate=0.5, warmup=0.5, schedule="onecycle"), 0.75, 0.25),
    ],
)
def test_the_rate_of_a_step(settings: Recipe, progress: float, expected: float) -> None:
    assert rate(settings, progress) == pytest.approx(expected)


schedules = st.builds(
    lambda schedule, drops, **other: Recipe(schedule=schedule, drops=drops if schedule == "step" else (), **other),
    st.sampled_from(["cosine", "onecycle", "step", "exponential"]),
    st.sampled_from([(0.3,), (0.5, 0.75)]),
    warmup=st.floats(0, 0.9),
    factor=st.floats(0.01, 0.99),
    every=st.integers(1, 9),
    epochs=st.integers(1, 300),
)


@given(schedules, st.lists(st.floats(1e-6, 1), min_size=2, max_size=20))
def test_every_rate_is_within_bounds_and_falls_after_the_warm_up(settings: Recipe, places: list[float]) -> None:
    rates = [rate(settings, place) for place in sorted(places) if place >= settings.warmup]
    assert rates == sorted(rates, reverse=True)
    assert all(0 <= rate(settings, place) <= settings.rate * (1 + 1e-9) for place in places)
    if settings.schedule in ("cosine", "onecycle"):
        assert rate(settings, 1.0) == 0


def test_kernels_alone_decay() -> None:
    network = small()
    for kind in ("sgd", "nesterov", "adamw", "rmsprop"):
        kernels, rest = optimizer(network, Recipe(decay=0.25, optimizer=kind)).param_groups
        assert (kernels["weight_decay"], rest["weight_decay"]) == (0.25, 0.0)
        assert all(p.ndim > 1 for p in kernels["params"])
        assert len(kernels["params"]) + len(rest["params"]) == len(list(network.parameters()))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("sgd", [-0.1, -0.1 - 0.19]),
        ("nesterov", [-0.19, -0.19 - 0.271]),  # 1 + 0.9; 1 + 0.9 (1 + 0.9)
        ("rmsprop", [-0.1 / (0.1**0.5 + 1), -0.1 / (0.1**0.5 + 1) - 0.1 / (0.19**0.5 + 1)]),
        ("adamw", [-0.05, -0.1]),  # m / (root of v + epsilon), both unbiased: 1 / (1 + 1)
    ],
)
def test_two_steps_down_a_slope_of_one_by_hand(kind: Any, expected: list[float]) -> None:
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.zero_()
    descent, places = optimizer(layer, Recipe(optimizer=kind, decay=0.0, epsilon=1.0)), []
    for _ in expected:
        layer.weight.grad = torch.ones(1, 1)
        descent.step()
        places.append(layer.weight.item())
    assert places == pytest.approx(expected, rel=1e-5)


def test_initialisation_is_hes_and_forgets_an_earlier_training() -> None:
    network = nn.Sequential(nn.Conv2d(64, 64, 3), nn.BatchNorm2d(64), nn.Linear(512, 512))
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.fill_(7)
    torch.manual_seed(0)
    initialise(network)
    assert network[0].weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    assert network[2].weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.02)
    assert network[2].bias.abs().max() == 0
    assert (network[1].running_mean.max(), network[1].weight.min(), network[1].num_batches_tracked) == (0, 1, 0)


def test_the_average_is_of_weights_and_statistics_and_changes_places_with_them() -> None:
    network = small()
    average = WeightAverage(network, 0.5)
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        for tensor in (network[0].weight, network[1].running_mean, network[3].bias):
            tensor.add_(11)
    average.update()  # the first step keeps 2 / 11, less than 0.5
    average.swap()
    for name in ("0.weight", "1.running_mean", "3.bias"):
        assert torch.allclose(network.state_dict()[name], start[name] + 9, atol=1e-5)
    average.swap()
    for name, tensor in network.state_dict().items():
        moved = 11 if name in ("0.weight", "1.running_mean", "3.bias") else 0
        assert torch.allclose(tensor, start[name] + moved)
