"""One offline page: its policy forbids every request, but for a shared plotting library and a page that is watched."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from nas.report.html.library import plotting_library
from nas.report.html.markup import Child, Markup, json_script, tag
from nas.report.html.section import Section
from nas.report.network import STYLE

BARE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"


def sections_page(
    title: str, header: Child, sections: Sequence[Section], footer: Child = None, library: str | None = None
) -> str:
    """Return a page of sections with their data and scripts. Each script has a scope of its own.

    library: the URL of the plotting library, as `share_library` returns it; None: the page holds the library.
    """
    data = {name: value for each in sections for name, value in each.data.items()}
    files = dict.fromkeys(each.script for each in sections if each.script)
    blocks = [f"{{\n{path.read_text(encoding='utf-8')}\n}}\n" for path in files]
    begin = f"loadLibrary({json.dumps(library)});\n" if library and data else "start();\n"
    script = "".join([report_resource("html/page.js"), *blocks, begin])
    scripts = [plotting_library(), script] if data and not library else [script]
    content = [header, tag("main", [each.html for each in sections], id="results"), footer]
    asks = any(each.asks for each in sections)
    return document(title, content, data, scripts, loads=bool(library and data), asks=asks)


def document(
    title: str, content: Child, data: Mapping[str, Any], scripts: Sequence[str], loads: bool = False, asks: bool = False
) -> str:
    """Return a page around its content: its policy, its style, the data of its plots and the scripts that draw them.

    The policy allows the scripts by their digests. loads: it also allows what they load themselves, and no other file.
    asks: and their requests to the server that the page came from.
    """
    allowed = [f"'sha256-{_digest(each)}'" for each in scripts] or ["'none'"]
    policy = f"{BARE_POLICY}; script-src {' '.join(allowed)}" + (" 'strict-dynamic'" if loads else "")
    policy += "; connect-src 'self'" if asks else ""
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


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
