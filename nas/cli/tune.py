"""tune: a search on Ray Tune, kept as a run."""

import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.app import EXIT_INTERRUPTED, app, info
from nas.cli.options import (
    Changes,
    Data,
    Device,
    ExperimentName,
    MaxFlash,
    MaxFlops,
    MaxMacs,
    MaxParams,
    MaxRam,
    MinFlops,
    SamplerName,
    SearchSeed,
    Start,
    TimeLimit,
    Trials,
    changed_experiment,
    home,
)
from nas.errors import RunError, quoted

if TYPE_CHECKING:
    from nas.search.experiment import Experiment
    from nas.search.store.earlier_facts import EarlierTrials

SETTINGS = "experiment.toml"  # beside what Tune writes: what it was started with
EARLIER = "earlier.json"  # beside it: the trials of the runs that it starts from
SECONDS = "seconds"  # the time it took, over all resumes


@app.command("tune")
def tune_command(
    experiment: ExperimentName,
    changes: Changes = None,
    data: Data = None,
    max_params: MaxParams = None,
    max_macs: MaxMacs = None,
    max_flops: MaxFlops = None,
    min_flops: MinFlops = None,
    max_ram: MaxRam = None,
    max_flash: MaxFlash = None,
    trials: Trials = None,
    time_limit: TimeLimit = None,
    workers: Annotated[int | None, typer.Option(help="Trials at a time.")] = None,
    seed: SearchSeed = None,
    device: Device = None,
    sampler: SamplerName = None,
    start: Start = None,
    address: Annotated[str | None, typer.Option(help="Address of a running Ray cluster; else Ray starts here.")] = None,
    storage_path: Annotated[
        Path | None, typer.Option(help="Folder for what Tune writes, shared by all nodes; default OUT.tune.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a search that was interrupted.")] = False,
    out: Annotated[Path | None, typer.Option(help="Run directory of the result; default runs/NAME.")] = None,
) -> None:
    """Search with Ray Tune: our sampler as its search algorithm, ASHA for halving, its checkpoints and resume."""
    from nas.cli.plan import print_plan, print_start

    chosen = changed_experiment(
        experiment, changes, data, max_params=max_params, max_macs=max_macs, max_flops=max_flops, min_flops=min_flops,
        max_ram=max_ram, max_flash=max_flash,
        trials=trials, time_limit=time_limit, workers=workers, seed=seed, device=device, sampler=sampler,
        start=start or None,
    )  # fmt: skip
    run = out or home(chosen)
    storage = (storage_path or run.with_name(f"{run.name}.tune")).absolute()
    if run.exists() and any(run.iterdir()):
        raise RunError(f"{run} exists and is not empty; choose another place with --out")
    earlier = _begin(storage, chosen, resume)
    print_plan(chosen)
    print_start(earlier)
    _search(chosen, storage, run, address, resume, earlier)


def _begin(storage: Path, experiment: "Experiment", resume: bool) -> "EarlierTrials":
    """Record the experiment beside Tune's files, or compare it, and return the trials that it starts from.

    Raises RunError, with what to do, and ExperimentError for an earlier run that does not suit.
    """
    from nas.files import atomic_write
    from nas.search.experiment_file import read_experiment, to_toml
    from nas.search.store.create import changed_settings
    from nas.search.store.earlier_facts import earlier_of, to_earlier_facts
    from nas.search.store.earlier_runs import read_earlier_runs
    from nas.search.store.storage import readable

    file = storage / SETTINGS
    if not resume:
        if file.exists():
            raise RunError(f"{storage} holds a search that began; continue it with --resume, or choose another --out")
        earlier = read_earlier_runs(experiment)
        storage.mkdir(parents=True, exist_ok=True)
        atomic_write(storage / EARLIER, json.dumps(to_earlier_facts(earlier)))
        atomic_write(file, to_toml(experiment, f"Run by: nas {shlex.join(sys.argv[1:])}"))
        return earlier
    if not file.exists():
        raise RunError(f"{storage} holds no search to continue; start it without --resume")
    before = read_experiment(file)
    loose = {name: getattr(experiment, name) for name in ("cpus_per_trial", "gpus_per_trial")}
    if before.model_copy(update=loose) != experiment:
        changed = changed_settings(before, experiment) or "the number of trials, workers, or another setting"
        raise RunError(f"{storage} holds a different search ({changed}): Tune resumes it as it began")
    kept = storage / EARLIER
    with readable(str(kept)):
        return earlier_of(json.loads(kept.read_bytes()) if kept.exists() else {})


def _search(
    experiment: "Experiment", storage: Path, run: Path, address: str | None, resume: bool, earlier: "EarlierTrials"
) -> None:
    """Run the Tuner and keep what it found. Exits with 130 when interrupted. Raises RunError."""
    from nas.search.workers.ray_connection import join_ray, ray

    os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")  # Ctrl-C ends this command as any other
    for name in ("RAY_AIR_NEW_OUTPUT", "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S"):
        os.environ.setdefault(name, "0")  # there is a line per trial instead
    join_ray(address or os.environ.get("RAY_ADDRESS"), experiment.workers * experiment.cpus_per_trial)
    try:
        from nas.tune import keep, tuner
        from nas.tune.progress import TrialLines
        from nas.tune.tuner import FOLDER, can_restore, restored

        folder, start = storage / FOLDER, time.monotonic()
        if resume and can_restore(folder):  # else it was killed before Tune wrote anything
            made = restored(folder, experiment)
        else:
            lines = TrialLines(experiment.trials)
            made = tuner(experiment, storage_path=storage, name=FOLDER, callbacks=[lines], earlier=earlier)
        try:
            results = made.fit()
        except KeyboardInterrupt:
            info("interrupted; continue with the same command and --resume")
            raise typer.Exit(EXIT_INTERRUPTED) from None
        finally:
            seconds = _add_seconds(storage / SECONDS, time.monotonic() - start)
        kept = keep(results, experiment, run, seconds=seconds, earlier=earlier)
    finally:
        ray.shutdown()
    info(f"{kept!r:.200}"[1:-1])
    info(f"Done. Report: nas report {quoted(run)}   Export: nas export {quoted(run)} --trial best")


def _add_seconds(file: Path, seconds: float) -> float:
    """Record the time of this process, and return that of all."""
    from nas.files import atomic_write

    total = seconds + (float(file.read_bytes()) if file.exists() else 0.0)
    atomic_write(file, f"{total:.1f}")
    return total
