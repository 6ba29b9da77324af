"""Runs that are compared: their names, what separates them, and their hypervolumes from one reference point."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nas.errors import RunError
from nas.report.comparison.groups import Row, RunGroup, group_runs
from nas.report.run.hypervolume import reference_point, volume_curve, volume_steps
from nas.report.run.view import View
from nas.report.text import clip
from nas.search.pareto import as_points

MAX_RUNS = 24


@dataclass(frozen=True)
class RunComparison:
    """Several runs on one task, each with a result."""

    views: Sequence[View]

    @classmethod
    def of(cls, views: Sequence[View]) -> "RunComparison":
        """Return the comparison. Raises RunError unless every run has a result and all have one task and metric."""
        for view in views:
            if not view.complete:
                raise RunError(f"{view.run.path}: no trial is complete yet, so there is nothing to compare")
            if view.run.task != views[0].run.task:
                tasks = f"{clip(view.run.task)} and {clip(views[0].run.task)}"
                raise RunError(
                    f"{view.run.path} and {views[0].run.path} have different tasks ({tasks}): they cannot be compared"
                )
            if view.experiment.metric != views[0].experiment.metric:
                metrics = f"{view.experiment.metric} and {views[0].experiment.metric}"
                raise RunError(
                    f"{view.run.path} and {views[0].run.path} minimize different metrics ({metrics}): they cannot be "
                    "compared"
                )
        if not 2 <= len(views) <= MAX_RUNS:
            raise RunError(f"2 to {MAX_RUNS} runs can be compared, not {len(views)}")
        return cls(views)

    @cached_property
    def names(self) -> list[str]:
        """A name for each run: its directory's, with a letter where two are equal."""
        names = [clip(view.run.path.resolve().name, 40) for view in self.views]
        return [f"{name} ({chr(65 + i)})" if names.count(name) > 1 else name for i, name in enumerate(names)]

    @property
    def rows(self) -> list[Row]:
        """Name, view and trial of lowest error of each run; finalists do not count, since not all runs have some."""
        return [(name, view, view.complete[0]) for name, view in zip(self.names, self.views, strict=True)]

    @cached_property
    def groups(self) -> tuple[RunGroup, ...]:
        """The runs in groups that differ in their seed alone."""
        return group_runs(self.rows)

    @property
    def places(self) -> list[int]:
        """The place of each run's group among the groups, in the order of the runs."""
        places = {name: i for i, group in enumerate(self.groups) for name, _, _ in group.rows}
        return [places[name] for name in self.names]

    @property
    def costs(self) -> tuple[str, ...]:
        """The objectives that tables show: parameters, MACs, and all that any of the runs limits or minimizes."""
        return tuple(dict.fromkeys(name for view in self.views for name in view.costs))

    @cached_property
    def volumes(self) -> list[dict[str, Any]]:
        """Hypervolume over complete trials, from one reference point, in the objectives that the runs share."""
        names = self.views[0].experiment.objectives
        if any(view.experiment.objectives != names for view in self.views):
            names = ("error", "macs")
        runs = [as_points([record.vector(names) for record in sorted(view.complete, key=lambda record: record.number)])
                for view in self.views]  # fmt: skip
        own = [
            reference_point(view.experiment.model_copy(update={"objectives": names}), view.run.task.classes, points)
            for view, points in zip(self.views, runs, strict=True)
        ]
        reference = np.array(own).max(axis=0)
        return [
            _volumes(name, points / reference) | {"place": place, "group": self.groups[place].name}
            for name, points, place in zip(self.names, runs, self.places, strict=True)
        ]


def _volumes(name: str, shares: Any) -> dict[str, Any]:
    steps = volume_steps(len(shares))
    return {"name": name, "x": steps.tolist(), "y": volume_curve(shares, steps).round(6).tolist()}
