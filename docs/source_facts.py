"""Writes docs/source-facts.md: every checkable claim of the source documents beside what the cost model says.

    python docs/source_facts.py

The claims are in source_facts.json. What can be computed is computed here, from the toolkit's own primitives and
baselines; `tests/genome/test_source_facts.py` holds each value against the literature and the page against this file.
What has to be trained is in source_claims.toml, with the principles that test it; `tests/principles/test_claims.py`
holds these lists complete.
"""

import json
import tomllib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from nas.errors import ShapeError
from nas.genome import Cost, Graph, Input, Op, Primitive, Shape, Task, Value, cost, lower
from nas.genome.baselines import BASELINES, baseline
from nas.genome.cost import tally
from nas.genome.graph import Node
from nas.genome.layers import AvgPool, Conv, Flatten, Linear, MaxPool
from nas.genome.metrics import receptive_field
from nas.genome.primitives import (
    AsymmetricConv,
    Bottleneck,
    DenseBlock,
    DenseLayer,
    GapHead,
    GridReduction,
    Inception,
    InceptionNaive,
    Transition,
)
from nas.principles.claims import principles
from nas.principles.claims.counts import COUNTS

HERE = Path(__file__).parent
PAGE = HERE / "source-facts.md"
FACTS: list[dict[str, Any]] = json.loads((HERE / "source_facts.json").read_text(encoding="utf-8"))
CLAIMS: dict[str, list[dict[str, Any]]] = tomllib.loads((HERE / "source_claims.toml").read_text(encoding="utf-8"))

INTRODUCTION = """\
Five documents set this toolkit's course: notes of two CS231n lectures (lecture 9 of 2017, lecture 7 of 2016), notes
on convolutional networks, a review of *Rethinking the Inception architecture*, and an overview of VGG, ResNet and
DenseNet. Each checkable claim of theirs is below. **Bold** values are computed by the cost model when this page is
written (`python docs/source_facts.py`) and held by a test; the others are quoted from the papers. Claims about
accuracy need training: for each, the last two tables name its [principles](principles.md) and counts, or say why there
are none. Which have been trained, and with what outcome, is on the page of a run of `nas principles`."""

NAIVE, REDUCED, IMAGE28 = InceptionNaive(128, 192, 96), Inception(128, 64, 192, 64, 96, 64), (256, 28, 28)


def chain(shape: Shape, *ops: Op) -> Value:
    """Ops one after another on an input."""
    x = Input(shape)()
    for op in ops:
        x = op(x)
    return x


def shape(shape: Shape, *ops: Op) -> Shape:
    return chain(shape, *ops).shape


def side(size: int, *ops: Op) -> int:
    return shape((1, size, size), *ops)[1]


def counts(shape: Shape, *ops: Op) -> Cost:
    return cost(Graph.of(chain(shape, *ops)))


def of(name: str) -> Cost:
    return cost(baseline(name))


def layers(name: str, kind: type[Op]) -> list[Node]:
    """A baseline's layers of one kind, in order."""
    return [node for node in lower(baseline(name)).nodes if type(node.op) is kind]


def weights(node: Node) -> int:
    """Parameters of a convolution or linear layer but its biases."""
    assert isinstance(node.op, Conv | Linear)
    return tally(node.placed).params - node.op.bias * node.op.width


def alexnet(place: int) -> int:
    return weights(layers("alexnet_original", Conv)[place])


def linear(name: str, place: int) -> int:
    return weights(layers(name, Linear)[place])


def convs(op: Primitive, *before: int) -> list[Node]:
    return [node for node in lower(Graph.of(chain(before, op))).nodes if type(node.op) is Conv]


def block_weights(op: Primitive, *before: int) -> int:
    return sum(map(weights, convs(op, *before)))


def saved(old: int, *new: int) -> float:
    """The share by which the new ones together are cheaper."""
    return round(1 - sum(new) / old, 4)


def sides_that_fit() -> str:
    """Whether odd or even sides keep their size under 5x5 filters at stride 2 with no pixel left over."""

    def fits(size: int, padding: int) -> bool:
        op = Conv(1, 5, 2, padding)
        return side(size, op) == size > side(size - 1, op)

    kept = {size % 2 for size in range(6, 40) if any(fits(size, padding) for padding in range(40))}
    return {frozenset({0}): "even", frozenset({1}): "odd"}.get(frozenset(kept), "both")


def padding_that_keeps(size: int, kernel: int, stride: int) -> int:
    return next(p for p in count() if side(size, Conv(1, kernel, stride, p)) == size)


def filters_that_fit(size: int, kernel: int) -> int:
    ops: list[Op] = []
    while True:
        ops.append(Conv(1, kernel, padding=0))
        try:
            side(size, *ops)
        except ShapeError:
            return len(ops) - 1


def connections() -> int:
    """LeNet-5: a link for each weight and bias at each place; four units and a bias for each of subsampling."""
    total = 0
    for node in lower(baseline("lenet5_paper")).nodes:
        kind, params = type(node.op).__name__, tally(node.placed).params
        if kind == "ChannelScale":
            total += node.placed.size * (2 * 2 + 1)
        elif kind == "CodeDistance":
            total += node.placed.inputs[0][0] * node.shape[0]
        else:
            total += params * node.placed.size // node.shape[0]
    return total


def vgg_numbers(upto: int | None = None) -> int:
    """Numbers held in VGG-16's forward pass: input, convolutions, poolings, linear layers; those of `upto` poolings."""
    nodes = [node for node in lower(baseline("vgg_D")).nodes if isinstance(node.op, Input | Conv | MaxPool | Linear)]
    pools = [place for place, node in enumerate(nodes) if isinstance(node.op, MaxPool)]
    return sum(node.placed.size for node in (nodes if upto is None else nodes[: pools[upto - 1] + 1]))


def resnet_stages() -> list[int]:
    """Channels and side after each stage of ResNet-50."""
    last = {node.shape[1]: node.shape[0] for node in baseline("resnet50").nodes if isinstance(node.op, Bottleneck)}
    return [value for size, channels in last.items() for value in (channels, size)]


def reductions() -> list[int]:
    """MACs of the three grid reductions at 35 x 35 x 320; counted at twice the side, as half of 35 is not whole."""
    ops = [GridReduction(640, form, 1, norm=False) for form in ("conv first", "pool first", "parallel")]
    return [counts((320, 70, 70), op).macs // 4 for op in ops]


def smoothed(epsilon: float, classes: int) -> list[float]:
    return [round(epsilon / classes, 4), round(1 - epsilon + epsilon / classes, 4)]


COMPUTED: dict[str, Callable[[], Any]] = {
    "size.formula": lambda: side(7, Conv(1, 3, padding=0)),
    "size.7x7_f3_s1": lambda: side(7, Conv(1, 3, padding=0)),
    "size.7x7_f3_s2": lambda: side(7, Conv(1, 3, 2, padding=0)),
    "size.7x7_f3_s3": lambda: side(7, Conv(1, 3, 3, padding=0)),
    "size.7x7_pad1": lambda: side(7, Conv(1, 3, padding=1)),
    "size.same_pad": lambda: [padding_that_keeps(32, 3, 1), padding_that_keeps(32, 5, 1)],
    "size.same_pad_stride": lambda: padding_that_keeps(7, 5, 2),
    "size.same_pad_parity": sides_that_fit,
    "size.cifar_5x5": lambda: shape((3, 32, 32), Conv(6, 5, padding=0)),
    "size.cifar_second": lambda: shape((3, 32, 32), Conv(6, 5, padding=0), Conv(10, 5, padding=0)),
    "size.shrink_8": lambda: filters_that_fit(32, 5),
    "size.1x1_32": lambda: shape((64, 56, 56), Conv(32, 1)),
    "size.pool_244": lambda: next(size for size in count(2) if side(size, MaxPool(2, 2)) == 112),
    "size.maxpool2": lambda: side(4, MaxPool(2, 2)),
    "size.pool_F2S3": lambda: [
        getattr(layers("alexnet_original", MaxPool)[0].op, name) for name in ("window", "stride")
    ],
    "size.fc160": lambda: shape((10, 4, 4), Flatten())[0],
    "params.conv_formula": lambda: counts((64, 8, 8), Conv(64, 3)).params,
    "lenet.c1": lambda: layers("lenet5_paper", Conv)[0].shape[1],
    "lenet.s2": lambda: layers("lenet5_paper", AvgPool)[0].shape[1],
    "lenet.params": lambda: of("lenet5_paper").params,
    "lenet.connections": connections,
    "alex.conv1_out": lambda: layers("alexnet_original", Conv)[0].shape[1],
    "alex.conv1_w": lambda: alexnet(0),
    "alex.pool1": lambda: layers("alexnet_original", MaxPool)[0].shape[1],
    "alex.35k": lambda: alexnet(0),
    "alex.307k": lambda: alexnet(1),
    "alex.884k": lambda: alexnet(2),
    "alex.663k": lambda: alexnet(3),
    "alex.442k": lambda: alexnet(4),
    "alex.177M": lambda: linear("alexnet_original", 0),
    "alex.60M": lambda: of("alexnet_original").params,
    "vgg.27_49": lambda: [counts((1, 9, 9), *[Conv(1, 3)] * 3).params, counts((1, 9, 9), Conv(1, 7)).params],
    "vgg.rf": lambda: [receptive_field(Graph.of(chain((1, 9, 9), *[Conv(1, 3)] * n))) for n in (1, 2, 3)],
    "vgg.138M": lambda: of("vgg_D").params,
    "vgg.fc6": lambda: linear("vgg_D", 0),
    "vgg.mem24M": vgg_numbers,
    "vgg.mem100MB": lambda: 4 * vgg_numbers(),
    "vgg.mem200MB": lambda: 8 * vgg_numbers(),
    "vgg.mem_early": lambda: round(vgg_numbers(upto=2) / vgg_numbers(), 3),
    "vgg.fc_cost": lambda: round(
        sum(tally(node.placed).macs for node in layers("vgg_D", Linear)) / of("vgg_D").macs, 4
    ),
    "vgg.4096sq": lambda: linear("vgg_D", 1),
    "vgg.gap_head": lambda: counts((512, 7, 7), GapHead(1000)).params,
    "inc.out672": lambda: shape(IMAGE28, NAIVE)[0],
    "inc.854M": lambda: counts(IMAGE28, NAIVE).macs,
    "inc.out480": lambda: shape(IMAGE28, REDUCED)[0],
    "inc.358M": lambda: counts(IMAGE28, REDUCED).macs,
    "inc.5M": lambda: of("googlenet_paper_noaux").params,
    "inc.1_12": lambda: round(of("alexnet_original").params / of("googlenet_paper_noaux").params, 2),
    "inc.2x_faster": lambda: round(of("googlenet_paper_noaux").macs / of("alexnet_original").macs, 2),
    "inc.bottleneck": lambda: [
        counts((128, 8, 8), Conv(128, 3)).params,
        counts((128, 8, 8), Conv(32, 1), Conv(128, 3)).params,
    ],
    "v3.filterbank2x": lambda: counts((128, 9, 9), Conv(128, 3)).macs // counts((64, 9, 9), Conv(64, 3)).macs,
    "v3.28": lambda: saved(counts((8, 9, 9), Conv(8, 5)).macs, counts((8, 9, 9), *[Conv(8, 3)] * 2).macs),
    "v3.11": lambda: saved(counts((8, 9, 9), Conv(8, 3)).params, counts((8, 9, 9), *[Conv(8, 2)] * 2).params),
    "v3.33": lambda: saved(counts((8, 9, 9), Conv(8, 3)).params, block_weights(AsymmetricConv(8, 3), 8, 9, 9)),
    "v3.grid": reductions,
    "v3.stem7": lambda: receptive_field(
        Graph.of(chain((1, 31, 31), Conv(1, 3, 2, padding=0), Conv(1, 3, padding=0), Conv(1, 3)))
    ),
    "v3.ls": lambda: smoothed(0.4, 4),
    "v3.p3": lambda: [
        counts((64, 8, 8), Conv(64, 3)).params,
        counts((64, 8, 8), Conv(16, 1), Conv(64, 3)).params,
    ],
    "res.bott": lambda: counts(IMAGE28, Bottleneck(64)).macs,
    "res.bott_params": lambda: [block_weights(Bottleneck(64), *IMAGE28), counts(IMAGE28, Conv(256, 3)).params],
    "res.shapes": resnet_stages,
    "res.fc100": lambda: cost(BASELINES["resnet50"].graph(Task("a hundred classes", (3, 224, 224), 100))).params,
    "res.152_vs_vgg": lambda: [of(name).macs for name in ("resnet152", "vgg_D", "vgg_E")],
    "dense.22": lambda: shape((6, 8, 8), DenseBlock(4, 4, bottleneck=False))[0],
    "dense.4k": lambda: convs(DenseLayer(12), 6, 8, 8)[0].shape[0] // 12,
    "dense.theta": lambda: shape((256, 56, 56), Transition())[0] / 256,
    "go.pad": lambda: side(19, Conv(1, 5)),
}

CITATIONS = {key: principle.citation for key, principle in principles().items()} | {
    each.key: each.citation for each in COUNTS
}
"""By the key of a principle or of a count."""


def shown(value: Any) -> str:
    """A value as the page writes it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    return f"{value:,}" if type(value) is int else str(value)


def page() -> str:
    """The whole page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# What the source documents claim, and what is true"
    yield ""
    yield INTRODUCTION
    for verdict, title in (
        ("wrong", "Where a source errs"),
        ("depends", "Right under a condition"),
        ("right", "Right"),
    ):
        rows = [fact for fact in FACTS if fact["verdict"] == verdict]
        yield from ("", f"## {title} ({len(rows)})", "", "| Claim | Source says | True | Remark | Source |")
        yield "|---|---|---|---|---|"
        yield from map(_row, rows)
    yield from _coverage("Hypotheses", CLAIMS["hypothesis"])
    yield from _coverage("Design claims of the source documents", CLAIMS["design"])
    yield ""


def _coverage(title: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    """The claims that have to be trained, each with its principles and counts."""
    with_keys = sum("keys" in row for row in rows)
    yield from ("", f"## {title} ({with_keys} of {len(rows)} have a principle)", "")
    yield from ("| Claim | Principles and counts | Paper |", "|---|---|---|")
    for row in rows:
        claim = f"{row['id']}: {row['claim']}" if "id" in row else row["claim"]
        keys = row.get("keys", [])
        listed = ", ".join(f"`{key}`" for key in keys) or f"none. {row['why']}"
        yield f"| {claim} | {listed} | {CITATIONS[keys[0]] if keys else ''} |"


def _row(fact: dict[str, Any]) -> str:
    truth = f"**{shown(COMPUTED[fact['id']]())}**" if fact["kind"] == "exact" else fact["truth"]
    cells = fact["claim"], fact["said"], truth, fact.get("note", ""), ", ".join(fact["from"])
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
