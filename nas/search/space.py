"""Search spaces by name: a Python function of a trial and a task, bundled or in a file of the user's."""

import ast
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, wraps
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from nas.errors import ExperimentError, NasError, near
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.genome.trial import Space, Trial
from nas.resources import names, resource
from nas.search.checked_trial import CheckedTrial
from nas.search.distributions import Distributions
from nas.user_code import (
    Sources,
    absolute,
    is_outside,
    is_trusted,
    load_attribute,
    parsed,
    short_name,
    source_file,
    sources,
)

FOLDER = "search_spaces"  # in which a space is found by its name alone


@cache
def load_space(name: str) -> Space:
    """Return a space: bundled ones by name, others as `file.py:function` or `module:function` where that is trusted.

    Raises ExperimentError with the nearest names, or with the line at which the file fails; so does the function, when
    what it does fails, gives no Graph, or asks for a choice that Optuna refuses. What is raised on purpose, as by
    shapes that do not fit, stays what it is.
    """
    file = space_file(name)
    function = name.rpartition(":")[2]
    with faults(file):
        space = _own_function(name, file) if is_outside(name) else getattr(_bundled_module(name, file), function, None)
    if not callable(space):
        raise ExperimentError(f"{file}: no function {name!r}; write: def {name}(trial: Trial, task: Task) -> Graph")
    return checked_space(space, file)


def _own_function(name: str, file: Path) -> Callable[..., Any]:
    if not is_trusted(name):
        raise ExperimentError(
            f"the search space {name!r} is code that a file names. It is run only for whoever names it: add --space "
            "FILE.py, or search with the experiment that names it: nas search EXPERIMENT.toml --out RUN"
        )
    try:
        return load_attribute(name)  # type: ignore[no-any-return]
    except ExperimentError as problem:
        if isinstance(problem.__cause__, Exception):
            raise problem.__cause__ from None
        spaces = [each for each in _functions(file) if "trial" in each[1]]
        if not spaces:
            raise
        raise ExperimentError(f"{problem}; its functions of a trial: {', '.join(each for each, _ in spaces)}") from None


def _functions(file: Path) -> list[tuple[str, list[str]]]:
    """Return the functions at the top of a file and their arguments."""
    tree = parsed(next(iter(sources(file).values()), ""))
    return [(node.name, [a.arg for a in node.args.args]) for node in tree.body if isinstance(node, ast.FunctionDef)]


def _bundled_module(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{FOLDER}.{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checked_space(space: Callable[..., Any], file: Path | None = None) -> Space:
    """Return a function of a trial and a task as a space, which raises as one of `load_space` does.

    file: where it lies, by default that of its code.
    """
    asked: dict[Task, Distributions] = {}
    code = getattr(inspect.unwrap(space), "__code__", None)
    name, file = getattr(space, "__name__", type(space).__name__), file or Path(getattr(code, "co_filename", "space"))

    @wraps(space)
    def checked(trial: Trial, task: Task) -> Graph:
        with faults(file):
            graph = space(CheckedTrial(trial, asked.setdefault(task, {})), task)
        if not isinstance(graph, Graph):
            kind = type(graph).__name__
            raise ExperimentError(f"{file}: {name} returned {kind}, not a Graph; end it with: return Graph.of(...)")
        return graph

    return checked


def space_file(name: str) -> Path:
    """Return the file of a space. Raises ExperimentError with the nearest names."""
    if is_outside(name):
        return source_file(name) or Path(name.rpartition(":")[0])
    known = names(FOLDER, ".py")
    if name not in known:
        place = Path(name).expanduser()
        own = "; write the path of a Python file, such as space.py or space.py:function" if "/" in name else ""
        raise ExperimentError(
            f"no search space {name[:60]!r}{near(name, known)} There are: {', '.join(known)}"
            + (f"; {place} is no Python file" if place.exists() else own)
        )
    return resource(FOLDER, f"{name}.py")


def absolute_space(name: str, *folders: Path) -> str:
    """Return a space's name with the path of its file made absolute, from the first of the folders.

    A name that is not bundled is also looked for as search_spaces/NAME.py in each of the folders.
    """
    if not is_outside(name) and not name.endswith(".py") and name not in names(FOLDER, ".py"):
        for folder in folders:
            if name.isidentifier() and (folder / FOLDER / f"{name}.py").is_file():
                return absolute(f"{FOLDER}/{name}.py", folder)
    return absolute(name, folders[0])


def space_sources(name: str) -> Sources:
    """Return the text of a space's file and of those beside it that it imports.

    Of a function that is in no file, as of a notebook, its own text is returned.
    """
    file = space_file(name)
    if file.is_file():
        return sources(file)
    with suppress(OSError, TypeError):
        return {short_name(name): inspect.getsource(inspect.unwrap(load_space(name)))}
    return {}


def consistent(space: Space, recorded: Distributions) -> Space:
    """Return a space whose choices must be compatible with those that a study recorded."""

    def checked(trial: Trial, task: Task) -> Graph:
        return space(CheckedTrial(trial, recorded), task)

    return checked


@contextmanager
def faults(file: Path) -> Iterator[None]:
    """Turn what fails in a file into an ExperimentError that names the line."""
    try:
        yield
    except NasError:
        raise
    except Exception as problem:
        lines = [frame.lineno for frame in extract_tb(problem.__traceback__) if frame.filename == str(file)]
        line = problem.lineno if isinstance(problem, SyntaxError) else lines[-1] if lines else None
        said = " ".join(f"{type(problem).__name__}: {problem}".split())
        raise ExperimentError(f"{file}{f', line {line}' if line else ''}: {said:.300}") from problem


def space_summary(name: str) -> str:
    """Return the first line of a bundled space's docstring."""
    text = space_file(name).read_text(encoding="utf-8")
    found = re.match(r'"""(.+?)(\n|""")', text)
    return found[1] if found else ""
