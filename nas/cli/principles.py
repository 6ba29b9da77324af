"""principles: matched pairs trained, and each claim's verdict."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.app import EXIT_INTERRUPTED, app, info, output, text_table
from nas.cli.options import Json, home, setting
from nas.errors import ExperimentError

if TYPE_CHECKING:
    from nas.principles.judging.verdict import Verdict
    from nas.principles.study_file import PrincipleStudy
    from nas.principles.training.reading import Reading


@app.command()
def principles(
    experiment: Annotated[str, typer.Argument(help="A study's TOML file, the name of one that comes along, or a run.")],
    changes: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be trained, and with what power.")] = False,
    evidence: Annotated[
        list[Path] | None, typer.Option(metavar="RUN", help="A finished search to read the principles off.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory; runs/NAME otherwise.")] = None,
    as_json: Json = False,
) -> None:
    """Train the matched pairs of each design principle, judge the claims, write the page; goes on where it stopped."""
    from nas.principles.study_file import FILE, read_study
    from nas.principles.training.reading import read_reading as reading
    from nas.search.experiment import find_experiment

    if (Path(experiment) / FILE).is_file():
        if changes or dry_run or out:
            raise ExperimentError(f"{experiment} is a run: --set, --dry-run and --out are for an EXPERIMENT")
        path = Path(experiment)
    else:
        family = read_study(find_experiment(experiment), dict(_settings(changes or [])))
        path = out or home(family.experiment)
        _foresee(family)
        if dry_run:
            return
        _train(family, path, "nas " + shlex.join(sys.argv[1:]))
    found = reading(path)
    _report(found, evidence or [], as_json)


def go_on(run: Path, command: str, changes: dict[str, Any]) -> None:
    """Train what a study still lacks, and write its page."""
    from nas.principles.study_file import FILE, read_study
    from nas.principles.training.reading import read_reading as reading

    _train(read_study(run / FILE, changes), run, command)
    _report(reading(run), [], as_json=False)


def _settings(changes: list[str]) -> list[tuple[str, Any]]:
    return [setting(change) for change in changes]


def _foresee(family: "PrincipleStudy") -> None:
    """Say, before anything is trained, what will be, and with what power. Raises GenomeError for unmatched arms."""
    from nas.principles.judging.power import planned_power, size
    from nas.principles.training.plan import Plan

    plan, design = Plan(family), family.design
    members = size(family.principles)
    info(f"{family.experiment.name}: {members} claims, looks at {', '.join(map(str, design.looks))} seeds, "
        f"{design.alpha:.0%} over the family; at most {len(plan.all())} trainings "
        f"of {family.experiment.recipe.epochs} epochs")  # fmt: skip
    for principle in family.principles:
        power = planned_power(principle, design, members)
        apart = ", ".join(map(str, principle.matches))
        info(f"  {principle.key}  power {power:4.0%}  {apart or 'unmatched':<20}  {principle.claim}")


def _train(family: "PrincipleStudy", path: Path, command: str) -> None:
    """Train in the foreground. Ctrl-C once: finish what runs; twice: abort. Exits 130 when interrupted."""
    from nas.cli.progress import stoppable
    from nas.principles.training.runner import Runner, begin

    runner = Runner(begin(family, path, command), family)
    with stoppable(runner, info):
        for step in runner.steps():
            error = f"error {step.record.error:.1%}" if step.record.error is not None else step.record.reason
            info(f"{step.done} of {step.done + step.left}  {step.training.purpose}: {error}, "
                f"{step.record.seconds:.0f} s; about {step.seconds_left / 60:.0f} min left")  # fmt: skip
    if runner.stopping:
        info(f"interrupted; go on with: nas resume {shlex.quote(str(path))}")
        raise typer.Exit(EXIT_INTERRUPTED)


def _report(found: "Reading", evidence: list[Path], as_json: bool) -> None:
    """Write the page, and tell the verdicts."""
    from nas.principles.judging.evidence import evidence as read_off
    from nas.report.principles.page import write
    from nas.search.store.study import load_run

    page = write(found, [each for run in evidence for each in read_off(load_run(run))])
    info("the verdicts, for a browser:")
    info(str(page))
    rows = [_facts(verdict) for verdict in found.verdicts]
    output(rows if as_json else text_table([tuple(map(str, row.values())) for row in rows]))


def _facts(verdict: "Verdict") -> dict[str, Any]:
    first = verdict.findings[0].estimate if verdict.findings else None
    seen = f"{first.mean:+.2f} [{first.low:+.2f}, {first.high:+.2f}]" if first else "no results"
    return {"key": verdict.principle.key, "verdict": verdict.word, "seeds": verdict.look.seeds, "effect": seen,
            "claim": verdict.principle.claim}  # fmt: skip
