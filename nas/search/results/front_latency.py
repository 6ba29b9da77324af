"""Latency of the networks on the front, measured after the search and written beside what was predicted."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nas.device.latency.make_provider import make_provider
from nas.device.latency.measurement import relative_difference
from nas.errors import RunError
from nas.files import atomic_write
from nas.search.experiment import Experiment
from nas.search.objectives import LATENCY
from nas.search.pareto import front_of
from nas.search.store.rows import STRICT, Number, read_rows
from nas.search.trial import TrialRecord

FILE = "latency.json"
Milliseconds = Annotated[float, Field(ge=0)]


@dataclass(frozen=True)
class FrontLatency:
    """A network of the front as it was measured, in milliseconds.

    number: of the trial. predicted: before its training. measured: the median of the repeats. spread: their
    interquartile range. outliers: repeats that were discarded.
    """

    __pydantic_config__ = STRICT

    number: Number
    predicted: Milliseconds
    measured: Milliseconds
    spread: Milliseconds
    repeats: Number
    outliers: Number


@dataclass(frozen=True)
class MeasuredFront:
    """The networks of a front, and how far two measurements of them differ: a share, the median over networks."""

    rows: tuple[FrontLatency, ...]
    repeatability: float


def measure_front(path: Path, experiment: Experiment, records: Sequence[TrialRecord]) -> MeasuredFront:
    """Measure the networks of the front twice, write the first measurement into the run, and return both.

    This runs the experiment's command, where it has one: only call it with an experiment that the user typed, never
    with one that a run directory holds. Raises LatencyError where a network cannot be measured, and OSError.
    """
    assert experiment.latency is not None
    front = front_of([record for record in records if record.error is not None], experiment.objectives)
    graphs = [record.graph for record in front]
    provider = make_provider(experiment.latency)
    first, second = provider.measure(*graphs), provider.measure(*graphs)
    rows = [
        FrontLatency(
            record.number, record.predicted[LATENCY], found.median_ms, found.spread_ms, found.repeats, found.outliers
        )
        for record, found in zip(front, first, strict=True)
    ]
    atomic_write(path / FILE, json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return MeasuredFront(tuple(rows), relative_difference(first, second) if rows else 0.0)


def load_front_latency(path: Path) -> tuple[FrontLatency, ...]:
    """Return what was measured of a run's front; none where nothing was. Raises RunError for a damaged file."""
    try:
        return read_rows(path / FILE, FrontLatency)
    except ValueError as problem:
        raise RunError(f"{path / FILE} is damaged ({problem}); remove it") from None
