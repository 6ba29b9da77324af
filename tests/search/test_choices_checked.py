"""Choices that Optuna refuses are refused by file and line; ranges are rounded as Optuna rounds them."""

import random
import warnings
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from statistics import mean
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from nas.errors import ExperimentError
from nas.genome import Task
from nas.search import space
from nas.search.checked_trial import CheckedTrial
from nas.search.distributions import (
    Distributions,
    OneOf,
    float_range,
    from_optuna,
    from_optuna_json,
    int_range,
    one_of,
    to_optuna,
)
from nas.search.experiment_file import load_experiment
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.preflight import preflight
from nas.search.propose.proposer import Proposer
from nas.search.ranges import FloatRange, IntRange
from nas.search.registries import SAMPLERS
from nas.search.space import load_space

TASK = Task("digits", (1, 8, 8), 10)
HEAD = "from nas.genome import Graph\nfrom nas.genome.primitives import *\ndef mine(trial, task):\n    t = trial\n"
TAIL = "    w = t.suggest_int('w', 4, 60)\n    return Graph.of(GapHead(10)(Stem(w)(task.image())))\n"
REFUSED = {
    "list of a choice": "t.suggest_categorical('k', list(range(1, 1 + t.suggest_int('n', 2, 4))))",
    "int and list": "t.suggest_int('k', 1, 3) if t.suggest_int('a', 0, 1) else t.suggest_categorical('k', [3])",
    "int and float": "t.suggest_int('k', 1, 3) if t.suggest_categorical('a', [0, 1]) else t.suggest_float('k', 0, 1)",
    "list grew": "mine.__dict__.setdefault('l', [1]).append(len(mine.l) + 1); t.suggest_categorical('k', mine.l)",
    "nan": "t.suggest_categorical('k', [1.0, float('nan')])",
    "nan range": "t.suggest_float('k', 0.0, float('nan'))",
    "half": "t.suggest_int('k', 1.5, 4)",
    "object": "t.suggest_categorical('k', [object()])",
    "asked twice": "t.suggest_int('k', 1, 4), t.suggest_int('k', 8, 9)",
    "twice in a list": "t.suggest_categorical('k', [(1, 2), [1, 2]])",
}
MADE_TO_WORK = ["(3, 3), (5, 5)", "[3], [3, 5]", "None, (1,)", "1, True", "Conv, Stem"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(space, "resource", lambda _folder, name: tmp_path / name)
    monkeypatch.setattr(space, "names", lambda *_: ["mine"])
    load_space.cache_clear()
    return tmp_path / "mine.py"


@pytest.mark.parametrize("fault", REFUSED)
def test_a_choice_that_optuna_refuses_is_refused_before_anything_is_trained(fault: str, home: Path) -> None:
    home.write_text(HEAD + f"    {REFUSED[fault]}\n" + TAIL)
    with pytest.raises(ExperimentError, match=r"mine.py, line 5: ValueError"):
        preflight(load_experiment("quickstart"), load_space("mine"), TASK, draws=60)


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "gp"])
@pytest.mark.parametrize("values", MADE_TO_WORK)
def test_lists_of_any_plain_values_work_with_every_sampler(values: str, sampler: str, home: Path) -> None:
    home.write_text(HEAD + f"    k = t.suggest_categorical('k', [{values}])\n    assert k in [{values}]\n" + TAIL)
    experiment = load_experiment("quickstart", {"sampler": sampler, "trials": 12, "budget": {}})
    proposer = Proposer(experiment, load_space("mine"), TASK)
    for number in range(9):
        proposal = proposer.ask()
        assert proposal is not None
        assert all(type(value) in (str, int, float, bool) for value in proposal.choices.values())
        proposer.tell(proposal, number / 10)


def test_a_distribution_is_made_once_whoever_asks() -> None:
    asked: Distributions = {}
    guided = [GuidedTrial(random.Random(0)) for _ in range(2)]
    for trial in guided:
        checked = CheckedTrial(trial, asked)
        checked.suggest_int("i", 1, 9, step=2)
        checked.suggest_float("f", 0.0, 1.0)
        checked.suggest_categorical("c", ["x", "y"])
    for name, first in asked.items():
        assert all(trial.distributions[name] is first for trial in guided), name


def test_values_that_are_equal_and_of_other_types_are_other_distributions() -> None:
    kept = [one_of(*values).values for values in ((1, 0), (True, False), (1.0, 0.0), (True, 0))]
    assert [list(map(type, values)) for values in kept] == [[int] * 2, [bool] * 2, [float] * 2, [bool, int]]
    assert [type(int_range(1, high).high) for high in (2, 3)] == [int, int]
    unhashable: Any = [[3], [3, 5]]
    assert one_of(*unhashable) == OneOf(([3], [3, 5]))  # type: ignore[arg-type]
    for empty in (lambda: int_range(2, 1), lambda: float_range(2.0, 1.0), one_of):
        with pytest.raises(ValueError, match="no "):
            empty()


def theirs(low: float, high: float, step: float) -> FloatDistribution:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FloatDistribution(low, high, step=step)


@given(st.integers(-500, 500), st.integers(0, 500), st.integers(1, 300))
def test_steps_of_a_float_are_rounded_as_optuna_rounds(low: int, span: int, step: int) -> None:
    ours = FloatRange(low / 100, (low + span) / 100, step / 100)
    wanted = theirs(low / 100, (low + span) / 100, step / 100)
    assert to_optuna(ours) == wanted
    assert all(wanted._contains(value) and ours.allows(value) for value in ours.values)


@given(st.floats(-5, 5), st.floats(0, 5), st.floats(0.01, 3))
def test_a_range_of_many_digits_stays_the_same_when_optuna_reads_it_again(low: float, span: float, step: float) -> None:
    ours = FloatRange(low, low + span, step)
    assert ours.high <= theirs(low, low + span, step).high
    again = theirs(ours.low, ours.high, step)
    assert again.high == ours.high
    assert all(again._contains(value) and ours.allows(value) for value in ours.values)


@given(st.integers(-50, 50), st.integers(0, 50), st.integers(1, 60))
def test_steps_of_an_int_are_rounded_as_optuna_rounds(low: int, span: int, step: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = IntDistribution(low, low + span, step=step)
    ours = IntRange(low, low + span, step)
    assert to_optuna(ours) == wanted
    assert all(wanted._contains(value) and ours.allows(value) for value in ours.values)


def test_a_step_that_does_not_divide_its_range_stays_inside() -> None:
    drawn = {GuidedTrial(random.Random(seed)).suggest_float("m", 0.0, 1.0, step=0.6) for seed in range(20)}
    assert drawn == set(FloatRange(0.0, 1.0, 0.6).values) == {0.0, 0.6}


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda trial: trial.suggest_int("x", 1, 1000, log=True), IntDistribution(1, 1000, log=True)),
        (lambda trial: trial.suggest_int("x", 2, 8, step=3), IntDistribution(2, 8, step=3)),
        (lambda trial: trial.suggest_float("x", 1e-4, 1.0, log=True), FloatDistribution(1e-4, 1.0, log=True)),
        (lambda trial: trial.suggest_uniform("x", 0.0, 1.0), FloatDistribution(0.0, 1.0)),
        (lambda trial: trial.suggest_loguniform("x", 0.1, 1.0), FloatDistribution(0.1, 1.0, log=True)),
        (lambda trial: trial.suggest_discrete_uniform("x", 0.0, 1.0, 0.25), FloatDistribution(0.0, 1.0, step=0.25)),
        (lambda trial: trial.suggest_categorical("x", ["a", "b"]), CategoricalDistribution(("a", "b"))),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_trial_takes_every_suggest_call_of_optunas(call: Callable[[Any], Any], kind: Any) -> None:
    drawn = [call(CheckedTrial(GuidedTrial(random.Random(seed)), {})) for seed in range(300)]
    theirs: Any = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    assert call(theirs) is not None
    assert theirs.distributions["x"] == kind
    assert all(kind._contains(kind.to_internal_repr(value)) for value in drawn)
    ours = from_optuna(kind)
    assert to_optuna(ours) == kind
    assert from_optuna_json(distribution_to_json(kind)) == ours
    if getattr(kind, "log", False):
        middle = sqrt(kind.low * kind.high)
        assert 0.35 < mean(value < middle for value in drawn) < 0.65
    asked: dict[str, Any] = {}
    call(CheckedTrial(theirs, asked))
    assert asked["x"] == ours


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda trial: trial.suggest_int("x", 0, 9, log=True), "whole numbers from 1 on"),
        (lambda trial: trial.suggest_int("x", 1, 9, step=2, log=True), "no step"),
        (lambda trial: trial.suggest_float("x", 0.0, 1.0, log=True), "numbers above 0"),
        (lambda trial: (trial.suggest_int("x", 1, 9), trial.suggest_int("x", 1, 9, log=True)), "one name has one kind"),
    ],
)
def test_what_optuna_refuses_of_a_logarithm_is_refused(call: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call(CheckedTrial(GuidedTrial(random.Random(0)), {}))
