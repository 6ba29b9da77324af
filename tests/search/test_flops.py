"""FLOPs are twice MACs, wherever an experiment is written."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nas
from nas.errors import ExperimentError
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment, read_experiment, to_toml, validate_experiment
from nas.search.flops import in_macs
from nas.search.objectives import Range

PLAIN = 'space = "mixed"\ndata = "digits"\n'


def written(folder: Path, text: str, **changes: Any) -> Experiment:
    file = folder / "mine.toml"
    file.write_text(PLAIN + text, encoding="utf-8")
    return read_experiment(file, {key.replace("_", "."): value for key, value in changes.items()})


@pytest.mark.parametrize(
    "text",
    [
        "[budget]\nflops = {max = 3000000}",
        '[budget]\nflops = {max = "3M"}',
        '[budget.flops]\nmax = "3M"',
        'budget = {flops = {max = "3M"}}',
        "[budget]\nflops.max = 3_000_001",
        "[budget]\nmacs = {max = 1500000}",
    ],
)
def test_a_budget_of_flops_is_one_of_macs(text: str, tmp_path: Path) -> None:
    read = written(tmp_path, text)
    assert read.budget.as_dict() == {"macs": {"max": 1_500_000}}
    assert "flops" not in to_toml(read)


@given(st.integers(2, 10**9), st.integers(0, 10**6))
def test_a_network_is_inside_by_either_count(low: int, width: int) -> None:
    budget = in_macs({"budget": {"flops": {"min": low, "max": low + width}}})["budget"]["macs"]
    for macs in (low // 2 - 1, low // 2, low // 2 + 1, (low + width) // 2, (low + width) // 2 + 1):
        assert (budget["min"] <= macs <= budget["max"]) == (low <= 2 * macs <= low + width)


def test_an_objective_of_flops_is_one_of_macs(tmp_path: Path) -> None:
    assert written(tmp_path, 'objectives = ["error", "flops"]').objectives == ("error", "macs")


def test_python_takes_flops_too() -> None:
    made = nas.Experiment(
        space="mixed", data="digits", objectives=("error", "flops"), budget={"flops": Range(min=3, max=3_000_001)}
    )
    assert (made.budget["macs"], made.objectives) == (Range(min=2, max=1_500_000), ("error", "macs"))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('objectives = ["error", "macs", "flops"]', "line 3: objectives: both"),
        ("[budget]\nmacs.max = 5\nflops.max = 10", "line 3: budget: both"),
    ],
)
def test_both_are_refused(text: str, where: str, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=f"{where} flops and macs are given, and flops are twice macs"):
        written(tmp_path, text)
    with pytest.raises(ExperimentError, match="both flops and macs"):
        validate_experiment({"budget": {"flops": {"max": 2}, "macs": {}}}, "nas.Experiment")


def test_a_change_of_flops_replaces_a_limit_of_macs_in_the_file_and_the_reverse(tmp_path: Path) -> None:
    changed = load_experiment("quickstart", {"budget.flops.max": "800k"})
    assert changed.budget.as_dict() == {"macs": {"max": 400_000}, "params": {"max": 50_000}}
    other = written(tmp_path, "[budget]\nflops = {min = 10, max = 1000}", budget_macs_max=40)
    assert other.budget.as_dict() == {"macs": {"min": 5, "max": 40}}
    whole = written(tmp_path, "[budget]\nmacs.max = 7", budget_flops={"max": 40}, objectives=["error", "flops"])
    assert whole.budget.as_dict() == {"macs": {"max": 20}}
    assert written(tmp_path, "", budget={"flops": {"max": 40}}).budget.as_dict() == {"macs": {"max": 20}}
    with pytest.raises(ExperimentError, match=r"^budget.flops.max and budget.macs.min: both flops and macs"):
        load_experiment("quickstart", {"budget.flops.max": 8, "budget.macs.min": 4, "budget.params.max": 9})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[budget]\nflops.max = 3.5", "line 4: `budget.flops.max`: .*found 3.5"),
        ('[budget]\nflops.max = "much"', "line 4: `budget.flops.max`: 'much' is not a size"),
        ("[budget]\nflops = 5", "line 4: `budget.flops`: .*write flops.max = 5"),
        ("[budget.flops]\nmost = 5", "line 4: unknown key 'most' in .budget.flops."),
        ("[budget]\nflop.max = 5", "did you mean 'flops'.*depth, .*flops"),
        ("[budget]\nmax_flops = 5", "did you mean 'flops.max'"),
        ("objectives = 5", "error, params, .*depth, .*flops"),
    ],
)
def test_what_is_wrong_is_told_as_it_was_written(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=message):
        written(tmp_path, text)


def test_an_option_that_is_no_size_is_told_by_its_name() -> None:
    with pytest.raises(ExperimentError, match=r"--max-flops: `budget.flops.max`: 'much' is not a size"):
        load_experiment("quickstart", {"budget.flops.max": "much"}, {"budget.flops.max": "--max-flops"})
