"""Recipes: every number has its reason, misspelled keys are refused, the papers' schedules hold to the step."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from nas.errors import ExperimentError
from nas.search.experiment_file import read_experiment
from nas.training.optim import WeightAverage, initialize, learning_rate, make_optimizer
from nas.training.recipe import FORMER_KEYS, HERE, RECIPES, Recipe, recipe, recipe_settings


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 2))


@pytest.mark.parametrize("name", RECIPES)
def test_every_number_of_a_named_recipe_has_its_reason_and_travels_as_json(name: str) -> None:
    for line in (HERE / f"{name}.toml").read_text().splitlines():
        assert line.startswith("# ") or len(line.partition("  # ")[2]) > 6, line
    found = recipe(name)
    assert Recipe(**json.loads(json.dumps(dataclasses.asdict(found)))) == found
    make_optimizer(small(), found)


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(ExperimentError, match="densenet_cifar, fast"):
        recipe("resnet")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": True}, "epochs"),
        ({"learning_rate": "0.1"}, "learning_rate"),
        ({"momentum": 1.0}, "momentum"),
        ({"optimizer": "adam"}, "nesterov"),
        ({"color": 1}, "color"),
        ({"schedule": "step"}, "needs `milestones`"),
        ({"milestones": [0.5]}, "step"),
        ({"schedule": "step", "milestones": [0.7, 0.5]}, "must rise"),
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
        (Recipe(learning_rate=0.5, warmup=0.25), 0.125, 0.25),
        (Recipe(learning_rate=0.5, warmup=0.25), 0.625, 0.25),
        (Recipe(learning_rate=0.5, warmup=0.5, schedule="onecycle"), 0.75, 0.25),
    ],
)
def test_the_rate_of_a_step(settings: Recipe, progress: float, expected: float) -> None:
    assert learning_rate(settings, progress) == pytest.approx(expected)


schedules = st.builds(
    lambda schedule, milestones, **other: Recipe(
        schedule=schedule, milestones=milestones if schedule == "step" else (), **other
    ),
    st.sampled_from(["cosine", "onecycle", "step", "exponential"]),
    st.sampled_from([(0.3,), (0.5, 0.75)]),
    warmup=st.floats(0, 0.9),
    gamma=st.floats(0.01, 0.99),
    step_epochs=st.integers(1, 9),
    epochs=st.integers(1, 300),
)


@given(schedules, st.lists(st.floats(1e-6, 1), min_size=2, max_size=20))
def test_every_rate_is_within_bounds_and_falls_after_the_warm_up(settings: Recipe, places: list[float]) -> None:
    rates = [learning_rate(settings, place) for place in sorted(places) if place >= settings.warmup]
    assert rates == sorted(rates, reverse=True)
    assert all(0 <= learning_rate(settings, place) <= settings.learning_rate * (1 + 1e-9) for place in places)
    if settings.schedule in ("cosine", "onecycle"):
        assert learning_rate(settings, 1.0) == 0


def test_kernels_alone_decay() -> None:
    network = small()
    for kind in ("sgd", "nesterov", "adamw", "rmsprop"):
        kernels, rest = make_optimizer(network, Recipe(weight_decay=0.25, optimizer=kind)).param_groups
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
    descent, places = make_optimizer(layer, Recipe(optimizer=kind, weight_decay=0.0, epsilon=1.0)), []
    for _ in expected:
        layer.weight.grad = torch.ones(1, 1)
        descent.step()
        places.append(layer.weight.item())
    assert places == pytest.approx(expected, rel=1e-5)


def test_initialization_is_hes_and_discards_earlier_training() -> None:
    network = nn.Sequential(nn.Conv2d(64, 64, 3), nn.BatchNorm2d(64), nn.Linear(512, 512))
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.fill_(7)
    torch.manual_seed(0)
    initialize(network)
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


OLD = {
    "optimizer": "rmsprop", "rate": 0.2, "momentum": 0.8, "decay": 0.01, "clip": 1.0, "schedule": "exponential",
    "factor": 0.5, "every": 3, "shift": 2, "average": 0.9, "smoothing": 0.05,
}  # fmt: skip
NEW = Recipe(
    optimizer="rmsprop", learning_rate=0.2, rms_alpha=0.8, weight_decay=0.01, grad_clip=1.0, schedule="exponential",
    gamma=0.5, step_epochs=3, crop_padding=2, ema_decay=0.9, label_smoothing=0.05,
)  # fmt: skip


def test_former_keys_are_read_as_todays() -> None:
    assert Recipe(**recipe_settings(OLD)) == NEW
    assert recipe_settings({"schedule": "step", "drops": [0.5]}) == {"schedule": "step", "milestones": [0.5]}
    changed = Recipe(**recipe_settings({"like": "resnet_cifar", "rate": 0.3, "schedule": "cosine"}))
    assert changed == dataclasses.replace(recipe("resnet_cifar"), learning_rate=0.3, schedule="cosine", milestones=())
    written = dataclasses.asdict(NEW)
    assert recipe_settings(written) == written


@pytest.mark.parametrize(("former", "key"), FORMER_KEYS.items())
def test_a_key_under_both_names_is_refused_with_the_new_one(former: str, key: str) -> None:
    with pytest.raises(ExperimentError, match=f"`{former}` is the former name of `{key}`.*keep `{key}` only"):
        recipe_settings({former: 0.1, key: 0.1})
    with pytest.raises(ValidationError, match=f"`{former}` is now `{key}`"):
        Recipe(**{former: 0.1})


def test_momentum_of_rmsprop_was_what_is_rms_alpha_now() -> None:
    assert recipe_settings({"like": "inception_v3", "momentum": 0.8})["rms_alpha"] == 0.8
    assert recipe_settings({"like": "inception_v3", "momentum": 0.8, "optimizer": "sgd"})["momentum"] == 0.8
    both = {"optimizer": "rmsprop", "momentum": 0.5, "rms_alpha": 0.7}
    assert recipe_settings(both) == both


def test_an_experiment_written_before_the_keys_changed_is_read(tmp_path: Path) -> None:
    lines = [f"{key} = {json.dumps(value)}" for key, value in OLD.items()]
    path = tmp_path / "old.toml"
    path.write_text("\n".join(['space = "mixed"', 'data = "digits"', "[recipe]", *lines]), encoding="utf-8")
    assert read_experiment(path).recipe == NEW
    assert read_experiment(path, {"recipe.rate": 0.4}).recipe == dataclasses.replace(NEW, learning_rate=0.4)
    with pytest.raises(ExperimentError, match=r"`rate` is the former name of `learning_rate`"):
        read_experiment(path, {"recipe.learning_rate": 0.4})
