"""One pull loop, one failure policy: what is retried, what ends a run, what is data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nas.errors import RunError
from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.search.workers.train_all import MAX_ATTEMPTS, FailurePolicy, train_all
from nas.training.data import Source
from nas.training.recipe import Recipe
from nas.training.score import Score


class Scripted:
    """An executor with one worker that trains nothing: each job ends with the next of its reasons."""

    def __init__(self, reasons: dict[int, list[Reason]]) -> None:
        self.reasons, self.submitted = reasons, list[int]()
        self._events: list[Event] = []

    def idle(self) -> bool:
        return not self._events

    def submit(self, job: Job) -> None:
        self.submitted.append(job.number)
        reason = self.reasons[job.number].pop(0)
        self._events = [Progress(job.number, Score(1, 0.25, 1.0, 0.1, 1.0)), Outcome(job.number, reason, "why")]

    def stop(self, number: int) -> None: ...

    def proceed(self, number: int) -> None: ...

    def events(self, seconds: float) -> list[Event]:
        found, self._events = self._events, []
        return found

    def close(self) -> None: ...


def jobs(count: int) -> Iterator[Job]:
    return (Job(number, "", Source("digits"), Recipe(), 0, "") for number in range(count))


def test_each_job_is_yielded_with_its_scores(tmp_path: Path) -> None:
    workers = Scripted({0: [Reason.NONE], 1: [Reason.KILLED], 2: [Reason.NONE]})
    found = list(train_all(workers, jobs(3), FailurePolicy(tmp_path)))
    assert [(each.job.number, each.error) for each in found] == [(0, 0.25), (1, None), (2, 0.25)]
    assert all(len(each.scores) == 1 for each in found)


def test_a_lost_machine_is_retried_and_at_last_a_failure(tmp_path: Path) -> None:
    workers = Scripted({0: [Reason.LOST, Reason.NONE], 1: [Reason.LOST] * MAX_ATTEMPTS})
    found = list(train_all(workers, jobs(2), FailurePolicy(tmp_path)))
    assert workers.submitted == [0, 0, *[1] * MAX_ATTEMPTS]
    assert [(each.job.number, each.outcome.reason) for each in found] == [(0, Reason.NONE), (1, Reason.LOST)]


def test_a_full_disk_ends_the_run_and_is_no_failed_network(tmp_path: Path) -> None:
    trained = train_all(Scripted({0: [Reason.DISK_FULL]}), jobs(1), FailurePolicy(tmp_path))
    with pytest.raises(RunError, match=r"no room for the weights of trial 0 .* continue with: nas resume"):
        next(trained)


def test_where_most_trainings_fail_the_fault_is_the_runs(tmp_path: Path) -> None:
    workers = Scripted({number: [Reason.ERROR] for number in range(9)})
    with pytest.raises(RunError, match="5 of 5 trials failed with an error, the last: why"):
        list(train_all(workers, jobs(9), FailurePolicy(tmp_path, enough=5)))
    assert workers.submitted == [0, 1, 2, 3, 4]


def test_jobs_are_taken_only_when_a_worker_is_idle(tmp_path: Path) -> None:
    taken: list[int] = []

    def lazily() -> Iterator[Job]:
        for job in jobs(3):
            taken.append(job.number)
            yield job

    trained = train_all(Scripted({number: [Reason.NONE] for number in range(3)}), lazily(), FailurePolicy(tmp_path))
    next(trained)
    assert taken == [0]
