"""How to run the search again."""

from nas.report.html.markup import Child, tag
from nas.report.html.section import Section, section
from nas.report.html.table import terms
from nas.report.run.view import View
from nas.report.text import clip, counted_runs
from nas.search.durations import format_duration


def reproduce_section(view: View) -> Section:
    """Return the command, the settings and the versions of the run."""
    run, experiment = view.run, view.experiment
    settings: list[tuple[Child, Child]] = [
        ("seed", experiment.seed), ("sampler", experiment.sampler), ("objectives", ", ".join(experiment.objectives)),
        ("recipe", ", ".join(f"{name} {value}" for name, value in vars(experiment.recipe).items())),
        ("versions", ", ".join(f"{clip(name, 40)} {clip(value, 40)}" for name, value in run.versions.items())),
    ]  # fmt: skip
    if limit := experiment.time_limit:
        used = "" if run.seconds_used is None else f", {format_duration(run.seconds_used)} used"
        settings.append(("time limit", f"{format_duration(limit)}{used}"))
    if view.run.started_from:
        settings.append(("started from", counted_runs(view.run.started_from)))
    command = tag("pre", tag("code", clip(run.command, 2_000)), tabindex=0)
    return Section(section("reproduce", "Run it again", command, terms(settings)))
