"""The sections of the page after the principles: counts, evidence from searches, power, deviations, how to repeat."""

from collections.abc import Sequence

from nas.principles.claims import principles
from nas.principles.claims.counts import COUNTS
from nas.principles.judging.evidence import Evidence
from nas.principles.judging.power import alpha_of_one, planned_power, planned_sd
from nas.principles.judging.statistics import MAX_SETTINGS
from nas.principles.judging.study_results import StudyResults
from nas.principles.judging.verdict import Verdict
from nas.principles.study_file import study_to_toml
from nas.principles.training.changes import recorded_changes
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import section
from nas.report.html.table import table
from nas.report.principles.badges import badge, verdict_badge
from nas.report.principles.forest import ranked
from nas.report.principles.plots import format_probability
from nas.report.principles.sentences import complete_settings, signed
from nas.report.text import clip, percent
from nas.search.store.run import Run, load_run


def counts_section() -> Markup:
    """Return the claims that counting decides."""
    rows = [[_wide(each.claim), _wide(each.citation), each.stated, each.formatted, badge(each.outcome),
             _wide(each.note)] for each in COUNTS]  # fmt: skip
    heads = ["claim", "source", "stated", "counted", "verdict", "note"]
    caption = "Exact counts of the cost model: nothing is trained and nothing is uncertain."
    return section("counts", "Claims about cost", _folded(f"{len(rows)} claims, counted", table(caption, heads, rows)))


def _wide(text: str) -> Markup:
    return tag("td", text, class_="wrap")


def _folded(summary: str, content: Markup) -> Markup:
    return tag("details", tag("summary", summary), _scroller(content))


def _scroller(content: Markup) -> Markup:
    return tag("div", content, class_="scroller")


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
    """Return the power that the plan states, beside the outcome."""
    design, one = results.study.design, alpha_of_one(results.study.principles, results.study.design)
    power = {each.key: planned_power(each, design, one) for each in results.study.principles if each.control is None}
    claims = [verdict for verdict in ranked(results.verdicts) if verdict.principle.key in power]
    rows = [_power_row(results, verdict, power[verdict.principle.key]) for verdict in claims]
    heads = ["claim", "expected", "planned deviation", "observed deviation", "power", "outcome", "settings", "needed"]
    caption = ("Power: the simulated chance that a claim holds here if its effects are as large as it expects. "
               "Deviations: of each comparison over settings. Needed: settings that narrow the widest interval of an "
               "undecided claim to what is worth it. An undecided claim of little power could not have been decided "
               "at this scale.")  # fmt: skip
    held = sum(verdict.outcome == "holds" for verdict in claims)
    summary = (f"With effects as expected, {sum(power.values()):.1f} of {len(claims)} claims would hold on average; "
               f"{held} {'holds' if held == 1 else 'hold'}")  # fmt: skip
    return section("power", "What this scale can decide", _folded(summary, table(caption, heads, rows)))


def _power_row(results: StudyResults, verdict: Verdict, power: float) -> list[Child]:
    principle, design = verdict.principle, results.study.design
    needed, done = verdict.settings_needed(design), complete_settings(results.by_principle[principle.key])
    return [
        tag("th", tag("a", principle.key.upper(), href=f"#{principle.key}"), scope="row"),
        _lines([signed(bound.expected, bound) for bound in principle.bounds]),
        _lines([signed(planned_sd(bound, design), bound).lstrip("+") for bound in principle.bounds]),
        _lines([signed(each.estimate.sd, each.bound).lstrip("+") for each in verdict.findings]),
        percent(power), verdict_badge(verdict), f"{done} of {design.settings}",
        "-" if needed is None else f"{needed:,}" if needed < MAX_SETTINGS else f"over {MAX_SETTINGS:,}",
    ]  # fmt: skip


def _lines(texts: Sequence[str]) -> Child:
    return [tag("div", text) for text in texts] or "-"


def deviations_section(results: StudyResults) -> Markup:
    """Return what the logs of the runs have of changes of the plan since their first training."""
    paths = (results.path, *results.others)
    changes = [
        f"{clip(path.name)}: {change}" if results.others else change
        for path in paths
        for change in recorded_changes(path)
    ]
    listing = tag("ul", [tag("li", change) for change in changes]) if changes else tag("p", "None.")
    return section("deviations", "Deviations from the plan", listing)


def rerun_section(results: StudyResults, run: Run) -> Markup:
    """Return the commands, the versions and every setting."""
    commands = "\n".join(clip(each.command, 2_000) for each in (run, *map(load_run, results.others)))
    minutes = sum(record.seconds for record in results.records.values()) / 60
    versions = ", ".join(f"{clip(name, 40)} {clip(value, 40)}" for name, value in run.versions.items())
    note = f"{len(results.records):,} trainings, {minutes:,.0f} minutes of training in all workers; {versions}."
    settings = tag("pre", tag("code", study_to_toml(results.study)), tabindex=0)
    return section("reproduce", "Run it again", tag("pre", tag("code", commands), tabindex=0),
                   tag("p", note, class_="note"),
                   tag("details", tag("summary", "Every setting"), settings))  # fmt: skip
