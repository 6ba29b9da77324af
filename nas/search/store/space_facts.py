"""What a run records of its space when it is made, and how the space differs from that later."""

import ast
from difflib import unified_diff
from itertools import islice
from pathlib import Path

from nas.errors import RunError
from nas.search.experiment import Experiment
from nas.search.space import space_sources
from nas.search.trial import Attributes
from nas.user_code import Sources, parsed, without_script

MAX_LINES = 6  # of a difference that are shown
MAX_WIDTH = 100  # characters of each


def read_space(experiment: Experiment) -> Sources:
    """Return the file of an experiment's space and the files beside it that it imports; none for a given network."""
    if not experiment.is_search:
        return {}
    return space_sources(experiment.space)


def check_space(recorded: Attributes, now: Sources, path: Path) -> None:
    """Raise RunError, with the difference, when a space is not the one that a run's study recorded."""
    old = recorded_space(recorded)
    if old is None:
        return  # a run of an earlier version
    if shown := space_differences(old, now):
        raise RunError(
            f"{path} holds a run of another search space. {shown}\nRestore the file, or search with the new one in "
            "another place: --out"
        )


def recorded_space(facts: Attributes) -> Sources | None:
    """Return the texts of the space that a study was made with; None for a run of an earlier version."""
    texts = facts.get("space")
    return {str(name): str(text) for name, text in texts.items()} if isinstance(texts, dict) else None


def with_first_name(texts: Sources, others: Sources) -> Sources:
    """Return texts, the first of them under the name of the first of others: a file may have been renamed."""
    if not texts or not others:
        return texts
    return dict(zip([*islice(others, 1), *islice(texts, 1, None)], texts.values(), strict=True))


def space_differences(old: Sources, now: Sources) -> str:
    """Return the first lines that changed in up to three files; "" where the code is the same."""
    changed = space_changes(old, now)[:3]
    return "; ".join(_difference(name, old.get(name, ""), now.get(name, "")) for name in changed)


def space_changes(old: Sources, now: Sources) -> list[str]:
    """Return the names of the files whose code differs."""
    return [name for name in {**old, **now} if not _same_code(old.get(name, ""), now.get(name, ""))]


def _same_code(old: str, new: str) -> bool:
    """Return whether two texts are the same program: comments, docstrings and layout aside."""
    return old == new or _code(old) == _code(new)


def _code(text: str) -> str:
    tree = without_script(parsed(text))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return ast.dump(tree) if tree.body else text


def _is_text(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _difference(name: str, old: str, new: str) -> str:
    """Return the first lines that changed in a file."""
    changed = unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    lines = [line for line in islice(changed, 2, None) if not line.startswith("@@")]
    more = f"\n  and {len(lines) - MAX_LINES} lines more" if len(lines) > MAX_LINES else ""
    return f"Changed in {name}:" + "".join(f"\n  {line[:MAX_WIDTH]}" for line in lines[:MAX_LINES]) + more
