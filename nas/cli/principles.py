"""principles: train matched networks and judge each claim."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.app import EXIT_INTERRUPTED, app, info, output, text_table
from nas.cli.options import Json, TimeLimit, home, refuse_options, setting
from nas.errors import ExperimentError, quoted

if TYPE_CHECKING:
    from nas.principles.judging.plan import Plan
    from nas.principles.judging.verdict import Verdict


@app.command("principles")
def principles_command(
    experiment: Annotated[str, typer.Argument(help="A study's TOML file, the name of a bundled study, or a run.")],
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", help="More runs of the same design, for one page.")
    ] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be trained, and the power.")] = False,
    time_limit: TimeLimit = None,
    evidence: Annotated[
        list[Path] | None, typer.Option(metavar="RUN", help="A finished search as evidence, on the page.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory; runs/NAME by default.")] = None,
    as_json: Json = False,
) -> None:
    """Train the matched networks of each design principle, judge the claims and write a page. Resumes an earlier run.

    The verdicts go to stdout, then the path of the page; with --json the path goes to stderr.
    """
    from nas.principles.judging.plan import Plan
    from nas.principles.study_file import FILE, load_study, read_study
    from nas.search.experiment_file import find_experiment

    if (Path(experiment) / FILE).is_file():
        if changes or dry_run or time_limit or out:
            options = "--set, --dry-run, --time-limit and --out"
            raise ExperimentError(f"{experiment} is a run: {options} are for an EXPERIMENT")
        path = Path(experiment)
    else:
        if more:
            raise ExperimentError(f"{more[0]}: more runs can only follow a run, and {experiment} is none")
        settings = dict(setting(change) for change in changes or [])
        settings |= {"time_limit": time_limit} if time_limit else {}
        file = find_experiment(experiment)
        study = read_study(file, settings)
        path = out or home(study.experiment)
        if (path / FILE).is_file():  # a file that names no claims means those of the run that it resumes
            study = read_study(file, settings, load_study(path).design.keys)
        plan = Plan(study)
        _print_plan(plan)
        if dry_run:
            refuse_options("--dry-run writes no page", evidence=evidence, json=as_json)
            return
        _train(plan, path, "nas " + shlex.join(sys.argv[1:]))
    _report([path, *(more or [])], evidence or [], as_json)


def resume_principles(run: Path, command: str, changes: dict[str, Any]) -> None:
    """Train what a study is missing, and write its page. Raises NasError."""
    from nas.principles.judging.plan import Plan
    from nas.principles.study_file import load_study

    _train(Plan(load_study(run, changes)), run, command)
    _report([run], [], as_json=False)


def _print_plan(plan: "Plan") -> None:
    """Print what will be trained, and the planned power. Raises GenomeError for unmatched arms."""
    from nas.principles.judging.power import alpha_of_one, count_bounds, planned_power

    study = plan.study
    design, principles = study.design, study.principles
    claims = sum(principle.control is None for principle in principles)
    info(f"{study.experiment.name}: {claims} claims, {count_bounds(principles)} bounds, on {design.settings} settings; "
         f"alpha {design.alpha:.0%} over all; worth it: {design.worth:g} % of the error")  # fmt: skip
    info(f"  {len(plan.trainings)} trainings of {study.experiment.recipe.epochs} epochs")
    for principle in principles:
        power = planned_power(principle, design, alpha_of_one(principles, design))
        matches = ", ".join(map(str, principle.matches))
        stated = f"power {power:4.0%}" if principle.control is None else "control   "
        info(f"  {principle.key}  {stated}  {matches or 'unmatched':<20}  {principle.claim}")


def _train(plan: "Plan", path: Path, command: str) -> None:
    """Train in the foreground. Ctrl-C once: finish what runs; twice: abort. Exits 130 when interrupted.

    At the time limit, what runs is finished too.
    """
    from nas.cli.progress import stoppable, time_limit_message
    from nas.principles.training.runner import Runner, begin_study

    runner = Runner(begin_study(plan, path, command), plan)
    with stoppable(runner, info):
        for step in runner.steps():
            error = f"error {step.record.error:.1%}" if step.record.error is not None else step.record.reason
            info(f"{step.done} of {step.done + step.left}  {step.training.purpose}: {error}, "
                 f"{step.record.seconds:.0f} s; about {step.seconds_left / 60:.0f} min left")  # fmt: skip
    if runner.stopping:
        info(f"interrupted; continue with: nas resume {quoted(path)}")
        raise typer.Exit(EXIT_INTERRUPTED)
    if runner.out_of_time:
        info(time_limit_message(runner.clock.limit, runner.clock.seconds, path))


def _report(paths: list[Path], searches: list[Path], as_json: bool) -> None:
    """Write the page, and the values as CSV beside it, and print the verdicts."""
    from nas.principles.judging.evidence import evidence_of_run
    from nas.principles.judging.study_results import read_results
    from nas.report.principles.page import write_principles_page
    from nas.search.store.run import load_run

    results = read_results(*paths)
    page = write_principles_page(
        results, [each for run in searches for each in evidence_of_run(load_run(run).require_search())]
    )
    rows = [row for verdict in results.verdicts for row in _rows(verdict)]
    output(rows if as_json else text_table([tuple(map(str, row.values())) for row in rows]))
    info("Report, to open in a browser:")
    (info if as_json else output)(str(page))


def _rows(verdict: "Verdict") -> list[dict[str, Any]]:
    """Return a row per bound; one without results where there are none."""
    key, claim = verdict.principle.key, verdict.principle.claim
    if not verdict.findings:
        return [{"key": key, "verdict": "undecided", "settings": 0, "effect": "no results", "claim": claim}]
    return [
        {"key": key, "verdict": each.word, "settings": each.estimate.settings,
         "effect": f"{each.estimate.mean:+.2f} [{each.estimate.low:+.2f}, {each.estimate.high:+.2f}]",
         "claim": claim if len(verdict.findings) == 1 else f"{claim} ({each.bound.name})"}
        for each in verdict.findings
    ]  # fmt: skip
