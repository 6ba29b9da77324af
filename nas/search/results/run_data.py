"""The images of a run as they are now, once they are known to be those it was made with."""

from contextlib import closing
from dataclasses import dataclass, replace

from nas.errors import DataError, RunError, quoted
from nas.search.store.create import changed_settings, original_experiment
from nas.search.store.data_facts import DataFacts
from nas.search.store.run import Run
from nas.search.store.study import open_run
from nas.training.data import READERS, Data, Split, class_names, load_data, load_test
from nas.training.data.cache import compute_statistics

MOVED = "Where the images have moved, name their folder with --data-dir"


@dataclass(frozen=True)
class RunData:
    """Images of a run. data, test: None where they cannot be read.

    facts: what the run recorded; what it did not, as of now. unchecked: what could not be read or compared, in words.
    """

    facts: DataFacts
    data: Data | None = None
    test: Split | None = None
    unchecked: tuple[str, ...] = ()

    def require_data(self) -> Data:
        """Return train and validation. Raises DataError without them."""
        if self.data is None:
            raise DataError(f"{self.unchecked[-1]}. {MOVED}")
        return self.data

    def require_test(self) -> Split:
        """Return the test split. Raises DataError without it."""
        if self.test is None:
            raise DataError(f"{self.unchecked[-1]}. {MOVED}")
        return self.test


def load_run_data(run: Run) -> RunData:
    """Return the images of a run as far as they can be read.

    Raises RunError when they, or the experiment file, are not those that the run was made with, ExperimentError when
    code that is not trusted reads them, and DataError when they are not where the caller says.
    """
    source, known = run.experiment.source, run.data
    READERS.check_trusted(source.name)
    _check_unedited(run)
    try:
        data, names = load_data(source), class_names(source)
    except DataError as problem:
        if run.moved:
            raise
        return RunData(known, unchecked=(f"the images cannot be read: {problem}",))
    unchecked, test, test_digest = list(known.unrecorded), None, None
    try:
        test = load_test(source)
        test_digest = compute_statistics(test).digest
    except DataError as problem:
        unchecked.append(f"the test images cannot be read: {problem}")
    now = DataFacts(
        known.name, data.digest, test_digest, data.task.input, data.task.classes, data.mean, data.std, names
    )
    known.check(now, run.path, source.name)
    facts = replace(now, **{name: value for name, value in vars(known).items() if value is not None})
    assert facts.mean is not None
    assert facts.std is not None
    return RunData(facts, replace(data, mean=facts.mean, std=facts.std), test, tuple(unchecked))


def _check_unedited(run: Run) -> None:
    """Raise RunError when the run's experiment file has other settings than the search began with."""
    with closing(open_run(run.path)) as study:
        began = original_experiment(study.storage, run.path)
    if began and (shown := changed_settings(began, run.experiment)):
        raise RunError(
            f"{run.path / 'experiment.toml'} was edited after the search began ({shown}); restore it, or write it as "
            f"it was with: nas doctor {quoted(run.path)} --fix"
        )
