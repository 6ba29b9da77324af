"""Inconsistencies of a run directory that no driver holds, and their fixes.

A search that is resumed fixes what it needs by itself: this is for a run that cannot be resumed, or cannot be opened.
"""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from nas.errors import ExperimentError, RunError
from nas.files import atomic_write, room_hint
from nas.genome.fingerprint import fingerprint
from nas.search.experiment_file import read_experiment, to_toml
from nas.search.pareto import front_of
from nas.search.store.create import LOOSE, begun, changed_settings
from nas.search.store.data_facts import read_data_facts
from nas.search.store.run_files import (
    BEGUN,
    check_contained,
    exclusive_lock,
    is_beginning,
    not_a_run,
    trial_folder,
    trial_weights,
)
from nas.search.store.storage import readable
from nas.search.store.stored_trial import StoredTrial
from nas.search.store.study import Study, open_run
from nas.search.store.study_file import open_study_file
from nas.search.store.study_view import experiment_of
from nas.search.trial import Reason, TrialRecord
from nas.search.workers.executor import make_executor
from nas.search.workers.job import Job
from nas.search.workers.train_all import FailurePolicy, train_all

RESTORE = "restore study.db from a copy"


@dataclass(frozen=True)
class Inconsistency:
    """What is wrong, the remedy, and a function that applies it; None where this program cannot."""

    what: str
    remedy: str
    fix: Callable[[], object] | None = None


def find_inconsistencies(path: Path, fix: bool) -> Iterator[Inconsistency]:
    """Yield what is inconsistent, each fixed before the next is looked for, if asked and possible.

    Raises RunError when the path is not a run, when another driver holds it, when something in it leads elsewhere, or
    when its file system is full.
    """
    if not any((path / name).exists() for name in BEGUN | {"study.db"}):
        raise not_a_run(path)
    check_contained(path)
    with exclusive_lock(path):
        yield from _fixed(_files(path), fix)
    if not begun(path):
        return
    try:
        study = open_run(path)
    except RunError as problem:
        yield Inconsistency(str(problem), "fix what is above first, or restore the run from a copy")
        return
    with study.held():
        yield from _fixed(_trials(study), fix)


def _fixed(found: Iterator[Inconsistency], fix: bool) -> Iterator[Inconsistency]:
    for each in found:
        if fix and each.fix:
            each.fix()
        yield each


def _files(path: Path) -> Iterator[Inconsistency]:
    if all(is_beginning(file.name) for file in path.iterdir()) and not begun(path):
        yield Inconsistency("the run was only half made", "remove what there is", lambda: _remove(*path.iterdir()))
        return
    parts = [file for file in path.rglob("*") if file.is_file() and re.search(r"\.part(-wal|-shm)?$|^part-", file.name)]
    if parts:
        names = ", ".join(str(part.relative_to(path)) for part in parts[:5])
        yield Inconsistency(f"{len(parts)} files half written: {names}", "remove them", lambda: _remove(*parts))
    log = path / "study.db-wal"
    if log.exists() and log.stat().st_size:
        what = "changes of the last driver are still in study.db-wal"
        yield Inconsistency(what, "checkpoint them into study.db", lambda: _checkpoint(path))
    yield from _damage(path)
    yield from _experiment(path)


def _remove(*files: Path) -> None:
    for file in files:
        shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)


def _checkpoint(path: Path) -> None:
    with closing(sqlite3.connect(path / "study.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _damage(path: Path) -> Iterator[Inconsistency]:
    """Check the study file with SQLite; a study on a server is left to the server.

    Raises RunError when it is the file system that has no room to read it.
    """
    if not (path / "study.db").exists():
        return
    try:
        with closing(sqlite3.connect(path / "study.db")) as database:
            database.text_factory = lambda text: text.decode(errors="replace")  # it quotes what is damaged
            answers = [str(row[0]) for row in database.execute("PRAGMA integrity_check(5)")]
    except (sqlite3.Error, UnicodeDecodeError) as problem:
        if hint := room_hint(str(path)):
            raise RunError(f"{path / 'study.db'} cannot be read: {problem}{hint}") from None
        answers = [str(problem)]
    if answers != ["ok"]:
        remedy = "restore it from a copy, or save what can be read: sqlite3 study.db .recover"
        yield Inconsistency(f"study.db is damaged: {'; '.join(answers):.200}", remedy)


def _experiment(path: Path) -> Iterator[Inconsistency]:
    """Find an experiment file that is missing, damaged, or edited since the run was made; the study holds a copy."""
    found = None
    try:
        found = read_experiment(path / "experiment.toml")
    except ExperimentError as problem:
        what = f"experiment.toml is damaged: {problem}"
    except OSError as problem:
        what = f"experiment.toml cannot be read: {problem.strerror}"
    if found and found.storage:
        return
    try:
        with readable(str(path)), open_study_file(path / "study.db") as file:
            known = experiment_of(file.facts(), path)
    except (RunError, ExperimentError):
        known = None
    if found:
        if known is None or not (shown := changed_settings(known, found)):
            return
        what = f"experiment.toml was edited after the search began ({shown})"
        known = known.model_copy(update={name: getattr(found, name) for name in LOOSE})
    if known is None:
        yield Inconsistency(what, "write it again: the study does not hold the experiment")
        return
    text = to_toml(known, "Fixed: as it was when the run was made")
    remedy = "write it as it was when the run was made"
    yield Inconsistency(what, remedy, lambda: atomic_write(path / "experiment.toml", text))


def _trials(study: Study) -> Iterator[Inconsistency]:
    trials = study.stored()
    yield from _genomes(trials)
    yield from _earlier(study)
    for orphan in study.orphans(trials):
        what = f"trial {orphan.number} runs without a driver"
        remedy = "record it as failed (nas resume would train it instead)"
        failed = replace(orphan, state="failed", reason=Reason.ABANDONED)
        yield Inconsistency(what, remedy, lambda failed=failed: study.end(failed))  # type: ignore[misc]
    if not study.experiment.is_search:
        return  # it keeps no weights
    front = front_of(study.records(), study.experiment.objectives)
    yield from _stray(study, {record.number for record in front})
    if not study.experiment.storage:  # other drivers keep what they trained in directories of their own
        for record in front:
            if not trial_weights(study.path, record.number).is_file():
                what, remedy = f"trial {record.number} is on the front without its weights", "train it again"
                yield Inconsistency(what, remedy, lambda record=record: _train_again(study, record))  # type: ignore[misc]


def _genomes(trials: list[StoredTrial]) -> Iterator[Inconsistency]:
    """Find trials whose genome is damaged, or not of the network that was counted."""
    for trial in trials:
        try:
            same = fingerprint(trial.record.graph) == trial.fingerprint
        except RunError as problem:
            yield Inconsistency(str(problem), RESTORE)
            continue
        if not same:
            yield Inconsistency(f"the genome of trial {trial.number} does not have its fingerprint", RESTORE)


def _earlier(study: Study) -> Iterator[Inconsistency]:
    """Find trials of earlier runs that cannot be told again."""
    try:
        study.earlier()
    except RunError as problem:
        yield Inconsistency(str(problem), RESTORE)


def _stray(study: Study, front: set[int]) -> Iterator[Inconsistency]:
    home = study.path / "trials"
    kept = front | {record.number for record in study.baselines()}
    kept |= {record.number for record in study.records() if record.state == "running"}
    wanted = {trial_folder(study.path, number).name for number in kept}
    stray = [entry for entry in home.iterdir() if entry.name not in wanted] if home.is_dir() else []
    if stray:
        names = ", ".join(sorted(entry.name[:40] for entry in stray)[:5])
        what = f"{len(stray)} in trials/ that belong to no trial on the front: {names}"
        yield Inconsistency(what, "remove them", lambda: _remove(*stray))


def _train_again(study: Study, record: TrialRecord) -> None:
    """Train a trial again from its seed. Raises RunError on other images, and when that gives another score."""
    study.data_facts().check(read_data_facts(study.experiment), study.path, study.experiment.data)
    experiment, weights = study.experiment, trial_weights(study.path, record.number)
    with closing(make_executor(experiment, 1)) as workers:
        (trained,) = train_all(workers, [Job.for_trial(experiment, record, weights)], FailurePolicy(study.path))
    if trained.error is None or not record.is_repeated_by(trained.error):
        weights.unlink(missing_ok=True)
        ended = trained.outcome.reason.summary if trained.error is None else f"has error {trained.error}"
        raise RunError(f"trained again, trial {record.number} {ended}, not error {record.error}")
