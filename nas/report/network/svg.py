"""A network as a picture: its blocks from top to bottom, and the inside of each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from nas.genome.graph import Graph
from nas.genome.op_kinds import Input, Primitive
from nas.report.network.blocks import Block, blocks, extent, settings, width, wrap
from nas.report.network.layout import Layout, Place, Size, layout, rows_of
from nas.report.network.sketch import Box, Sketch, sketch
from nas.report.network.style import STYLE
from nas.report.text import TIMES, escaped, percent, short

TEXT = 184.0  # width of the column of words next to each picture
LINE = 15.0
PAD = 9.0
MAX_LABELED_ROWS = 11  # most rows of a block whose boxes have labels
MAX_ARCS = 1_300
MAX_WIDTH = 9.0  # width of a connection with the network's largest number of channels


@dataclass(frozen=True)
class Card:
    """A block with its words and the picture of its inside."""

    block: Block
    words: tuple[str, ...]
    inside: Sketch | None
    plan: Layout

    @property
    def height(self) -> float:
        return max(len(self.words) * LINE, self.plan.height) + 2 * PAD


def draw(graph: Graph, standalone: bool = True) -> str:
    """Return the network as SVG: a card per block, equal blocks in a row once, each with the layers inside it.

    The width of the line between cards is its number of channels; a bar shows each card's share of the MACs. With
    `standalone` the drawing brings its style sheet and a background; otherwise the page around it holds `STYLE`.
    """
    found, edges = blocks(graph)
    total = sum(block.macs for block in found)
    cards = [_card(block, total) for block in found]
    room = Size(max(card.plan.left for card in cards) + TEXT, max(card.plan.right for card in cards) + PAD, 0)
    plan = layout([replace(room, height=card.height) for card in cards], edges, (16.0, 20.0), 5.0)
    left, right = plan.left + 8, plan.right + 8
    size = f'viewBox="{-left:g} -8 {left + right:g} {plan.height + 16:g}" width="{left + right:g}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="net" role="img" {size}', f' aria-label="{_name(graph)}">']
    parts += [f"<title>{_name(graph)}</title><desc>{_story(found)}</desc>"]
    if standalone:
        parts.append(f"<style>{STYLE}</style>")
        parts.append(f'<rect class="paper" x="{-left:g}" y="-8" width="100%" height="100%"/>')
    parts += _flow(cards, edges, plan)
    for card, place in zip(cards, plan.places, strict=True):
        parts += _drawn(card, place, total)
    return "".join(parts) + "</svg>\n"


def _name(graph: Graph) -> str:
    classes = graph.nodes[graph.outputs[0]].shape
    return f"Network of {len(graph.nodes) - 1} blocks from {extent(graph.input)} to {extent(classes)}"


def _story(found: list[Block]) -> str:
    names = [f"{len(b.nodes)} {b.op}" if len(b.nodes) > 1 else str(b.op) for b in found]
    return escaped("From top to bottom: " + ", ".join(names)[:2_000] + ".")


def _card(block: Block, total: int) -> Card:
    inside = None if isinstance(block.op, Input) else sketch(block.nodes[0].placed)
    times = f" {TIMES} {len(block.nodes)}" if len(block.nodes) > 1 else ""
    words = [f"{type(block.op).__name__}{times}"]
    if isinstance(block.op, Primitive):
        words += wrap(settings(block.op))
    words.append(extent(block.shape) if not block.nodes[0].inputs else f"to {extent(block.shape)}")
    if block.params:
        share = f" · {percent(block.macs / total)} of MACs" if block.macs else ""
        words.append(f"{short(block.params)} params{share}")
    return Card(block, tuple(words), inside, _inner(inside))


def _inner(inside: Sketch | None) -> Layout:
    if inside is None:
        return layout([], [], (0, 0))
    lean = max(rows_of(len(inside.boxes), inside.edges)) > MAX_LABELED_ROWS
    sizes = [_box_size(box, lean) for box in inside.boxes]
    return layout(sizes, inside.edges, (10.0, 5.0 if lean else 9.0), 2.2 if lean else 4.0)


def _box_size(box: Box, lean: bool) -> Size:
    if box.kind == "port":
        return Size(0, 0, 0)
    if box.label == "+":
        return Size(8, 8, 16)
    half = 20.0 if lean else max(38.0, 3.0 * len(box.label) + 5)
    return Size(half, half, 6.0 if lean else 18.0)


def _flow(cards: list[Card], edges: list[tuple[int, int]], plan: Layout) -> Iterator[str]:
    most = max(width(card.block.shape) for card in cards)
    for (start, _), path, arc in zip(edges, plan.paths, plan.arcs, strict=True):
        thick = 1.5 + (MAX_WIDTH - 1.5) * width(cards[start].block.shape) / most
        yield f'<path class="{"arc" if arc else "flow"}" stroke-width="{thick:.1f}" d="{path}"/>'


def _drawn(card: Card, place: Place, total: int) -> Iterator[str]:
    block, x, y = card.block, place.x, place.y
    names = ", ".join(node.name for node in block.nodes)
    text = f"{names}: {block.op}, {extent(block.shape)}, {block.params:,} parameters, {block.macs:,} MACs"
    left, whole = x - place.size.left, place.size.left + place.size.right
    yield f"<g><title>{escaped(text)}</title>"
    for behind in (6, 3) if len(block.nodes) > 2 else (3,) if len(block.nodes) > 1 else ():
        yield _rect("card", left + behind, y + behind, whole, card.height, 7)
    yield _rect("card", left, y, whole, card.height, 7)
    yield from _words(card, left + PAD + 3, y)
    if block.macs and total:
        yield _rect("rail", left + PAD + 3, y + card.height - 5, TEXT - 2 * PAD, 2, 1)
        yield _rect("share", left + PAD + 3, y + card.height - 5, (TEXT - 2 * PAD) * block.macs / total, 2, 1)
    if card.inside:
        top = y + (card.height - card.plan.height) / 2
        yield f'<g transform="translate({x:g},{top:g})">'
        yield f'<path class="flow wire" d="M0,{y - top:g}V0M0,{card.plan.height:g}V{y + card.height - top:g}"/>'
        yield from _picture(card.inside, card.plan)
        yield "</g>"
    yield "</g>"


def _words(card: Card, x: float, y: float) -> Iterator[str]:
    first = y + (card.height - len(card.words) * LINE) / 2 + 11
    for i, line in enumerate(card.words):
        style = ' class="name"' if i == 0 else ' class="soft"'
        yield f'<text{style} x="{x:g}" y="{first + LINE * i:g}">{escaped(line)}</text>'


def _picture(inside: Sketch, plan: Layout) -> Iterator[str]:
    straight = "".join(path for path, arc in zip(plan.paths, plan.arcs, strict=True) if not arc)
    arcs = [path for path, arc in zip(plan.paths, plan.arcs, strict=True) if arc][:MAX_ARCS]
    yield f'<path class="flow wire" d="{straight}"/>'
    if arcs:
        yield f'<path class="arc{" many" if len(arcs) > 3 else ""}" d="{"".join(arcs)}"/>'
    for box, place in zip(inside.boxes, plan.places, strict=True):
        if box.kind != "port":
            yield from _box(box, place.x - place.size.left, place.y, place.size)


def _box(box: Box, x: float, y: float, size: Size) -> Iterator[str]:
    wide = size.left + size.right
    text = ", ".join([*box.before, "sum" if box.label == "+" else box.label, *box.after])
    shade = f" k{1 if box.side == 1 else 3 if box.side == 3 else 5}" if box.kind == "conv" else ""
    yield f"<g><title>{escaped(text)}</title>"
    radius = 8 if box.label == "+" else min(4.0, size.height / 2)
    yield _rect("base", x, y, wide, size.height, radius)
    yield _rect(f"box {box.kind}{shade}", x, y, wide, size.height, radius)
    if size.height > 10:
        yield f'<text class="label" x="{x + wide / 2:g}" y="{y + size.height / 2 + 3.7:g}">{escaped(box.label)}</text>'
    yield from _marks(box.before, x, y - 2.5, wide)
    yield from _marks(box.after, x, y + size.height + 0.5, wide)
    yield "</g>"


def _marks(folded: tuple[str, ...], x: float, y: float, wide: float) -> Iterator[str]:
    """Yield norms and activations as short strokes along the box's edge."""
    part = wide / 4
    for i, name in enumerate(folded[:2]):
        style = "norm" if "norm" in name else "relu"
        yield _rect(style, x + wide / 2 + (i - len(folded[:2]) / 2) * part + 1, y, part - 2, 2, 1)


def _rect(style: str, x: float, y: float, wide: float, high: float, radius: float) -> str:
    return f'<rect class="{style}" x="{x:.5g}" y="{y:.6g}" width="{wide:.4g}" height="{high:.4g}" rx="{radius:g}"/>'
