"""Several runs on one page, a run as Markdown, the tables as Parquet."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fake_run import EVIL, evil_run, record, rich_run, run
from test_page import Reader

from nas.errors import RunError
from nas.genome import Task
from nas.report import markdown_report, write_comparison, write_report
from nas.search.objectives import Budget, Range
from nas.search.store.run import Run
from nas.training.score import Score


def two(place: Path) -> list[Path]:
    made = [rich_run(place / "first"), run(place / "second", 40, sampler="random", budget=Budget())]
    return [write_comparison(made)]


def test_runs_are_compared_on_one_page(tmp_path: Path) -> None:
    (path,) = two(tmp_path)
    assert path == tmp_path / "first" / "report" / "comparison.html"
    text = path.read_text(encoding="utf-8")
    reader = Reader(text)
    assert reader.texts["h1"] == ["second has the lowest validation error of 2 searches on digits"]
    assert "comparing methods takes several seeds of each" in reader.words
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


def test_seeds_of_one_search_are_a_group(tmp_path: Path) -> None:
    """Two spaces, two seeds each: the errors of one are lower by more than its seeds differ."""
    made = []
    for space, lowest in (("mixed", 0.30), ("dense", 0.20)):
        for seed in (0, 1):
            errors = [lowest + 0.001 * seed + 0.01 * n for n in range(4)]
            records = tuple(record(n, seed, scores=(Score(1, each, 1.0, 0.1, 1.0),)) for n, each in enumerate(errors))
            made.append(run(tmp_path / f"{space}-{seed}", records=records, space=space, seed=seed, name=f"x{seed}"))
    text = write_comparison(made).read_text(encoding="utf-8")
    reader = Reader(text)
    assert reader.texts["h1"] == ["dense has the lowest validation error of 2 searches on digits"]
    assert "20.05 %" in reader.words
    assert "in the mean of 2 seeds (95 % interval" in reader.words
    assert "Next is mixed, 30.05 %, measurably more: the difference is +9.70 to +10.30 points" in reader.words
    assert [each["rowspan"] for each in reader.every("th") if "rowspan" in each] == ["2", "2"]
    drawn = json.loads(re.findall(r'id="fronts-data">(.*?)</script>', text)[0])["runs"]
    assert [(each["group"], each["place"]) for each in drawn] == [("mixed", 0)] * 2 + [("dense", 1)] * 2
    assert len(reader.every("svg")) == 2
    alike = [
        dataclasses.replace(each, experiment=each.experiment.model_copy(update={"sampler": "random"}))
        for each in made[:2]
    ]
    close = Reader(write_comparison([*made[:2], *alike], tmp_path / "alike.html").read_text(encoding="utf-8"))
    assert close.texts["h1"] == ["tpe and random lead 2 searches on digits and cannot be told apart"]
    alone = Reader(write_comparison(made[:2], tmp_path / "seeds.html").read_text(encoding="utf-8"))
    assert alone.texts["h1"] == ["mixed: 2 seeds of one search on digits"]


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


def made_run(
    place: Path, errors: list[float], asked: int, space: str = "mixed", seed: int = 0, **changes: Any
) -> Run:  # fmt: skip
    records = tuple(record(n, seed, scores=(Score(1, each, 1.0, 0.1, 1.0),)) for n, each in enumerate(errors))
    return run(place / f"{space}-{seed}", records=records, space=space, seed=seed, trials=asked, **changes)


def test_a_run_that_asked_for_one_trial_more_in_place_of_a_failed_one_is_of_the_group(tmp_path: Path) -> None:
    errors = [0.3, 0.2, 0.4]
    same = [made_run(tmp_path, errors, asked, seed=seed) for seed, asked in enumerate((3, 4))]
    assert "2 seeds of one search" in write_comparison(same).read_text(encoding="utf-8")
    longer = [same[0], made_run(tmp_path, [*errors, 0.1], 4, seed=2)]
    assert "of 2 searches" in write_comparison(longer).read_text(encoding="utf-8")


TWO_SPACES = {"mixed": [0.28, 0.27, 0.30], "dense": [0.20, 0.35, 0.40]}


def test_the_lowest_error_within_a_limit_is_shown_for_each_search(tmp_path: Path) -> None:
    budget = Budget(macs=Range(max=600_000))
    made = [made_run(tmp_path, errors, 3, space, budget=budget) for space, errors in TWO_SPACES.items()]
    costs = [each.cost.macs for each in made[0].records]
    assert costs == [each.cost.macs for each in made[1].records]
    text = write_comparison(made).read_text(encoding="utf-8")
    (shown,) = re.findall(r'<section[^>]*id="limits".*?</section>', text, re.DOTALL)
    cells = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>")
    rows = [cells.findall(row)[1:] for row in re.findall(r"<tr>(.*?)</tr>", shown, re.DOTALL)][1:]
    limits = [600_000 * share / 5 for share in range(1, 6)]
    assert rows == [lowest_within([n for n, macs in enumerate(costs) if macs <= limit]) for limit in limits]
    assert len({tuple(row) for row in rows}) > 2


def lowest_within(inside: list[int]) -> list[str]:
    lowest = [min(errors[n] for n in inside) for errors in TWO_SPACES.values()]
    return [f"<b>{100 * each:.2f} %</b>" if each == min(lowest) else f"{100 * each:.2f} %" for each in lowest]
