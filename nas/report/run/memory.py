"""The memory of the best network on a microcontroller: its tensors over the operations, and what makes the peak."""

from collections.abc import Iterator

from nas.device.footprint import Footprint, footprint
from nas.device.memory_profile import ArenaTensor, MemoryProfile, memory_profile
from nas.errors import DeviceError
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import Section, section
from nas.report.html.table import table
from nas.report.run.view import View
from nas.search.objectives import OBJECTIVES

HEIGHT, WIDTH = 260.0, 760.0  # of the arena in the picture
MARGIN = 74.0  # for the labels on its left
MAX_COLUMN = 44.0  # width of an operation
LETTER = 6.2  # width of a letter of a label
MIN_LABELED = 12.0  # height of a box that has a label


def memory_section(view: View) -> Section | None:
    """Return the picture; None where neither the budget nor an objective asks for RAM or flash."""
    if view.best is None or not {*view.experiment.budget, *view.experiment.objectives} & {*Footprint._fields}:
        return None
    try:
        counted, profile = footprint(view.best.graph), memory_profile(view.best.graph)
    except DeviceError:
        return None
    peak = profile.steps[profile.peak]
    note = tag("p", "A box is a tensor in 8-bit integers: from the operation that makes it to the last that reads it, "
               "at its place in the arena. The operation where the peak stands is shaded, and the tensors that are in "
               "memory there are orange. The runtime's own structures are left out.", class_="note")  # fmt: skip
    figure = tag("figure", tag("div", memory_picture(profile), class_="drawing", tabindex=0),
                 tag("figcaption", f"The peak stands at {peak.layer} ({peak.code}), operation {profile.peak + 1} of "
                     f"{len(profile.steps)}: {peak.size:,} bytes of tensors in an arena of {profile.arena:,}.")
                 )  # fmt: skip
    tensors = [[each.layer, each.extent, f"{each.place.size:,}", f"{each.place.offset:,}"] for each in peak.tensors]
    made = table("Tensors in memory at the peak", ["from layer", "shape", "bytes", "from byte"], tensors)
    heading = f"Memory of the best network: trial {view.best.number}"
    return Section(section("memory", heading, tag("p", _amounts(view, counted)), note, figure, made))


def _amounts(view: View, counted: Footprint) -> str:
    """Return RAM and flash in a sentence, with the limits of the budget."""
    said = []
    for name, count in counted._asdict().items():
        limit = view.limits[name].max if name in view.limits else None
        said.append(f"{OBJECTIVES[name].title} {count:,} bytes" + (f" of {limit:,}" if limit is not None else ""))
    board = view.experiment.target
    return "; ".join(said) + (f" ({board.name}: {board.title})." if board else ".")


def memory_picture(profile: MemoryProfile) -> Markup:
    """Return the arena as SVG: operations from left to right, bytes from bottom to top, a box per tensor."""
    column = min(MAX_COLUMN, WIDTH / len(profile.steps))
    whole, peak = column * len(profile.steps), profile.steps[profile.peak]
    label = f"Tensors in memory over {len(profile.steps)} operations, at most {profile.arena:,} bytes, at {peak.layer}"
    shade = tag("rect", class_="peak", x=f"{column * profile.peak:.6g}", y="0", width=f"{column:.6g}",
                height=f"{HEIGHT:g}")  # fmt: skip
    boxes = [_box(each, profile, column, each in peak.tensors) for each in profile.tensors]
    return tag("svg", tag("title", label), shade, boxes, list(_axis(profile, whole)), class_="memory", role="img",
               aria_label=label, viewBox=f"{-MARGIN:g} -14 {whole + MARGIN + 4:.6g} {HEIGHT + 34:g}",
               width=f"{whole + MARGIN + 4:.6g}")  # fmt: skip


def _box(tensor: ArenaTensor, profile: MemoryProfile, column: float, at_peak: bool) -> Child:
    place, scale = tensor.place, HEIGHT / profile.arena
    start = max(place.first, 0)
    x, wide = column * start + 0.5, column * (place.last - start + 1) - 1
    y, high = HEIGHT - place.end * scale, place.size * scale
    text = f"{tensor.layer} {tensor.extent}"
    shown = high >= MIN_LABELED and len(text) * LETTER < wide
    return tag(
        "g",
        tag("title", f"{text}: {place.size:,} bytes from byte {place.offset:,} on"),
        tag("rect", class_="tensor made" if at_peak else "tensor", x=f"{x:.6g}", y=f"{y:.6g}", width=f"{wide:.6g}",
            height=f"{high:.6g}"),
        tag("text", text, x=f"{x + wide / 2:.6g}", y=f"{y + high / 2 + 3.5:.6g}", text_anchor="middle")
        if shown else None,
    )  # fmt: skip


def _axis(profile: MemoryProfile, whole: float) -> Iterator[Markup]:
    for size in (0, profile.arena // 2, profile.arena):
        y = f"{HEIGHT * (1 - size / profile.arena):.6g}"
        yield tag("line", class_="grid", x1="-4", x2=f"{whole:.6g}", y1=y, y2=y)
        yield tag("text", f"{size:,}", x="-8", y=f"{float(y) + 4:.6g}", text_anchor="end")
    yield tag("text", f"operations 1 to {len(profile.steps)}", x="0", y=f"{HEIGHT + 16:g}")
