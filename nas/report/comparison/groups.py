"""Runs that differ in their seed alone, as one group."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import clip
from nas.search.trial import TrialRecord
from nas.statistics import Interval, mean_interval, pooled_interval

Row = tuple[str, View, TrialRecord]
"""A run: its name, its view and its best trial."""
NOT_OF_THE_SEARCH = {"name", "seed", "trials", "data_dir", "workers", "device", "time_limit", "timeout", "memory_gb",
                     "executor", "cpus_per_trial", "gpus_per_trial", "storage", "tracker"}  # fmt: skip
NAMED_BY = ("space", "sampler")  # settings that name a group where they differ


@dataclass(frozen=True)
class RunGroup:
    """Runs of one experiment from several seeds, or a single run."""

    name: str
    rows: tuple[Row, ...]

    @property
    def errors(self) -> list[float]:
        """Return the lowest error of each run, a fraction."""
        return [best.error for _, _, best in self.rows if best.error is not None]

    @property
    def error(self) -> float:
        """Return the mean of the lowest errors."""
        return fmean(self.errors)

    @property
    def interval(self) -> Interval | None:
        """Return the 95 % interval of their mean over seeds; None of a single run."""
        return mean_interval(self.errors) if len(self.errors) > 1 else None

    def error_within(self, name: str, limit: float) -> float | None:
        """Return the mean over runs of the lowest error where an objective is at most `limit`; None without one."""
        errors = [
            min((each.error for each in view.complete if each.error is not None and _is_within(each, name, limit)),
                default=None)
            for _, view, _ in self.rows
        ]  # fmt: skip
        known = [error for error in errors if error is not None]
        return fmean(known) if len(known) == len(errors) else None

    @property
    def best(self) -> Row:
        """Return the run of the lowest error, the cheaper of equals."""
        return min(self.rows, key=lambda row: (row[2].error, row[2].cost.macs))


def _is_within(record: TrialRecord, name: str, limit: float) -> bool:
    value = value_of(name, record)
    return value is not None and value <= limit


def group_runs(rows: Sequence[Row]) -> tuple[RunGroup, ...]:
    """Return the runs in groups, in the order of their first. A run listed twice is two groups."""
    groups: list[list[Row]] = []
    for row in rows:
        alike = (group for group in groups if all(_differ_in_seed_alone(row[1], view) for _, view, _ in group))
        if (home := next(alike, None)) is None:
            groups.append([row])
        else:
            home.append(row)
    names = [_name(group, groups) for group in groups]
    unique = [name if names.count(name) == 1 else group[0][0] for name, group in zip(names, groups, strict=True)]
    return tuple(RunGroup(name, tuple(group)) for name, group in zip(unique, groups, strict=True))


def _differ_in_seed_alone(one: View, other: View) -> bool:
    """Return whether two runs are of one search. They may ask for other totals if as many trials are complete.

    (So they do where a trial failed, and another one took its place.)
    """
    ours, theirs = one.experiment, other.experiment
    as_long = ours.trials == theirs.trials or len(one.complete) == len(other.complete)
    same = ours.model_dump_json(exclude=NOT_OF_THE_SEARCH) == theirs.model_dump_json(exclude=NOT_OF_THE_SEARCH)
    return ours.seed != theirs.seed and as_long and same


def _name(group: Sequence[Row], groups: Sequence[Sequence[Row]]) -> str:
    """Return what separates a group from the others; of a single run its own name."""
    if len(group) == 1:
        return group[0][0]
    differ = [name for name in NAMED_BY if len({getattr(each[0][1].experiment, name) for each in groups}) > 1]
    return clip(", ".join(str(getattr(group[0][1].experiment, name)) for name in differ or NAMED_BY[:1]), 40)


def error_lead(first: RunGroup, second: RunGroup, groups: Sequence[RunGroup]) -> Interval | None:
    """Return the 95 % interval of the second group's mean error less the first's; None without several seeds.

    groups: all that are compared; the spread over seeds is theirs together.
    """
    others = [group.errors for group in groups if group not in (first, second)]
    return pooled_interval([first.errors, second.errors, *others])
