"""search, resume, status: the run of a search."""

import os
import shlex
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.app import EXIT_INTERRUPTED, Json, RunDir, app, info, output
from nas.errors import BudgetError, ExperimentError, RunError

if TYPE_CHECKING:
    from nas.search.experiment import Experiment
    from nas.search.store.study import Study

Executor = Annotated[str | None, typer.Option(help="local or ray: where the workers are.")]
Address = Annotated[str | None, typer.Option(help="Of a running Ray cluster; else --executor ray starts one here.")]


def size(text: str | None) -> int | None:
    """50k -> 50000, 1.5M -> 1500000. Raises BudgetError."""
    if text is None:
        return None
    factor = {"k": 10**3, "m": 10**6, "g": 10**9}.get(text[-1:].lower(), 1)
    try:
        value = Decimal(text if factor == 1 else text[:-1]) * factor
        if value != value.to_integral_value() or not 1 <= value <= 2**63:
            raise ValueError
    except (ValueError, ArithmeticError):
        raise BudgetError(f"{text[:40]!r} is not a size; write 50000, 50k, 1.5M or 2G") from None
    return int(value)


@app.command()
def search(
    experiment: Annotated[str, typer.Argument(help="An experiment's TOML file, or the name of one that comes along.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would cost; train and write nothing.")
    ] = False,
    changes: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting.")] = None,
    max_params: Annotated[str | None, typer.Option(help="Hard limit on parameters, such as 50k.")] = None,
    max_macs: Annotated[str | None, typer.Option(help="Hard limit on MACs per image, such as 1.5M.")] = None,
    trials: Annotated[int | None, typer.Option(help="Networks to train, in total.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of sampling and training.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda.")] = None,
    baselines: Annotated[str | None, typer.Option(metavar="NAME,NAME", help="Known networks to train beside.")] = None,
    executor: Executor = None,
    address: Address = None,
    storage: Annotated[str | None, typer.Option(metavar="URL", help="A PostgreSQL study that drivers share.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory; runs/NAME otherwise.")] = None,
) -> None:
    """Search for the best networks inside the budget; goes on where an earlier search of the same stopped."""
    from nas.cli.foresight import print_cost_estimate, print_plan
    from nas.search.experiment_file import load_experiment
    from nas.search.store.create import create, refuse_strange

    settings: dict[str, Any] = dict(setting(change) for change in changes or [])
    limits = {"budget.params.max": size(max_params), "budget.macs.max": size(max_macs)}
    plain = {"trials": trials, "workers": workers, "seed": seed, "device": device, "storage": storage}
    plain["executor"] = where(executor, address)
    if baselines is not None:
        settings["baselines"] = [name.strip() for name in baselines.split(",") if name.strip()]
    settings |= {key: value for key, value in (limits | plain).items() if value is not None}
    question = load_experiment(experiment, settings)
    place = out or home(question)
    refuse_strange(place)
    print_plan(question)
    if dry_run:
        print_cost_estimate(question)
        return
    drive(create(place, question, "nas " + shlex.join(sys.argv[1:])))


def home(question: "Experiment") -> Path:
    """Where a run lies unless it is said: runs/NAME, and nothing in a name leads elsewhere."""
    return Path("runs") / "".join(c if c.isalnum() or c in "-_." else "_" for c in question.name).lstrip(".")


def where(executor: str | None, address: str | None) -> str | None:
    """The executor asked for; an address means Ray, and is told to Ray alone: no file keeps it."""
    if address:
        os.environ["RAY_ADDRESS"] = address
    return executor or ("ray" if address else None)


def setting(text: str) -> tuple[str, Any]:
    """KEY=VALUE, the value as TOML or else as text. Raises ExperimentError."""
    import tomllib

    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ExperimentError(f"--set {text[:60]!r}: write KEY=VALUE, such as recipe.epochs=20")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def drive(study: "Study") -> None:
    """Run a search in the foreground. Ctrl-C once: finish what runs; twice: abort. Exits 130 when interrupted."""
    from nas.cli.live import watch
    from nas.search.loop.search import Search

    search = Search(study)
    completed = watch(search, info)
    path = shlex.quote(str(study.path))
    if search.fault:
        raise RunError(f"{search.fault}. Mend it and go on with: nas resume {path}")
    if not completed:
        info(f"interrupted; go on with: nas resume {path}")
        raise typer.Exit(EXIT_INTERRUPTED)
    records = study.records()
    if records and all(record.state == "failed" for record in records):
        last = f"{records[-1].reason} {records[-1].detail}"
        raise RunError(
            f"no trial of {path} is complete: all {len(records)} failed, the last with: {last:.300}. Mend that and "
            f"search again with another --out, or go on with more trials: nas resume {path} --trials"
        )
    if search.exhausted:
        info("no other network was found inside the budget: the space is exhausted, or nearly")
    info(f"done. See: nas report {path}   take away: nas export {path} --trial best")


@app.command()
def resume(
    run: RunDir,
    trials: Annotated[int | None, typer.Option(help="A new total.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    executor: Executor = None,
    address: Address = None,
) -> None:
    """Go on after anything, to the total asked for."""
    from nas.cli.principles import resume_principles
    from nas.search.experiment import MATCHED
    from nas.search.experiment_file import validate_experiment
    from nas.search.store.create import create
    from nas.search.store.study import open_run

    with closing(open_run(run)) as study:
        command, _ = study.origin()
    asked = {"trials": trials, "workers": workers, "executor": where(executor, address)}
    changes = {name: value for name, value in asked.items() if value is not None}
    if study.experiment.space == MATCHED:
        resume_principles(run, command, changes)
        return
    drive(create(run, validate_experiment({**study.experiment.as_dict(), **changes}, "nas resume"), command))


@app.command()
def status(run: RunDir, as_json: Json = False) -> None:
    """Progress of a run, also while it goes on."""
    from collections import Counter

    from nas.search.loop.halving import epochs_saved
    from nas.search.pareto import front_of
    from nas.search.store.run import load_run
    from nas.search.store.run_files import is_locked

    held = is_locked(run)
    found = load_run(run)
    states = Counter(record.state for record in found.records)
    reasons = Counter(record.reason for record in found.records if record.state == "failed")
    alive = None if found.experiment.storage else held  # of a server's study only a machine's own drivers
    best = found.best() if states["complete"] else None
    facts: dict[str, Any] = {
        "run": str(run),
        "asked": found.experiment.trials,
        **{state: states[state] for state in ("complete", "failed", "running", "pruned")},
        "worked_on": alive,
        "epochs_saved": epochs_saved(found.records, found.experiment.recipe.epochs),
        "reasons": dict(reasons),
        "ledger": dict(found.proposal_counts),
        "front": len(front_of(list(found.records), found.experiment.objectives)),
        "best": best and {"trial": best.number, "error": best.error, **best.cost.as_dict()},
    }
    if as_json:
        output(facts)
        return
    running = "cut off" if alive is False and states["running"] else "running"
    output(
        f"{states['complete']} of {facts['asked']} complete, {states['running']} {running}, {states['failed']} failed"
    )
    if alive is False and len(found.records) - states["running"] < facts["asked"]:
        output(f"nobody works on it; go on with: nas resume {shlex.quote(str(run))}")
    if best:
        output(f"best: trial {best.number}, validation error {best.error:.4f}, "
             f"{best.cost.params:,} params, {best.cost.macs:,} MACs; front of {facts['front']}")  # fmt: skip
    if states["pruned"]:
        output(f"stopped early: {states['pruned']}, {facts['epochs_saved']} epochs saved")
    for reason, count in reasons.items():
        output(f"failed for {reason}: {count}")
    for outcome, count in found.proposal_counts.items():
        output(f"{outcome}: {count}")
