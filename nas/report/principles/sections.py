"""The sections of the page after the principles: counts, populations, evidence from searches, power, how to repeat."""

from collections.abc import Sequence

from nas.principles.claims import principles
from nas.principles.claims.counts import COUNTS
from nas.principles.judging.comparison import PopulationComparison, band_height
from nas.principles.judging.evidence import Evidence
from nas.principles.judging.power import count_claims, planned_power
from nas.principles.judging.study_results import StudyResults
from nas.principles.judging.verdict import Verdict
from nas.principles.study_file import study_to_toml
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import section
from nas.report.html.table import table
from nas.report.principles.plots import Series, empirical_distribution, format_probability, line_chart
from nas.report.principles.sentences import p_phrase
from nas.report.text import clip, percent
from nas.search.store.run import Run


def counts_section() -> Markup:
    """Return the claims that counting decides."""
    rows = [[_wide(each.claim), _wide(each.citation), each.stated, each.formatted, _badge(each.outcome),
             _wide(each.note)] for each in COUNTS]  # fmt: skip
    heads = ["claim", "source", "stated", "counted", "verdict", "note"]
    caption = "Exact counts of the cost model: nothing is trained and nothing is uncertain."
    return section("counts", "Claims about cost", _folded(f"{len(rows)} claims, counted", table(caption, heads, rows)))


def _wide(text: str) -> Markup:
    return tag("td", text, class_="wrap")


def _badge(outcome: str) -> Markup:
    return tag("span", outcome, class_=f"verdict {outcome}")


def _folded(summary: str, content: Markup) -> Markup:
    return tag("details", tag("summary", summary), _scroller(content))


def _scroller(content: Markup) -> Markup:
    return tag("div", content, class_="scroller")


def populations_section(results: StudyResults) -> Child:
    """Return distributions of error over networks drawn from two spaces; None without complete draws."""
    if not results.comparisons:
        return None
    note = ("Both forms of a draw share depths, growth of widths, dropout and seed, and their widths are solved to the "
            "MACs of one network. Bands: 95 % for each distribution (Massart 1990). p: Wilcoxon's signed-rank test "
            "that the first form is better (where refuted: worse), with Holm's correction.")  # fmt: skip
    charts = tag("div", [_chart(each) for each in results.comparisons], class_="columns")
    return section("populations", "Populations at equal MACs", charts, tag("p", note, class_="note"))


def _chart(comparison: PopulationComparison) -> Markup:
    values = [value for errors in comparison.errors.values() for value in errors]
    edges = min(values), max(values)
    series = []
    for name, errors in comparison.errors.items():
        steps = empirical_distribution(list(errors), band_height(len(errors)), edges)
        series.append(Series(f"{name} ({len(errors)})", steps.line, steps.band))
    p = p_phrase(comparison.q if comparison.outcome == "refuted" else comparison.p)
    claim = comparison.population.claim
    label = f"{claim}: {comparison.gain:+.2f} points for the first in the median draw, p {p}"
    return tag("div", tag("h3", claim), tag("p", _badge(comparison.outcome), " ", label),
               line_chart(series, label, "validation error, %", "share of networks"))  # fmt: skip


def evidence_section(evidence: Sequence[Evidence]) -> Child:
    """Return features of the networks of finished searches against their errors; None without searches."""
    if not evidence:
        return None
    known = principles()
    rows = [[each.run, each.feature.name,
             _wide(f"{each.feature.principle.upper()}: {known[each.feature.principle].claim}"),
             f"{each.correlation:+.2f}", format_probability(each.p), str(each.networks), each.outcome]
            for each in evidence]  # fmt: skip
    heads = ["run", "feature", "principle", "rank correlation", "p", "networks", "direction"]
    caption = ("Observational: a search varies everything at once and prefers networks with low errors, so this is not "
               "a test. Within thirds of the networks by MACs; positive correlations support the principle."
               )  # fmt: skip
    return section("observed", "Evidence from searches", _scroller(table(caption, heads, rows)))


def power_section(results: StudyResults) -> Markup:
    """Return the power stated before the trainings, and what was decided."""
    design, claims = results.study.design, count_claims(results.study.principles)
    rows = [_power_row(verdict, planned_power(verdict.principle, design, claims)) for verdict in results.verdicts]
    heads = ["claim", "planned power", "verdict", "seeds", "seeds needed", "p it holds", "p it fails"]
    caption = (f"Power was fixed before any training, for the effects that the claims expect ({design.points:g} points "
               f"here for one of theirs) and a standard deviation of {design.error_sd:g} points of one training over "
               "seeds. Seeds needed: to detect an effect worth the claim at the observed standard deviation and 80 % "
               "power. An undecided claim of little power could not have been decided at this scale.")  # fmt: skip
    return section("power", "What this scale can decide", _folded("Power of each claim", table(caption, heads, rows)))


def _power_row(verdict: Verdict, power: float) -> list[Child]:
    key = verdict.principle.key
    needed = f"{verdict.needed:,}" if verdict.needed else "over 1,000" if verdict.outcome == "undecided" else "-"
    return [tag("th", tag("a", key.upper(), href=f"#{key}"), scope="row"), percent(power), _badge(verdict.outcome),
            f"{verdict.analysis.seeds} of {verdict.analysis.planned}", needed, format_probability(verdict.p),
            format_probability(verdict.q)]  # fmt: skip


def rerun_section(results: StudyResults, run: Run) -> Markup:
    """Return the command, the versions and every setting."""
    minutes = sum(record.seconds for record in results.records.values()) / 60
    versions = ", ".join(f"{clip(name, 40)} {clip(value, 40)}" for name, value in run.versions.items())
    note = f"{len(results.records):,} trainings, {minutes:,.0f} minutes of training in all workers; {versions}."
    settings = tag("pre", tag("code", study_to_toml(results.study)), tabindex=0)
    return section("reproduce", "Run it again", tag("pre", tag("code", clip(run.command, 2_000)), tabindex=0),
                   tag("p", note, class_="note"),
                   tag("details", tag("summary", "Every setting"), settings))  # fmt: skip
