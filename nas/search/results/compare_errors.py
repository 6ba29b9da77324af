"""Whether the errors of two networks of a run can be told apart, over its validation images or the finalists' seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from nas.search.results.finalist_files import Finalist
from nas.search.store.confusion import load_confusion
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.statistics import Interval, paired_interval, pooled_interval, share_interval, unpaired_interval
from nas.training.metrics import Misclassified, misclassified_images

OVER_IMAGES = ("error", "top5_error")
"""Metrics that are a share of the validation images: their intervals follow from the number of images."""


@dataclass(frozen=True)
class ErrorDifference:
    """The error of a network less that of another, as a fraction, with its 95 % interval.

    sample: what it was computed over, in words.
    """

    value: float
    low: float
    high: float
    sample: str

    @property
    def in_points(self) -> tuple[str, str, str]:
        """Return the difference and the ends of its interval in points: `+2.10`, `+1.45`, `+2.75`."""
        value, low, high = (f"{100 * each:+.2f}" for each in (self.value, self.low, self.high))
        return value, low, high

    @property
    def includes_zero(self) -> bool:
        """Return whether the two networks cannot be told apart."""
        return self.low <= 0 <= self.high


def count_validation_images(run: Run) -> int | None:
    """Return the number of validation images; None where the run does not record it.

    Raises RunError when a confusion matrix is damaged.
    """
    for record in run.records:
        if (images := misclassified_images(record.misclassified)) is not None:
            return len(images)
    for record in run.records:  # of an earlier version: those of the front alone
        if record.error is not None and (confusion := load_confusion(run.path, record.number)) is not None:
            return int(confusion.sum())
    return None


def error_interval(run: Run, record: TrialRecord, images: int | None) -> Interval | None:
    """Return the 95 % interval of a trial's error over so many validation images; None where it is not known.

    It says how much the error may differ on other images, not after a training from another seed.
    """
    if not images or record.error is None or run.experiment.metric not in OVER_IMAGES:
        return None
    return share_interval(round(record.error * images), images)


def error_difference(run: Run, first: TrialRecord, second: TrialRecord, images: int | None) -> ErrorDifference | None:
    """Return the error of the second trial less that of the first, both trained once; None where it is not known.

    Paired where the run records which of the validation images both misclassify; else each is a binomial share of them.
    """
    metric = run.experiment.metric
    if first.error is None or second.error is None or metric not in OVER_IMAGES or not images:
        return None
    wrong = [misclassified_images(record.misclassified) for record in (first, second)]
    if metric == "error" and wrong[0] is not None and wrong[1] is not None and len(wrong[0]) == len(wrong[1]):
        low, high = _over_pairs(wrong[0], wrong[1])
        sample = f"paired over {len(wrong[0]):,} validation images"
        return ErrorDifference(second.error - first.error, low, high, sample)
    return _over_images(first.error, second.error, images)


def _over_pairs(first: Misclassified, second: Misclassified) -> Interval:
    return paired_interval(int((first & ~second).sum()), int((second & ~first).sum()), len(first))


def _over_images(first: float, second: float, images: int) -> ErrorDifference:
    low, high = unpaired_interval(round(first * images), round(second * images), images)
    return ErrorDifference(second - first, low, high, f"over {images:,} validation images")


def test_difference(finalists: Sequence[Finalist], first: Finalist, second: Finalist) -> ErrorDifference | None:
    """Return the mean test error of the second finalist less that of the first; None where too few are kept.

    finalists: all that are compared; the spread over seeds is theirs together.
    """
    if not first.test_errors or not second.test_errors:
        return None
    others = [each.test_errors for each in finalists if each not in (first, second)]
    return _over_seeds([first.test_errors, second.test_errors, *others])


def _over_seeds(groups: Sequence[Sequence[float]]) -> ErrorDifference | None:
    """Return the mean of the second group less that of the first; the spread is that of all groups."""
    interval = pooled_interval(groups)
    if interval is None:
        return None
    counts = sorted({len(group) for group in groups[:2]})
    seeds = f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} and {counts[1]} seeds"
    return ErrorDifference(fmean(groups[1]) - fmean(groups[0]), *interval, f"over {seeds} each")


def finalist_difference(
    run: Run, finalists: Sequence[Finalist], first: Finalist, second: Finalist, images: int | None
) -> ErrorDifference | None:
    """Return the mean error of the second finalist less that of the first; None where it is not known.

    finalists: all that are compared; the spread over seeds is theirs together. Where each has one seed, its error is a
    binomial share of the validation images.
    """
    others = [each.errors for each in finalists if each not in (first, second)]
    if found := _over_seeds([first.errors, second.errors, *others]):
        return found
    if not images or run.experiment.metric not in OVER_IMAGES:
        return None
    return _over_images(first.error, second.error, images)
