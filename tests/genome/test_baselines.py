"""Every baseline against the counts of the literature, layer by layer, and against torch's own."""

import importlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torch_counts import meta_module

from nas.errors import GenomeError
from nas.genome import Graph, Task, baselines, cost, fingerprint, from_json, lower, to_json
from nas.genome.baselines import BASELINES, baseline
from nas.genome.cost import tally
from nas.genome.folding_layers import RepConv
from nas.genome.graph import Node
from nas.genome.layers import AvgPool, Conv, Linear, MaxPool, pair
from nas.genome.metrics import receptive_field
from nas.genome.norms import BatchNorm
from nas.model.module import outputs

DATA = Path(__file__).parent.parent / "data"
EXPECTED: dict[str, dict[str, Any]] = json.loads((DATA / "baselines.json").read_text())
LAYERS: dict[str, Any] = json.loads((DATA / "layers.json").read_text())
LAYERS.pop("columns")

WITH_HEADS = {"googlenet_paper_aux"}  # its published counts are those of training
FUNCTIONAL = {"inception_v3_torchvision"}  # its reference pools by function calls, of which it kept no record
QUICK = ["lenet5_paper", "alexnet_original", "googlenet_paper_aux", "resnet18_optA", "alphago_sl_policy_192"]
Row = tuple[Any, ...]


def network(name: str) -> Graph:
    graph = baseline(name)
    return graph if name in WITH_HEADS else graph.main


def test_every_network_of_the_data_is_a_baseline() -> None:
    assert set(BASELINES) == set(EXPECTED)
    assert set(LAYERS) <= set(BASELINES)


@pytest.mark.parametrize("name", EXPECTED)
def test_counts(name: str) -> None:
    expected = EXPECTED[name]
    counts = cost(baseline(name), auxiliary=name in WITH_HEADS).as_dict()
    both = expected.keys() & counts.keys()
    assert {key: counts[key] for key in both} == {key: expected[key] for key in both}
    assert "params" in both


@pytest.mark.parametrize("name", [name for name in EXPECTED if "conv" in EXPECTED[name]])
def test_counts_by_kind_of_layer(name: str) -> None:
    params, macs = Counter[str](), Counter[str]()
    for node in lower(network(name)).nodes:
        kind = {Conv: "conv", RepConv: "conv", Linear: "linear", BatchNorm: "norm"}.get(type(node.op), "other")
        counts = tally(node.placed)
        params[kind] += counts.params
        macs[f"macs_{kind}"] += counts.macs
    expected = EXPECTED[name]
    assert {kind: params[kind] for kind in ("conv", "linear", "norm", "other")} == {
        kind: expected[kind] for kind in ("conv", "linear", "norm", "other")
    }
    assert {key: macs[key] for key in ("macs_conv", "macs_linear")} == {
        key: expected[key] for key in ("macs_conv", "macs_linear")
    }


@pytest.mark.parametrize("name", [name for name in EXPECTED if "params_with_aux" in EXPECTED[name]])
def test_auxiliary_heads_are_counted_apart(name: str) -> None:
    assert cost(baseline(name), auxiliary=True).params == EXPECTED[name]["params_with_aux"]


@pytest.mark.parametrize("name", [name for name in EXPECTED if "receptive_field" in EXPECTED[name]])
def test_receptive_field(name: str) -> None:
    assert receptive_field(baseline(name)) == EXPECTED[name]["receptive_field"]


@pytest.mark.parametrize("name", LAYERS)
def test_layer_by_layer(name: str) -> None:
    graph = lower(network(name))
    rows = [row for node in graph.nodes if (row := layer_row(node))]
    expected = [tuple(row) for row in LAYERS[name] if not _is_global_pool(row)]
    if name in FUNCTIONAL:
        rows, expected = ([row for row in side if not row[0].endswith("pool")] for side in (rows, expected))
    assert Counter(rows) == Counter(expected)


def layer_row(node: Node) -> Row | None:
    """Kind, channels in and out, kernel, stride, padding, groups, bias, rows and columns out, params, MACs."""
    op, counts = node.op, tally(node.placed)
    if isinstance(op, Linear):
        return "linear", *node.placed.inputs[0], op.width, 1, 1, 1, 0, 1, int(op.bias), 1, 1, counts.params, counts.macs
    if not isinstance(op, Conv | MaxPool | AvgPool):
        return None
    (channels, *_), (out, rows, columns) = node.placed.inputs[0], node.shape
    kind = {Conv: "conv", MaxPool: "maxpool", AvgPool: "avgpool"}[type(op)]
    window = pair(op.kernel if isinstance(op, Conv) else op.window)
    if kind == "maxpool" and window == (1, 1):
        return None  # option A's subsampling, a slice in the reference
    groups, bias = (op.groups, int(op.bias)) if isinstance(op, Conv) else (1, 0)
    stride, padding = pair(op.stride)[0], pair(op.padding or 0)[0]
    return (kind, channels, out, *window, stride, padding, groups, bias, rows, columns, counts.params, counts.macs)


def _is_global_pool(row: list[Any]) -> bool:
    kind, *_, rows, columns, _, _ = row
    return bool(kind == "avgpool" and (rows, columns) == (1, 1))


def test_lenet_as_published() -> None:
    """Trainable parameters of every layer that has any (LeCun et al. 1998, section II.B)."""
    params = [tally(node.placed).params for node in lower(baseline("lenet5_paper")).nodes]
    published = EXPECTED["lenet5_paper"]["by_layer"].values()
    assert [count for count in params if count] == [count for count in published if count]


def assert_counts_are_torchs(name: str) -> None:
    graph = baseline(name)
    built, images = meta_module(graph), torch.empty(2, *graph.input, device="meta")
    with FlopCounterMode(display=False) as counter:
        scores = built(images)
    assert scores.shape == (2, BASELINES[name].task.classes)
    assert counter.get_total_flops() == 2 * cost(graph).flops
    assert sum(p.numel() for p in built.parameters()) == cost(graph, auxiliary=True).params
    heads = outputs(built.train(), images)
    assert [tuple(head.shape) for head in heads] == [(2, BASELINES[name].task.classes)] * len(graph.outputs)


@pytest.mark.parametrize("name", QUICK)
def test_counts_are_torchs(name: str) -> None:
    assert_counts_are_torchs(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(BASELINES) - set(QUICK)))
def test_all_counts_are_torchs(name: str) -> None:
    assert_counts_are_torchs(name)


@pytest.mark.parametrize("name", BASELINES)
def test_survives_json(name: str) -> None:
    graph = baseline(name)
    again = from_json(to_json(graph))
    assert again == graph
    assert fingerprint(again) == fingerprint(graph)


def test_networks_differ() -> None:
    assert len({fingerprint(baseline(name)) for name in BASELINES}) == len(BASELINES)


def test_nothing_is_built_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Graph:
        raise AssertionError("a network was drawn")

    monkeypatch.setattr(Graph, "of", refuse)
    importlib.reload(baselines)
    with pytest.raises(AssertionError, match="drawn"):
        baselines.baseline("lenet5_modern")


def test_an_unknown_name_is_told_its_neighbours() -> None:
    with pytest.raises(GenomeError, match="resnet50"):
        baseline("resnet-50")
    with pytest.raises(GenomeError, match="nas baselines"):
        baseline("!")


def test_a_baseline_fits_another_task() -> None:
    graph = BASELINES["resnet18"].graph(Task("small", (1, 64, 48), 7))
    Task("small", (1, 64, 48), 7).check(graph)


def test_published_errors_are_fractions() -> None:
    rows = [row for entry in BASELINES.values() for row in entry.published]
    assert len(rows) > 80
    for row in rows:
        values = [value for value in (row.error, row.top5) if value is not None]
        assert values
        assert all(0 < value < 0.5 for value in values)
        assert row.error is None or row.top5 is None or row.top5 < row.error
    assert BASELINES["cifar_resnet56"].published[0].error == 0.0697
    assert {entry.family for entry in BASELINES.values() if not entry.recipe} == set()


@pytest.mark.parametrize("name", [name for name, entry in BASELINES.items() if entry.counts])
def test_published_counts_are_ours_or_explained(name: str) -> None:
    counts = cost(baseline(name))
    for each in BASELINES[name].counts:
        printed = [(each.params, counts.params), (each.macs, counts.macs)]
        assert each.source
        assert any(text for text, _ in printed)
        assert bool(each.remark) != all(rounds_to(count, text) for text, count in printed if text)


def rounds_to(count: int, printed: str) -> bool:
    """Return whether a count is the printed one, such as "3,504,872", "87.98 M" or "0.301 G", to its digits."""
    number, _, unit = printed.partition(" ")
    scale = {"": 1, "M": 10**6, "G": 10**9}[unit]
    decimals = len(number.partition(".")[2])
    return round(count / scale, decimals) == float(number.replace(",", ""))
