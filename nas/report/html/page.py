"""One page that holds all it needs. Its policy forbids every request, unless a section asks the page's own server."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from nas.report.html.markup import Child, Markup, json_script, tag
from nas.report.html.section import Section
from nas.report.network import STYLE

BARE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"


def sections_page(title: str, header: Child, sections: Sequence[Section], footer: Child = None) -> str:
    """Return a page of sections with their data and scripts. Each script has a scope of its own."""
    data = {name: value for each in sections for name, value in each.data.items()}
    scripts = dict.fromkeys(each.script for each in sections if each.script)
    blocks = [f"{{\n{path.read_text(encoding='utf-8')}\n}}\n" for path in scripts]
    script = "".join([report_resource("html/page.js"), *blocks, "start();\n"])
    content = [header, tag("main", [each.html for each in sections], id="results"), footer]
    return document(title, content, data, script, any(each.asks for each in sections))


def document(title: str, content: Child, data: Mapping[str, Any], script: str, asks: bool = False) -> str:
    """Return a page around its content: its policy, its style, the data of its plots and the script that draws them.

    asks: whether the script may make requests to the server that the page came from.
    """
    scripts = [_plotly(), script] if data else [script]
    allowed = " ".join(f"'sha256-{_digest(each)}'" for each in scripts)
    policy = f"{BARE_POLICY}; script-src {allowed}" + ("; connect-src 'self'" if asks else "")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · architecture search"),
        tag("style", Markup(report_resource("html/page.css") + STYLE)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the results", href="#results", class_="skip"),
        content,
        [json_script(f"{name}-data", value) for name, value in data.items()],
        [tag("script", Markup(each)) for each in scripts],
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def report_resource(name: str) -> str:
    """Return the text of a file of the report, by its path."""
    return files("nas.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    # A browser reads CR LF as LF, and the digest is of what it reads.
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
