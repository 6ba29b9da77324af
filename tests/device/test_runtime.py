"""Files, arenas and outputs beside the runtimes themselves."""

import random
from typing import Any

import numpy as np
import pytest
from device.trained import LAYERS, convertible_network, images_for, quantized, scores_of, trained
from random_networks import random_network, random_op

from benchmarks.device_memory import compare, random_networks
from benchmarks.micro_runtime import arena_of, load
from nas.device.bookkeeping import bookkeeping_bound
from nas.device.conversion import integer_graph
from nas.device.footprint import footprint
from nas.device.quantize import QuantizedNetwork
from nas.device.reference import run_integers
from nas.errors import DeviceError, GenomeError
from nas.genome import OPS, Graph, Primitive, Task, cost
from nas.genome.primitives import BasicBlock, ConvStack, GapHead, Linear, MaxPool, Stem

pytest.importorskip("flatbuffers")
pytest.importorskip("tflite_micro")
SMALL = Task("small", (3, 16, 16), 7)


def difference(network: QuantizedNetwork, interpreter: Any, images: Any) -> int:
    """The largest difference of our integers from an interpreter's."""
    ours, largest = run_integers(network, images), 0
    for image, scores in zip(images, ours, strict=True):
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        found = interpreter.get_output(0).astype(int)
        largest = max(largest, int(np.abs(found - scores.reshape(found.shape)).max()))
    return largest


@pytest.mark.parametrize("seed", range(30))
def test_every_layer_is_computed_counted_and_planned_as_the_runtime_does(seed: int) -> None:
    graph = convertible_network(1_000 + seed)
    network, counted = quantized(graph, seed), footprint(graph)
    file = network.to_tflite()
    interpreter = load(file, counted.ram)  # an arena of exactly so many bytes
    assert difference(network, interpreter, network.quantize_images(images_for(graph, 1, 3))) == 0
    arena = arena_of(interpreter)
    assert (arena.head, len(file)) == (counted.activation_ram, counted.flash)
    assert arena.tail <= bookkeeping_bound(integer_graph(graph))


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_alone(layer: str) -> None:
    checked = 0
    for seed in range(40):
        graph = random_network(seed, 2, [layer])
        try:
            network = quantized(graph, seed)
        except DeviceError:  # such as a mean over unequal parts
            continue
        images = network.quantize_images(images_for(graph, 1, 2))
        assert difference(network, load(network.to_tflite(), footprint(graph).ram), images) == 0
        checked += 1
    assert checked


PRIMITIVES = sorted(
    name for name, op in OPS.items() if issubclass(op, Primitive) and op.__module__.startswith("nas.genome.primitives")
)
WITHOUT_OPERATIONS = {"ConvNeXtBlock", "NormHead", "PatchReduction", "PatchStem"}  # the runtime has no LayerNorm


def around(name: str, seed: int) -> Graph:
    """A random primitive on an image, with a head on what is not flat. Raises GenomeError where it does not fit."""
    rng = random.Random(seed)
    side = rng.choice([12, 20])
    made = random_op(rng, OPS[name])(Task("small", (rng.choice([3, 4, 8]), side, side), 10).image())
    return Graph.of(GapHead(10)(made) if len(made.shape) == 3 else made)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_but_those_with_layer_norm(name: str) -> None:
    """Random hyperparameters, until three networks of at most 300,000 parameters have been compared."""
    checked = 0
    for seed in range(200):
        try:
            graph = around(name, seed)
            if cost(graph).params > 300_000:
                continue
            network = quantized(graph, seed)
        except (GenomeError, DeviceError):
            continue
        images = network.quantize_images(images_for(graph, 1, 2))
        assert difference(network, load(network.to_tflite(), footprint(graph).ram), images) == 0
        checked += 1
        if checked == 3:
            break
    assert bool(checked) == (name not in WITHOUT_OPERATIONS)


@pytest.mark.slow
def test_sixty_networks_of_all_spaces_take_what_is_counted() -> None:
    drawn = random_networks(2)
    found = [compare(*next(drawn)) for _ in range(60)]
    assert [each for each in found if not each.is_exact] == []


def test_a_wide_convolution_needs_memory_to_be_prepared() -> None:
    graph = Graph.of(GapHead(3)(ConvStack(300, 2)(Task("tiny", (1, 2, 2), 3).image())))
    counted, file = footprint(graph), quantized(graph).to_tflite()
    load(file, counted.ram)
    assert counted.ram > counted.activation_ram + bookkeeping_bound(integer_graph(graph))


@pytest.mark.parametrize("width", [4, 12])
def test_the_desktop_runtime_computes_the_same(width: int) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    graph = Graph.of(Linear(7)(GapHead(9)(BasicBlock(2 * width, 2)(MaxPool(2, 2)(Stem(width)(SMALL.image()))))))
    network = quantized(graph)
    reference = litert.OpResolverType.BUILTIN_REF
    interpreter = litert.Interpreter(model_content=network.to_tflite(), experimental_op_resolver_type=reference)
    interpreter.allocate_tensors()
    images = network.quantize_images(images_for(graph, 1, 4))
    for image, scores in zip(images, run_integers(network, images), strict=True):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        assert np.abs(found[0].astype(int) - scores).max() <= 1


def test_integers_are_near_the_network() -> None:
    graph = Graph.of(GapHead(7)(BasicBlock(24, 2)(BasicBlock(12)(Stem(12)(SMALL.image())))))
    assert cost(graph).params > 10_000
    network, images = quantized(graph), images_for(graph, 5, 64)
    wanted = scores_of(trained(graph), images)
    scores = run_integers(network, network.quantize_images(images)).astype(float)
    scores = (scores - network.zero_points(network.graph.output)) * network.scales(network.graph.output)
    assert np.abs(scores - wanted).mean() < 0.05 * np.abs(wanted).max()
    assert np.corrcoef(scores.ravel(), wanted.ravel())[0, 1] > 0.99
