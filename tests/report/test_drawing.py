"""Drawings: valid, complete, and with the structure that a reader looks for."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given, settings
from strategies import networks

from nas.genome import Graph, Op, Task
from nas.genome import primitives as p
from nas.genome.activations import Relu
from nas.genome.graph import place_op
from nas.genome.layers import Add, Concat, Conv
from nas.report.network import draw, to_dot, to_networkx
from nas.report.network.blocks import blocks, wrap
from nas.report.network.layout import Size, layout
from nas.report.network.sketch import sketch

SVG = "{http://www.w3.org/2000/svg}"
IMAGE = Task("small", (3, 16, 16), 10).image


def arcs(op: Op, channels: int = 16) -> int:
    inside = sketch(place_op(op, ((channels, 16, 16),)))
    assert inside is not None
    return sum(layout([Size(10, 10, 10)] * len(inside.boxes), inside.edges, (5, 5)).arcs)


@given(networks())
@settings(max_examples=40, deadline=None)
def test_every_node_is_in_the_drawing_and_the_drawing_is_xml(graph: Graph) -> None:
    root = ET.fromstring(draw(graph))
    told = " ".join(title.text or "" for title in root.iter(f"{SVG}title"))
    for node in graph.nodes:
        assert re.search(rf"\b{re.escape(node.name)}\b", told)
    assert draw(graph) == draw(graph)


@given(networks())
@settings(max_examples=25, deadline=None)
def test_cards_do_not_overlap_and_stay_inside(graph: Graph) -> None:
    root = ET.fromstring(draw(graph))
    left, top, wide, high = map(float, root.attrib["viewBox"].split())
    cards = [r for r in root.iter(f"{SVG}rect") if r.attrib["class"] == "card"]
    ends = [(float(r.attrib["y"]), float(r.attrib["y"]) + float(r.attrib["height"])) for r in cards]
    assert min(y for y, _ in ends) >= top
    assert max(end for _, end in ends) <= top + high
    assert all(float(r.attrib["x"]) + float(r.attrib["width"]) <= left + wide for r in cards)
    assert len(blocks(graph)[0]) <= len(cards)


def test_an_identity_shortcut_is_one_arc_and_a_projection_a_branch() -> None:
    assert arcs(p.BasicBlock(16)) == 1
    assert arcs(p.BasicBlock(32, 2)) == 0
    assert arcs(p.ConvStack(16, 4)) == 0


@pytest.mark.parametrize("depth", [1, 2, 5, 12])
def test_a_dense_block_shows_every_connection(depth: int) -> None:
    inside = sketch(place_op(p.DenseBlock(8, depth), ((16, 8, 8),)))
    assert inside is not None
    boxes = depth + 2  # the input, the layers, the concatenation
    assert len(inside.boxes) == boxes
    assert len(inside.edges) == boxes * (boxes - 1) // 2


def test_what_trains_in_branches_is_drawn_as_the_convolution_it_becomes() -> None:
    inside, plain = (sketch(place_op(op, ((16, 8, 8),))) for op in (p.RepVGGBlock(32, 2), p.ConvUnit(32, 3, 2)))
    assert inside is not None
    assert plain is not None
    assert (inside.boxes[1], inside.edges) == (replace(plain.boxes[1], after=("ReLU",)), plain.edges)


def test_a_block_of_very_many_layers_is_not_written_out() -> None:
    assert sketch(place_op(p.ConvStack(4, 200), ((4, 8, 8),))) is None
    draw(Graph.of(p.GapHead(10)(p.ConvStack(4, 200)(IMAGE()))))


def test_equal_blocks_in_a_row_are_one_card() -> None:
    x = p.Stem(16)(IMAGE())
    for _ in range(5):
        x = p.BasicBlock(16)(x)
    found, edges = blocks(Graph.of(p.GapHead(10)(x)))
    assert [len(block.nodes) for block in found] == [1, 1, 5, 1]
    assert edges == [(0, 1), (1, 2), (2, 3)]


def test_branches_of_the_network_itself_stand_side_by_side() -> None:
    x = Conv(8, 3)(IMAGE())
    y, z = Conv(8, 3)(x), Conv(8, 5)(x)
    graph = Graph.of(p.GapHead(10)(Relu()(Add()(Concat()(y, z), Concat()(z, y)))))
    found, edges = blocks(graph)
    plan = layout([Size(50, 50, 20)] * len(found), edges, (10, 10))
    corners = [(place.x, place.y) for place in plan.places]
    assert len(set(corners)) == len(corners)
    ET.fromstring(draw(graph))


def test_names_are_escaped_in_svg_and_dot() -> None:
    evil = '<b>&"\\n</b>\n"];'
    graph = Graph.of(p.GapHead(10)(p.Stem(8)(IMAGE(), name=evil)))
    titles = [title.text for title in ET.fromstring(draw(graph)).iter(f"{SVG}title")]
    assert any(title and evil.strip() in title for title in titles)
    labels = re.findall(r'label="((?:[^"\\]|\\.)*)"', to_dot(graph))
    assert len(labels) == len(graph.nodes)
    assert evil in labels[1].replace("\\n", "\n").replace("\\\\n", "\\n").replace('\\"', '"').replace("\\\n", "\\n")


def test_the_networkx_view_keeps_a_value_read_twice_and_the_order_of_inputs() -> None:
    x = p.Stem(8)(IMAGE())
    y = Conv(8, 3)(x)
    graph = Graph.of(p.GapHead(10)(Concat()(Add()(x, x), y, x)))
    view = to_networkx(graph)
    assert view.number_of_edges("stem_1", "add_1") == 2
    assert sorted(view.in_edges("concat_1", keys=True), key=lambda edge: edge[2]) == [
        ("add_1", "concat_1", 0), ("conv_1", "concat_1", 1), ("stem_1", "concat_1", 2)
    ]  # fmt: skip
    assert nx.is_directed_acyclic_graph(view)
    assert view.nodes["conv_1"]["shape"] == (8, 16, 16)


def test_long_settings_are_broken_and_cut() -> None:
    assert wrap("width 64, stride 2") == ["width 64, stride 2"]
    assert all(len(row) <= 27 for row in wrap("a" * 40 + ", " + "b" * 40 + ", " + "c" * 40))


def test_drawing_loads_nothing_heavy() -> None:
    code = (
        "import nas.report.network, sys; print({'torch', 'pandas', 'numpy', 'networkx', 'optuna'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
