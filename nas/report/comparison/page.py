"""Several runs on one page: their fronts, their progress and their best networks."""

from collections.abc import Callable, Sequence

from nas.report.comparison.comparison import RunComparison
from nas.report.comparison.groups import RunGroup, error_lead
from nas.report.comparison.sections import (
    best_networks_section,
    commands_section,
    differences_section,
    fronts_section,
    limits_section,
    overview_section,
    volumes_section,
)
from nas.report.html.markup import Markup, tag
from nas.report.html.page import sections_page
from nas.report.html.section import Section
from nas.report.run.view import View
from nas.report.text import between, clip, quantity
from nas.statistics import Interval

COMPARISON_SECTIONS: list[Callable[[RunComparison], Section | None]] = [
    overview_section,
    fronts_section,
    limits_section,
    volumes_section,
    best_networks_section,
    differences_section,
    commands_section,
]


def comparison_page(views: Sequence[View], library: str | None = None) -> str:
    """Return the page as HTML. library: see `sections_page`. Raises RunError for runs that cannot be compared."""
    comparison = RunComparison.of(views)
    sections = [made for make in COMPARISON_SECTIONS if (made := make(comparison))]
    return sections_page("comparison", _header(comparison), sections, library=library)


def _header(comparison: RunComparison) -> Markup:
    """Return which search has the lowest errors, and whether that can be told from the next."""
    first, *others = sorted(comparison.groups, key=lambda group: (group.error, group.best[2].cost.macs))
    lead = error_lead(first, others[0], comparison.groups) if others else None
    name, _, best = first.best
    answer = [
        tag("strong", first.name), ": ", tag("strong", quantity("error", first.error)), f" {_seeds(first)}. Its best "
        f"network is trial {best.number} of {name}, {quantity('error', best.error)} with "
        f"{quantity('macs', best.cost.macs)} MACs. ", _lead(others[0], lead) if others else None,
    ]  # fmt: skip
    return tag("header", tag("p", "Architecture search", class_="kicker"),
               tag("h1", _title(comparison, first, others, lead)), tag("p", answer, class_="answer"))  # fmt: skip


def _title(comparison: RunComparison, first: RunGroup, others: Sequence[RunGroup], lead: Interval | None) -> str:
    error, task = comparison.views[0].noun("error"), clip(comparison.views[0].run.task.name)
    if not others:
        return f"{first.name}: {len(first.rows)} seeds of one search on {task}"
    if lead and lead[0] <= 0:
        return f"{first.name} and {others[0].name} lead {len(others) + 1} searches on {task} and cannot be told apart"
    return f"{first.name} has the lowest {error} of {len(others) + 1} searches on {task}"


def _seeds(group: RunGroup) -> str:
    if not group.interval:
        return "from one seed"
    return f"in the mean of {len(group.rows)} seeds (95 % interval {between(*group.interval)})"


def _lead(second: RunGroup, lead: Interval | None) -> str:
    """Return how the search next in error compares."""
    text = f"Next is {second.name}, {quantity('error', second.error)}"
    if lead is None:
        return f"{text}. Each is one search from one seed; comparing methods takes several seeds of each."
    low, high = (f"{100 * end:+.2f}" for end in lead)
    measured = "not measurably" if lead[0] <= 0 else "measurably"
    return f"{text}, {measured} more: the difference is {low} to {high} points (95 % interval over seeds)."
