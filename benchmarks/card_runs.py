"""Parts of `benchmarks.card` that run the command line: a search, and two design principles."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import nas
from benchmarks.card_setting import Measure, Setting

SEARCH_SECONDS, END_SECONDS = 180.0, 35.0  # of a search; for its start, the trials running at its end and the report
TWO_PRINCIPLES = ('principles.keys=["h09", "h17"]', "principles.settings=2", "principles.images=[]")


def search(setting: Setting) -> Iterator[Measure]:
    """`nas search families` with a time limit, all workers on one card."""
    seconds = run_nas(setting, "search", ["search", "families"], setting.size.search)
    run = nas.load(setting.out / "search")
    complete = [trial for trial in run.trials if trial.state == "complete"]
    images = len(complete) * run.experiment.recipe.epochs * (run.experiment.train_images or 0)
    yield Measure("trials complete", len(complete), minimum=1)
    yield Measure("trials that failed", sum(trial.state == "failed" for trial in run.trials), maximum=0)
    yield Measure("trials per minute, start included", 60 * len(complete) / seconds)
    yield Measure("images trained, start included", images / seconds, "images/s")
    yield Measure("lowest validation error", 100 * (run.best().error or 0.0), "%")


def principles(setting: Setting) -> Iterator[Measure]:
    """`nas principles` with two principles at full size on two settings, few epochs: how long, not what is true."""
    changes = [*setting.size.principles, *TWO_PRINCIPLES]
    seconds = run_nas(setting, "principles", ["principles", "principles_small"], changes)
    trials = nas.load(setting.out / "principles").trials
    complete = sum(trial.state == "complete" for trial in trials)
    yield Measure("trainings complete", complete, minimum=1)
    yield Measure("trainings that failed", sum(trial.state == "failed" for trial in trials), maximum=0)
    yield Measure("seconds per training, start included", seconds / max(1, complete), "s")


def run_nas(setting: Setting, name: str, command: Sequence[str], changes: Sequence[str]) -> float:
    """Run a command into the folder `name` with a time limit, and return its seconds; what it prints is in NAME.log.

    Raises RuntimeError with its last lines when it fails.
    """
    limit = max(END_SECONDS, min(SEARCH_SECONDS, setting.seconds - END_SECONDS))
    options = ["--time-limit", f"{limit:.0f}s", "--out", str(setting.out / name)]
    source = setting.source
    place = [f"data_dir={source.directory}"] if source.directory else []
    changed = [f"data={source.name}", *place, f"device={setting.device}", *changes]
    start, log = time.perf_counter(), setting.out / f"{name}.log"
    with log.open("w", encoding="utf-8") as file:
        sets = [part for change in changed for part in ("--set", change)]
        done = subprocess.run(
            [sys.executable, "-m", "nas", *command, *options, *sets], stdout=file, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"nas {command[0]} ended with exit code {done.returncode}: {last_lines(log)}")
    return time.perf_counter() - start


def last_lines(log: Path, count: int = 3) -> str:
    """Return the end of what a command printed."""
    return " ".join(log.read_text(encoding="utf-8").split("\n")[-1 - count :]).strip()
