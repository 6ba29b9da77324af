"""Published networks: each with its builder, the results its paper reports, and how it was trained.

    baseline("resnet50")                        the graph, for the paper's task
    BASELINES["resnet50"].published             errors as fractions, with the data they were measured on
    BASELINES["resnet50"].counts                parameters and MACs as others print them

A graph is built only when it is requested.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from nas.errors import GenomeError
from nas.genome.baselines import (
    alphago,
    convnext,
    densenet,
    early,
    efficientnet,
    googlenet,
    inception,
    mobile,
    mobilenet_v3,
    regnet,
    repvgg,
    resnet,
    shufflenet,
    squeezenet,
    vgg,
)
from nas.genome.graph import Graph
from nas.genome.task import Task

Builder = Callable[[Task], Graph]


@dataclass(frozen=True)
class PublishedResult:
    """A reported error, as a fraction. `recalled`: quoted from memory, not checked against a copy of the source."""

    measure: str
    error: float | None = None
    top5: float | None = None
    recalled: bool = False


@dataclass(frozen=True)
class PublishedCount:
    """Parameters and MACs as a source prints them, such as "3.4 M"; empty where it has none.

    remark: why they are not those that are counted here.
    """

    source: str
    params: str = ""
    macs: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Baseline:
    """A published network for its paper's `task`. `note` explains where counts differ from those often quoted."""

    name: str
    family: str
    year: int
    task: Task
    build: Builder
    published: tuple[PublishedResult, ...]
    recipe: str
    note: str
    counts: tuple[PublishedCount, ...] = ()

    def graph(self, task: Task | None = None) -> Graph:
        """Return the network for the paper's task, or with the images and classes of another task.

        Raises ShapeError when the images are too small.
        """
        return self.build(task or self.task)


def _read() -> dict[str, Baseline]:
    families = (
        early, vgg, googlenet, inception, resnet, densenet, alphago, mobile, mobilenet_v3, efficientnet,
        squeezenet, shufflenet, regnet, convnext, repvgg,
    )  # fmt: skip
    builders: dict[str, Builder] = {name: build for family in families for name, build in family.NETWORKS.items()}
    data = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))
    return {name: _baseline(name, data["networks"][name], build, data["recipes"]) for name, build in builders.items()}


def _baseline(name: str, row: dict[str, Any], build: Builder, recipes: dict[str, str]) -> Baseline:
    task = Task(row["data"], tuple(row["input"]), row["classes"])
    published = tuple(PublishedResult(**entry) for entry in row["published"])
    counts = tuple(PublishedCount(**entry) for entry in row.get("counts", ()))
    recipe = recipes[row["recipe"]]
    return Baseline(name, row["family"], row["year"], task, build, published, recipe, row["note"], counts)


BASELINES: dict[str, Baseline] = _read()
"""Every baseline by name, family by family."""


def baseline(name: str) -> Graph:
    """Return the graph of a baseline. Raises GenomeError with the closest names for an unknown one."""
    if name in BASELINES:
        return BASELINES[name].graph()
    near = get_close_matches(name, BASELINES, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else "`nas baselines` lists them"
    raise GenomeError(f"there is no baseline {name[:60]!r}; {hint}")
