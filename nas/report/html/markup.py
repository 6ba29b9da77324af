"""HTML in which text is escaped unless it says that it is markup."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

VOID = {"br", "meta", "link", "img"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | Iterable["Child"] | None


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """An element. Children that are not `Markup` are escaped; `class_` is class, `data_x` is data-x.

    An attribute that is None or False is left out.
    """
    said = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in VOID:
        return Markup(f"<{name}{said}>")
    return Markup(f"<{name}{said}>{join(children)}</{name}>")


def join(children: Child) -> Markup:
    """Children one after another, each escaped where it must be."""
    if children is None:
        return Markup()
    if isinstance(children, Markup):
        return children
    if isinstance(children, str | int):
        return Markup(escape(str(children)))
    return Markup("".join(join(child) for child in children))


def _attribute(key: str, value: Any) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def json_script(identity: str, value: Any) -> Markup:
    """Plain data for a script, in a form that no text in it can break out of."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)  # ASCII, so U+2028 is escaped already
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(f'<script type="application/json" id="{escape(identity)}">{text}</script>')
