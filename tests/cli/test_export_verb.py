"""nas export of what no search has trained, and of one trial among others."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nas.cli.export_untrained import export_untrained
from nas.genome.baselines import baseline

Call = Callable[..., tuple[int, str, str]]


@pytest.mark.slow
def test_a_baseline_comes_untrained_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nas: Call) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = nas("export", "lenet5_paper")
    assert code == 0, err
    assert "untrained" in err
    folder = tmp_path / "exports" / "lenet5_paper"
    assert Path(out.strip()) == folder.relative_to(tmp_path) / "net.py"
    card, text = (folder / "README.md").read_text(encoding="utf-8"), (folder / "net.py").read_text(encoding="utf-8")
    assert "| Weights | untrained: torch's default initialization, seed 0 |" in card
    assert "| Published | " in card
    assert "Its weights are untrained" in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.slow
def test_a_seed_gives_the_same_weights_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.model.export.parity", lambda *_: {"source": {1: 0.0}})
    seeds = {"a": 3, "b": 3, "c": 4}
    for name, seed in seeds.items():
        assert export_untrained(baseline("lenet5_paper"), "lenet5_paper", tmp_path / name, seed, ("source",)).agrees
    a, b, c = (load_file(tmp_path / name / "weights.safetensors") for name in seeds)
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not all(torch.equal(a[key], c[key]) for key in a)


@pytest.mark.slow
def test_a_trial_is_named_with_its_run(finished_run: Path, tmp_path: Path, nas: Call) -> None:
    code, _, err = nas("export", f"{finished_run}:3", "--out", tmp_path / "three")
    assert code == 0, err
    assert "trial 3 of a search" in (tmp_path / "three" / "README.md").read_text(encoding="utf-8")
