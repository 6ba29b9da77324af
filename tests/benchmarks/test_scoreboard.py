"""The scoreboard: published rows, ours from runs with finalists, and the page of both."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scoreboard import BUDGETS, DATASETS, FOLDER, OURS, ScoreRow, main, markdown, merged, row_of_run, update
from nas.errors import RunError
from nas.search.objectives import Budget, Range
from nas.search.store.run import Run, load_run
from nas.statistics import mean_interval

CSV = """dataset,network,params,macs,accuracy,seeds,epochs,source
digits,"Small, rounded",22100,,87.38,1,,somebody
digits,Large,270000,40810000,92.6,,200,"somebody, else"
"""


def read_page(text: str) -> list[dict[str, Any]]:
    """Return the rows of a page as they stand in JSON."""
    rows: list[dict[str, Any]] = []
    dataset = ""
    for line in text.splitlines():
        if line.startswith("## "):
            dataset = line[3:]
        elif line.startswith("| ") and not line.startswith(("| budget", "| ---")):
            cells = [cell.strip() for cell in line[1:-1].split("|")]
            _, network, params, macs, accuracy, interval, seeds, source = cells
            low, _, high = interval.partition(" to ")
            row: dict[str, Any] = {"dataset": dataset, "network": network}
            for name, cell in {"params": params, "macs": macs}.items():
                row[name] = int(cell.replace(",", "")) if cell else None
            for name, cell in {"accuracy": accuracy, "low": low, "high": high}.items():
                row[name] = float(cell) if cell else None
            rows.append(row | {"seeds": int(seeds) if seeds else None, "source": source})
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "published.csv").write_text(CSV, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Run:
    return load_run(Path(shutil.copytree(finished_run, tmp_path / "run")))


def finalists(run: Run, *changes: dict[str, Any]) -> int:
    """Write finalists of a run, and return the number of the first."""
    number = run.best().number
    row = {"number": number, "errors": [0.1, 0.2, 0.3], "low": 0.1, "high": 0.3, "seed": 1, "test_error": 0.13,
           "epochs": 36, "test_errors": [0.13, 0.15, 0.14]}  # fmt: skip
    (run.path / "finalists").mkdir(exist_ok=True)
    text = json.dumps([row | change for change in changes or ({},)])
    (run.path / "finalists" / "finalists.json").write_text(text, encoding="utf-8")
    return number


def within(run: Run, most: int | None) -> Run:
    budget = Budget(params=Range(max=most)) if most else Budget()
    return replace(run, experiment=run.experiment.model_copy(update={"budget": budget}))


def test_a_run_sets_its_row_and_keeps_it_when_it_is_gone(
    folder: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    cost = run.record(str(finalists(run))).cost
    main(["--folder", str(folder), "add", str(run.path)])
    assert capsys.readouterr().out == f"digits, nas-78k: 86.0 %\n{folder / 'scoreboard.md'}\n"
    shutil.rmtree(run.path)
    main(["--folder", str(folder)])
    rows = json.loads((folder / "scoreboard.json").read_text(encoding="utf-8"))
    (ours,) = (row for row in rows if row["source"] == "nas" and row["accuracy"])
    low, high = mean_interval((87.0, 85.0, 86.0))
    assert ours == {
        "dataset": "digits", "network": "nas-78k", "params": cost.params, "macs": cost.macs, "accuracy": 86.0,
        "low": pytest.approx(low, abs=0.006), "high": pytest.approx(high, abs=0.006), "seeds": 3, "source": "nas",
    }  # fmt: skip
    assert [row["network"] for row in rows if row["dataset"] == "digits"] == ["Small, rounded", "nas-78k", "Large"]


def test_the_page_has_the_rows_of_the_file(folder: Path, run: Run) -> None:
    finalists(run)
    update(folder, [row_of_run(run)])
    rows = json.loads((folder / "scoreboard.json").read_text(encoding="utf-8"))
    assert len(rows) == len(DATASETS) * len(BUDGETS) + 3
    page = (folder / "scoreboard.md").read_text(encoding="utf-8")
    assert read_page(page) == rows


def test_the_published_scoreboard_is_up_to_date(tmp_path: Path) -> None:
    for name in ("published.csv", "scoreboard.json"):
        shutil.copy(FOLDER / name, tmp_path)
    rows = update(tmp_path)
    for name in ("scoreboard.json", "scoreboard.md"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (FOLDER / name).read_text(encoding="utf-8")
    assert all(row.accuracy is not None and row.params is not None for row in rows if row.source != OURS)
    assert {(row.dataset, row.network) for row in rows} >= {(data, name) for data in DATASETS for name in BUDGETS}


@pytest.mark.parametrize(
    ("most", "name"),
    [(22_000, "nas-22k"), (22_001, "nas-78k"), (78_000, "nas-78k"), (100_000, "nas-100k"), (1_000_000, "nas-1M")],
)
def test_a_run_belongs_to_the_smallest_budget_that_holds_its_limit(run: Run, most: int, name: str) -> None:
    finalists(run)
    assert row_of_run(within(run, most)).network == name


def test_without_a_limit_the_parameters_of_the_network_count(run: Run) -> None:
    params = run.record(str(finalists(run))).cost.params
    row = row_of_run(within(run, None))
    assert row.budget == min(most for most in BUDGETS.values() if most >= params)
    with pytest.raises(RunError, match="1,000,001 parameters are more than any budget"):
        row_of_run(within(run, 1_000_001))


def test_published_counts_are_compared_in_thousands() -> None:
    budgets = [ScoreRow("digits", "x", params, source="paper").budget for params in (22_100, 22_600, 270_000, 270_600)]
    assert budgets == [22_000, 78_000, 270_000, 1_000_000]


@pytest.mark.parametrize("old", [False, True])
def test_one_seed_has_no_interval(run: Run, old: bool) -> None:
    finalists(run, {"test_errors": []} if old else {"test_errors": [0.13], "errors": [0.1]})
    row = row_of_run(run)
    assert (row.accuracy, row.low, row.high, row.seeds) == (87.0, None, None, 1)


def test_the_first_finalist_is_the_best_on_validation_whatever_its_test_error(run: Run) -> None:
    finalists(run, {}, {"number": 0, "errors": [0.4], "test_errors": [0.01]})
    assert row_of_run(run).accuracy == 86.0


def test_a_run_without_finalists_is_refused(folder: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--folder", str(folder), "add", str(run.path)])
    assert ended.value.code == 2
    assert f"no finalists yet; train them with: nas finalists {run.path}" in capsys.readouterr().err
    assert not (folder / "scoreboard.json").exists()


def test_another_metric_is_refused(run: Run) -> None:
    finalists(run)
    changed = run.experiment.model_copy(update={"metric": "balanced_error"})
    with pytest.raises(RunError, match="balanced_error, not by accuracy"):
        row_of_run(replace(run, experiment=changed))


def test_a_row_is_replaced_by_a_later_run() -> None:
    first, second = (ScoreRow("cifar10", "nas-22k", 20_000, accuracy=accuracy) for accuracy in (84.0, 83.0))
    rows = [row for row in merged([first, second], []) if row.accuracy]
    assert rows == [second]
    assert re.search(r"\| 22,000 \| nas-22k \| 20,000 \|  \| 83\.00 \|  \|  \| nas \|", markdown(rows))
