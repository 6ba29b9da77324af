"""The page of a study of principles: claims, measurements and verdicts, in one offline file."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nas.files import atomic_write
from nas.principles.judging.evidence import Evidence
from nas.principles.judging.study_results import StudyResults
from nas.report.html.markup import Markup, tag
from nas.report.html.page import document, report_resource
from nas.report.html.section import section
from nas.report.principles import sections
from nas.report.principles.articles import article
from nas.report.principles.forest import forest_section
from nas.report.text import clip
from nas.search.store.run import Run, load_run


def write_principles_page(results: StudyResults, evidence: Sequence[Evidence] = ()) -> Path:
    """Write the page of a run, finished or not, into its report folder and return its path.

    Raises RunError or OSError.
    """
    page = principles_page(results, evidence, load_run(results.path))
    return atomic_write(results.path / "report" / "principles.html", page)


def principles_page(results: StudyResults, evidence: Sequence[Evidence], run: Run) -> str:
    """Return the page as HTML."""
    articles = section("principles", "One by one", [article(results, verdict) for verdict in results.verdicts])
    parts = [forest_section(results), articles, sections.counts_section(), sections.populations_section(results),
             sections.evidence_section(evidence), sections.power_section(results),
             sections.rerun_section(results, run)]  # fmt: skip
    style = tag("style", Markup(report_resource("principles/principles.css")))
    main = tag("main", parts, id="results")
    return document("design principles", [style, principles_header(results), main], {}, ())


def principles_header(results: StudyResults) -> Markup:
    """Return the outcome in one sentence, and the scale of the study."""
    claims = [verdict for verdict in results.verdicts if not verdict.principle.control]
    number = Counter(verdict.outcome for verdict in claims)
    experiment, design = results.study.experiment, results.study.design
    return tag(
        "header",
        tag("p", "Design principles on trial", class_="kicker"),
        tag("h1", f"Of {len(claims)} design principles {number['supported']} are supported at this scale, "
            f"{number['refuted']} refuted and {number['undecided']} undecided"),
        tag("p", f"Matched networks on {clip(experiment.source.name)} at {design.side} pixels per side, "
            f"{experiment.source.train_images or 'all'} images, {experiment.recipe.epochs} epochs, up to "
            f"{design.interim_seeds[-1]} paired seeds per claim; {len(results.records):,} trainings. Errors here are "
            "far above the papers', so effects may differ in size from theirs. Undecided means open, not false.",
            class_="answer"),
    )  # fmt: skip
