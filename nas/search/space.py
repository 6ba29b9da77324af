"""Search spaces by name: a Python function of a trial and a task."""

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from traceback import extract_tb

from nas.errors import ExperimentError, NasError, near
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.genome.trial import Space, Trial
from nas.resources import names, resource
from nas.search.checked_trial import CheckedTrial
from nas.search.distributions import Distributions


@cache
def load_space(name: str) -> Space:
    """Return the function NAME of search_spaces/NAME.py. Only the toolkit's own folder is searched: a space is code.

    Raises ExperimentError with the nearest names, or with the line at which the file fails; so does the function, when
    what it does fails, gives no Graph, or asks for a choice that Optuna refuses. What is raised on purpose, as by
    shapes that do not fit, stays what it is.
    """
    known = names("search_spaces", ".py")
    if name not in known:
        raise ExperimentError(f"no search space {name[:60]!r}{near(name, known)} There are: {', '.join(known)}")
    file = space_file(name)
    spec = importlib.util.spec_from_file_location(f"search_spaces.{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with faults(file):
        spec.loader.exec_module(module)
    space = getattr(module, name, None)
    if not callable(space):
        raise ExperimentError(f"{file}: no function {name!r}; write: def {name}(trial: Trial, task: Task) -> Graph")

    asked: dict[Task, Distributions] = {}

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
    """Return the file of a space."""
    return resource("search_spaces", f"{name}.py")


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
    """Return the first line of a space's docstring."""
    text = space_file(name).read_text(encoding="utf-8")
    found = re.match(r'"""(.+?)(\n|""")', text)
    return found[1] if found else ""
