"""The networks of the source documents: each with its builder, what its paper reports, and how it was trained.

    baseline("resnet50")                        the graph, for the paper's task
    BASELINES["resnet50"].published             errors as fractions, with what they were measured on

Nothing is built before it is asked for.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from nas.errors import GenomeError
from nas.genome.baselines import alphago, densenet, early, googlenet, inception, resnet, vgg
from nas.genome.graph import Graph
from nas.genome.task import Task

Builder = Callable[[Task], Graph]


@dataclass(frozen=True)
class Published:
    """An error someone reported, as a fraction; `recalled` if it was not seen again in a copy of the source."""

    measure: str
    error: float | None = None
    top5: float | None = None
    recalled: bool = False


@dataclass(frozen=True)
class Baseline:
    """A published network. `task` is the paper's; `note` says where counts differ from what is often quoted."""

    name: str
    family: str
    year: int
    task: Task
    build: Builder
    published: tuple[Published, ...]
    recipe: str
    note: str

    def graph(self, task: Task | None = None) -> Graph:
        """The network for the paper's task, or fitted to another's images and classes."""
        return self.build(task or self.task)


def _read() -> dict[str, Baseline]:
    families = (early, vgg, googlenet, inception, resnet, densenet, alphago)
    builders: dict[str, Builder] = {name: build for family in families for name, build in family.NETWORKS.items()}
    data = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))
    return {name: _baseline(name, data["networks"][name], build, data["recipes"]) for name, build in builders.items()}


def _baseline(name: str, row: dict[str, Any], build: Builder, recipes: dict[str, str]) -> Baseline:
    task = Task(row["data"], tuple(row["input"]), row["classes"])
    published = tuple(Published(**entry) for entry in row["published"])
    return Baseline(name, row["family"], row["year"], task, build, published, recipes[row["recipe"]], row["note"])


BASELINES: dict[str, Baseline] = _read()
"""Every baseline by name, family by family."""


def baseline(name: str) -> Graph:
    """The graph of a baseline. Raises GenomeError with the nearest names for an unknown one."""
    if name in BASELINES:
        return BASELINES[name].graph()
    near = get_close_matches(name, BASELINES, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else "`nas baselines` lists them"
    raise GenomeError(f"no baseline {name[:60]!r}; {hint}")
