"""The exported network is the trained one, without the toolkit."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from nas.errors import ExportError
from nas.genome import Graph, Task, from_json
from nas.genome.primitives import BasicBlock, ConvStack, DenseBlock, FcHead, GapHead, Stem
from nas.model import module
from nas.model.export import TOLERANCE, export, parity

TASK = Task("tiny | task", (3, 8, 8), 5)


def trained() -> tuple[Graph, nn.Module]:
    x = DenseBlock(4, 3)(ConvStack(8, 2)(BasicBlock(8)(Stem(8)(TASK.image()))))
    graph = Graph.of(FcHead(5, (16,))(x))
    torch.manual_seed(0)
    network = module(graph)
    network(torch.randn(8, 3, 8, 8))  # running statistics that differ from their start
    return graph, network


def test_export_agrees_and_says_how_to_load_it(tmp_path: Path) -> None:
    graph, network = trained()
    exported = export(graph, network, tmp_path, TASK, "A story.", {"Test accuracy": "0.99"})
    assert exported.agrees
    assert set(exported.parity) == {1, 2, 7}
    assert max(exported.parity.values()) <= TOLERANCE
    assert from_json((tmp_path / "genome.json").read_text(encoding="utf-8")) == graph
    card = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert "0.99" in card
    assert "tiny \\| task" in card
    imports = re.findall(r"^(?:from|import) (\w+)", (tmp_path / "net.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(imports) == {"torch"}


def test_a_difference_is_found(tmp_path: Path) -> None:
    graph, network = trained()
    export(graph, network, tmp_path, TASK, "", {})
    with torch.no_grad():
        next(network.parameters()).add_(1e-3)
    assert max(parity(network, tmp_path, graph).values()) > TOLERANCE


def test_a_file_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    graph, network = trained()
    export(graph, network, tmp_path, TASK, "", {})
    (tmp_path / "net.py").write_text("import nas.genome\n", encoding="utf-8")
    with pytest.raises(ExportError, match="clean process"):
        parity(network, tmp_path, graph)


@pytest.mark.parametrize("story", ['"""', "\\", 'ends in a quote"', "'''\nimport os", "\x00 $<b>"])
def test_a_hostile_story_stays_a_docstring(tmp_path: Path, story: str) -> None:
    x = Stem(4)(TASK.image())
    graph = Graph.of(GapHead(5)(x))
    exported = export(graph, module(graph), tmp_path, TASK, story, {})
    assert exported.agrees
