"""The export in 8-bit integers: calibrated on training images, evaluated beside the network, run by the runtime."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.micro_runtime import load
from nas.device.conversion import integer_graph
from nas.device.footprint import footprint
from nas.device.layer_arrays import layer_arrays
from nas.device.quantize import quantize
from nas.device.reference import run_integers
from nas.search.results.export_int8 import CALIBRATION, calibration_images
from nas.search.results.export_trial import kept_network
from nas.search.results.run_data import load_run_data
from nas.search.store.run import load_run

pytest.importorskip("flatbuffers")
pytest.importorskip("tflite_micro")


def test_a_trial_is_exported_in_integers(finished_run: Path, tmp_path: Path, nas: Callable[..., Any]) -> None:
    folder = tmp_path / "net"
    code, _, err = nas("export", finished_run, "--format", "tflite", "--out", folder)
    assert code == 0, err
    run = load_run(finished_run)
    record = run.record("best")
    data = load_run_data(run).require_data()
    integers = quantize(
        integer_graph(record.graph), layer_arrays(record.graph, kept_network(run, record)), calibration_images(data)
    )
    file = (folder / "network.tflite").read_bytes()
    assert file == integers.to_tflite()
    interpreter = load(file, footprint(record.graph).ram)
    images = integers.quantize_images(calibration_images(data)[:4])
    for image, scores in zip(images, run_integers(integers, images), strict=True):
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        assert interpreter.get_output(0).reshape(-1).tolist() == scores.tolist()
    card = (folder / "README.md").read_text(encoding="utf-8")
    for part in ("Validation", "Test"):
        row = re.search(rf"\| {part} accuracy, float and int8 \| (0\.\d+) and (0\.\d+) \|", card)
        assert row
        assert abs(float(row[1]) - float(row[2])) < 0.03
    assert f"network.tflite, {len(file):,} bytes" in card
    assert "Interpreter(" in card


def test_calibration_images_are_those_of_training(finished_run: Path) -> None:
    data = load_run_data(load_run(finished_run)).require_data()
    found = calibration_images(data)
    assert len(found) == CALIBRATION
    mean, std = (np.array(values).reshape(1, -1, 1, 1) for values in (data.mean, data.std))
    pixels = np.round((found * std + mean) * 255).astype(np.uint8)
    training = {image.tobytes() for image in data.train.images}
    assert all(image.tobytes() in training for image in pixels)


def test_what_has_no_training_images_is_refused(tmp_path: Path, nas: Callable[..., Any]) -> None:
    code, out, err = nas("export", "lenet5_modern", "--format", "tflite", "--out", tmp_path / "net")
    assert (code, out) == (2, "")
    assert "is not a trial of a run" in err
    assert not (tmp_path / "net").exists()
