"""The text written for every baseline reads well: bounded lines, telling names, clean under the usual tools."""

import subprocess
import sys
from pathlib import Path

import pytest

from nas.genome.baselines import BASELINES, baseline
from nas.model import source

DEEPER = {"densenet161", "densenet201", "densenet264", "densenet_bc_250_24", "densenet_bc_190_40"}  # the same classes
RULES = "E,F,I,W,UP,B,RUF,SIM,RET,PIE,C4"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    for name in set(BASELINES) - DEEPER:
        module = name.replace("-", "_").replace(".", "_")
        (folder / f"{module}.py").write_text(source(baseline(name)), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("lenet5_modern", 60),
        ("alexnet_original", 85),
        ("vgg_D", 75),
        ("googlenet_paper_noaux", 100),
        ("resnet50", 105),
        ("resnet152", 105),
        ("densenet121", 105),
        ("inception_v3_torchvision", 200),
        ("cifar_resnet1202", 95),
    ],
)
def test_length(name: str, most: int) -> None:
    assert len(source(baseline(name)).splitlines()) <= most


def test_options_stand_by_name_and_only_where_they_differ() -> None:
    text = source(baseline("googlenet_paper_noaux"))
    assert "self.one = ConvUnit(in_channels, one, 1)" in text
    assert "ConvUnit(3, 64, 7, stride=2, padding=3)" in text
    assert "kernel: int, stride: int = 1, padding: int = 0)" in text


def test_a_stack_of_one_is_written_as_that_one() -> None:
    text = source(baseline("vgg_A"))
    assert "self.conv_stack1 = ConvUnit(3, 64)" in text
    assert text.count("class ConvStack") == 1


def test_a_padding_is_no_number_of_repeats() -> None:
    """In Network in Network the two agree by chance: 2 and 1."""
    assert "for _ in range(repeats)" in source(baseline("nin_cifar10"))


def test_lines_are_bounded(written: Path) -> None:
    for path in written.iterdir():
        long = [line for line in path.read_text(encoding="utf-8").splitlines() if len(line) > 120]
        assert not long, path.name


def test_ruff_has_nothing_to_say(written: Path) -> None:
    checks = ["ruff", "check", "--isolated", "--no-cache", "--line-length", "120", "--select", RULES, str(written)]
    done = subprocess.run([sys.executable, "-m", *checks], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
