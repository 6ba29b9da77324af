from pathlib import Path

import pytest

from benchmarks.table import Table, rehearse
from nas.errors import DataError
from nas.genome import Graph, Task, Trial
from nas.genome.primitives import Conv, GapHead, Stem
from nas.search.experiment_file import load_experiment
from nas.search.propose.proposer import Proposer

TASK = Task("digits", (1, 8, 8), 10)
ROWS = "kernel,width,accuracy\n" + "\n".join(f"{k},{w},{60 + k + w}" for k in (1, 3) for w in (8, 16))


def write(folder: Path, text: str = ROWS) -> Path:
    path = folder / "table.csv"
    path.write_text(text + "\n")
    return path


def small(trial: Trial, task: Task) -> Graph:
    width, kernel = trial.suggest_int("width", 8, 16, step=8), trial.suggest_categorical("kernel", [1, 3])
    return Graph.of(GapHead(task.classes)(Conv(width, kernel)(Stem(8)(task.image()))))


@pytest.mark.parametrize("sampler", ["random", "frontier"])
def test_a_search_is_answered_from_the_table_until_the_space_is_exhausted(tmp_path: Path, sampler: str) -> None:
    table = Table(write(tmp_path), ["width", "kernel"], ["accuracy"])
    asked = load_experiment("quickstart", {"sampler": sampler, "trials": 20})
    proposer = Proposer(asked, small, TASK, patience=60)
    told = list(rehearse(proposer, lambda proposal: 1 - table[proposal.choices]["accuracy"] / 100, 20))
    assert len(told) == 4
    assert min(error for _, error in told) == pytest.approx(0.21)


def test_parquet_too(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pandas.read_csv(write(tmp_path)).to_parquet(tmp_path / "table.parquet")
    assert Table(tmp_path / "table.parquet", ["kernel", "width"], ["accuracy"])[{"width": 8, "kernel": 3}] == {
        "accuracy": 71.0
    }


@pytest.mark.parametrize(
    ("text", "choices", "says"),
    [
        (ROWS, ["width", "depth"], "no column 'depth'"),
        (ROWS, ["width"], "same width"),
        (ROWS.replace("69", "much"), ["width", "kernel"], "other than numbers"),
        ("", ["width"], "cannot be read"),
    ],
)
def test_a_table_that_cannot_answer_is_refused(tmp_path: Path, text: str, choices: list[str], says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(DataError, match=says):
        Table(path, choices, ["accuracy"])


def test_a_network_the_table_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'kernel': 5"):
        Table(write(tmp_path), ["width", "kernel"], ["accuracy"])[{"width": 8, "kernel": 5}]
