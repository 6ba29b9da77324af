"""The best network: its drawing, and the source that was trained."""

from nas.report.html.markup import Markup, tag
from nas.report.html.section import Section, section
from nas.report.network import draw
from nas.report.run.view import View


def network_section(view: View) -> Section | None:
    """Return drawing and source of the best network; None while no trial is complete."""
    if view.best is None:
        return None
    from nas.model.source import source

    key = tag("p", "Blue: convolutions, darker for larger kernels. Green: pooling. Violet: linear layers. Orange: "
              "shortcuts, sums and concatenations. A stroke under or over a box: normalization (gray), activation "
              "(amber). The width of the line between blocks is their number of channels; the bar is the block's share "
              "of the MACs. Repeated blocks are drawn once.", class_="note")  # fmt: skip
    text = source(view.best.graph)
    code = tag("details", tag("summary", f"Source: {len(text.splitlines())} lines of Python that import only torch"),
               tag("pre", tag("code", text), tabindex=0), open=True)  # fmt: skip
    drawing = tag("div", Markup(draw(view.best.graph, standalone=False)), class_="drawing", tabindex=0, role="region",
                  aria_label="Drawing of the best network")  # fmt: skip
    heading = f"The best network: trial {view.best.number}"
    return Section(section("network", heading, key, tag("div", drawing, code, class_="split fit")))
