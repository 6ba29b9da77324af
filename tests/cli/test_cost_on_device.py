"""nas cost and nas show: what a network is on a microcontroller, and what it leaves of a board."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nas.cli.device_tables import find_target
from nas.device.boards import find_board
from nas.search.experiment_file import load_experiment
from nas.search.store.create import create

Call = Callable[..., Any]
SMALL_BOARD = (
    '[lamp]\ntitle = "A lamp"\nram = 50_000\nflash = 100_000\nruntime = "tflite-micro"\nprovider = "command"\n'
)


def rows(text: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split() for line in text.splitlines() if line}


def test_the_table_of_a_card(nas: Call) -> None:
    code, out, err = nas("cost", "resnet8", "--target", "cortex-m4-64k")
    found = rows(out.partition("TensorFlow Lite Micro")[2])
    assert code == 0
    assert found["activation_ram"][1:3] == ["49,152", "48.0"]
    assert found["ram"][1:5] == ["56,000", "54.7", "65,536", "9,536"]
    assert found["flash"][1:5] == ["86,160", "84.1", "262,144", "175,984"]
    assert int(found["ram"][1].replace(",", "")) == 49_152 + int(found["runtime_ram"][1].replace(",", ""))
    assert "fits cortex-m4-64k (STM32L432KC, 80 MHz): 9,536 bytes of ram and 175,984 of flash are left" in err


def test_what_a_network_lacks_of_a_board(nas: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("boards.toml").write_text(SMALL_BOARD, encoding="utf-8")
    _, out, err = nas("cost", "resnet8", "--target", "boards.toml:lamp")
    assert rows(out)["ram"][3:5] == ["50,000", "-6,000"]
    assert "does not fit lamp (A lamp): 6,000 bytes of ram are missing" in err
    facts = json.loads(nas("cost", "resnet8", "--target", "boards.toml:lamp", "--json")[1])
    assert (facts["target"], facts["fits"], facts["left"]) == ("lamp", False, {"ram": -6_000, "flash": 13_840})
    assert json.loads(nas("cost", "resnet8", "--target", "cortex-m4-64k", "--json")[1])["fits"]
    code, out, err = nas("cost", "zfnet", "--target", "cortex-m4-64k", "--json")
    assert (code, json.loads(out)["fits"], json.loads(out)["left"], json.loads(out)["weights"]) == (0, False, {}, None)
    assert "LocalResponseNorm" in err


def test_where_the_peak_stands(nas: Call) -> None:
    for verb in ("cost", "show"):
        _, out, _ = nas(verb, "resnet8", "--layers")
        steps, _, tensors = out.partition("bytes in memory")[2].partition("in memory at the peak")
        peak = next(line.split() for line in steps.splitlines() if "the peak" in line)
        assert peak[:2] == ["conv_unit_3.conv_1", "49,152"]
        assert rows(tensors)["conv_unit_1.conv_1"][1:] == ["32,768", "16,384", "32x32x16"]
    assert "at the peak" not in nas("cost", "resnet8")[1]
    assert "activation_ram" in nas("show", "resnet8")[1]


def test_the_board_of_a_run(tmp_path: Path) -> None:
    create(tmp_path / "run", load_experiment("quickstart", {"target": "cortex-m4-64k"}), "nas search").close()
    assert find_target(f"{tmp_path / 'run'}:best", None) == find_board("cortex-m4-64k", tmp_path)
    assert find_target(f"{tmp_path / 'run'}:best", "cortex-m7-320k") == find_board("cortex-m7-320k", tmp_path)
    assert find_target("resnet8", None) is None


def test_a_mistyped_board(nas: Call) -> None:
    code, out, err = nas("cost", "resnet8", "--target", "cortex-m4-46k")
    assert (code, out) == (2, "")
    assert "did you mean 'cortex-m4-64k'" in err


def test_latency_here(nas: Call) -> None:
    code, out, err = nas("cost", "lenet5_paper", "--latency")
    assert code == 0
    assert float(rows(out)["latency_ms"][1]) > 0
    assert "one thread" in err
    code, out, err = nas("cost", "lenet5_paper", "--latency", "--target", "cortex-m4-64k")
    assert (code, out) == (2, "")
    assert "a command of yours measures on cortex-m4-64k" in err
