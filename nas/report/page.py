"""One offline page: nothing in it is fetched, and its policy forbids it to try."""

import base64
import hashlib
from importlib.resources import files
from typing import Any

from nas.report import plots, population, sections
from nas.report.answer import answer
from nas.report.drawing import STYLE
from nas.report.markup import Markup, data, join, tag
from nas.report.view import View
from nas.report.words import clip

_BARE = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"


def page(view: View) -> str:
    """The page as HTML text."""
    own = _resource("page.js") + _resource("population.js") + "start();\n"
    scripts = [_plotly(), own] if _plots(view) else [own]
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=f"{_BARE}; script-src {allowed}"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{clip(view.experiment.name, 60)} · architecture search"),
        tag("style", Markup(_resource("page.css") + STYLE)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the results", href="#results", class_="skip"),
        answer(view),
        tag("main", _sections(view), id="results"),
        tag("footer", sections.footer(view)),
        [data(f"{name}-data", value) for name, value in _plots(view).items()],
        [tag("script", Markup(script)) for script in scripts],
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


def _resource(name: str) -> str:
    return files("nas.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    # A browser reads CR LF as LF, and the digest is of what it reads.
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
