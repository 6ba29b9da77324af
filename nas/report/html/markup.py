"""HTML in which text is escaped unless it is `Markup`, and control characters are shown as escapes."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from nas.errors import printable
from nas.report.text import escaped

VOID = {"br", "meta", "link", "img"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | Iterable["Child"] | None


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """Return an element. Children that are not `Markup` are escaped; `class_` is class, `data_x` is data-x.

    An attribute that is None or False is left out.
    """
    written = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Child) -> Markup:
    """Return children one after another, escaped unless they are `Markup`."""
    if children is None:
        return Markup()
    if isinstance(children, Markup):
        return children
    if isinstance(children, str | int):
        return Markup(escaped(str(children)))
    return Markup("".join(join(child) for child in children))


def _attribute(key: str, value: Any) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escaped(str(value))}"'


def json_script(identity: str, value: Any) -> Markup:
    """Return an element with plain data for a script. No text in the data can close the element."""
    text = json.dumps(_shown(value), separators=(",", ":"), allow_nan=False)  # ASCII, so U+2028 is escaped already
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(f'<script type="application/json" id="{escaped(identity)}">{text}</script>')


def _shown(value: Any) -> Any:
    """Return data with every text in it as a page shows it."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {_shown(key): _shown(each) for key, each in value.items()}
    return [_shown(each) for each in value] if isinstance(value, list | tuple) else value
