"""What a run records of its space when it is made, and how the space differs from that later."""

import ast
from collections.abc import Iterator
from difflib import unified_diff
from itertools import islice
from pathlib import Path

from nas.errors import RunError
from nas.files import read_text
from nas.search.experiment import MATCHED, Experiment
from nas.search.space import space_file
from nas.search.trial import Attributes

MAX_LINES = 6  # of a difference that are shown
MAX_WIDTH = 100  # characters of each
Sources = dict[str, str]  # the text of Python files by name


def read_space(experiment: Experiment) -> Sources:
    """Return the file of an experiment's space and the files beside it that it imports; none for a given network."""
    if experiment.space == MATCHED:
        return {}
    return sources(space_file(experiment.space))


def sources(file: Path) -> Sources:
    """Return the text of a Python file and of those in its folder that it imports, by name, itself first."""
    found: Sources = {}
    waiting = [file]
    while waiting:
        here = waiting.pop()
        if here.name not in found and here.is_file():
            found[here.name] = read_text(here)
            waiting += [file.with_name(f"{name}.py") for name in _neighbors(found[here.name], file.parent.name)]
    return found


def _neighbors(text: str, folder: str) -> Iterator[str]:
    """Yield names of modules that may lie beside a file: `import cells`, `from .cells`, `from search_spaces.cells`."""
    for node in ast.walk(_parsed(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module] if module not in ("", folder) else [alias.name for alias in node.names]
        else:
            continue
        yield from (name.removeprefix(f"{folder}.").partition(".")[0] for name in names)


def check_space(recorded: Attributes, now: Sources, path: Path) -> None:
    """Raise RunError, with the difference, when a space is not the one that a run's study recorded."""
    before = recorded.get("space")
    if not isinstance(before, dict):
        return  # a run of an earlier version
    old = {str(name): str(text) for name, text in before.items()}
    changed = [name for name in {**old, **now} if not _same_code(old.get(name, ""), now.get(name, ""))]
    if changed:
        shown = "; ".join(_difference(name, old.get(name, ""), now.get(name, "")) for name in changed[:3])
        raise RunError(
            f"{path} holds a run of another search space. {shown}\nRestore the file, or search with the new one in "
            "another place: --out"
        )


def _same_code(old: str, new: str) -> bool:
    """Return whether two texts are the same program: comments, docstrings and layout aside."""
    return old == new or _code(old) == _code(new)


def _code(text: str) -> str:
    tree = _parsed(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return ast.dump(tree) if tree.body else text


def _is_text(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _parsed(text: str) -> ast.Module:
    """Return the syntax tree of a text; empty where it is not Python, which is said when it is run."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _difference(name: str, old: str, new: str) -> str:
    """Return the first lines that changed in a file."""
    changed = unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    lines = [line for line in islice(changed, 2, None) if not line.startswith("@@")]
    more = f"\n  and {len(lines) - MAX_LINES} lines more" if len(lines) > MAX_LINES else ""
    return f"Changed in {name}:" + "".join(f"\n  {line[:MAX_WIDTH]}" for line in lines[:MAX_LINES]) + more
