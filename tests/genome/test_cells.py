"""Cells equal the published ones: how many are distinct, and what each of a sample costs."""

import csv
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from nas.errors import GenomeError
from nas.genome import Graph, Input, Task, Value, cost, fingerprint, lower
from nas.genome.primitives import Cell, GapHead, Narrow, Zero
from nas.genome.primitives.cells import MAX_OPS, nasbench101, nasbench201
from nas.model import module
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space

DIGITS = Task("digits", (1, 8, 8), 10)
HERE = Path(__file__).parents[1]
BENCHMARK: dict[str, Any] = runpy.run_path(str(HERE.parent / "benchmarks" / "cells.py"))


def table(name: str) -> list[dict[str, str]]:
    with (HERE / "data" / name).open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("vertices", "published"), [(2, 1), (3, 7), (4, 91), (5, 2_532)])
def test_there_are_as_many_distinct_cells_as_published(vertices: int, published: int) -> None:
    """NAS-Bench-101 calls cells equal when their labelled graphs are isomorphic; see `as_network` for why ours do."""
    assert BENCHMARK["distinct_cells"](vertices) == published


def test_a_sample_of_nasbench201_costs_what_was_published() -> None:
    for row in table("nasbench201_sample.csv"):
        assert BENCHMARK["counts_201"](row["arch"]) == (int(row["params"]), int(row["flops"]))


def test_a_sample_of_nasbench101_has_the_published_parameters() -> None:
    """One of the forty was trained with its vertices in another order, its channels split unevenly."""
    same = 0
    for row in table("nasbench101_sample.csv"):
        cell = BENCHMARK["rows_of"](row["adjacency"]), row["ops"].split()
        params = [cost(BENCHMARK["network_101"](*other)).params for other in BENCHMARK["renumbered"](*cell)]
        assert int(row["params"]) in params
        same += int(row["params"]) == cost(BENCHMARK["network_101"](*cell)).params
    assert same == 39


def test_counts_of_a_nasbench201_network_equal_those_of_torch() -> None:
    graph = BENCHMARK["network_201"]("|avg_pool_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|")
    with torch.device("meta"):
        network = module(graph)
    assert sum(weight.numel() for weight in network.parameters()) == cost(graph).params


def image(channels: int = 4) -> Value:
    return Input((channels, 8, 8))()


def named(*cells: Cell) -> str:
    x = image()
    for cell in cells:
        x = cell(x)
    return fingerprint(Graph.of(GapHead(2)(x)))


def test_dead_vertices_vanish() -> None:
    whole = Cell(8, ("conv3x3",), ((0, 1), (1, 2)))
    unread = Cell(8, ("conv3x3", "conv1x1"), ((0, 1), (0, 2), (1, 3)))
    unfed = Cell(8, ("conv1x1", "conv3x3"), ((0, 2), (1, 2), (2, 3)))
    assert named(whole) == named(unread) == named(unfed)


def test_the_order_in_which_edges_are_given_does_not_count() -> None:
    one = Cell(8, ("conv3x3",), ((0, 1), (1, 2), (0, 2)))
    assert Cell(8, ("conv3x3",), ((0, 2), (0, 1), (1, 2), (0, 2))) == one


def test_isomorphic_cells_are_one_network() -> None:
    edges = ((0, 1), (0, 2), (1, 3), (2, 3))
    assert named(Cell(4, ("conv3x3", "conv1x1"), edges, "sum")) == named(Cell(4, ("conv1x1", "conv3x3"), edges, "sum"))


def test_channels_are_shared_out_as_in_nasbench101() -> None:
    # Three vertices share 128 channels: 43, 43, 42. The first is narrowed for the last, which reads it.
    cell = nasbench101(
        [[0, 1, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5],
        ["input", "conv3x3-bn-relu", "maxpool3x3", "conv1x1-bn-relu", "output"],
        128,
    )
    assert cell.widths() == {4: 128, 1: 43, 2: 43, 3: 42}
    layers = [node.op for node in lower(Graph.of(cell(image()))).nodes]
    assert layers.count(Narrow(42)) == 1


def test_a_vertex_is_as_wide_as_the_widest_that_reads_it() -> None:
    cell = Cell(8, ("conv3x3", "conv1x1", "conv1x1"), ((0, 1), (1, 2), (1, 3), (2, 4)))
    assert cell.widths() == {4: 8, 2: 8, 1: 8}


def test_none_of_nasbench201_is_zeros() -> None:
    cell = nasbench201("|none~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|none~2|", 4)
    x = torch.randn(2, 4, 8, 8)
    graph = Graph.of(cell(image()))
    assert [node.op for node in lower(graph).nodes].count(Zero()) == 4
    assert torch.equal(module(graph)(x), x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ops": ("conv3x3",), "edges": ((0, 1),)}, "no path from the input to the output"),
        ({"ops": ("conv3x3",), "edges": ((1, 0), (1, 2))}, r"has \(1, 0\); an edge \(a, b\) needs 0 <= a < b <= 2"),
        ({"ops": ("conv3x3",), "edges": ((1, 1),)}, "an edge"),
        ({"ops": (), "edges": ((0, 2),)}, "b <= 1"),
        ({"ops": ("conv5x5",), "edges": ((0, 1), (1, 2))}, "must be one of|must be"),
        ({"ops": ("skip",) * (MAX_OPS + 1), "edges": ((0, 1),)}, "at most 32"),
    ],
)
def test_what_is_no_cell_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(GenomeError, match=message):
        Cell(8, **arguments)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(GenomeError, match="less than the 2 vertices"):
        Cell(1, ("conv3x3", "conv1x1"), ((0, 1), (0, 2), (1, 3), (2, 3)))(image())
    with pytest.raises(GenomeError, match="'sep_conv' is not an operation"):
        nasbench201("|sep_conv~0|+|none~0|none~1|+|none~0|none~1|none~2|", 4)


def test_the_search_space_draws_networks_for_small_and_large_images() -> None:
    space = load_space("cells")
    for task in (DIGITS, Task("cifar", (3, 32, 32), 10), Task("small", (1, 4, 5), 3)):
        graphs = [sample_network(space, task, seed) for seed in range(40)]
        assert len({fingerprint(graph) for graph in graphs}) > 35
    small = cost(sample_network(space, DIGITS, 0, lowest=True))
    assert small.params < 20_000
