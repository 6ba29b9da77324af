"""Fine-tuning for integers: on training images only, into the file, offered where calibration is not enough."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from search.results.image_run import image_run, write_images
from torch import nn

from nas.device.conversion import integer_graph
from nas.device.layer_arrays import layer_arrays
from nas.genome import Graph
from nas.genome.primitives import ConvUnit, GapHead, Stem
from nas.model import module
from nas.model.export import load_weights, save_weights
from nas.search.results.export_int8 import calibration_images, export_int8
from nas.search.results.export_trial import kept_network
from nas.search.results.fine_tune_int8 import FineTuning
from nas.search.results.run_data import RunData, load_run_data
from nas.search.store.data_facts import DataFacts
from nas.search.store.run import load_run
from nas.training.batches import Batches
from nas.training.data import Data, Split, load_data
from nas.training.evaluation import evaluate
from nas.training.recipe import Recipe
from nas.training.train import train

pytest.importorskip("flatbuffers")
Call = Callable[..., Any]


def with_noise(data: Data) -> Data:
    """The data with other images for validation."""
    images = np.random.default_rng(0).integers(0, 256, data.validation.images.shape).astype(np.uint8)
    return replace(data, validation=Split(images, data.validation.labels))


def test_the_file_is_the_network_fine_tuned_on_training_images(finished_run: Path, tmp_path: Path, nas: Call) -> None:
    plain, tuned = tmp_path / "plain", tmp_path / "tuned"
    assert nas("export", finished_run, "--format", "tflite", "--out", plain)[0] == 0
    code, _, err = nas("export", finished_run, "--format", "tflite", "--qat", "2", "--out", tuned)
    assert code == 0, err
    run = load_run(finished_run)
    record = run.record("best")
    data, graph = with_noise(load_run_data(run).require_data()), integer_graph(record.graph)
    tuning = FineTuning(2, run.experiment.recipe, record.seed)
    weights = layer_arrays(record.graph, kept_network(run, record))
    again = tuning.apply(graph, weights, data, calibration_images(data), lambda _: None).to_tflite()
    assert (tuned / "network.tflite").read_bytes() == again
    assert len(again) == len((plain / "network.tflite").read_bytes())
    assert again != (plain / "network.tflite").read_bytes()
    assert (tuned / "weights.safetensors").read_bytes() == (plain / "weights.safetensors").read_bytes()
    card = (tuned / "README.md").read_text(encoding="utf-8")
    for part in ("Validation", "Test"):
        row = rf"{part} accuracy, float, int8 and int8 fine-tuned[ |:]+(0\.\d+), (0\.\d+) and (0\.\d+)"
        assert re.search(row, card)
        assert re.search(row, err)
    assert "Fine-tuning of network.tflite | 2 epochs on training images" in card
    assert "fine-tuning, epoch 2 of 2: validation error 0." in err


def scaled_feature(network: nn.Module, factor: float) -> None:
    """Divide the first feature by a factor, and multiply its weights by it: the network stays as it is, but all other
    weights of the last layer, which has one scale, have few steps in 8 bits.
    """
    norm = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)][-1]
    linear = [each for each in network.modules() if isinstance(each, nn.Linear)][-1]
    with torch.no_grad():
        norm.weight[0] /= factor
        norm.bias[0] /= factor
        linear.weight[:, 0] *= factor


def test_fine_tuning_wins_back_what_calibration_loses() -> None:
    data, recipe = load_data("digits"), Recipe(epochs=6)
    graph = Graph.of(GapHead(10)(ConvUnit(16, 3, 2)(Stem(8)(data.task.image()))))
    network, images = module(graph), RunData(DataFacts("digits"), data)
    assert len([*train(network, data, recipe, 0)]) == 6
    scaled_feature(network, 60)
    validation = evaluate(network, Batches(data.validation, data, torch.device("cpu")))
    before = export_int8(graph, network, images, validation, None)
    after = export_int8(graph, network, images, validation, None, FineTuning(3, recipe, 0))
    assert before.loses_much
    assert before.lost == after.lost  # before fine-tuning
    rounded, tuned = (float(list(each.rows.values())[-1].split()[-1]) for each in (before, after))
    assert 1 - validation.error - before.lost == pytest.approx(rounded, abs=1e-4)
    assert tuned > rounded + 0.03


def test_it_is_offered_where_calibration_loses_a_point(tmp_path: Path, nas: Call) -> None:
    run = image_run(tmp_path / "run", write_images(tmp_path / "images", count=40))
    network, file = module(run.record("0").graph, training=True), run.weights(run.record("0"))
    load_weights(network, file)
    scaled_feature(network, 1e5)
    save_weights(network, file)
    code, _, err = nas("export", run.path, "--format", "tflite", "--out", tmp_path / "net")
    assert code == 0, err
    assert re.search(r"8-bit integers lose [0-9.]+ points of validation accuracy; .*:0 --format tflite --qat 5", err)
