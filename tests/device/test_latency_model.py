"""The model of latency: recovers what made the times, adds up layers exactly, and is checked when it is read."""

from dataclasses import replace

import numpy as np
import pytest
from device.made_latency import MadeLatency

from nas.device.latency.fit_model import MIN_NETWORKS, fit_latency, held_out_error, learn_latency, network_features
from nas.device.latency.layer_features import LayerFeatures, kind_of, layer_features
from nas.device.latency.measurement import Latency
from nas.errors import LatencyError
from nas.genome import Graph, Task, cost, lower
from nas.genome.activations import Relu, Tanh
from nas.genome.baselines import BASELINES, baseline
from nas.genome.folding_layers import RepConv
from nas.genome.layers import Conv, Linear
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space

TASK = Task("made", (3, 16, 16), 10)
GRAPHS = [sample_network(load_space("mixed"), TASK, seed) for seed in range(80)]
QUANTITIES = ("layers", "macs", "macs by 8", "read", "written", "weights")
MODEL = learn_latency("made", MadeLatency(), GRAPHS[:60])


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_features_add_up_to_the_counts(name: str) -> None:
    counts, kinds = cost(baseline(name)), network_features(baseline(name))
    families = network_features(baseline(name), "family")
    for features in (kinds, families):
        totals = {each: sum(value for (_, key), value in features.items() if key == each) for each in QUANTITIES}
        assert (totals["macs"], totals["weights"]) == (counts.macs, counts.params)
    assert families["any_weighted", "written"] == counts.activations


def test_a_layer_says_how_it_is_computed() -> None:
    image = TASK.image()
    convs = [Conv(8, 3), Conv(8, 1), Conv(3, 3, groups=3), Conv(6, 3, groups=3), Conv(9, 3, groups=3)]
    kinds = [kind_of(conv(image).placed) for conv in convs]
    assert kinds == ["convolution", "pointwise", "depthwise", "depthwise", "depthwise"]
    wide = Conv(12, 1)(image)
    assert kind_of(Conv(6, 3, groups=2)(wide).placed) == "grouped"
    assert layer_features(wide.placed) == LayerFeatures("pointwise", "any_weighted", {
        "layers": 1.0, "macs": 256 * 3 * 12.0, "read": 256 * 3.0, "written": 256 * 12.0, "weights": 36.0,
        "macs by 8": 256 * 8 * 16.0, "read by 8": 256 * 8.0, "written by 8": 256 * 16.0,
        "macs by 16": 256 * 16 * 16.0, "read by 16": 256 * 16.0, "written by 16": 256 * 16.0,
    })  # fmt: skip
    for groups in (1, 2, 12):
        folding, conv = RepConv(12, groups=groups)(wide), Conv(12, 3, groups=groups, bias=True)(wide)
        assert layer_features(folding.placed) == layer_features(conv.placed)
    assert layer_features(image.placed) is None
    linear = layer_features(Linear(4)(Task("flat", (5,), 4).image()).placed)
    assert linear is not None
    assert linear.numbers == {
        "layers": 1.0, "macs": 20.0, "read": 5.0, "written": 4.0, "weights": 24.0,
        "read by 8": 8.0, "written by 8": 8.0, "read by 16": 16.0, "written by 16": 16.0,
    }  # fmt: skip
    deep = layer_features(Conv(12, 3, groups=12)(wide).placed)
    assert deep is not None
    assert [deep.numbers[each] for each in ("macs", "macs by 8", "macs by 16")] == [256 * 9 * n for n in (12, 16, 16)]


def test_the_model_recovers_what_made_the_times() -> None:
    measured = [each.median_ms for each in MadeLatency().measure(*GRAPHS[60:])]
    assert [MODEL.predict(graph) for graph in GRAPHS[60:]] == pytest.approx(measured, rel=1e-6)
    assert MODEL.error.median < 1e-6
    assert MODEL.error.rank_correlation == pytest.approx(1.0)
    assert MODEL.error.networks == 60


def test_the_error_said_is_that_on_other_networks() -> None:
    noisy = MadeLatency(noise=0.1)
    model = learn_latency("made", noisy, GRAPHS[:60])
    measured = np.array([each.median_ms for each in noisy.measure(*GRAPHS)])
    found = held_out_error(np.array([model.predict(graph) for graph in GRAPHS]), measured)
    assert 0.03 < model.error.median < 0.2
    assert 0.5 < found.median / model.error.median < 2
    assert model.upper_estimate(2.0) == pytest.approx(2 * (1 + model.error.margin))
    assert model.error.margin > 0


@pytest.mark.parametrize("seed", range(0, 80, 10))
def test_a_primitive_takes_as_long_as_its_layers(seed: int) -> None:
    assert MODEL.predict(GRAPHS[seed]) == MODEL.predict(lower(GRAPHS[seed]))


def test_auxiliary_heads_take_no_time() -> None:
    graph = baseline("googlenet_paper_aux")
    assert len(graph.outputs) > 1
    assert MODEL.predict(graph) == MODEL.predict(graph.main)


def test_a_kind_that_was_not_measured_takes_as_long_as_its_family() -> None:
    """Relu was measured and takes no time; Tanh and grouped convolutions were not measured."""
    weights = {
        "any_other": {"read": 1e-3},
        "any_weighted": {"layers": 0.5},
        "Relu": {},
        "convolution": {"layers": 0.25},
    }
    model, conv = replace(MODEL, network_ms=0.125, weights=weights), Conv(6, 3)(TASK.image())
    assert model.predict(Graph.of(conv)) == 0.375
    assert model.predict(Graph.of(Relu()(conv))) == 0.375
    assert model.predict(Graph.of(Tanh()(conv))) == pytest.approx(0.375 + 1e-3 * 6 * 16 * 16)
    assert model.predict(Graph.of(Conv(6, 3, groups=3)(conv))) == 0.875


def test_families_are_learned_too() -> None:
    kinds = {kind for kind, _ in network_features(GRAPHS[0])} - {"network"}
    assert kinds < set(MODEL.weights) > {"any_weighted", "any_other"}
    assert MODEL.weights["any_weighted"]


def test_too_little_is_no_model() -> None:
    few = GRAPHS[: MIN_NETWORKS - 1]
    with pytest.raises(LatencyError, match=f"at least {MIN_NETWORKS} measured networks, not {MIN_NETWORKS - 1}"):
        learn_latency("made", MadeLatency(), few)
    with pytest.raises(LatencyError, match="not above 0 ms"):
        fit_latency("made", "made", GRAPHS[:30], [Latency(0.0, 0.0, 1)] * 30)


def test_a_model_has_no_negative_time() -> None:
    model = learn_latency("made", MadeLatency(noise=0.5), GRAPHS[:60])
    assert all(ms > 0 for kind in model.weights.values() for ms in kind.values())
    assert model.network_ms >= 0
