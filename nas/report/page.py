"""One offline page: nothing in it is fetched, and its policy forbids it to try."""

import base64
import hashlib
from importlib.resources import files
from typing import Any

from nas.report import plots, population, sections
from nas.report.answer import answer
from nas.report.drawing import STYLE
from nas.report.markup import Child, Markup, data, join, tag
from nas.report.view import View
from nas.report.words import clip

_BARE = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"


def page(view: View) -> str:
    """The page of a run as HTML text."""
    content = [answer(view), tag("main", _sections(view), id="results"), tag("footer", sections.footer(view))]
    own = resource("page.js") + resource("run.js") + resource("population.js") + "start();\n"
    return document(clip(view.experiment.name, 60), content, _plots(view), own)


def document(title: str, content: Child, plots: dict[str, Any], script: str) -> str:
    """A page around its content: its policy, its style, the data of its plots and the one script that draws them."""
    scripts = [_plotly(), script] if plots else [script]
    allowed = " ".join(f"'sha256-{_digest(each)}'" for each in scripts)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=f"{_BARE}; script-src {allowed}"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · architecture search"),
        tag("style", Markup(resource("page.css") + STYLE)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the results", href="#results", class_="skip"),
        content,
        [data(f"{name}-data", value) for name, value in plots.items()],
        [tag("script", Markup(each)) for each in scripts],
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


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


def resource(name: str) -> str:
    """The text of a file beside this one."""
    return files("nas.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    # A browser reads CR LF as LF, and the digest is of what it reads.
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
