"""The page on microcontrollers: its commands run as printed, and its file in the runtime."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from nas.device.boards import find_board
from nas.search.experiment_file import load_experiment

Call = Callable[..., tuple[int, str, str]]
TEXT = (Path(__file__).parent.parent / "docs" / "device.md").read_text(encoding="utf-8")
BOARD = find_board("cortex-m4-64k", Path())


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (text,) = blocks("toml")
    (tmp_path / "board.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_block(block: str, nas: Call) -> None:
    for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, printed = command.partition("\n")
        program, *arguments = line.split()
        code, out, err = nas(*arguments)
        assert (program, code) == ("nas", 0), f"{line}\n{err}"
        assert printed in ("", out), line


def test_the_experiment_is_for_the_board(project: Path, nas: Call) -> None:
    experiment = load_experiment("board.toml")
    assert experiment.target == BOARD
    assert {name: experiment.budget[name].max for name in BOARD.limits} == BOARD.limits
    run_block(blocks("console")[0], nas)


@pytest.mark.slow
def test_the_whole_way(project: Path, nas: Call) -> None:
    pytest.importorskip("flatbuffers")
    pytest.importorskip("tflite_micro")
    for block in blocks("console")[1:]:
        run_block(block, nas)
    assert "Memory of the best network" in (project / "runs/board/report/index.html").read_text(encoding="utf-8")
    assert "float and int8" in (project / "exports/board/README.md").read_text(encoding="utf-8")
    (code,) = blocks("python")
    exec(compile(code, "device.md", "exec"), {})
