"""Several runs on one page, a run as Markdown, the tables as Parquet."""

import dataclasses
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from fake_run import EVIL, evil_run, record, rich_run, run
from test_page import Reader

from nas.errors import RunError
from nas.genome import Task
from nas.report import markdown_report, write_comparison, write_report
from nas.search.objectives import Budget


def two(place: Path) -> list[Path]:
    made = [rich_run(place / "first"), run(place / "second", 40, sampler="random", budget=Budget())]
    return [write_comparison(made)]


def test_runs_are_compared_on_one_page(tmp_path: Path) -> None:
    (path,) = two(tmp_path)
    assert path == tmp_path / "first" / "report" / "comparison.html"
    text = path.read_text(encoding="utf-8")
    reader = Reader(text)
    assert reader.texts["h1"] == ["2 searches on digits compared"]
    assert len(reader.every("svg")) == 2
    drawn = json.loads(re.findall(r'id="fronts-data">(.*?)</script>', text)[0])
    assert [entry["name"] for entry in drawn["runs"]] == ["first", "second"]
    assert len(drawn["runs"][0]["baselines"]["y"]) == 2
    volumes = json.loads(re.findall(r'id="volumes-data">(.*?)</script>', text)[0])["runs"]
    assert all(entry["y"] == sorted(entry["y"]) for entry in volumes)
    assert all(0 < entry["y"][-1] < 1 for entry in volumes)
    names = [name for name, _ in reader.elements]
    assert names.count("h1") == names.count("main") == 1
    assert names.count("caption") == names.count("table")


def test_a_run_beside_itself_has_one_front_and_one_volume(tmp_path: Path) -> None:
    made = run(tmp_path / "same", 30)
    text = write_comparison([made, made], tmp_path / "page.html").read_text(encoding="utf-8")
    first, second = json.loads(re.findall(r'id="volumes-data">(.*?)</script>', text)[0])["runs"]
    assert first["y"] == second["y"]
    assert [first["name"], second["name"]] == ["same (A)", "same (B)"]
    assert "The networks are identical." in Reader(text).words


def test_what_does_not_compare_is_refused(tmp_path: Path) -> None:
    made = run(tmp_path, 10)
    with pytest.raises(RunError, match="no trial is complete yet"):
        write_comparison([made, run(tmp_path, 0)])
    other = dataclasses.replace(made)
    other.__dict__["task"] = Task("letters", (1, 8, 8), 26)
    with pytest.raises(RunError, match="different tasks"):
        write_comparison([made, other])


def test_hostile_names_stay_text_in_a_comparison(tmp_path: Path) -> None:
    made = evil_run(tmp_path)
    reader = Reader(write_comparison([made, made]).read_text(encoding="utf-8"))
    assert [a.get("type") for a in reader.every("script")] == ["application/json"] * 2 + [None, None]
    assert not [a for _, a in reader.elements if any(key.startswith("on") for key in a)]


def test_markdown_has_the_answer_the_front_and_the_baselines(tmp_path: Path) -> None:
    text = markdown_report(rich_run(tmp_path))
    assert text.startswith("### Best network for digits within 120 k parameters and 4.5 M MACs")
    assert ", the best of 2 finalists" in text
    assert "| vgg\\_A, widths x 0.5 | " in text
    assert "4.00 % to 8.00 %" in text
    assert text.rstrip().endswith("```sh\nnas search quickstart --seed 0\n```")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1


def test_markdown_shows_hostile_names_as_they_are(tmp_path: Path) -> None:
    text = markdown_report(evil_run(tmp_path))
    assert not re.search(r"(?<!\\)<", text.split("```sh")[0])
    assert text.count("```") == 4
    assert EVIL[:20] not in text.split("```sh")[0]


def test_tables_come_as_parquet_too(tmp_path: Path) -> None:
    write_report(rich_run(tmp_path))
    table, front = (pd.read_parquet(tmp_path / "report" / f"{name}.parquet") for name in ("trials", "front"))
    assert len(table) == 30
    assert table["params"].dtype.kind == "i"
    assert set(front["number"]) == set(table.loc[table["on_front"], "number"])
    mixed = (record(0, choices={"a": 1}), record(1, choices={"a": "x"}), record(2, choices={}))
    write_report(run(tmp_path / "mixed", records=mixed))
    values = pd.read_parquet(tmp_path / "mixed" / "report" / "trials.parquet")["choice.a"]
    assert values[:2].tolist() == ["1", "x"]
    assert pd.isna(values[2])
