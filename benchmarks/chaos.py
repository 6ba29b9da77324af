"""A search whose driver or a worker is killed at random moments, again and again; then what was promised is checked.

    python -m benchmarks.chaos [--rounds 30] [--seed 0]

No completed trial lost or changed, none trained twice but what was in flight, no network twice, nothing left running,
the total reached, and a run directory in which the doctor finds nothing that the next driver would not put right.
Trials take a twentieth of a second and write weights that mean nothing.
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


def hardly_anything(job: Job) -> Iterator[Event]:
    """A short sleep, a score, a file in the place of weights."""
    time.sleep(0.05)
    error = (len(job.genome) % 997) / 1000
    yield Progress(job.number, Score(1, error, 1.0, 0.05, 1.0))
    weights = Path(job.weights)
    weights.parent.mkdir(parents=True, exist_ok=True)
    part = weights.with_name(weights.name + ".part")
    part.write_bytes(b"x" * 100_000)
    part.replace(weights)
    yield Outcome(job.number)


def workers(_: "Experiment") -> "Executor":
    """Two local ones."""
    from nas.search.workers.processes import ProcessPool

    return ProcessPool(2, train=hardly_anything)


def drive(run: Path, trials: int) -> None:
    """One driver: to the total, unless it is killed; a line for each event in a file beside the run."""
    from nas.search.experiment_file import load_experiment
    from nas.search.loop.search import Search
    from nas.search.store.create import create

    question = load_experiment("quickstart", {"sampler": "random", "trials": trials})
    with run.with_suffix(".events").open("a", buffering=1) as events:
        for event in Search(create(run, question, "chaos"), workers).events():
            events.write(f"{event.kind} {event.record.number}\n")


@dataclass
class Tally:
    """What was done, and what came of it."""

    drivers: int = 0  # killed
    workers: int = 0
    trials: int = 0
    failed: int = 0
    again: int = 0  # trials begun a second time


def chaos(folder: Path, rounds: int, seed: int) -> Tally:
    """Kill, check and go on. AssertionError where a promise is broken."""
    rng, run, tally = random.Random(seed), folder / "run", Tally()
    before: tuple[TrialRecord, ...] = ()
    for number in range(rounds):
        driver = begin(run, EACH * (number + 1))
        while driver.poll() is None:
            time.sleep(rng.uniform(0.1, 3.0))
            family = children(driver.pid)
            if family and rng.random() < 0.4:
                tally.workers += kill(rng.choice(family))
                continue
            tally.drivers += kill(driver.pid)
            driver.wait()
            wait_for_end(family)
        before = kept(run, before)
    last = begin(run, EACH * rounds)
    assert last.wait(120) == 0, "the last driver failed"
    kept(run, before)
    return check(run, EACH * rounds, tally)


def begin(run: Path, trials: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "benchmarks.chaos", "--drive", str(run), str(trials)]
    return subprocess.Popen(command, cwd=Path(__file__).parent.parent)


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
    """What is complete, which nothing complete before is missing from."""
    found = read(run)
    done = tuple(record for record in found.records if record.state == "complete") if found else ()
    lost = [record.number for record in before if record not in done]
    assert not lost, f"complete before, and lost or changed now: {lost}"
    return done


def check(run: Path, trials: int, tally: Tally) -> Tally:
    """The promises about the whole."""
    from nas.search.results.doctor import find_inconsistencies

    found = read(run)
    assert found is not None
    assert len(found.records) == trials, "the total is not reached"
    assert {record.state for record in found.records} <= {"complete", "failed"}, "left running"
    assert {record.reason for record in found.records} <= {"", "killed"}
    assert len({record.fingerprint for record in found.records}) == trials, "a network twice"
    over: set[str] = set()
    for line in run.with_suffix(".events").read_text().splitlines():
        kind, number = line.split()
        assert kind != "started" or number not in over, f"trial {number} was over, and trained again"
        if kind == "ended":
            over.add(number)
    lines = Counter(line.split()[2] for line in (run / "log.txt").read_text().splitlines())
    assert set(lines.values()) == {1}, "a trial twice in the log"
    list(find_inconsistencies(run, fix=True))
    assert not list(find_inconsistencies(run, fix=False))
    tally.trials = trials
    tally.failed = sum(record.state == "failed" for record in found.records)
    assert tally.failed <= tally.workers, "a trial failed that nobody killed"
    starts = Counter(line for line in run.with_suffix(".events").read_text().splitlines() if "started" in line)
    tally.again = sum(count - 1 for count in starts.values())
    return tally


def main() -> None:
    """Print what was done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--drive", nargs=2, metavar=("RUN", "TRIALS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        drive(Path(options.drive[0]), int(options.drive[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        tally = chaos(Path(folder), options.rounds, options.seed)
        print(f"{options.rounds} rounds in {time.monotonic() - begun:.0f} s: {tally}; every promise kept")


if __name__ == "__main__":
    main()
