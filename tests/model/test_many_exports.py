"""Exports by the dozen: random networks of every space and the networks of the papers."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from exporting import exported, furthest

from nas.errors import GenomeError
from nas.genome import Graph, Task, cost
from nas.genome.baselines import BASELINES, baseline
from nas.model import formats, source
from nas.model.parity import TOLERANCE, Comparison
from nas.resources import names
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space

TASKS = (Task("small", (1, 8, 8), 10), Task("coloured", (3, 32, 32), 10))
GENOMES = 40
MAX_PIXELS = 128  # of a side
MAX_PARAMS = 30_000_000
MAX_MACS = 3_000_000_000  # larger ones take seconds an image on a slow core; benchmarks/exports.py has all
PARTS = 4  # so that few networks are in memory at once
pytestmark = pytest.mark.slow


def drawn(number: int) -> Graph:
    """A network of one space after another, for one task after another."""
    spaces = names("search_spaces", ".py")
    return sample_network(load_space(spaces[number % len(spaces)]), TASKS[number // len(spaces) % len(TASKS)], number)


@pytest.fixture(scope="module")
def genomes(tmp_path_factory: pytest.TempPathFactory) -> list[Comparison]:
    place = tmp_path_factory.mktemp("genomes")
    return [exported(drawn(n), place / f"genome_{n}", ("source",)) for n in range(GENOMES)]


def test_random_networks_agree(genomes: list[Comparison]) -> None:
    assert furthest(genomes) <= TOLERANCE


def test_random_networks_agree_in_every_format(tmp_path: Path) -> None:
    spaces = len(names("search_spaces", ".py"))
    jobs = [exported(drawn(n), tmp_path / f"genome_{n}", formats.FORMATS) for n in range(spaces)]
    jobs.append(exported(baseline("lenet5_paper"), tmp_path / "lenet5", formats.FORMATS))  # its scores are near 100
    assert furthest(jobs) <= TOLERANCE


def test_ruff_and_mypy_have_nothing_to_say(genomes: list[Comparison]) -> None:
    place = genomes[0][1].parent
    for name in BASELINES:
        folder = place / name.replace("-", "_").replace(".", "_")
        folder.mkdir()
        (folder / "net.py").write_text(source(baseline(name)), encoding="utf-8")
    files = sorted(file.relative_to(place) for file in place.glob("*/net.py"))
    assert len(files) == GENOMES + len(BASELINES)
    checks = ["ruff", "check", "--isolated", "--no-cache", "--line-length", "120", "--select", "E,F,I,W,UP,B,RUF,SIM"]
    for command in (checks, ["mypy", "--strict", "--config-file=", "--explicit-package-bases", "--cache-dir=.cache"]):
        run = [sys.executable, "-m", *command, *map(str, files)]
        done = subprocess.run(run, cwd=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def small_baselines() -> Iterator[tuple[str, Graph]]:
    """Yield the networks of the papers for smaller images, where they take such."""
    for name in BASELINES:
        graph = whole = baseline(name)
        channels, rows, columns = whole.input
        with suppress(GenomeError):
            images = channels, min(rows, MAX_PIXELS), min(columns, MAX_PIXELS)
            graph = BASELINES[name].graph(Task("small", images, BASELINES[name].task.classes))
        if (counts := cost(graph)).params <= MAX_PARAMS and counts.macs <= MAX_MACS:
            yield name, graph


@pytest.mark.parametrize("part", range(PARTS))
def test_the_networks_of_the_papers_agree(part: int, tmp_path: Path) -> None:
    chosen = list(small_baselines())
    assert len(chosen) > 30
    jobs = [exported(graph, tmp_path / name, ("source",)) for name, graph in chosen[part::PARTS]]
    assert furthest(jobs) <= TOLERANCE
