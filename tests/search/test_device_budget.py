"""Budgets and objectives of RAM and flash, also where a network has none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nas.device.footprint import footprint
from nas.errors import BudgetError
from nas.genome import Graph, Task, Trial
from nas.genome.primitives import ConvUnit, GapHead, Gelu, Stem
from nas.search.experiment_file import load_experiment, read_experiment, to_toml
from nas.search.objectives import OBJECTIVES, Budget, CountedNetwork, Range
from nas.search.propose.preflight import preflight
from nas.search.propose.proposer import Proposer
from nas.search.space import load_space

DIGITS = Task("digits", (1, 8, 8), 10)
PLAIN = CountedNetwork.of(Graph.of(GapHead(10)(Stem(8)(DIGITS.image()))))
WITHOUT = CountedNetwork.of(Graph.of(GapHead(10)(Gelu()(Stem(8)(DIGITS.image())))))


def activated(trial: Trial, task: Task) -> Graph:
    """A space of which networks with GELU cannot run on the device."""
    x = Stem(trial.suggest_int("width", 4, 64, step=4))(task.image())
    x = Gelu()(x) if trial.suggest_categorical("gelu", [False, True]) else ConvUnit(8)(x)
    return Graph.of(GapHead(task.classes)(x))


def only_gelu(trial: Trial, task: Task) -> Graph:
    return Graph.of(GapHead(task.classes)(Gelu()(Stem(trial.suggest_int("width", 4, 64))(task.image()))))


def test_sizes_of_memory_are_of_1024(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = 'space = "mixed"\ndata = "digits"\n[budget]\nram.max = "64KB"\nflash = { min = "1.5 kib", max = "1MB" }\n'
    file.write_text(text + 'macs.max = "1M"\n', encoding="utf-8")
    budget = read_experiment(file).budget
    assert budget.as_dict() == {
        "ram": {"max": 65_536}, "flash": {"min": 1_536, "max": 1_048_576}, "macs": {"max": 1_000_000},
    }  # fmt: skip
    file.write_text(to_toml(read_experiment(file)), encoding="utf-8")
    assert read_experiment(file).budget == budget


@pytest.mark.parametrize("name", ["activation_ram", "ram", "flash"])
def test_a_network_that_cannot_run_there_is_outside_of_every_limit(name: str) -> None:
    value = int(getattr(footprint(PLAIN.graph), name))
    assert OBJECTIVES[name].of(PLAIN) == value
    assert Budget({name: Range(max=value)}).allows(PLAIN)
    assert not Budget({name: Range(max=value - 1)}).allows(PLAIN)
    for limit in (Range(max=10**9), Range(min=1), Range()):
        assert Budget({name: limit}).allows(PLAIN)
        assert not Budget({name: limit}).allows(WITHOUT)
        said = Budget({name: limit}).explain(WITHOUT)
        assert said.startswith(
            f"outside the budget of {name}: gelu_1 cannot run in 8-bit integers on the device: Gelu()"
        )
    assert Budget(params=Range(max=1)).explain(PLAIN).startswith("outside the budget of params: it has 178, which is")
    assert Budget(params=Range(max=178)).explain(PLAIN) == ""


def test_an_objective_asks_for_a_value() -> None:
    asked = load_experiment("quickstart", {"objectives": ["error", "ram"]})
    assert "ram" in asked.budget
    assert not asked.budget.allows(WITHOUT)
    assert load_experiment("quickstart").budget.keys() == {"params", "macs"}


@pytest.mark.parametrize("sampler", ["random", "tpe", "frontier", "evolution"])
def test_what_cannot_run_there_is_never_proposed(sampler: str) -> None:
    asked = load_experiment(
        "quickstart", {"objectives": ["error", "ram"], "budget": {"flash": {"max": 12_000}}, "sampler": sampler}
    )
    asker = Proposer(asked, activated, DIGITS)
    for _ in range(8):
        proposal = asker.ask()
        assert proposal is not None
        assert footprint(proposal.graph).flash <= 12_000
        asker.tell(proposal, 0.5)
    assert sampler != "random" or asker.proposal_counts["outside budget: flash"] > 0


def test_fit_fills_ram_and_flash() -> None:
    limits = {"ram": {"max": 24_000}, "flash": {"max": 64_000}}
    asked = load_experiment("quickstart", {"budget": limits, "fit": True, "sampler": "random"})
    asker, shares = Proposer(asked, load_space("mixed"), Task("small", (3, 16, 16), 10)), []
    for _ in range(12):
        proposal = asker.ask()
        assert proposal is not None
        assert asked.budget.allows(proposal)
        shares.append(max(float(OBJECTIVES[name].of(proposal)) / limit["max"] for name, limit in limits.items()))
    assert sorted(shares)[6] > 0.8
    assert max(shares) > 0.9


def test_a_space_without_a_network_for_the_device_says_why() -> None:
    asked = load_experiment("quickstart", {"budget": {"ram": {"max": 64_000}}, "fit": True})
    with pytest.raises(
        BudgetError, match=r"no network of space .* has a ram: .* but gelu_1 cannot run .* Leave ram out"
    ):
        preflight(asked, only_gelu, DIGITS, draws=20)


def test_cost_counts_ram_and_flash(nas: Callable[..., Any], tmp_path: Path) -> None:
    code, out, _ = nas("cost", "mixed", "--seed", 3, "--json")
    counts = json.loads(out)
    assert code == 0
    assert 0 < counts["activation_ram"] < counts["ram"] < counts["flash"]
    code, out, err = nas("cost", "zfnet", "--json")
    assert (code, json.loads(out)["ram"], json.loads(out)["flash"]) == (0, None, None)
    assert "cannot run in 8-bit integers on the device: LocalResponseNorm" in err


def test_limits_on_the_command_line(nas: Callable[..., Any]) -> None:
    code, out, err = nas("search", "quickstart", "--dry-run", "--max-ram", "2KB", "--max-flash", "4KB")
    assert (code, out) == (2, "")
    assert "The limit that binds is" in err
    assert "asked" in err
