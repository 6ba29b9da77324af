"""The exported network is the trained one, without the toolkit."""

import os
import re
from errno import ENOSPC
from pathlib import Path
from types import SimpleNamespace

import onnx
import pytest
import torch
import yaml
from torch import nn

from nas.errors import ExperimentError, ExportError
from nas.genome import Graph, Task, from_json
from nas.genome.primitives import BasicBlock, ConvStack, DenseBlock, FcHead, GapHead, Stem
from nas.model import formats, module, source
from nas.model.card import model_card
from nas.model.export import export_network, save_weights
from nas.model.module import run_source
from nas.model.parity import TOLERANCE, parity

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
    exported = export_network(
        graph, network, tmp_path, TASK, "A story.", {"Test accuracy": "0.99", "Output": "0 a\nclass"}
    )
    assert exported.agrees
    assert set(exported.parity["source"]) == {1, 2, 7}
    assert exported.max_difference <= TOLERANCE
    assert from_json((tmp_path / "genome.json").read_text(encoding="utf-8")) == graph
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "0.99" in card
    assert "tiny \\| task" in card
    assert "| Output | 0 a class |" in card
    assert card == (tmp_path / "README.md").read_text(encoding="utf-8")
    modes = {path.stat().st_mode for path in tmp_path.iterdir() if path.is_file()}
    assert len(modes) == 1, "who may read one file may read all"
    imports = re.findall(r"^(?:from|import) (\w+)", (tmp_path / "net.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(imports) == {"torch"}


def test_nothing_of_somebody_elses_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("my thesis")
    graph, network = trained()
    with pytest.raises(ExperimentError, match=r"has a README\.md that is not from an export; choose another folder"):
        export_network(graph, network, tmp_path, TASK, "A story.", {})
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_failing_write_leaves_the_earlier_export_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, network = trained()
    export_network(graph, network, tmp_path, TASK, "The first story.", {})
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with torch.no_grad():
        next(network.parameters()).add_(1)

    def full(_: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for write in (
        lambda: export_network(graph, network, tmp_path, TASK, "Another story.", {}),
        lambda: save_weights(network, tmp_path / "weights.safetensors"),
    ):
        with pytest.raises(OSError, match="No space left"):
            write()
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_difference_is_found(tmp_path: Path) -> None:
    graph, network = trained()
    export_network(graph, network, tmp_path, TASK, "", {})
    with torch.no_grad():
        next(network.parameters()).add_(1e-3)
    assert max(parity(network, tmp_path, graph.input)["source"].values()) > TOLERANCE


@pytest.mark.slow
def test_a_file_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    graph, network = trained()
    export_network(graph, network, tmp_path, TASK, "", {})
    (tmp_path / "net.py").write_text("import nas.genome\n", encoding="utf-8")
    with pytest.raises(ExportError, match="clean process"):
        parity(network, tmp_path, graph.input)


@pytest.mark.parametrize("story", ['"""', "\\", 'ends in a quote"', "'''\nimport os", "\x00 $<b>"])
def test_a_hostile_story_stays_a_docstring(story: str) -> None:
    x = Stem(4)(TASK.image())
    graph = Graph.of(GapHead(5)(x))
    assert run_source(source(graph, story))


@pytest.mark.slow
def test_every_format_agrees_at_every_batch_size(tmp_path: Path) -> None:
    graph, network = trained()
    exported = export_network(graph, network, tmp_path, TASK, "", {}, formats.FORMATS)
    assert set(exported.parity) == {"source", "onnx", "pt2"}
    assert exported.agrees
    written = {name for name in formats.FILES.values() if (tmp_path / name).is_file()}
    assert written == {formats.FILES[name] for name in formats.FORMATS}
    with torch.no_grad():
        next(network.parameters()).add_(1e-3)
    apart = parity(network, tmp_path, graph.input, formats.FORMATS)
    assert all(max(row.values()) > TOLERANCE for row in apart.values())


@pytest.mark.slow
@pytest.mark.parametrize("opset", [formats.OPSETS[0], formats.OPSETS[-1]])
def test_the_opset_is_the_one_asked_for(opset: int, tmp_path: Path) -> None:
    graph, network = trained()
    exported = export_network(graph, network, tmp_path, TASK, "", {}, ("onnx",), opset)
    assert exported.agrees
    written = {each.domain: each.version for each in onnx.load(tmp_path / "network.onnx").opset_import}
    assert written == {"": opset}
    assert f"| ONNX opset | {opset} |" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_an_opset_that_cannot_be_written_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    graph, network = trained()
    for opset in (-1, 17, 24):
        with pytest.raises(
            ExperimentError, match=rf"opset {opset} cannot be written; torch's exporter writes 18 to 23"
        ):
            export_network(graph, network, tmp_path / "out", TASK, "", {}, ("onnx",), opset)
    assert not (tmp_path / "out").exists()


def test_an_opset_that_the_exporter_did_not_write_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, network = trained()
    monkeypatch.setattr(formats, "trace", lambda *_: None)
    monkeypatch.setattr(
        torch.onnx, "export", lambda *_, **__: SimpleNamespace(model=SimpleNamespace(opset_imports={"": 18}))
    )
    with pytest.raises(ExportError, match="wrote opset 18, not 20"):
        formats.write_formats(network, tmp_path, graph.input, ("onnx",))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, network = trained()
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == "onnxruntime" else object())
    with pytest.raises(ExportError, match=r"format onnx needs onnxruntime: pip install 'nas-convnets\[onnx\]'"):
        export_network(graph, network, tmp_path / "out", TASK, "", {}, ("onnx",))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["plain", "# [x]: &y !!python/object", '"quoted"', "a: b\n---\n- c", "\u2028 %"])
def test_the_front_matter_is_yaml_whatever_the_task_is_called(name: str) -> None:
    graph, _ = trained()
    _, front, rest = model_card(graph, Task(name, (3, 8, 8), 5), {}, {}).split("---\n", 2)
    read = yaml.safe_load(front)
    assert read["tags"][-1] == " ".join(name.split())
    assert read["license"] == "mit"
    assert rest.lstrip().startswith("# A convolutional network")


def test_no_file_of_an_earlier_export_lies_next_to_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, network = trained()
    monkeypatch.setattr("nas.model.export.parity", lambda *_: {"source": {1: 0.0}})
    names = {"net.py", "weights.safetensors", "genome.json", "README.md"}
    (tmp_path / "network.onnx").write_bytes(b"of an earlier export")
    (tmp_path / "genome.json").write_text("of an earlier export")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".export.1.part").mkdir()
    export_network(graph, network, tmp_path, TASK, "", {})
    assert {path.name for path in tmp_path.iterdir()} == names | {"notes.txt"}
    original, moved, allowed = Path.replace, list[str](), [0]
    first = {name: (tmp_path / name).read_bytes() for name in names}

    def killed(path: Path, target: Path) -> Path:
        if target.parent == tmp_path:
            moved.append(path.name)
            present = {name: (tmp_path / name).read_bytes() for name in names if (tmp_path / name).exists()}
            assert set(present) == set(moved[:-1]), "only new files are there"
            if len(moved) == allowed[0]:
                raise KeyboardInterrupt
        return original(path, target)

    for number in range(1, len(names) + 1):
        moved.clear()
        allowed[:] = [number]
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", killed)
            with pytest.raises(KeyboardInterrupt):
                export_network(graph, network, tmp_path, TASK, "", {})
        export_network(graph, network, tmp_path, TASK, "", {})
        assert {name: (tmp_path / name).read_bytes() for name in names} == first


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, network = trained()
    monkeypatch.setattr("nas.model.export.parity", lambda *_: {"source": {1: 0.0}})
    export_network(graph, network, tmp_path / "old", TASK, "first", {})
    before = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}

    def broken(*_: object) -> None:
        raise ExportError("does not run in a clean process")

    monkeypatch.setattr("nas.model.export.parity", broken)
    for name in ("old", "new"):
        with pytest.raises(ExportError, match="clean process"):
            export_network(graph, network, tmp_path / name, TASK, "second", {})
    assert {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()} == before
    assert not (tmp_path / "new").exists()
