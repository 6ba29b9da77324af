"""The showcase: rows of runs with finalists, their baselines and other trainings, and the picture of them."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.showcase import BASELINE, BEST, OTHER, draw, main, markdown, showcase_rows
from nas.errors import RunError
from nas.search.store.run import Run, load_run
from nas.statistics import mean_interval


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Run:
    return load_run(Path(shutil.copytree(finished_run, tmp_path / "run")))


def write(run: Run, file: str, **changes: Any) -> None:
    row = {"number": run.best().number, "errors": [0.1, 0.2], "seed": 1, "test_error": 0.13, "epochs": 36}
    row |= {"test_errors": [0.13, 0.15], "weights": "1-a.safetensors"} | changes
    (run.path / "finalists").mkdir(exist_ok=True)
    (run.path / "finalists" / f"{file}.json").write_text(json.dumps([row]), encoding="utf-8")


def test_a_run_gives_its_best_finalist_how_else_it_was_trained_and_its_baselines(run: Run) -> None:
    known = replace(run.records[-1], baseline="vgg_A, widths x 0.1")
    run = replace(run, records=run.records[:-1], baselines=(known,))
    write(run, "finalists", low=0.1, high=0.2, seconds=7_200.0)
    write(run, "variants", name="all-images", teacher="", errors=[])
    write(run, "baselines", low=0.1, high=0.2, number=known.number, test_errors=[0.3, 0.4], seconds=1_800.0)
    best, other, baseline = rows = list(showcase_rows(run, "mine"))
    assert [row.kind for row in rows] == [BEST, OTHER, BASELINE]
    low, high = mean_interval([87.0, 85.0])
    assert best.accuracy == pytest.approx((86.0, low, high))
    assert best.hours == pytest.approx(2 + sum(each.seconds for each in run.records) / 3600)
    assert other.name == "mine, trained on all images"
    assert (baseline.name, baseline.hours) == ("vgg_A, widths x 0.1", 0.5)
    heads, _, *lines = markdown(rows).splitlines()
    assert len(lines) == 3
    assert {line.count("|") for line in lines} == {heads.count("|")}
    assert re.search(r"\| 86\.0 \[\d+\.\d, \d+\.\d\], 2 seeds \|", lines[0])
    assert "KiB" in lines[0] or "kB" in lines[0]


def test_what_has_other_epochs_is_left_out(run: Run) -> None:
    write(run, "finalists", low=0.1, high=0.2)
    write(run, "variants", name="all-images", teacher="", errors=[], epochs=2)
    write(run, "baselines", low=0.1, high=0.2, epochs=2)
    assert [row.kind for row in showcase_rows(run, "mine")] == [BEST]


def test_it_prints_a_table_and_draws_a_picture(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunError, match="has no finalists yet"):
        main([str(run.path)])
    write(run, "finalists", low=0.1, high=0.2)
    main([f"{run.path}=first", "--picture", str(tmp_path / "a.svg")])
    assert "| first |" in capsys.readouterr().out
    draw(list(showcase_rows(run, "mine")), tmp_path / "b.png")
    assert "</svg>" in (tmp_path / "a.svg").read_text()
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
