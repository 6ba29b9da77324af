"""The user's own code of a run, where this person has it: a run directory's own paths are never opened as code."""

from contextlib import suppress
from pathlib import Path

from nas.errors import ExperimentError
from nas.known_code import find_known, is_known
from nas.search.experiment import Experiment
from nas.search.space import absolute_space, load_space, space_sources
from nas.search.store.space_facts import check_space, recorded_space, space_changes, with_first_name
from nas.search.trial import Attributes
from nas.user_code import is_outside, is_trusted, trust


def with_code(experiment: Experiment, recorded: Attributes, path: Path, space: str | None = None) -> Experiment:
    """Return a run's experiment with its space named as this person has it, and trust what they have run before.

    recorded: what the study was made with. space: the file, or `file.py:function`, that the person gives. Raises
    ExperimentError when it does not apply or fails, and RunError when it is not the space of the run.
    """
    if space is not None:
        experiment = experiment.model_copy(update={"space": _given_space(experiment, recorded, path, space)})
    elif not is_trusted(experiment.space):
        old = recorded_space(recorded)
        known = next((name for name, now in find_known(experiment.space) if old and not space_changes(old, now)), None)
        if known:
            trust(known)
            experiment = experiment.model_copy(update={"space": known})
    trust(*filter(is_known, {*experiment.code_names} - {experiment.space}))
    return experiment


def load_blocks(experiment: Experiment) -> None:
    """Make the building blocks known that the space of a run defines, where its code is trusted and can be loaded."""
    if is_outside(experiment.space) and is_trusted(experiment.space):
        with suppress(ExperimentError, OSError):
            load_space(experiment.space)


def _given_space(experiment: Experiment, recorded: Attributes, path: Path, space: str) -> str:
    if not is_outside(experiment.space):
        raise ExperimentError(f"--space cannot be used here: the space of {path}, {experiment.space}, is bundled")
    name = space if is_outside(space) else f"{space}:{experiment.space.rpartition(':')[2]}"
    name = absolute_space(name, Path.cwd())
    trust(name)
    load_space(name)
    check_space(recorded, with_first_name(space_sources(name), recorded_space(recorded) or {}), path)
    return name
