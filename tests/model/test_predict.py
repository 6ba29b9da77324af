"""predict.py of an export gives the logits of our reader and network, outside the checkout."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
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
from nas.training.data.images import open_image, prepare_image

MEAN, STD = (100.5, 90.25, 80.0), (60.0, 50.0, 40.0)


def logits(folder: Path, files: list[Path], *options: str) -> list[list[float]]:
    command = [sys.executable, str(folder / "predict.py"), *map(str, files), "--json", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["logits"] for line in done.stdout.splitlines()]


def write_pictures(folder: Path, channels: int) -> Iterator[Path]:
    """Write pictures of every kind that a set of so many channels may have; yield their files."""
    exif = Image.Exif()
    exif[0x0112] = 6
    numbers = np.random.default_rng(0)
    if channels == 1:
        Image.fromarray(numbers.integers(0, 256, (15, 11), np.uint8)).save(folder / "gray.png", exif=exif)
        Image.fromarray(numbers.integers(0, 65536, (15, 11), np.uint16)).save(folder / "deep.png")
        yield from (folder / "gray.png", folder / "deep.png")
        return
    image = Image.fromarray(numbers.integers(0, 256, (15, 11, 4), np.uint8))
    for name, mode in (("a.png", "RGBA"), ("b.jpg", "RGB"), ("c.png", "P"), ("d.jpg", "CMYK"), ("e.webp", "RGBA")):
        image.convert("RGB" if mode in ("P", "CMYK") else mode).convert(mode).save(folder / name, exif=exif)
        yield folder / name


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
    folder = tmp_path / "export"
    export_network(graph, network, folder, Task("", graph.input, 3), "", {}, formats, preprocessing=how)
    assert list(json.loads((folder / "labels.json").read_text(encoding="utf-8")).values()) == list(labels)
    files = list(write_pictures(tmp_path, channels))
    for options in ([], ["--onnx"]) if "onnx" in formats else ([],):
        for file, found in zip(files, logits(folder, files, *options), strict=True):
            shown = np.asarray(prepare_image(open_image(file.read_bytes()), (6, 8)), np.float64)
            read = shown.reshape(6, 8, channels) * white / 255
            images = torch.from_numpy(((read - MEAN[:channels]) / STD[:channels]).transpose(2, 0, 1)[None]).float()
            with torch.no_grad():
                expected = network.eval()(images)[0]
            assert torch.allclose(torch.tensor(found), expected, atol=1e-5, rtol=0), file.name
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
