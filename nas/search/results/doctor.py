"""What is inconsistent in a run directory that no driver holds, and how it is mended.

Every search mends what it needs by itself when it goes on: a doctor is for a run that will not go on, or will not open.
"""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from nas.errors import ExperimentError, RunError
from nas.search import experiment as experiments
from nas.search.experiment import MATCHED
from nas.search.loop.search import job
from nas.search.pareto import front_of
from nas.search.store.create import begun, original_experiment
from nas.search.store.run_files import BEGUN, check_contained, exclusive_lock, write_whole
from nas.search.store.storage import connect
from nas.search.store.study import Study, open_run
from nas.search.trial import TrialRecord, trial_folder
from nas.search.workers.executor import executor

SAME = 0.01  # how far the error of a training repeated may be from the first's


@dataclass(frozen=True)
class Inconsistency:
    """What is wrong, what mends it, and the mending; None where nothing here can."""

    what: str
    remedy: str
    mend: Callable[[], None] | None


def find_inconsistencies(path: Path, mend: bool) -> Iterator[Inconsistency]:
    """What is inconsistent, each mended before the next is looked for, if asked and possible.

    Raises RunError when the path is no run, when another driver holds it, or when something in it leads elsewhere.
    """
    check_contained(path)
    if not any((path / name).exists() for name in BEGUN | {"study.db"}):
        raise RunError(f"{path} is no run directory: it has no study.db")
    with exclusive_lock(path):
        for finding in _files(path):
            yield from _treated(finding, mend)
    if not begun(path):
        return
    try:
        study = open_run(path)
    except RunError as problem:
        yield Inconsistency(str(problem), "mend what is above first, or take the run from a copy", None)
        return
    with study.held():
        for finding in _trials(study):
            yield from _treated(finding, mend)


def _treated(finding: Inconsistency, mend: bool) -> Iterator[Inconsistency]:
    if mend and finding.mend:
        finding.mend()
    yield finding


def _files(path: Path) -> Iterator[Inconsistency]:
    if {file.name for file in path.iterdir()} <= BEGUN and not begun(path):
        yield Inconsistency(
            "the making of the run was cut short", "remove what there is", lambda: _remove(*path.iterdir())
        )
        return
    parts = [file for file in path.rglob("*") if file.is_file() and re.search(r"\.part(-wal|-shm)?$|^part-", file.name)]
    if parts:
        names = ", ".join(str(part.relative_to(path)) for part in parts[:5])
        yield Inconsistency(f"{len(parts)} files half written: {names}", "remove them", lambda: _remove(*parts))
    log = path / "study.db-wal"
    if log.exists() and log.stat().st_size:
        yield Inconsistency("the last driver's last words are in study.db-wal", "take them up", lambda: _take_up(path))
    yield from _damage(path)
    yield from _question(path)


def _remove(*files: Path) -> None:
    for file in files:
        shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)


def _take_up(path: Path) -> None:
    with closing(sqlite3.connect(path / "study.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _damage(path: Path) -> Iterator[Inconsistency]:
    """A study that SQLite itself finds damaged; one on a server is the server's to keep."""
    if not (path / "study.db").exists():
        return
    try:
        with closing(sqlite3.connect(path / "study.db")) as database:
            said = [str(row[0]) for row in database.execute("PRAGMA integrity_check(5)")]
    except sqlite3.Error as problem:
        said = [str(problem)]
    if said != ["ok"]:
        remedy = "take it from a copy, or save what can be read: sqlite3 study.db .recover"
        yield Inconsistency(f"study.db is damaged: {'; '.join(said):.200}", remedy, None)


def _question(path: Path) -> Iterator[Inconsistency]:
    """An experiment that is missing or damaged; the study remembers it as it was at first."""
    try:
        experiments.read_experiment(path / "experiment.toml")
        return
    except ExperimentError as problem:
        what = f"experiment.toml is damaged: {problem}"
    except OSError as problem:
        what = f"experiment.toml cannot be read: {problem.strerror}"
    try:
        known = original_experiment(connect(path / "study.db", None, ""), path)
    except (RunError, ExperimentError):
        known = None
    if known is None:
        yield Inconsistency(what, "write it again: the study does not say what was asked", None)
    else:
        text = experiments.to_toml(known, "Mended: as it was when the run was made")
        yield Inconsistency(
            what, "write it as it was when the run was made", lambda: write_whole(path / "experiment.toml", text)
        )


def _trials(study: Study) -> Iterator[Inconsistency]:
    for orphan in study.orphans(study.everything()):
        what = f"trial {orphan.number} runs without a driver"
        remedy = "file it as failed (nas resume would train it instead)"
        failed = replace(orphan, state="failed", reason="abandoned")
        yield Inconsistency(what, remedy, lambda failed=failed: study.end(failed))  # type: ignore[misc]
    if study.experiment.space == MATCHED:
        return  # it keeps no weights
    front = front_of(study.records(), study.experiment.objectives)
    yield from _stray(study, {record.number for record in front})
    if not study.experiment.storage:  # other drivers keep what they trained in directories of their own
        for record in front:
            if not _weights(study, record).is_file():
                what, remedy = f"trial {record.number} is on the front, without its weights", "train it again"
                yield Inconsistency(what, remedy, lambda record=record: _train_again(study, record))  # type: ignore[misc]


def _stray(study: Study, front: set[int]) -> Iterator[Inconsistency]:
    home = study.path / "trials"
    kept = front | {record.number for record in study.baselines()}
    kept |= {record.number for record in study.records() if record.state == "running"}
    wanted = {trial_folder(study.path, number).name for number in kept}
    stray = [place for place in home.iterdir() if place.name not in wanted] if home.is_dir() else []
    if stray:
        names = ", ".join(sorted(place.name[:40] for place in stray)[:5])
        yield Inconsistency(
            f"{len(stray)} in trials/ of no trial on the front: {names}", "remove them", lambda: _remove(*stray)
        )


def _weights(study: Study, record: TrialRecord) -> Path:
    return trial_folder(study.path, record.number) / "weights.safetensors"


def _train_again(study: Study, record: TrialRecord) -> None:
    """From its seed. Raises RunError when that gives another score."""
    experiment, weights, error = study.experiment, _weights(study, record), None
    with closing(executor(experiment, 1)) as workers:
        over = ""
        waiting = True
        while not over:
            if waiting and workers.idle():
                workers.submit(job(experiment, experiment.recipe, record, record.number, record.seed, weights))
                waiting = False
            for event in workers.events(0.25):
                if event["kind"] == "score":
                    error = event["score"]["error"]
                else:
                    over = event["reason"] or "complete"
    if over != "complete" or error is None or abs(error - (record.error or 0)) > SAME:
        weights.unlink(missing_ok=True)
        raise RunError(f"trained again, trial {record.number} is {over} with error {error}, not {record.error}")
