"""search, resume, status: a run from start to end."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.app import EXIT_INTERRUPTED, app, info, output
from nas.cli.options import (
    Address,
    Changes,
    Data,
    DataDir,
    Device,
    Executor,
    ExperimentName,
    Json,
    MaxFlash,
    MaxFlops,
    MaxLatency,
    MaxMacs,
    MaxParams,
    MaxRam,
    MinFlops,
    RunDir,
    SamplerName,
    SearchSeed,
    SpaceFile,
    Start,
    Target,
    TimeLimit,
    Trials,
    changed_experiment,
    choose_executor,
    home,
    refuse_options,
    typed_options,
)
from nas.cli.signals import quiet_interrupt
from nas.errors import RunError, printable, quoted

if TYPE_CHECKING:
    from nas.search.experiment import Experiment
    from nas.search.store.run import Run
    from nas.search.store.study import Study

WATCH_SECONDS = 3.0  # between two readings of `status --watch`
MAX_REFUSALS = 5  # that `status` shows


@app.command("search")
def search_command(
    experiment: ExperimentName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and its cost; write nothing.")] = False,
    changes: Changes = None,
    data: Data = None,
    max_params: MaxParams = None,
    max_macs: MaxMacs = None,
    max_flops: MaxFlops = None,
    min_flops: MinFlops = None,
    max_latency: MaxLatency = None,
    max_ram: MaxRam = None,
    max_flash: MaxFlash = None,
    target: Target = None,
    trials: Trials = None,
    time_limit: TimeLimit = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    seed: SearchSeed = None,
    device: Device = None,
    sampler: SamplerName = None,
    start: Start = None,
    baselines: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Known networks to train for comparison.")
    ] = None,
    executor: Executor = None,
    address: Address = None,
    storage: Annotated[str | None, typer.Option(metavar="URL", help="PostgreSQL study, for several drivers.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory; default runs/NAME.")] = None,
) -> None:
    """Search for the best networks within the budget. The same command continues a run that was interrupted."""
    from nas.cli.plan import print_cost_estimate, print_latency, print_plan, print_start
    from nas.search.store.create import create, refuse_strange
    from nas.search.store.earlier_runs import read_earlier_runs

    named = None if baselines is None else [name.strip() for name in baselines.split(",") if name.strip()]
    chosen = changed_experiment(
        experiment, changes, data, max_params=max_params, max_macs=max_macs, max_flops=max_flops, min_flops=min_flops,
        max_latency=max_latency, max_ram=max_ram, max_flash=max_flash, target=target, trials=trials,
        time_limit=time_limit, workers=workers, seed=seed, device=device, sampler=sampler, start=start or None,
        baselines=named, executor=choose_executor(executor, address), storage=storage,
    )  # fmt: skip
    run = out or home(chosen)
    refuse_strange(run)
    chosen = print_latency(chosen, run)
    print_plan(chosen)
    if dry_run:
        print_start(read_earlier_runs(chosen))
        print_cost_estimate(chosen)
        return
    study = create(run, chosen, "nas " + shlex.join(sys.argv[1:]))
    drive(study)
    print_front_latency(study, chosen)


def drive(study: "Study") -> None:
    """Run a search in the foreground and print what to do next.

    Exits with 130 when interrupted. Raises RunError when the run cannot continue or no trial succeeded.
    """
    from nas.cli.plan import print_start
    from nas.cli.progress import time_limit_message, watch
    from nas.search.loop.search import Search

    search = Search(study)
    if search.clock.limit and search.clock.is_new and search.study.stored():
        info("this run does not hold the time it has taken so far: the time limit counts from now")
    if "space" not in study.facts():
        info("this run does not hold the space it began with: whether the space has changed is not checked")
    print_start(study.earlier())
    completed = watch(search, info)
    path = quoted(study.path)
    if search.fault:
        raise RunError(f"{search.fault}. Fix this and continue with: nas resume {path}")
    if not completed:
        info(f"interrupted; continue with: nas resume {path}")
        raise typer.Exit(EXIT_INTERRUPTED)
    records = study.records()
    if records and all(record.state == "failed" for record in records):
        last = f"{records[-1].reason} {records[-1].detail}"
        raise RunError(
            f"no trial of {path} is complete: all {len(records)} failed, the last with: {last:.300}. Fix this and "
            f"search again with another --out, or continue with more trials: nas resume {path} --trials"
        )
    if search.exhausted:
        info("no other network was found within the budget: the space is exhausted, or nearly so")
    if search.out_of_time:
        info(time_limit_message(search.clock.limit, search.clock.seconds, study.path))
    train_pending_finalists(study.path)
    done = "" if search.out_of_time else "Done. "
    info(f"{done}Report: nas report {path}   Export: nas export {path} --trial best")


def train_pending_finalists(path: Path) -> None:
    """Train the finalists that the experiment asks for and print them, unless they are trained. Raises RunError."""
    from nas.cli.results import finalists_table, print_trainings
    from nas.search.results.finalist_variants import train_pending
    from nas.search.store.run import load_run

    run = load_run(path)
    if ranked := print_trainings(train_pending(run)):
        info(finalists_table(run, ranked))


def print_front_latency(study: "Study", experiment: "Experiment") -> None:
    """Measure the networks of the front where latency was predicted, and print both. Raises LatencyError.

    experiment: as the user typed it, since its command is run.
    """
    from nas.search.results.front_latency import measure_front

    if not experiment.uses_latency:
        return
    found = measure_front(study.path, experiment, study.records())
    info("latency of the front, predicted and measured:")
    for row in found.rows:
        info(f"  trial {row.number:>4}  {row.predicted:.3f} ms  {row.measured:.3f} ms  (spread {row.spread:.3f})")
    info(f"  measured twice, it differs by {found.repeatability:.1%} (median)")


@app.command("resume")
def resume_command(
    run: RunDir,
    trials: Annotated[int | None, typer.Option(help="A new total of trials.")] = None,
    time_limit: TimeLimit = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    data_dir: DataDir = None,
    space: SpaceFile = None,
    executor: Executor = None,
    address: Address = None,
) -> None:
    """Resume an interrupted search, or extend one with more trials."""
    from nas.cli.principles import resume_principles
    from nas.search.experiment_file import validate_experiment
    from nas.search.store.create import create
    from nas.search.store.run import check_data_dir
    from nas.search.store.run_code import with_code
    from nas.search.store.study_view import open_view

    with open_view(run) as study:
        command, _ = study.origin()
        experiment = with_code(study.experiment, study.facts(), run, space)
    given: dict[str, Any] = {"trials": trials, "time_limit": time_limit, "workers": workers}
    given["executor"] = choose_executor(executor, address)
    changes = {name: value for name, value in given.items() if value is not None}
    if data_dir is not None:
        check_data_dir(experiment.data, data_dir)
        changes["data_dir"] = str(data_dir.absolute())
    if not experiment.is_search:
        resume_principles(run, command, changes)
        return
    drive(
        create(
            run,
            validate_experiment({**experiment.as_dict(), **changes}, "nas resume", "", typed_options(changes)),
            command,
        )
    )


@app.command("status")
def status_command(
    run: RunDir,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again every few seconds, until the search ends.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the progress of a run, finished or not."""
    if watch:
        refuse_options("--watch shows text", json=as_json)
        watch_status(lambda: _status(run))
    else:
        facts = _status(run)
        output(facts if as_json else "\n".join(status_lines(facts)))


def _status(run: Path) -> dict[str, Any]:
    from nas.search.results.running import read_live_run

    now = read_live_run(run)
    return _status_facts(now.run, str(run), now.active)


def watch_status(read: Callable[[], dict[str, Any]]) -> None:
    """Show the status until the search ends: drawn anew in a terminal, else printed when it has changed.

    The study of a server is watched until its trials are done. Ctrl-C ends it quietly.
    """
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from nas.search.results.running import is_searching

    console, last = Console(), ""
    live = Live(console=console, auto_refresh=False)
    with suppress(KeyboardInterrupt), quiet_interrupt(), live if console.is_terminal else nullcontext():
        while True:
            facts = read()
            text = "\n".join(status_lines(facts))
            if console.is_terminal:
                live.update(Text(printable(text)), refresh=True)
            elif text != last:
                output(text)
            last = text
            ended = facts["complete"] + facts["failed"] + facts["pruned"]
            if not is_searching(facts["active"], ended, facts["trials_total"]):
                return
            time.sleep(WATCH_SECONDS)


def _status_facts(run: "Run", path: str, active: bool | None) -> dict[str, Any]:
    from collections import Counter

    from nas.search.loop.halving import epochs_saved
    from nas.search.pareto import front_of
    from nas.search.results.running import TrialProgress
    from nas.search.store.running_trials import read_running_trials

    states, running = Counter(record.state for record in run.records), read_running_trials(run.path)
    failures = Counter(record.reason for record in run.records if record.state == "failed")
    best, names = run.best() if run.experiment.is_search and states["complete"] else None, run.experiment.objectives
    return {
        "run": path,
        "metric": run.experiment.metric,
        "trials_total": run.experiment.trials,
        **{state: states[state] for state in ("complete", "failed", "running", "pruned")},
        "running_trials": [
            TrialProgress.read(record, run.experiment.recipe.epochs, running)._asdict()
            for record in (*run.records, *run.baselines)
            if record.state == "running"
        ],
        "active": active,
        "seconds_used": run.seconds_used,
        "time_limit": run.experiment.time_limit,
        "epochs_saved": epochs_saved(run.records, run.experiment.recipe.epochs),
        "failures": {str(reason): count for reason, count in failures.items()},
        "proposals": dict(run.proposal_counts),
        "started_from": dict(run.started_from),
        "foreign": run.foreign,
        "refusals": list(run.refusals),
        "front": len(front_of(list(run.records), run.experiment.objectives)) if run.experiment.is_search else 0,
        "best": best
        and {"trial": best.number, **dict(zip(names, best.vector(names), strict=True)), **best.cost.as_dict()},
    }


def status_lines(facts: dict[str, Any]) -> Iterator[str]:
    from nas.cli.progress import time_limit_message
    from nas.report.text import counted_runs
    from nas.search.durations import format_duration
    from nas.search.results.running import TrialProgress
    from nas.training.metrics import METRICS

    total, idle = facts["trials_total"], facts["active"] is False
    running = f"{facts['running']} {'interrupted' if idle and facts['running'] else 'running'}"
    yield f"{facts['complete']} of {total} complete, {running}, {facts['failed']} failed"
    used, limit = facts["seconds_used"], facts["time_limit"]
    unfinished = idle and facts["complete"] + facts["failed"] + facts["pruned"] < total
    if unfinished and limit and used is not None and used >= limit:
        yield time_limit_message(limit, used, Path(facts["run"]))
    elif unfinished:
        yield f"no process is running this search; continue with: nas resume {quoted(facts['run'])}"
    if best := facts["best"]:
        yield (
            f"best: trial {best['trial']}, validation {METRICS[facts['metric']].title} {best['error']:.4f}, "
            f"{best['params']:,} params, {best['macs']:,} MACs; front of {facts['front']}"
        )
    for trial in facts["running_trials"] if not idle else ():
        progress = TrialProgress(**trial)
        where = f"epoch {progress.epoch} of {progress.epochs}"
        yield f"trial {progress.trial}: {where}, elapsed {progress.elapsed}, ETA {progress.eta}"
    if facts["started_from"]:
        yield f"started from: {counted_runs(facts['started_from'])}"
    if used is not None:
        yield f"time: {format_duration(used)}{f' of {format_duration(limit)}' if limit else ''}"
    if facts["pruned"]:
        yield f"stopped early: {facts['pruned']}, {facts['epochs_saved']} epochs saved"
    for reason, count in facts["failures"].items():
        yield f"failed ({reason}): {count}"
    for outcome, count in facts["proposals"].items():
        yield f"{printable(outcome, kept='')}: {count}"
    if facts["foreign"]:
        yield f"trials that another program made or asks for: {facts['foreign']}"
    for reason in facts["refusals"][:MAX_REFUSALS]:
        yield f"asked for, not trained: {printable(reason, kept='')}"
