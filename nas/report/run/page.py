"""The page of a run: its sections in the order in which a reader asks for them."""

from typing import Any

from nas.report.html.markup import Markup, join, tag
from nas.report.html.page import document, report_resource
from nas.report.run import plots, population, sections
from nas.report.run.answer import answer
from nas.report.run.view import View
from nas.report.text import clip


def page(view: View) -> str:
    """The page of a run as HTML text."""
    content = [answer(view), tag("main", _sections(view), id="results"), tag("footer", sections.footer(view))]
    own = (
        report_resource("html/page.js")
        + report_resource("run/run.js")
        + report_resource("run/population.js")
        + "start();\n"
    )
    return document(clip(view.experiment.name, 60), content, _plots(view), own)


def _sections(view: View) -> Markup:
    parts = [sections.front, sections.network, sections.progress, population.part, sections.next_steps,
             sections.curves, sections.trials, sections.ledger]  # fmt: skip
    return join([part(view) for part in parts] + [sections.reproduce(view)])


def _plots(view: View) -> dict[str, Any]:
    """The data of each plot that there is something to draw in."""
    if not view.complete:
        return {}
    drawn = {"front": plots.front(view), "progress": plots.progress(view), "curves": plots.curves(view)}
    return drawn | population.data(view)
