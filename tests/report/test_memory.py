"""The section on memory: where it is, and whether its picture is the plan."""

import re
from pathlib import Path

import pytest
from fake_run import run
from test_page import Reader

from nas.device.footprint import footprint
from nas.device.memory_profile import memory_profile
from nas.genome.baselines import baseline
from nas.report.run.memory import HEIGHT, memory_picture, memory_section
from nas.report.run.page import run_page
from nas.report.run.view import view_of
from nas.search.objectives import Budget, Range


@pytest.mark.parametrize("name", ["ram", "activation_ram", "flash"])
def test_a_budget_or_an_objective_asks_for_it(name: str, tmp_path: Path) -> None:
    assert memory_section(view_of(run(tmp_path, 8))) is None
    assert memory_section(view_of(run(tmp_path, 0, budget=Budget({name: Range(max=10**6)})))) is None
    assert memory_section(view_of(run(tmp_path, 8, objectives=("error", name))))
    view = view_of(run(tmp_path, 8, budget=Budget({name: Range(max=10**6)})))
    assert view.best is not None
    counted = footprint(view.best.graph)
    page = Reader(run_page(view))
    assert f"Memory of the best network: trial {view.best.number}" in page.words
    assert f"{getattr(counted, name):,} bytes of 1,000,000" in page.words
    assert f"in an arena of {counted.activation_ram:,}" in page.words


def test_the_picture_is_the_plan() -> None:
    profile = memory_profile(baseline("resnet8"))
    picture = Reader(memory_picture(profile))
    boxes = [each for each in picture.every("rect") if str(each["class"]).startswith("tensor")]
    assert len(boxes) == len(profile.tensors)
    for box, tensor in zip(boxes, profile.tensors, strict=True):
        bottom = (HEIGHT - float(box["y"] or 0)) * profile.arena / HEIGHT
        assert bottom == pytest.approx(tensor.place.end, rel=1e-4, abs=1)
    assert len([box for box in boxes if box["class"] == "tensor made"]) == 3
    said = [text for text in picture.texts["title"] if text.startswith("conv_unit_3.conv_1 32x32x16")]
    assert said == ["conv_unit_3.conv_1 32x32x16: 16,384 bytes from byte 16,384 on"]
    assert re.search(r"at most 49,152 bytes, at conv_unit_3.conv_1", picture.texts["title"][0])
