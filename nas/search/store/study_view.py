"""A study as it is read: what it was made with, and its trials."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from nas.errors import ExperimentError, RunError, quoted
from nas.search.experiment import Experiment
from nas.search.experiment_file import read_experiment, validate_experiment
from nas.search.store.data_facts import DataFacts, data_facts_of
from nas.search.store.earlier_facts import EarlierTrials, earlier_of
from nas.search.store.run_files import check_contained, not_a_run
from nas.search.store.storage import connect, readable
from nas.search.store.stored_trial import StoredTrial
from nas.search.store.study_file import open_study_file
from nas.search.trial import Attributes, TrialRecord


class StudySource(Protocol):
    """Where a study is read from: Optuna's storage, or the file itself."""

    def trials(self) -> list[StoredTrial]: ...

    def facts(self) -> Attributes: ...


class StudyView:
    """The study of one run directory. Each call asks the source, and raises RunError when the study is damaged."""

    def __init__(self, path: Path, experiment: Experiment, source: StudySource) -> None:
        self.path, self.experiment, self._source = path, experiment, source

    def facts(self) -> Attributes:
        """Return what the study was made with."""
        with readable(str(self.path)):
            return self._source.facts()

    def all_trials(self) -> list[StoredTrial]:
        """Return all trials, those that other programs made included, as far as they are read."""
        with readable(str(self.path)):
            return self._source.trials()

    def stored(self) -> list[StoredTrial]:
        """Return the trials of this toolkit, baselines included, as far as they are read."""
        return own_trials(self.all_trials())

    def search_trials(self) -> list[StoredTrial]:
        """Return the trials of the search."""
        return search_trials(self.stored())

    def records(self) -> tuple[TrialRecord, ...]:
        """Return every trial of the search, in order."""
        return tuple([trial.record for trial in self.search_trials()])

    def baselines(self) -> tuple[TrialRecord, ...]:
        """Return the baselines trained with the search, in order."""
        return tuple([trial.record for trial in self.stored() if trial.is_baseline])

    def origin(self) -> tuple[str, dict[str, str]]:
        """Return the command that began the run, and the versions it began with."""
        facts = self.facts()
        with readable(str(self.path)):
            return str(facts["command"]), {str(name): str(value) for name, value in facts["versions"].items()}

    def original_experiment(self) -> Experiment | None:
        """Return the experiment the study was made for, if it says so. Raises ExperimentError, too."""
        return experiment_of(self.facts(), self.path)

    def data_facts(self) -> DataFacts:
        """Return what it records of the images it began with."""
        facts = self.facts()
        with readable(str(self.path)):
            return data_facts_of(facts)

    def earlier(self) -> EarlierTrials:
        """Return the trials of the earlier runs that it was started from, as recorded when it was made."""
        facts = self.facts()
        with readable(str(self.path)):
            return earlier_of(facts)

    def seconds_used(self) -> float | None:
        """Return the seconds that drivers have worked on the study; None where they are not recorded."""
        return number_in(self.facts().get("time_used"), "seconds")


def experiment_of(facts: Attributes, path: Path) -> Experiment | None:
    """Return the experiment a study was made for, if it says so. Raises RunError or ExperimentError."""
    with readable(str(path)):
        written = facts.get("experiment")
        return None if written is None else validate_experiment(written, f"the study of {path}")


def number_in(table: object, key: str) -> float | None:
    """Return a number of a table in the study, unless it is damaged."""
    value = table.get(key) if isinstance(table, dict) else None
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e12 else None


def own_trials(trials: list[StoredTrial]) -> list[StoredTrial]:
    """Return the trials of this toolkit, baselines included."""
    return [trial for trial in trials if not trial.is_foreign]


def search_trials(trials: list[StoredTrial]) -> list[StoredTrial]:
    """Return the trials of the search, without the baselines."""
    return [trial for trial in trials if not trial.is_baseline]


def proposal_counts(trials: list[StoredTrial]) -> Counter[str]:
    """Return proposals by outcome, as of the last of these trials of the search."""
    return trials[-1].proposal_counts if trials else Counter()


@contextmanager
def open_view(path: Path) -> Iterator[StudyView]:
    """Open the study of an existing run directory for reading, which need not be writable. Raises RunError."""
    experiment = run_experiment(path)
    if experiment.storage:
        with closing(connect(path / "study.db", experiment.storage, experiment.name)) as storage:
            yield StudyView(path, experiment, storage)
    else:
        with readable(str(path / "study.db")), open_study_file(path / "study.db") as file:
            yield StudyView(path, experiment, file)


def run_experiment(path: Path) -> Experiment:
    """Return the experiment of an existing run directory. Raises RunError."""
    if not (path / "study.db").is_file() and not (path / "experiment.toml").is_file():
        raise not_a_run(path)
    check_contained(path)
    try:
        return read_experiment(path / "experiment.toml")
    except OSError as problem:
        raise RunError(
            f"{path}: experiment.toml cannot be read: {problem.strerror}. See: nas doctor {quoted(path)}"
        ) from None
    except ExperimentError as problem:
        raise RunError(str(problem)) from None
