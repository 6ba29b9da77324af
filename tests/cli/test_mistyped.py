"""What a person types wrongly: one message with the place and the remedy, and exit code 2."""

import sys
from pathlib import Path

import pytest

from nas.cli import main

FILES = {
    "trails.toml": "trails = 5",
    "top.toml": "learning_rate = 0.1",
    "torch.toml": '[recipe]\nlr = 0.1\noptimizer = "adam"',
    "bare.toml": "sampler = tpe",
    "limit.toml": "[budget]\nmacs = 1000",
    "flat.toml": "[budget]\nmax_params = 1000",
    "text.toml": 'trials = "40"',
    "under.toml": "[recipe]\ntrials = 5",
    "gpu.toml": 'device = "gpu"',
}
"""Experiments by their names; the third line is the first that is wrong or opens its table."""

MISTYPED = {
    "status folder": ["folder is not a run directory"],
    "status runs/kepd": ["runs/kepd is not a run directory", "did you mean 'runs/kept'?"],
    "status kept": ["did you mean 'runs/kept'?"],
    "status runs": ["there are runs in it, such as runs/kept"],
    "status runs/kept/study.db": ["the run is runs/kept"],
    "status quickstart": ["it is an experiment", "nas search quickstart"],
    "report trails.toml": ["it is an experiment", "nas search trails.toml"],
    "doctor folder": ["folder is not a run directory"],
    "search runs/kept": ["is a run, not an experiment", "nas resume runs/kept"],
    "search folder": ["folder is a directory", "a TOML file"],
    "search quikstart": ["did you mean 'quickstart'?"],
    "search trials.toml": ["did you mean 'trails.toml'?"],
    "search empty.toml": ["empty.toml: the key 'space' is missing", 'space = "mixed"', 'data = "digits"'],
    "search trails.toml": ["trails.toml, line 3", "did you mean 'trials'?"],
    "search top.toml": ["line 3", "did you mean 'recipe.learning_rate'?"],
    "search torch.toml": ["line 4", "did you mean 'learning_rate'?", "line 5", "did you mean 'adamw'?"],
    "search bare.toml": ["line 3", 'text is written in quotes: sampler = "tpe"'],
    "search limit.toml": ["line 4", "write macs.max = 1000"],
    "search flat.toml": ["line 4", "did you mean 'params.max'?"],
    "search text.toml": ["line 3", "write it without quotes"],
    "search under.toml": ["line 4", "did you mean 'trials', above the first table?"],
    "search gpu.toml": ["line 3", "did you mean 'cuda'?"],
    "search quickstart --trials 0": ["--trials:", "greater than or equal to 1"],
    "search quickstart --workers -1": ["--workers:", "greater than or equal to 1"],
    "search quickstart --seed -1": ["--seed:", "greater than or equal to 0"],
    "search quickstart --device cuda:0": ["--device:", "did you mean 'cuda'?"],
    "search quickstart --max-params 50kb": ["--max-params:", "write 50000, 50k, 1.5M or 2G"],
    "search quickstart --max-macs -5": ["--max-macs:", "is not a size"],
    "search quickstart --time-limit 2hours": ["--time-limit:", "write 2h, 90m"],
    "search quickstart --executor rey": ["--executor:", "did you mean 'ray'?"],
    "search quickstart --sampler TPESampler": ["--sampler:", "did you mean 'tpe'?"],
    "search quickstart --set sampler=RandomSampler": ["--set sampler:", "did you mean 'random'?"],
    "search quickstart --set budget.params=50000": ["--set budget.params:", "write budget.params.max=50000"],
    "search quickstart --set budget=50000": ["--set budget:", "write budget.params.max=50000"],
    "search quickstart --set objectives=speed": ["--set objectives:", "error, params, macs"],
    "search quickstart --set n_trials=5": ["--set n_trials:", "did you mean 'trials'?"],
    "search quickstart --set recipe.batchsize=32": ["did you mean 'batch'?"],
    "search quickstart --set recipe.weight-decay=0.1": ["did you mean 'weight_decay'?"],
    "search quickstart --set recipe.optim=sgd": ["did you mean 'optimizer'?"],
    "search quickstart --set recipe=imagenet": ["--set recipe:", "There are:"],
    "search quickstart --set fit=yes": ["--set fit:", "write true or false"],
    "search quickstart --set trials": ["write KEY=VALUE"],
    "search quickstart --set space=mixd": ["did you mean 'mixed'?"],
    "search quickstart --trails 5": ["--trails", "--trials"],
    "search quickstart --lr 0.1": ["--lr", "write --set recipe.learning_rate=VALUE"],
    "search quickstart trials=5": ["unexpected extra argument", "--set recipe.epochs=20"],
    "serch quickstart": ["Did you mean 'search'?"],
    "train quickstart": ["Did you mean 'search'?"],
    "data cifar-10": ["did you mean 'cifar10'?"],
    "show mixd": ["did you mean the search space 'mixed'?"],
    "diff vgg_A vgg_Z": ["did you mean vgg_"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with experiments, a run by its name alone, and a folder in which a link lies."""
    here = tmp_path_factory.mktemp("typed")
    (here / "folder").mkdir()
    (here / "folder" / "link").symlink_to(here)
    (here / "runs" / "kept").mkdir(parents=True)
    (here / "runs" / "kept" / "study.db").touch()
    (here / "empty.toml").touch()
    for name, text in FILES.items():
        (here / name).write_text(f'space = "mixed"\ndata = "digits"\n{text}\n', encoding="utf-8")
    return here


@pytest.mark.parametrize("typed", MISTYPED)
def test_a_mistake_is_told_with_its_place_and_remedy(
    typed: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["nas", *typed.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    out, said = capsys.readouterr()
    plain = " ".join(said.replace("│", " ").split())
    assert (ended.value.code, out) == (2, "")
    for words in MISTYPED[typed]:
        assert words in plain
