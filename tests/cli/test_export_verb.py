"""nas export of what no search has trained, and of one trial among others."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nas.cli.export_untrained import export_untrained
from nas.genome.baselines import baseline


def nas(*arguments: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "nas", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=500)


@pytest.mark.slow
def test_a_baseline_comes_untrained_and_says_so(tmp_path: Path) -> None:
    done = nas("export", "lenet5_paper", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "untrained" in done.stderr
    folder = tmp_path / "exports" / "lenet5_paper"
    assert Path(done.stdout.strip()) == folder.relative_to(tmp_path) / "net.py"
    card, text = (folder / "README.md").read_text(encoding="utf-8"), (folder / "net.py").read_text(encoding="utf-8")
    assert "| Weights | untrained: torch's default initialization, seed 0 |" in card
    assert "| Published | " in card
    assert "Its weights are untrained" in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.slow
def test_a_seed_gives_the_same_weights_again(tmp_path: Path) -> None:
    seeds = {"a": 3, "b": 3, "c": 4}
    for name, seed in seeds.items():
        assert export_untrained(baseline("lenet5_paper"), "lenet5_paper", tmp_path / name, seed, ("source",)).agrees
    a, b, c = (load_file(tmp_path / name / "weights.safetensors") for name in seeds)
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not all(torch.equal(a[key], c[key]) for key in a)


@pytest.mark.slow
def test_a_trial_is_named_with_its_run(finished_run: Path, tmp_path: Path) -> None:
    done = nas("export", f"{finished_run}:3", "--out", tmp_path / "three", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "trial 3 of a search" in (tmp_path / "three" / "README.md").read_text(encoding="utf-8")
