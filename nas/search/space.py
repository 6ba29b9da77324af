"""Search spaces by name, and the trials that drive them without a study."""

import importlib.util
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from traceback import extract_tb
from typing import Any, TypeVar

from nas.errors import ExperimentError, GenomeError, NasError, near
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.genome.trial import Choice, Space, Trial
from nas.resources import names, resource

T = TypeVar("T", bound=Choice)


@cache
def load_space(name: str) -> Space:
    """The function NAME of search_spaces/NAME.py. Only the toolkit's own folder is looked in: a space is code.

    Raises ExperimentError with the nearest names, or with the line at which the file fails; so does the function, when
    what it does fails, or gives no Graph. What is raised on purpose, as by shapes that do not fit, stays what it is.
    """
    known = names("search_spaces", ".py")
    if name not in known:
        raise ExperimentError(f"no search space {name[:60]!r}{near(name, known)} There are: {', '.join(known)}")
    file = resource("search_spaces", f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"search_spaces.{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with faults(file):
        spec.loader.exec_module(module)
    space = getattr(module, name, None)
    if not callable(space):
        raise ExperimentError(f"{file}: no function {name!r}; write: def {name}(trial: Trial, task: Task) -> Graph")

    @wraps(space)
    def checked(trial: Trial, task: Task) -> Graph:
        with faults(file):
            graph = space(trial, task)
        if not isinstance(graph, Graph):
            kind = type(graph).__name__
            raise ExperimentError(f"{file}: {name} returned {kind}, not a Graph; end it with: return Graph.of(...)")
        return graph

    return checked


@contextmanager
def faults(file: Path) -> Iterator[None]:
    """What fails in a file becomes an ExperimentError that names the line."""
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
    """The first line of a space's page."""
    text = resource("search_spaces", f"{name}.py").read_text(encoding="utf-8")
    found = re.match(r'"""(.+?)(\n|""")', text)
    return found[1] if found else ""


class RandomTrial:
    """Draws each choice uniformly and remembers it; `lowest` takes the low end of every range."""

    def __init__(self, seed: int, lowest: bool = False) -> None:
        self.random = random.Random(seed)
        self.lowest = lowest
        self.choices: dict[str, Choice] = {}

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        return self._keep(name, low if self.lowest else self.random.randrange(low, high + 1, step))

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None) -> float:
        value = low if self.lowest else self.random.uniform(low, high)
        return self._keep(name, value if step is None else low + step * round((value - low) / step))

    def suggest_categorical(self, name: str, choices: Sequence[T]) -> T:
        return self._keep(name, self.random.choice(choices))

    def _keep(self, name: str, value: T) -> T:
        return self.choices.setdefault(name, value)  # type: ignore[return-value]


class Replay:
    """Answers with recorded choices. Raises ExperimentError where the space asks for one that is not recorded."""

    def __init__(self, choices: Mapping[str, Any]) -> None:
        self.choices = choices

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        return int(self._recorded(name))

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None) -> float:
        return float(self._recorded(name))

    def suggest_categorical(self, name: str, choices: Sequence[T]) -> T:
        value: T = self._recorded(name)
        return value

    def _recorded(self, name: str) -> Any:
        if name not in self.choices:
            raise ExperimentError(f"the choice {name!r} is not recorded; the space has changed since")
        return self.choices[name]


def sample_network(space: Space, task: Task, seed: int, lowest: bool = False) -> Graph:
    """One network drawn uniformly over the choices. Raises GenomeError where the draw does not make a network."""
    graph = space(RandomTrial(seed, lowest), task)
    if graph.nodes[graph.outputs[0]].shape != (task.classes,):
        raise GenomeError(f"the space gives {graph.nodes[graph.outputs[0]].shape}, not {task.classes} classes")
    return graph
