"""How verbs that read a run, and its driver, grow with its trials: seconds, peak memory and the size of the page.

    python -m benchmarks.large_runs [--trials 500 5000] [--repeats 1] [--out FOLDER]

Makes runs of the quickstart with random networks and workers that train nothing, then runs each verb as a process of
its own, in turn for each run. A run that is in FOLDER already is not made again.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from nas.search.experiment_file import load_experiment
from nas.search.loop.search import Search
from nas.search.store.create import create
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.training.score import Score

MORE = 25  # trials by which the driver's time is measured
VERBS = ("status", "report", "report --format md", "show", "cost")
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Untrained:
    """An executor of one worker that trains nothing; the error is made up from the genome."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def idle(self) -> bool:
        return not self._events

    def submit(self, job: Job) -> None:
        error = 0.05 + (sum(job.genome.encode()) % 997) / 2000
        scores = [Score(epoch, error * (1 + 1 / epoch), error, 0.1 * epoch, error) for epoch in range(1, 21)]
        self._events = [*(Progress(job.number, score) for score in scores), Outcome(job.number)]

    def stop(self, number: int) -> None:
        """Nothing runs long enough to be stopped."""

    def proceed(self, number: int) -> None:
        """Nothing waits."""

    def events(self, seconds: float) -> list[Event]:
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        self._events = []


def make(folder: Path, trials: int) -> Iterator[float]:
    """Make a run and yield the milliseconds the driver took for each hundred of its trials."""
    begun, ended = time.perf_counter(), 0
    for event in search(folder, trials).events():
        ended += event.kind == "ended"
        if event.kind == "ended" and ended % 100 == 0:
            yield 1e3 * (time.perf_counter() - begun) / 100
            begun = time.perf_counter()


def search(folder: Path, trials: int) -> Search:
    """Return a search of so many trials in a new run directory, or in one that holds fewer."""
    changes = {"trials": trials, "sampler": "random", "workers": 1}
    return Search(create(folder, load_experiment("quickstart", changes), "benchmark"), lambda _: Untrained())


def driver_milliseconds(run: Path, trials: int) -> float:
    """Return the driver's processor time per trial when a copy of a run gets MORE trials; the first is not counted."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(run, copy, dirs_exist_ok=True)
        times = [time.process_time() for event in search(Path(copy), trials + MORE).events() if event.kind == "ended"]
    return 1e3 * (times[-1] - times[0]) / (len(times) - 1)


def measure(verb: str, run: Path, page: Path) -> tuple[float, float]:
    """Run a verb; return its seconds and its peak memory in MB."""
    name, *options = verb.split()
    what = f"{run}:best" if name in ("show", "cost") else str(run)
    options += ["--out", str(page)] if verb == "report" else []
    begun = time.perf_counter()
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "nas", name, what, *options]
    peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return time.perf_counter() - begun, peak / 1024


def main() -> None:
    """Print a table, the slope of the driver and the size of the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=(500, 5000))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = options.out or Path(temporary)
        runs = {trials: home / str(trials) for trials in options.trials}
        for trials, run in runs.items():
            if not run.exists():
                speed = list(make(run, trials))
                print(f"{trials} trials made: {speed[0]:.0f} ms a trial at first, {speed[-1]:.0f} at last", flush=True)
        for verb in VERBS:
            rows = {
                trials: [measure(verb, run, home / f"{trials}.html") for _ in range(options.repeats)]
                for trials, run in runs.items()
            }
            cells = [
                f"{trials}: {median(s for s, _ in row):6.2f} s {max(m for _, m in row):4.0f} MB"
                for trials, row in rows.items()
            ]
            ends = [median(s for s, _ in rows[trials]) for trials in (min(runs), max(runs))]
            print(f"{verb:20} {'   '.join(cells)}   ratio {ends[1] / ends[0]:.2f}", flush=True)
        for trials, run in runs.items():
            spent = [driver_milliseconds(run, trials) for _ in range(max(2, options.repeats))]
            print(f"driver at {trials} trials: {min(spent):.0f} to {max(spent):.0f} ms of processor time per trial")
        for trials in runs:
            print(f"page of {trials} trials: {(home / f'{trials}.html').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
