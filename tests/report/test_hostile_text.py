"""Control characters of a study are shown as escapes in every kind of output, and forge no line."""

import csv
import dataclasses
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from fake_run import DIGITS, network, record, run

from nas.cli.app import text_table
from nas.errors import printable
from nas.model.card import model_card
from nas.report import markdown_report, write_comparison, write_report
from nas.report.html.markup import json_script, tag
from nas.report.network import draw
from nas.search.store.log import line
from nas.search.store.run import Run
from nas.search.trial import Reason

HOSTILE = "a\x1b[31mb\x00c\rd\x08e\u202ef\u2066g\x7fh\x9bi\nfailed: 9\n| x |"
ESCAPES = (r"\x1b[31mb", r"\x00c", r"\x08e", r"\u202ef", r"\u2066g", r"\x7fh", r"\x9bi")
SPACES = "\n\xa0\u200b"


def hostile_run(path: Path) -> Run:
    """A run in which all that a study names has control characters."""
    choices = {HOSTILE: HOSTILE}
    records = [record(n, choices=choices | {f"kind {HOSTILE}": f"{n % 2} {HOSTILE}"}) for n in range(10)]
    records += [record(10, choices=choices, state="failed", reason=Reason.ERROR, detail=HOSTILE)]
    made = run(path, records=tuple(records), name=HOSTILE, space=HOSTILE)
    lost = record(12, choices={}, baseline=HOSTILE, state="failed", reason=Reason.ERROR)
    made = dataclasses.replace(made, command=HOSTILE, versions={HOSTILE: HOSTILE}, proposal_counts={HOSTILE: 3},
                               baselines=(record(11, choices={}, baseline=HOSTILE), lost))  # fmt: skip
    made.__dict__["task"] = dataclasses.replace(DIGITS, name=HOSTILE)
    return made


def unprintable(text: str) -> set[str]:
    return {letter for letter in text if not letter.isprintable() and letter not in SPACES}


def page_of(path: Path) -> str:
    """The page without the scripts and styles of its own."""
    text = path.read_bytes().decode()
    return re.sub(r"<(script|style)>.*?</\1>", "", text, flags=re.DOTALL)


def test_pages(tmp_path: Path) -> None:
    made = hostile_run(tmp_path)
    for page in (write_report(made), write_comparison([made, made])):
        text = page_of(page)
        assert unprintable(text) == set()
        data = [json.loads(each) for each in re.findall(r'-data">(.*?)</script>', text)]
        assert data
        assert unprintable(json.dumps(data, ensure_ascii=False)) == set()
        assert ESCAPES[0] in text
    assert "failed: 9" not in [row.strip() for row in text.splitlines()]


def test_figures_and_drawings(tmp_path: Path) -> None:
    folder = write_report(hostile_run(tmp_path)).parent
    for name in ("front", "hypervolume"):
        text = (folder / f"{name}.svg").read_text(encoding="utf-8")
        assert unprintable(text) == set()
        assert r"a\x1b[31mb" in "".join(ElementTree.fromstring(text).itertext())
    graph = network({"family": "plain", "width": 4, "depth": 1})
    named = dataclasses.replace(graph, nodes=tuple([n._replace(name=n.name + HOSTILE) for n in graph.nodes]))
    assert unprintable(draw(named)) == set()
    assert ElementTree.fromstring(draw(named)).tag.endswith("svg")


def test_tables(tmp_path: Path) -> None:
    folder = write_report(hostile_run(tmp_path)).parent
    text = (folder / "trials.csv").read_bytes().decode()
    assert unprintable(text) == set()
    assert len(text.splitlines()) == 12, "a line per trial"
    assert f"choice.{printable(HOSTILE, kept='')}" in next(csv.reader(text.splitlines()))


def test_markdown(tmp_path: Path) -> None:
    text = markdown_report(hostile_run(tmp_path))
    assert unprintable(text) == set()
    assert not [row for row in text.splitlines() if row.startswith(("failed", "| x"))]
    assert r"\\x1b\[31mb" in text


def test_a_card() -> None:
    graph = network({"family": "plain", "width": 4, "depth": 1})
    text = model_card(graph, dataclasses.replace(DIGITS, name=HOSTILE), {"Output": HOSTILE}, {})
    assert unprintable(text) == set()
    assert not [row for row in text.splitlines() if row.startswith(("failed", "| x"))]
    assert all(escape in text for escape in ESCAPES)


def test_lines_of_the_log_and_of_the_terminal() -> None:
    for told in (
        record(0, baseline=HOSTILE),
        record(0, state="failed", scores=(), reason=Reason.ERROR, detail=HOSTILE),
    ):
        assert line(told).isprintable()
    assert len(text_table([("name", "value"), (HOSTILE, HOSTILE)]).splitlines()) == 2


@pytest.mark.parametrize("text", [HOSTILE, "\ud800"])
def test_elements_attributes_and_data(text: str) -> None:
    for made in (tag("p", text, title=text), json_script("x", {text: [text, (text, 1.5, None)]})):
        assert unprintable(made) == set()
    assert json.loads(json_script("x", {text: 1}).split(">")[1].split("</")[0]) == {printable(text): 1}
