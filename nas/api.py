"""A search from Python, as short as from the command line: an experiment, its search, the run and its trials."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.errors import RunError, one_line, quoted
from nas.genome.graph import Graph
from nas.genome.trial import Choice
from nas.report import write_report
from nas.report.network import draw
from nas.search.experiment import CODE_SETTINGS, Experiment
from nas.search.experiment_file import load_experiment, validate_experiment, with_absolute_files, with_data_path
from nas.search.loop.latency import with_latency
from nas.search.loop.search import Search, SearchEvent
from nas.search.pareto import front_of
from nas.search.results.finalist_variants import train_pending
from nas.search.store.create import create
from nas.search.store.run import Run, load_run
from nas.search.trial import State, TrialRecord
from nas.training.data import own_data
from nas.user_code import check_not_imported, give, give_importable, trust

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from nas.model.export import ExportResult
    from nas.model.formats import Format


IN_WORKERS = {"data", "trainer"}  # settings whose code runs in other processes


class PythonExperiment(Experiment):
    """The settings of a search, as in an experiment file, by name; `nas.Experiment`.

    space, sampler, executor, trainer: also a function, class or object of one's own in place of its name, such as the
    function that is the space, or one of Optuna's samplers. data: also a dataset or arrays, as `own_data` takes them,
    with image_size to scale to. Paths are relative to the working directory, and code that is named is trusted. Raises
    ExperimentError naming the first wrong setting, and DataError for a dataset that cannot be read.
    """

    def __init__(self, **settings: Any) -> None:
        name = settings.setdefault("name", _name_of(settings.get("space")))
        if _is_object(data := settings.get("data")) and not isinstance(data, type):
            size = settings.pop("image_size", None)
            settings["data"] = str(own_data(data, str(name), image_size=size))
        for key in CODE_SETTINGS:
            if _is_object(value := settings.get(key)):
                settings[key] = (give_importable if key in IN_WORKERS else give)(value)
        settings = with_absolute_files(_plain(settings), Path.cwd())
        trust(*[name for key in CODE_SETTINGS if isinstance(name := settings.get(key), str)])
        checked = with_data_path(validate_experiment(settings, "nas.Experiment"), Path.cwd(), Path.cwd())
        super().__init__(**{key: getattr(checked, key) for key in type(checked).model_fields})


def as_experiment(experiment: Experiment | str | Path, **code: Any) -> Experiment:
    """Return an experiment, also of its file or bundled name, with code laid over it where it is not None.

    code: space, sampler or trainer, each as `PythonExperiment` takes it. Raises ExperimentError.
    """
    found = experiment if isinstance(experiment, Experiment) else load_experiment(str(experiment))
    names: dict[str, str] = {}
    for key, value in code.items():
        if _is_object(value):
            names[key] = (give_importable if key in IN_WORKERS else give)(value)
        elif value is not None:
            names[key] = str(with_absolute_files({key: str(value)}, Path.cwd())[key])
    trust(*names.values())
    return validate_experiment(found.as_dict() | names, "experiment") if names else found


def _name_of(space: object) -> str:
    """Return the name of an experiment that has none: that of the space."""
    name = getattr(space, "__name__", space)
    return re.sub(r"\W+", "_", Path(str(name).rpartition(":")[2] or str(name)).stem).strip("_") or "search"


def _is_object(value: object) -> bool:
    return value is not None and not isinstance(value, str | Path)


def _plain(value: Any) -> Any:
    """Return settings as TOML would give them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return _plain({name: getattr(value, name) for name in value.__dataclass_fields__})
    return str(value) if isinstance(value, Path) else value


class StartedSearch:
    """A search that is under way. Iterate over it to follow what happens; `finish` runs what is left of it."""

    def __init__(self, search: Search) -> None:
        self._search, self.path = search, search.study.path
        self._events = search.events()

    def __iter__(self) -> Iterator[SearchEvent]:
        """Yield what happens: an event has a kind ("started", "scored", "ended", ...) and the trial's record.

        Raises RunError as `finish`.
        """
        return self._events

    def stop(self) -> None:
        """Start no more trials; those that run are finished."""
        self._search.stop()

    def finish(self) -> "LoadedRun":
        """Run what is left and return the run.

        Raises RunError when it stops itself, as where another driver holds the directory or it cannot be written, and
        when all trials failed.
        """
        for _ in self._events:
            pass
        if self._search.fault:
            raise RunError(f"{self._search.fault}. Fix this and continue with: nas resume {quoted(self.path)}")
        run = load(self.path)
        if run.records and all(record.state == "failed" for record in run.records):
            last = run.records[-1]
            raise RunError(
                f"no trial of {self.path} is complete: all {len(run.records)} failed, the last with: "
                f"{last.reason} {one_line(last.detail):.300}"
            )
        for _ in train_pending(run.run):
            pass
        return run


def start_search(experiment: Experiment, out: str | Path | None = None) -> StartedSearch:
    """Begin a search, or continue the one of the same experiment in that directory.

    out: the run directory, by default runs/NAME. Raises RunError where it holds another experiment or cannot be
    written, ExperimentError and BudgetError where the space or the budget is wrong, DataError without the images, and
    LatencyError where a latency that is asked for cannot be measured.
    """
    check_not_imported("starts a search")
    path = Path(out) if out is not None else Path("runs") / experiment.name
    experiment = with_latency(experiment, path)
    return StartedSearch(Search(create(path, experiment, f"nas.start_search({experiment.name!r})")))


def run_search(
    experiment: Experiment, out: str | Path | None = None, progress: Callable[[SearchEvent], object] | None = None
) -> "LoadedRun":
    """Search to the end and return the run. progress: is called with every event. Raises as `start_search`."""
    search = start_search(experiment, out)
    for event in search:
        if progress:
            progress(event)
    return search.finish()


def load(path: str | Path) -> "LoadedRun":
    """Return a run directory, finished or not. Raises RunError."""
    return LoadedRun(load_run(path))


@dataclass(frozen=True, repr=False)
class LoadedTrial:
    """A trial of a run: what was chosen, the network, what came of it."""

    run: Run
    record: TrialRecord

    @property
    def number(self) -> int:
        return self.record.number

    @property
    def state(self) -> State:
        return self.record.state

    @property
    def error(self) -> float | None:
        """Return the validation error, a fraction; None unless the trial is complete."""
        return self.record.error

    @property
    def params(self) -> int:
        return self.record.cost.params

    @property
    def macs(self) -> int:
        """Return the multiply-accumulates per image."""
        return self.record.cost.macs

    @property
    def choices(self) -> dict[str, Choice]:
        return self.record.choices

    @property
    def graph(self) -> Graph:
        """Return the network. Raises RunError when it is damaged or needs code that is not loaded."""
        return self.record.graph

    def module(self) -> "nn.Module":
        """Return the network as it is exported, a torch module with the trial's weights, in evaluation mode.

        Raises RunError where they were not kept or do not fit.
        """
        from nas.search.results.export_trial import kept_network

        return kept_network(self.run, self.record).eval()

    def export(
        self, out: str | Path | None = None, formats: "Sequence[Format]" = ("source",), qat: int = 0
    ) -> "ExportResult":
        """Export the network as `nas export` does, by default into RUN/export/NUMBER, and return what was written.

        qat: epochs of fine-tuning for the format tflite. Raises RunError, DataError, DeviceError, TrainingError or
        ExportError.
        """
        from nas.model.formats import check_formats
        from nas.search.results.export_trial import export_trial

        check_formats(tuple(formats))
        folder = Path(out) if out is not None else self.run.path / "export" / f"{self.number:06d}"
        return export_trial(self.run, self.record, folder, lambda _: None, tuple(formats), qat=qat)[0]

    def __repr__(self) -> str:
        error = "" if self.error is None else f", error {self.error:.4f}"
        return f"<trial {self.number}: {self.state}{error}, {self.params:,} parameters, {self.macs:,} MACs>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self)[1:-1])}</p>{draw(self.graph)}"


@dataclass(frozen=True, repr=False)
class LoadedRun:
    """A run directory as it is now. `records` and the other facts are those of `Run`."""

    run: Run

    @property
    def path(self) -> Path:
        return self.run.path

    @property
    def experiment(self) -> Experiment:
        return self.run.experiment

    @property
    def records(self) -> tuple[TrialRecord, ...]:
        return self.run.records

    @cached_property
    def trials(self) -> list[LoadedTrial]:
        """Return the trials of the search, by number."""
        return [LoadedTrial(self.run, record) for record in self.run.records]

    @cached_property
    def baselines(self) -> list[LoadedTrial]:
        """Return the known networks that were trained beside the search."""
        return [LoadedTrial(self.run, record) for record in self.run.baselines]

    def best(self) -> LoadedTrial:
        """Return the trial of lowest validation error. Raises RunError while none is complete."""
        return LoadedTrial(self.run, self.run.best())

    def front(self) -> list[LoadedTrial]:
        """Return the trials on the Pareto front of the objectives, lowest error first.

        Raises RunError for a study of principles, whose errors are on several sets of images.
        """
        members = front_of(list(self.run.require_search().records), self.experiment.objectives)
        return [LoadedTrial(self.run, record) for record in sorted(members, key=lambda each: each.error or 0.0)]

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row per trial, with the columns of the report's trials.csv."""
        from nas.report.run.frame import frame

        return frame(self.run)

    def report(self, page: str | Path | None = None) -> Path:
        """Write the report, by default into RUN/report, and return its page.

        Raises OSError, and RunError as `front`.
        """
        return write_report(self.run, None if page is None else Path(page))

    def __repr__(self) -> str:
        done = sum(record.error is not None for record in self.records)
        front = f", front of {len(self.front())}" if self.experiment.is_search else ""
        return f"<run {self.path}: {done} of {self.experiment.trials} trials complete{front}>"

    def _repr_html_(self) -> str:
        table = self.to_pandas()
        if not self.experiment.is_search:
            return f"<p>{escape(repr(self)[1:-1])}</p>"
        front = table[table["on_front"].astype(bool)].sort_values("error")
        columns = ["number", "error", "params", "macs", "seconds"]
        return f"<p>{escape(repr(self)[1:-1])}</p>{front[columns].to_html(index=False)}"
