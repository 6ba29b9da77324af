"""Several runs on one page: their fronts, their progress and their best networks."""

from collections.abc import Callable, Sequence

from nas.report.comparison.comparison import RunComparison
from nas.report.comparison.sections import (
    best_networks_section,
    commands_section,
    differences_section,
    fronts_section,
    overview_section,
    volumes_section,
)
from nas.report.html.markup import Markup, tag
from nas.report.html.page import sections_page
from nas.report.html.section import Section
from nas.report.run.view import View
from nas.report.text import clip, quantity

COMPARISON_SECTIONS: list[Callable[[RunComparison], Section | None]] = [
    overview_section,
    fronts_section,
    volumes_section,
    best_networks_section,
    differences_section,
    commands_section,
]


def comparison_page(views: Sequence[View]) -> str:
    """Return the page as HTML. Raises RunError for runs that cannot be compared."""
    comparison = RunComparison.of(views)
    sections = [made for make in COMPARISON_SECTIONS if (made := make(comparison))]
    return sections_page("comparison", _header(comparison), sections)


def _header(comparison: RunComparison) -> Markup:
    name, _, best = min(comparison.rows, key=lambda row: (row[2].error, row[2].cost.macs))
    largest = max(comparison.volumes, key=lambda volumes: volumes["y"][-1])
    answer = [
        tag("strong", name), " found the network of lowest "
        f"{comparison.views[0].noun('error')}, "
        f"{quantity('error', best.error)} with {quantity('macs', best.cost.macs)} MACs (trial {best.number}); ",
        tag("strong", largest["name"]), f" has the largest hypervolume of the Pareto front, {largest['y'][-1]:.3f}. "
        "Each is one search from one seed; comparing methods takes several seeds of each.",
    ]  # fmt: skip
    title = f"{len(comparison.views)} searches on {clip(comparison.views[0].run.task.name)} compared"
    return tag("header", tag("p", "Architecture search", class_="kicker"), tag("h1", title),
               tag("p", answer, class_="answer"))  # fmt: skip
