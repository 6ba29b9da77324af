"""What to take: the network of the lowest error, and the cheapest that cannot be told from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import noun, percent
from nas.search.pareto import front_of
from nas.search.results.compare_errors import (
    ErrorDifference,
    error_difference,
    error_interval,
    finalist_difference,
)
from nas.search.results.finalist_files import Finalist
from nas.search.trial import TrialRecord
from nas.statistics import Interval


@dataclass(frozen=True)
class Recommendation:
    """A network to take.

    error: on validation, a fraction; of a finalist the mean over its seeds. interval: of the error, 95 %; None where it
    is not known. sample: what it was computed over, in words. test_error: of a finalist. difference: to the lowest
    error; None for that network itself, and where it is not known.
    """

    record: TrialRecord
    error: float
    interval: Interval | None
    sample: str
    test_error: float | None = None
    difference: ErrorDifference | None = None


@dataclass(frozen=True)
class Recommendations:
    """What to take of a run.

    lowest: the network of lowest error. cheaper: the networks of the front of error and cost that cost less, the
    cheapest first, each with its difference. They are finalists where the run has some.
    """

    lowest: Recommendation
    cheaper: tuple[Recommendation, ...]

    @property
    def cheapest(self) -> Recommendation | None:
        """Return the cheapest network that cannot be told from the lowest; None where there is none or not known."""
        alike = (each for each in self.cheaper if each.difference and each.difference.includes_zero)
        return next(alike, None)

    @property
    def taken(self) -> tuple[Recommendation, ...]:
        """Return the one or two networks that are recommended."""
        return (self.lowest, self.cheapest) if self.cheapest else (self.lowest,)

    def remark(self, view: View) -> str:
        """Return what is known of cheaper networks, in a sentence."""
        name, group = noun(view.abscissa), "finalist" if view.finalists else "network of the front"
        if self.cheapest:
            other = f"Where {name} count, take trial {self.cheapest.record.number}"
            return f"{other}: it has {self._share(view)} of them, and its error cannot be told from the lowest."
        if not self.cheaper:
            return f"It is also the cheapest {group} by {name}." if len(view.finalists or view.front) > 1 else ""
        if any(each.difference is None for each in self.cheaper):
            return "Whether a cheaper one is as good is not known: the run has no interval of its errors."
        return f"Every {group} that is cheaper by {name} has a measurably higher error."

    def _share(self, view: View) -> str:
        lowest, cheapest = (value_of(view.abscissa, each.record) or 0 for each in self.taken)
        return percent(cheapest / lowest)


def recommend(view: View) -> Recommendations | None:
    """Return the networks to take; None while no trial is complete."""
    if view.best is None:
        return None
    if view.finalists:
        return _among_finalists(view)
    cheaper = [
        _trial(view, record, error_difference(view.run, view.best, record, view.images))
        for record in _cheaper(view, view.best, front_of(view.complete, ("error", view.abscissa)))
    ]
    return Recommendations(_trial(view, view.best), tuple(cheaper))


def _trial(view: View, record: TrialRecord, difference: ErrorDifference | None = None) -> Recommendation:
    interval = error_interval(view.run, record, view.images)
    sample = f"over {view.images:,} validation images" if interval else "one seed"
    return Recommendation(record, record.error or 0.0, interval, sample, difference=difference)


def _cheaper(view: View, best: TrialRecord, records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the networks that cost less than the best, the cheapest first."""
    costs = {record.number: value_of(view.abscissa, record) for record in (best, *records)}
    limit = costs[best.number]
    known = [(cost, record) for record in records if (cost := costs[record.number]) is not None]
    less = [(cost, record.number, record) for cost, record in known if limit is not None and cost < limit]
    return [record for _, _, record in sorted(less, key=lambda row: row[:2])]


def _among_finalists(view: View) -> Recommendations:
    first, *others = view.finalists
    by_number = {record.number: record for record in view.complete}
    finalists = {each.number: each for each in others}
    best = by_number[first.number]
    cheaper = [
        _finalist(record, finalist, finalist_difference(view.run, view.finalists, first, finalist, view.images))
        for record in _cheaper(view, best, [by_number[number] for number in finalists])
        for finalist in (finalists[record.number],)
    ]
    return Recommendations(_finalist(best, first), tuple(cheaper))


def _finalist(record: TrialRecord, finalist: Finalist, difference: ErrorDifference | None = None) -> Recommendation:
    seeds = len(finalist.errors)
    interval = (finalist.low, finalist.high) if seeds > 1 else None
    sample = f"over {seeds} seeds" if seeds > 1 else "one seed"
    return Recommendation(record, finalist.error, interval, sample, finalist.test_error, difference)
