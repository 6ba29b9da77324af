"""The page of a study of principles: claims, measurements and verdicts, in one offline file."""

from collections.abc import Sequence
from pathlib import Path

from nas.files import atomic_write
from nas.principles.judging.evidence import Evidence
from nas.principles.judging.study_results import StudyResults
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.page import document, report_resource
from nas.report.html.section import section
from nas.report.html.table import terms
from nas.report.principles import sections
from nas.report.principles.articles import article
from nas.report.principles.forest import forest_section, ranked
from nas.report.principles.published import CONTRASTS, TRAININGS, write_values
from nas.report.principles.scale import data_names, drawn_settings, pixels_text, schedule_text, validation_text
from nas.report.principles.sentences import headline
from nas.report.text import listed
from nas.search.store.run import Run, load_run


def write_principles_page(results: StudyResults, evidence: Sequence[Evidence] = ()) -> Path:
    """Write the page of a run, finished or not, into its report folder and return its path.

    The values behind it are written beside it, as CSV. Raises RunError or OSError.
    """
    directory = results.path / "report"
    page = principles_page(results, evidence, load_run(results.path))
    write_values(results, directory)
    return atomic_write(directory / "principles.html", page)


def principles_page(results: StudyResults, evidence: Sequence[Evidence], run: Run) -> str:
    """Return the page as HTML."""
    articles = section("principles", "One by one", [article(results, verdict) for verdict in ranked(results.verdicts)])
    parts = [forest_section(results), articles, sections.counts_section(), sections.evidence_section(evidence),
             sections.power_section(results), sections.deviations_section(results),
             sections.rerun_section(results, run)]  # fmt: skip
    style = tag("style", Markup(report_resource("principles/principles.css")))
    main = tag("main", parts, id="results")
    return document("design principles", [style, principles_header(results), main], {}, ())


def principles_header(results: StudyResults) -> Markup:
    """Return the outcome in one sentence, and the scale of the study."""
    links = [tag("a", name, href=name) for name in (CONTRASTS, TRAININGS)]
    return tag(
        "header",
        tag("p", "Design principles on trial", class_="kicker"),
        tag("h1", headline(results.verdicts)),
        tag("p", "Undecided means open, not false. Each verdict is of the mean over many drawn settings. Errors here "
            "are far above the papers', so effects may differ in size from theirs.", class_="answer"),
        terms([*_scale(results), ("every value", [links[0], " (comparisons) and ", links[1]])]),
    )  # fmt: skip


def _scale(results: StudyResults) -> list[tuple[Child, Child]]:
    study, trainings = results.study, results.plan.trainings
    design, experiment = study.design, study.experiment
    drawn = [setting for principle in study.principles for setting in drawn_settings(results, principle.key)]
    done = sum(key in results.records for key in trainings)
    return [
        ("settings", f"{design.settings}, each with its own draw of widths, depths and images; the networks that a "
                     "claim compares share all of them"),
        ("data sets", listed(data_names(study))),
        ("images per setting", f"{_train_images(results)} for training and {validation_text(results)} for validation, "
                               f"at {pixels_text(drawn)}"),
        ("each network", schedule_text(experiment)),
        ("worth it", f"{design.worth:g} % of the validation error, {design.worth_loss:g} nats of training loss"),
        ("trainings", f"{done:,} of {len(trainings):,}"),
    ]  # fmt: skip


def _train_images(results: StudyResults) -> str:
    images = results.study.experiment.train_images
    return "all" if images is None else f"{images:,}"
