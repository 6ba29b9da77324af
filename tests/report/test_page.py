"""The page: whole, offline, and not to be broken by any name."""

import dataclasses
import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fake_run import EVIL, evil_run, record, rich_run, run

from nas.errors import printable
from nas.report import write_report
from nas.report.html.markup import Markup, json_script, tag
from nas.report.run.page import run_page
from nas.report.run.view import view_of
from nas.search.trial import Reason
from nas.training.score import Score

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Collects elements, attributes and visible text, and checks that tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, text: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(text)

    def every(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for element, attributes in self.elements if element == name]

    @property
    def words(self) -> str:
        return " ".join(" ".join(texts) for name, texts in self.texts.items() if name not in ("script", "style"))


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(run_page(view_of(run(tmp_path_factory.mktemp("run"), 30))))


def test_the_first_screen_answers_the_question(thirty: Reader) -> None:
    best = view_of(run(Path(), 30)).best
    assert best is not None
    assert thirty.texts["h1"] == ["Best network for digits within 120\xa0k parameters and 4.5\xa0M MACs"]
    for said in (f"trial {best.number}", f"{best.error:.2%}".replace("%", " %"), f"{best.cost.params:,} parameters"):
        assert said in thirty.words


def test_nothing_is_loaded_and_the_policy_forbids_it(thirty: Reader) -> None:
    for name, attributes in thirty.elements:
        assert "src" not in attributes, name
        assert name not in ("link", "iframe", "object", "embed", "img", "base")
        assert not str(attributes.get("href", "")).startswith(("http", "//", "javascript"))
    (policy,) = (m["content"] for m in thirty.every("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    script = policy.split("script-src")[1]
    assert "unsafe" not in script
    assert script.count("sha256-") == 2
    assert not re.search(r"url\(|@import", " ".join(thirty.texts["style"]))


def test_it_can_be_read_by_keyboard_and_screen_reader(thirty: Reader) -> None:
    names = [name for name, _ in thirty.elements]
    assert names.count("h1") == names.count("main") == names.count("header") == 1
    identities = [a["id"] for _, a in thirty.elements if "id" in a]
    assert len(identities) == len(set(identities))
    for _, attributes in thirty.elements:
        assert attributes.get("aria-labelledby", identities[0]) in identities
    assert names.count("caption") == names.count("table")
    assert all("scope" in attributes for attributes in thirty.every("th"))
    assert all(attributes.get("aria-label") for attributes in thirty.every("svg"))
    assert thirty.every("html")[0]["lang"] == "en"


def test_every_front_network_is_drawn_and_every_trial_listed(thirty: Reader) -> None:
    seen = view_of(run(Path(), 30))
    templates = {attributes["id"] for attributes in thirty.every("template")}
    assert templates == {f"trial-{r.number}" for r in seen.front}
    assert len(thirty.every("svg")) == len(seen.front)  # the best once, in its own section
    listed = [a["data-trial"] for a in thirty.every("button") if "data-trial" in a]
    assert len(listed) == 30 + len(seen.front)


def test_finalists_answer_with_an_interval_and_baselines_stand_beside(tmp_path: Path) -> None:
    made = rich_run(tmp_path)
    seen = view_of(made)
    assert seen.best is not None
    assert seen.best.number == seen.finalists[0].number
    reader = Reader(run_page(seen))
    assert ", the best of 2 finalists: validation error" in reader.words
    assert "(over 2 seeds), test error" in reader.words
    assert "95 % interval 4.00 % to 8.00 % over 2 seeds; test error 6.50 %" in reader.words
    assert "vgg_A, widths x 0.5" in reader.words
    assert [text for text in reader.texts["b"] if text == "6.00 %"]  # the button of the best has its mean
    assert "2 seeds of 9 epochs" in reader.words
    assert "6.50 %" in reader.texts["dd"]
    assert "Class by class" not in reader.words  # its matrix is of the search's weights
    assert "finalist" in reader.texts["button"]
    assert {a["data-title"] for a in reader.every("template") if "data-title" in a} == {"lenet5", "vgg_A, widths x 0.5"}
    drawn = json.loads(re.findall(r'id="front-data">(.*?)</script>', run_page(seen))[0])
    assert [len(trace["y"]) for trace in drawn["traces"][2:]] == [2, 2]
    assert len(drawn["spread"]["up"]) == 2
    ends = json.loads(re.findall(r'id="curves-data">(.*?)</script>', run_page(seen))[0])["stopped"]
    assert len(ends["x"]) == sum(record.state == "pruned" for record in made.records) > 0


def test_a_baseline_that_failed_is_named(tmp_path: Path) -> None:
    lost = record(9, choices={}, baseline="vgg_A", state="failed", reason=Reason.DIVERGED)
    words = Reader(run_page(view_of(dataclasses.replace(run(tmp_path, 9), baselines=(lost,))))).words
    assert "Baseline vgg_A did not complete: nan: the loss or the error was no longer a number." in words


def test_the_time_limit_and_trials_of_other_programs_are_named(tmp_path: Path) -> None:
    text = run_page(view_of(dataclasses.replace(run(tmp_path, time_limit="2h"), seconds_used=60.0, foreign=3)))
    assert "2h, 1m used" in text
    assert "Passed over: 3 trials that another program made" in text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    written = write_report(evil_run(tmp_path))
    text = written.read_text(encoding="utf-8")
    reader = Reader(text)
    scripts = [a.get("type") for a in reader.every("script")]
    assert scripts == ["application/json"] * 6 + [None, None]
    assert "<script>alert(1)</script> $x_1$ [red]" in reader.words
    assert not [a for _, a in reader.elements if any(key.startswith("on") for key in a)]
    assert max(len(text) for name in ("td", "th", "dd", "dt", "p", "h1") for text in reader.texts[name]) < 3_000
    assert len(text) < 8_000_000
    assert (tmp_path / "report" / "front.png").stat().st_size > 10_000


STATES: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"trials": 0}, "No network has been trained yet"),
    "one": ({"trials": 1}, "it has the lowest validation error"),
    "failed": ({"records": tuple(record(n, state="failed") for n in range(3))}, "None of the 3 trials completed"),
    "running": ({"records": (record(0, state="running"),)}, "1 of 1 are still training"),
    "one objective": ({"trials": 12, "objectives": ("error",)}, "The only objective is the validation error"),
    "three objectives": ({"trials": 12, "objectives": ("error", "macs", "depth")}, "validation error, MACs and depth"),
    "infinite": ({"records": (record(0, scores=(Score(1, float("inf"), float("inf"), 0.1, 1.0),)),)}, "None of the 1"),
}


@pytest.mark.parametrize("name", STATES)
def test_each_state_of_a_run_has_a_sensible_page(name: str, tmp_path: Path) -> None:
    changes, said = STATES[name]
    path = write_report(run(tmp_path, **changes))
    reader = Reader(path.read_text(encoding="utf-8"))
    assert said in reader.words
    assert "nas search quickstart --seed 0" in reader.words
    beside = {a["href"] for a in reader.every("a")} - {"#results", "#network"}
    assert all((tmp_path / "report" / str(file)).is_file() for file in beside)
    assert not list((tmp_path / "report").glob("*.part"))


def test_a_rewritten_report_is_the_same_to_the_byte(tmp_path: Path) -> None:
    first = write_report(run(tmp_path, 6))
    before = {path.name: path.read_bytes() for path in first.parent.iterdir() if path.suffix != ".png"}
    write_report(run(tmp_path, 6))
    assert before == {path.name: path.read_bytes() for path in first.parent.iterdir() if path.suffix != ".png"}


def test_text_is_escaped_unless_it_is_markup() -> None:
    assert tag("p", "<b>", Markup("<i>x</i>"), title='"&') == '<p title="&quot;&amp;">&lt;b&gt;<i>x</i></p>'
    assert tag("p", ["a", None, 3], hidden=True, open=False, data_x=0) == '<p hidden data-x="0">a3</p>'


def test_data_cannot_leave_its_element() -> None:
    written = json_script("x", {"evil": EVIL})
    inner = written.split(">", 1)[1].rsplit("</script>", 1)[0]
    assert not re.search("[<>&\u2028\u2029]", inner)
    assert json.loads(inner)["evil"] == printable(EVIL)


@pytest.mark.slow
def test_ten_thousand_trials_build_in_time_and_within_eight_megabytes(tmp_path: Path) -> None:
    for trials, seconds in ((1_000, 20), (10_000, 60)):
        made = run(tmp_path, trials)
        started = time.process_time()
        path = write_report(made)
        assert time.process_time() - started < seconds
        assert path.stat().st_size < 8_000_000
