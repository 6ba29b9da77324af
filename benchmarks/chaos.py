"""A search whose driver or a worker is killed at random moments, again and again; then what was promised is checked.

    python -m benchmarks.chaos [--rounds 30] [--seed 0]

A round is `nas search` or `nas resume` with ten trials more, which is killed until it ends, then `nas finalists`, which
may be killed. Successive halving stops and promotes trials, and a baseline is added now and then. Checked: no finished
trial lost or changed, none trained twice but what was in flight, no network twice, nothing left running, the total
reached, finalists whose weights have the test error that is recorded, and a run directory in which the doctor finds
nothing that the next driver would not put right. Trials take a tenth of a second and write weights that mean nothing;
finalists are really trained, for one epoch.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.training.score import Score

if TYPE_CHECKING:
    from nas.search.experiment import Experiment
    from nas.search.store.run import Run
    from nas.search.trial import TrialRecord
    from nas.search.workers.executor import Executor

EACH = 10  # trials a round
EPOCHS = 9
EXECUTOR = "benchmarks.chaos:TwoWorkers"
BASELINES = ("cifar_resnet20", "cifar_resnet32", "cifar_resnet44", "cifar_resnet56")
SETTINGS = {"executor": EXECUTOR, "sampler": "random", "halving": 3, "recipe.epochs": EPOCHS, "time_limit": "24h"}


def hardly_anything(job: Job) -> Iterator[Event]:
    """A short sleep and a score an epoch, a file in the place of weights; a finalist is trained."""
    weights = Path(job.weights)
    if weights.parent.name == "finalists":
        from nas.search.workers.worker import train_job

        yield from train_job(job)
        return
    for epoch in range(1, EPOCHS + 1):
        time.sleep(0.01)
        error = (len(job.genome) % 997) / 1000 + 1 / (10 * epoch)
        yield Progress(job.number, Score(epoch, error, 1.0, 0.01 * epoch, 1.0))
    weights.parent.mkdir(parents=True, exist_ok=True)
    part = weights.with_name(weights.name + ".part")
    part.write_bytes(b"x" * 100_000)
    part.replace(weights)
    yield Outcome(job.number)


class TwoWorkers:
    """An executor of two processes that do hardly anything."""

    @staticmethod
    def for_experiment(_experiment: "Experiment", _count: int) -> "Executor":
        from nas.search.workers.processes import ProcessPool

        return ProcessPool(2, train=hardly_anything)


def drive(notes: Path, arguments: list[str]) -> None:
    """One verb, unless it is killed; a line for each event of a search in a file beside the run."""
    from nas.cli import main
    from nas.search.loop.search import Search, SearchEvent
    from nas.user_code import trust

    events = Search.events

    def noted(search: Search) -> Iterator[SearchEvent]:
        with notes.open("a", buffering=1) as file:
            for event in events(search):
                file.write(f"{event.kind} {event.record.number}\n")
                yield event

    trust(EXECUTOR)
    Search.events = noted  # type: ignore[method-assign,assignment]
    sys.argv = ["nas", *arguments]
    main()


@dataclass
class Tally:
    """What was done, and what came of it."""

    drivers: int = 0  # killed
    workers: int = 0
    resumes: int = 0  # of the drivers killed, those of `nas resume`
    finalists: int = 0  # `nas finalists` killed
    trials: int = 0
    failed: int = 0
    stopped: int = 0  # by successive halving
    promoted: int = 0
    baselines: int = 0
    retrained: int = 0  # finalists at the end, with those of earlier rounds that were better then
    again: int = 0  # trials begun a second time that were not promoted


@dataclass
class Pace:
    """Seconds within which a verb is killed: about what it took when it last ended, longer after each kill."""

    seconds: float

    def ended(self, took: float) -> None:
        self.seconds = max(1.0, 1.2 * took)

    def killed(self) -> None:
        self.seconds *= 1.2


def chaos(folder: Path, rounds: int, seed: int) -> Tally:
    """Kill, check and go on. AssertionError where a promise is broken."""
    rng, run, tally, begun = random.Random(seed), folder / "run", Tally(), time.monotonic()
    before: tuple[TrialRecord, ...] = ()
    searching, finishing = Pace(12.0), Pace(16.0)
    for number in range(rounds):
        total, ended = EACH * (number + 1), False
        while not ended:
            resumes = number % 2 == 1 and (run / "study.db").exists()
            driver = begin(run, resume(run, total) if resumes else search(run, total, number))
            killed = end_or_kill(driver, rng, searching, tally)
            tally.drivers, tally.resumes, ended = tally.drivers + killed, tally.resumes + killed * resumes, not killed
            before = kept(run, before)
        tally.finalists += end_or_kill(begin(run, finalists(run)), rng, finishing, None)
        check_finalists(run)
        before = kept(run, before)
    for arguments in (resume(run, EACH * rounds), finalists(run)):
        assert begin(run, arguments).wait(300) == 0, f"the last failed: {arguments}"
    kept(run, before)
    return check(run, EACH * rounds, tally, time.monotonic() - begun)


def search(run: Path, trials: int, number: int) -> list[str]:
    """The arguments of a search that begins the run, or continues it with another baseline."""
    settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    named = ",".join(BASELINES[: 1 + number // 4])
    return ["search", "quickstart", "--out", str(run), "--trials", str(trials), "--baselines", named, *settings]


def resume(run: Path, trials: int) -> list[str]:
    return ["resume", str(run), "--trials", str(trials)]


def finalists(run: Path) -> list[str]:
    return ["finalists", str(run), "--seeds", "2", "--top", "2", "--epochs", "1"]


def begin(run: Path, arguments: list[str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "benchmarks.chaos", "--drive", str(run.with_suffix(".events")), *arguments]
    with run.with_suffix(".messages").open("ab") as messages:
        return subprocess.Popen(command, cwd=Path(__file__).parent.parent, stdout=messages, stderr=messages)


def end_or_kill(driver: "subprocess.Popen[bytes]", rng: random.Random, pace: Pace, tally: Tally | None) -> bool:
    """Kill a driver within its pace, or some of its workers before; return whether it did not end by itself.

    With a tally, workers are killed, too, and counted.
    """
    begun = time.monotonic()
    while True:
        try:
            assert driver.wait(rng.uniform(0.1, pace.seconds)) == 0, "a driver failed: see run.messages"
            pace.ended(time.monotonic() - begun)
            return False
        except subprocess.TimeoutExpired:
            family = children(driver.pid)
        if tally and family and rng.random() < 0.4:
            tally.workers += kill(rng.choice(family))
            continue
        killed = kill(driver.pid)
        pace.killed()
        ended = driver.wait() == 0
        wait_for_end(family)
        return bool(killed) and not ended


def children(pid: int) -> list[int]:
    """The driver's workers: its children that run spawned Python."""
    with suppress(OSError):
        found = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return [each for each in found if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]
    return []


def kill(pid: int) -> int:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return 1
    return 0


def wait_for_end(family: list[int]) -> None:
    """Workers go when their driver goes."""
    end_ = time.monotonic() + 60
    while any(map(lives, family)):
        assert time.monotonic() < end_, "a worker outlived its driver"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether a process runs; one that is over, and that nobody has asked about yet, does not."""
    with suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def read(run: Path) -> "Run | None":
    """The run, unless the driver was killed before there was one."""
    from nas.search.store.run import load_run

    return load_run(run) if (run / "study.db").exists() else None


def kept(run: Path, before: "tuple[TrialRecord, ...]") -> "tuple[TrialRecord, ...]":
    """What is finished, which nothing finished before is missing from; baselines are finished, too."""
    found = read(run)
    known = (*found.records, *found.baselines) if found else ()
    done = tuple(record for record in known if record.state != "running")
    lost = [record.number for record in before if record not in done]
    assert not lost, f"finished before, and lost or changed now: {lost}"
    return done


def check_finalists(run: Path) -> int:
    """The finalists of a run, each with weights of the test error that is recorded."""
    import torch

    from nas.model.export import load_weights
    from nas.model.module import module
    from nas.search.results.finalist_files import finalist_weights, load_finalists
    from nas.search.store.readings import load_readings
    from nas.training.batches import Batches
    from nas.training.data import load_data, load_test
    from nas.training.evaluation import evaluate

    found, listed = read(run), load_finalists(run)
    assert found is not None
    source = found.experiment.source
    for each in listed:
        network = module(found.record(str(each.number)).graph, training=True)
        load_weights(network, finalist_weights(run, each.number))
        error = evaluate(network, Batches(load_test(source), load_data(source), torch.device("cpu"))).error
        assert error == each.test_error, f"finalist {each.number} has the weights of another training"
        assert each.test_error in {reading.error for reading in load_readings(run, each.number)}, "unrecorded reading"
    return len(listed)


def check(run: Path, trials: int, tally: Tally, seconds: float) -> Tally:
    """The promises about the whole, which took so many seconds."""
    from nas.search.finalist_settings import FinalistSettings
    from nas.search.results.doctor import find_inconsistencies
    from nas.search.results.finalists import are_trained

    found = read(run)
    assert found is not None
    assert found.seconds_used is not None
    assert 0 < found.seconds_used < seconds, "time that no driver worked"
    assert len(found.records) == trials, "the total is not reached"
    assert {record.state for record in (*found.records, *found.baselines)} <= {"complete", "pruned", "failed"}
    assert {record.reason for record in found.records} <= {"", "killed", "stopped"}
    assert len({record.fingerprint for record in found.records}) == trials, "a network twice"
    names = [record.baseline.split(",")[0] for record in found.baselines]
    assert sorted(names) == sorted(found.experiment.baselines), "a baseline is missing, or there twice"
    over: set[str] = set()
    for line in run.with_suffix(".events").read_text().splitlines():
        kind, number = line.split()
        assert kind != "started" or number not in over, f"trial {number} was over, and trained again"
        if kind == "ended":
            over.add(number)
    lines = Counter(tuple(line.split()[1:3]) for line in (run / "log.txt").read_text().splitlines())
    assert set(lines.values()) == {1}, "a trial twice in the log"
    tally.retrained = check_finalists(run)
    assert are_trained(found, FinalistSettings(seeds=2, top=2, epochs=1)), "a network that was chosen is no finalist"
    list(find_inconsistencies(run, fix=True))
    assert not list(find_inconsistencies(run, fix=False))
    every = (*found.records, *found.baselines)
    tally.trials, tally.baselines = trials, len(names)
    tally.failed = sum(record.state == "failed" for record in every)
    tally.stopped = sum(record.state == "pruned" for record in every)
    tally.promoted = sum(record.repeated > 0 for record in every)
    assert tally.failed <= tally.workers, "a trial failed that nobody killed"
    kinds = Counter(line.split()[0] for line in run.with_suffix(".events").read_text().splitlines())
    tally.again = kinds["started"] - len(every) - tally.promoted
    return tally


def main() -> None:
    """Print what was done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--drive", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        drive(Path(options.drive[0]), options.drive[1:])
        return
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        tally = chaos(Path(folder), options.rounds, options.seed)
        print(f"{options.rounds} rounds in {time.monotonic() - begun:.0f} s: {tally}; every promise kept")


if __name__ == "__main__":
    main()
