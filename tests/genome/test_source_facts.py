"""Each claim that a cost model can settle, settled by ours: the true values, not what the sources print."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch.nn import functional as F

ROOT = Path(__file__).parents[2]
TRUE = json.loads((ROOT / "tests" / "data" / "source_facts.json").read_text())


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("source_facts", ROOT / "docs" / "source_facts.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules["source_facts"] = loaded
    spec.loader.exec_module(loaded)
    return loaded


facts = _load()


@pytest.mark.parametrize("name", TRUE)
def test_true_value(name: str) -> None:
    value = facts.COMPUTED[name]()
    assert (list(value) if isinstance(value, tuple) else value) == TRUE[name]


def test_every_exact_claim_is_computed_and_held() -> None:
    exact = {fact["id"] for fact in facts.FACTS if fact["kind"] == "exact"}
    assert exact == set(facts.COMPUTED) == set(TRUE)
    assert len(facts.FACTS) == 111


@pytest.mark.parametrize("name", ["inc.358M", "vgg.mem24M", "alex.177M", "inc.5M", "inc.2x_faster", "vgg.fc_cost"])
def test_known_errors_are_called_so(name: str) -> None:
    assert next(fact for fact in facts.FACTS if fact["id"] == name)["verdict"] == "wrong"


def test_smoothed_targets_are_torchs() -> None:
    others, own = facts.smoothed(0.4, 4)
    scores = torch.tensor([[0.3, -1.0, 2.0, 0.5]])
    target = torch.tensor([[others, own, others, others]])
    smooth = F.cross_entropy(scores, torch.tensor([1]), label_smoothing=0.4)
    torch.testing.assert_close(F.cross_entropy(scores, target), smooth)


def test_the_page_is_up_to_date() -> None:
    written = facts.PAGE.read_text(encoding="utf-8")
    assert written == facts.page(), "run: python docs/source_facts.py"
