"""The page of a run: its sections in the order in which they appear."""

from collections.abc import Callable, Sequence

from nas.report.html.markup import Markup, tag
from nas.report.html.page import sections_page
from nas.report.html.section import Section
from nas.report.run.advice import advice_section
from nas.report.run.classes import classes_section
from nas.report.run.curves import curves_section
from nas.report.run.front import front_section
from nas.report.run.header import run_header
from nas.report.run.latency import latency_section
from nas.report.run.memory import memory_section
from nas.report.run.network import network_section
from nas.report.run.population import population_section
from nas.report.run.progress import progress_section
from nas.report.run.proposals import proposals_section
from nas.report.run.reproduce import reproduce_section
from nas.report.run.trials import trials_section
from nas.report.run.view import View
from nas.report.text import clip

SECTIONS: list[Callable[[View], Section | None]] = [
    front_section,
    network_section,
    memory_section,
    latency_section,
    classes_section,
    progress_section,
    population_section,
    advice_section,
    curves_section,
    trials_section,
    proposals_section,
    reproduce_section,
]
"""What makes the sections, in order. A function that returns None leaves its section out."""


def run_page(view: View, alone: bool = False, library: str | None = None, before: Sequence[Section] = ()) -> str:
    """Return the page of a run as HTML.

    alone: without links to files next to it. library: see `sections_page`. before: sections above the others.
    """
    sections = [*before, *[made for make in SECTIONS if (made := make(view))]]
    footer = tag("footer") if alone else _footer(view)
    return sections_page(clip(view.experiment.name, 60), run_header(view), sections, footer, library)


def _footer(view: View) -> Markup:
    names = ["trials.csv", "trials.parquet"]
    names += ["front.csv", "front.parquet", "front.svg", "hypervolume.svg"] if view.complete else []
    links = [[tag("a", name, href=name), " "] for name in names]
    return tag("footer", tag("p", "Files next to this page: ", links))
