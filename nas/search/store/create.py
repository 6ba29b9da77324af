"""Creation of a run directory: made whole, or opened where it holds the same experiment."""

from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from nas.errors import ExperimentError, RunError
from nas.files import atomic_write
from nas.known_code import remember
from nas.search.experiment import Experiment
from nas.search.experiment_file import read_experiment, to_toml
from nas.search.store.data_facts import data_facts_of, read_data_facts
from nas.search.store.earlier_facts import EarlierTrials, to_earlier_facts
from nas.search.store.earlier_runs import read_earlier_runs
from nas.search.store.lease import shared
from nas.search.store.run import package_versions
from nas.search.store.run_files import exclusive_lock, is_beginning
from nas.search.store.space_facts import check_space, read_space
from nas.search.store.storage import connect, create_study, create_study_on_server, server_holds, writable
from nas.search.store.study import Study, open_run
from nas.search.store.trackers.tracker import check_tracker
from nas.search.trial import Attributes
from nas.training.metrics import METRICS
from nas.training.trainer import check_trainer_name
from nas.user_code import Sources, is_outside, is_trusted, short_name

# Settings that may change when a run continues. Of a space, the folder in which its file lies: its text is compared.
# Of a board, its title: what it sets is compared in `budget` and `latency`.
LOOSE = {
    "name", "space", "data_dir", "trials", "time_limit", "workers", "sampler", "timeout", "memory_gb", "baselines",
    "executor", "cpus_per_trial", "gpus_per_trial", "tracker", "target",
}  # fmt: skip


def create(path: Path, experiment: Experiment, command: str, earlier: EarlierTrials | None = None) -> Study:
    """Make a run directory, or open the one of the same experiment.

    earlier: the trials that a new run is started from, by default those of the experiment's runs as they are now.
    Raises ExperimentError when the metric does not suit the images, the trainer cannot be imported, the package of
    the tracker is missing, or an earlier run does not suit; RunError when another driver holds the directory, when it,
    or the server's study of that name, is of a different experiment or of another space, showing the difference, or of
    other images, and when it cannot be written.
    """
    experiment = on_this_machine(experiment)
    images, space = read_data_facts(experiment), read_space(experiment)
    METRICS[experiment.metric].check_classes(images.classes or 0)
    check_trainer_name(experiment.trainer)
    check_tracker(experiment.tracker)
    if earlier is None:
        earlier = read_earlier_runs(experiment) if experiment.start_runs and _is_new(path, experiment) else ()
    note = f"Run by: {command}"
    with writable(path):
        refuse_strange(path)
        with exclusive_lock(path):
            if not begun(path):
                asked = experiment.as_dict() | {"storage": None}
                facts = {"command": command, "versions": package_versions(), "experiment": asked}
                facts |= images.to_attributes() | {"space": space} | to_earlier_facts(earlier)
                _make_run(path, experiment, facts, note)
            study = open_run(path)
            try:
                _same(path, study.original_experiment() or study.experiment, experiment)
                check_space(study.facts(), space, path)
                study.data_facts().check(images, path, experiment.data)
            except RunError:
                study.close()
                raise
            if wanted := _loosened(study.experiment, experiment):
                atomic_write(path / "experiment.toml", to_toml(wanted, note))
                study.experiment = wanted
            _copy_space(path, experiment, space)
            remember(*[name for name in experiment.code_names if is_trusted(name)])
            return study


def _copy_space(path: Path, experiment: Experiment, texts: Sources) -> None:
    """Keep a copy of a user's own space in the run, to be read: it is never run."""
    for name, text in texts.items() if is_outside(experiment.space) else ():
        if not (path / "space" / name).exists():
            atomic_write(path / "space" / name, text)


def on_this_machine(experiment: Experiment) -> Experiment:
    """Return an experiment whose device is one of this machine where it is "auto": a run records what it was.

    Raises ExperimentError for a limit on memory where this system has none.
    """
    if experiment.memory_gb is not None and experiment.executor == "local" and find_spec("resource") is None:
        raise ExperimentError("memory_gb cannot be kept on this system, which has no such limit; leave it out")
    if experiment.device != "auto":
        return experiment
    from nas.training.device import best_device

    return experiment.model_copy(update={"device": best_device()})


def begun(path: Path) -> bool:
    """Return whether the directory holds a run."""
    return (path / "study.db").exists() or on_server(path)


def _is_new(path: Path, experiment: Experiment) -> bool:
    """Return whether neither the directory nor the server has the study of a run."""
    url = experiment.storage
    return not begun(path) and not (url and server_holds(url, experiment.name))


def refuse_strange(path: Path) -> None:
    """Raise RunError for a directory that holds something else."""
    strange = path.exists() and not (path.is_dir() and all(is_beginning(file.name) for file in path.iterdir()))
    if strange and not begun(path):
        raise RunError(f"{path} exists and does not hold a run; choose another place with --out")


def _make_run(path: Path, experiment: Experiment, facts: Attributes, note: str) -> None:
    """Write the experiment, then its study; on a server, use the study that other drivers may have made."""
    text, objectives = to_toml(experiment, note), experiment.objectives
    if url := experiment.storage:
        with shared(url, experiment.name) as lease, lease.exclusive():
            create_study_on_server(url, experiment.name, objectives, facts)
        with closing(Study(path, experiment, connect(path / "study.db", url, experiment.name))) as study:
            if before := study.original_experiment():
                _same(path, before, experiment)
                check_space(study.facts(), facts["space"], path)
                study.data_facts().check(data_facts_of(facts), path, experiment.data)
        atomic_write(path / "experiment.toml", text)
    else:
        atomic_write(path / "experiment.toml", text)
        create_study(path / "study.db", objectives, facts)


def on_server(path: Path) -> bool:
    """Return whether the run's study lies on a server, as far as its experiment can be read."""
    try:
        return read_experiment(path / "experiment.toml").storage is not None
    except (OSError, ExperimentError):
        return False


def _loosened(before: Experiment, now: Experiment) -> Experiment | None:
    """Return the run's experiment with the settings that may change taken over; None without a change."""
    wanted = before.model_copy(update={name: getattr(now, name) for name in LOOSE})
    return None if wanted == before else wanted


def _changes(key: str, old: object, new: object) -> list[str]:
    """Return the differences in a setting, or in those of a table."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return [change for name in names for change in _changes(f"{key}.{name}", old.get(name), new.get(name))]
    return [f"{key} was {old}, is now {new}"]


def changed_settings(before: Experiment, now: Experiment) -> str:
    """Return in words how settings differ that may not change when a run continues; "" when none does."""
    old, new = before.as_dict(), now.as_dict()
    if short_name(before.space) != short_name(now.space):
        return f"space was {before.space}, is now {now.space}"
    free = LOOSE | ({"storage"} if now.storage else set())  # two machines may reach a server by two names
    changed = [key for key in old if key not in free and old[key] != new[key]]
    return "; ".join(change for key in changed for change in _changes(key, old[key], new[key]))


def _same(path: Path, before: Experiment, now: Experiment) -> None:
    if shown := changed_settings(before, now):
        raise RunError(f"{path} holds a run of a different experiment ({shown}). Choose another place with --out")
