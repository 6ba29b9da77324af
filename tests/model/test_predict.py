"""predict.py of an export gives the logits of our reader and network, outside the checkout."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from nas.errors import ExperimentError
from nas.genome import Graph, Task
from nas.genome.primitives import GapHead, Stem
from nas.model import module
from nas.model.export import check_folder, export_network
from nas.model.formats import Format
from nas.model.predict import Preprocessing
from nas.training.data.images import decode_image

MEAN, STD = (100.5, 90.25, 80.0), (60.0, 50.0, 40.0)


def logits(folder: Path, file: Path, *options: str) -> list[float]:
    command = [sys.executable, str(folder / "predict.py"), str(file), "--json", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found: list[float] = json.loads(done.stdout)["logits"]
    return found


@pytest.mark.parametrize(
    ("channels", "white", "formats"),
    [(3, 255, ("source",)), pytest.param(3, 255, ("source", "onnx"), marks=pytest.mark.slow), (1, 240, ("source",))],
)
def test_a_picture_file_has_the_logits_of_training(
    channels: int, white: int, formats: tuple[Format, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.model.export.parity", lambda *_: {"source": {1: 0.0}})
    torch.manual_seed(0)
    graph = Graph.of(GapHead(3)(Stem(4)(Task("", (channels, 6, 8), 3).image())))
    network = module(graph)
    labels = ("a", "b|\n", '"""')
    how = Preprocessing((channels, 6, 8), MEAN[:channels], STD[:channels], white, labels)
    folder, file = tmp_path / "export", tmp_path / "picture.png"
    export_network(graph, network, folder, Task("", graph.input, 3), "", {}, formats, preprocessing=how)
    assert list(json.loads((folder / "labels.json").read_text(encoding="utf-8")).values()) == list(labels)
    pixels = np.random.default_rng(0).integers(0, 256, (15, 11, 4 if channels == 3 else 1), np.uint8).squeeze()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(file, exif=exif)
    read = np.asarray(decode_image(file.read_bytes(), (6, 8)), np.float64).reshape(6, 8, channels) * white / 255
    images = torch.from_numpy(((read - MEAN[:channels]) / STD[:channels]).transpose(2, 0, 1)[None]).float()
    with torch.no_grad():
        expected = network.eval()(images)[0]
    for options in ([], ["--onnx"]) if "onnx" in formats else ([],):
        assert torch.allclose(torch.tensor(logits(folder, file, *options)), expected, atol=1e-5, rtol=0)
    if "onnx" in formats:
        model = onnx.load(folder / "network.onnx")
        assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
        assert model.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
        assert json.loads({each.key: each.value for each in model.metadata_props}["class_names"]) == list(labels)


@pytest.mark.parametrize("name", ["predict.py", "labels.json"])
def test_somebody_elses_script_beside_an_older_export_is_kept(name: str, tmp_path: Path) -> None:
    (tmp_path / "genome.json").write_text("{}")
    (tmp_path / name).write_text("mine")
    with pytest.raises(ExperimentError, match="not from an export"):
        check_folder(tmp_path)
