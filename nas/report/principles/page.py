"""The page of the principles: what was claimed, what was measured, and the verdict on each. One offline file."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nas.files import atomic_write
from nas.principles.claims import principles
from nas.principles.claims.counts import COUNTS
from nas.principles.claims.population import band
from nas.principles.judging.evidence import Evidence
from nas.principles.judging.power import planned_power, size
from nas.principles.judging.verdict import Finding, Verdict
from nas.principles.study_file import study_to_toml
from nas.principles.training.reading import Reading
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.page import document, report_resource
from nas.report.principles.articles import article
from nas.report.principles.plots import Mark, Scale, Series, axis, interval, lines, rounded, scale, steps
from nas.report.principles.sentences import chance, span
from nas.report.run.sections import section
from nas.report.run.tables import table
from nas.report.text import clip, percent
from nas.search.store.run import Run, load_run


def write(reading: Reading, evidence: Sequence[Evidence] = ()) -> Path:
    """Write the page of a run, finished or not, into its report folder, and return it."""
    path = reading.path / "report" / "principles.html"
    atomic_write(path, page(reading, evidence, load_run(reading.path)))
    return path


def page(reading: Reading, evidence: Sequence[Evidence], run: Run) -> str:
    """The page as HTML text."""
    parts = [forest(reading), articles(reading), counts(), populations(reading), observed(evidence), power(reading),
             reproduce(reading, run)]  # fmt: skip
    style = tag("style", Markup(report_resource("principles/principles.css")))
    return document("design principles", [style, head(reading), tag("main", parts, id="results")], {}, "")


def head(reading: Reading) -> Markup:
    """What came out, in a sentence."""
    family, said = reading.family, Counter(verdict.word for verdict in members(reading))
    recipe, source = family.experiment.recipe, family.experiment.source
    trained = len(reading.records)
    return tag(
        "header",
        tag("p", "Design principles on trial", class_="kicker"),
        tag("h1", f"Of {len(members(reading))} design principles {said['supported']} are supported at this scale, "
            f"{said['refuted']} refuted and {said['undecided']} undecided"),
        tag("p", f"Matched networks on {clip(source.name)} at {family.design.side} pixels a side, "
            f"{source.train_images or 'all'} images, {recipe.epochs} epochs, up to {family.design.looks[-1]} paired "
            f"seeds a claim; {trained:,} trainings. Errors here are far above the papers', so effects need not agree "
            "in size with theirs, and what is undecided is open, not false.", class_="answer"),
    )  # fmt: skip


def members(reading: Reading) -> list[Verdict]:
    """The verdicts on the family, without controls."""
    return [verdict for verdict in reading.verdicts if not verdict.principle.control]


def forest(reading: Reading) -> Markup:
    """Every principle's first bound on one scale, the clearest first."""
    known = [verdict for verdict in reading.verdicts if verdict.findings]
    on = scale([value for v in known for value in _ends(v)])
    order = {"supported": 0, "refuted": 1, "undecided": 2}
    ranked = sorted(known, key=lambda v: (v.principle.control, order[v.word], -v.findings[0].estimate.mean))
    ruler = tag("li", tag("span", "claim", class_="claim"), axis(on),
                tag("span", "effect and interval, points", class_="numbers"), class_="head")  # fmt: skip
    rows = [tag("li", _row(verdict, on)) for verdict in ranked]
    looks = len(reading.family.design.looks)
    level = 1 - reading.family.design.alpha / looks
    caption = (
        "Right of the dashed line speaks for the claim; where there are several bars, all have to. "
        f"Bars: {level:.1%} intervals over seeds (95 % for all {looks} looks together). Diamonds: the effect in the "
        "paper, on its own data. Verdicts are corrected for the size of the family."
    )
    return section(
        "forest", "All principles", tag("ol", ruler, rows, class_="forest"), tag("p", caption, class_="note")
    )


def shown(verdict: Verdict) -> list[Finding]:
    """The comparisons of errors, of two that mirror each other the first."""
    found: list[Finding] = []
    for each in verdict.findings:
        mirrored = {arm: -weight for arm, weight in each.bound.weights.items()}
        if each.bound.metric == "error" and mirrored not in [other.bound.weights for other in found]:
            found.append(each)
    return found


def _ends(verdict: Verdict) -> list[float]:
    paper = verdict.principle.paper
    return [end for each in shown(verdict) for end in (each.estimate.low, each.estimate.high)] + (
        [] if paper is None else [paper]
    )


def _row(verdict: Verdict, on: Scale) -> Child:
    principle, found = verdict.principle, shown(verdict)
    title = tag("a", f"{principle.key.upper()} {principle.claim}", href=f"#{principle.key}")
    bars, said = [], []
    for place, each in enumerate(found):
        paper = principle.paper if place == 0 else None
        mark = Mark(each.estimate.mean, each.estimate.low, each.estimate.high, each.bound.null, paper)
        words = span(each.estimate, each.bound)
        bars.append(interval(mark, on, verdict.word, f"{each.bound.name}: {words}"))
        named = tag("span", f"{each.bound.name}: ", class_="note") if len(found) > 1 else None
        said.append(tag("div", named, words, f", paper {paper:+.2f}" if paper is not None else None))
    claim = tag("span", tag("span", verdict.word, class_=f"verdict {verdict.word}"), " ", title, class_="claim")
    return [claim, tag("div", bars), tag("div", said, class_="numbers")]


def articles(reading: Reading) -> Markup:
    """The principles one by one."""
    parts = [article(reading, verdict) for verdict in reading.verdicts]
    return section("principles", "One by one", parts)


def counts() -> Markup:
    """The claims that counting decides."""
    rows = [[tag("td", each.claim, class_="wrap"), tag("td", each.citation, class_="wrap"), each.stated, each.shown,
             _word(each.word), tag("td", each.note, class_="wrap")] for each in COUNTS]  # fmt: skip
    heads = ["claim", "source", "stated", "counted", "verdict", "note"]
    caption = "Exact counts of the cost model: nothing is trained and nothing is uncertain."
    return section("counts", "Claims about cost", tag("div", table(caption, heads, rows), class_="scroller"))


def _word(word: str) -> Markup:
    return tag("span", word, class_=f"verdict {word}")


def populations(reading: Reading) -> Child:
    """Distributions of error over networks drawn from two spaces."""
    found = reading.comparisons
    if not found:
        return None
    charts = []
    for each in found:
        values = [value for errors in each.errors.values() for value in errors]
        edge = min(values), max(values)
        series = [Series(f"{name} ({len(errors)})", s.line, s.band) for name, errors in each.errors.items()
                  for s in [steps(list(errors), band(len(errors)), edge)]]  # fmt: skip
        told = chance(each.q if each.word == "refuted" else each.p)
        said = f"{each.population.claim}: {each.gain:+.2f} points for the first in the median draw, p {told}"
        charts.append(tag("div", tag("h3", each.population.claim), tag("p", _word(each.word), " ", said),
                          lines(series, said, "validation error, %", "share of networks")))  # fmt: skip
    note = ("Both forms of a draw share depths, growth of widths, dropout and seed, and have their widths solved to "
            "the MACs of one network. Bands: 95 % for each distribution (Massart 1990). p: Wilcoxon's signed-rank test "
            "that the first form is better, where refuted that it is worse, corrected by Holm.")  # fmt: skip
    return section("populations", "Populations at equal MACs", tag("div", charts, class_="columns"),
                   tag("p", note, class_="note"))  # fmt: skip


def observed(evidence: Sequence[Evidence]) -> Child:
    """What searches say."""
    if not evidence:
        return None
    known = principles()
    rows = [[each.run, each.feature.name, tag("td", f"{each.feature.principle.upper()}: "
             f"{known[each.feature.principle].claim}", class_="wrap"), f"{each.correlation:+.2f}", rounded(each.p),
             str(each.networks), each.word] for each in evidence]  # fmt: skip
    heads = ["run", "feature", "principle", "rank correlation", "p", "networks", "leans"]
    caption = ("Observational: a search varies everything at once and prefers what does well, so this is no test. "
               "Within thirds of the networks by MACs; positive speaks for the principle.")  # fmt: skip
    return section("observed", "Evidence from searches", tag("div", table(caption, heads, rows), class_="scroller"))


def power(reading: Reading) -> Markup:
    """What this scale could decide, stated before, and what it did decide."""
    design, count = reading.family.design, size(reading.family.principles)
    rows = []
    for verdict in reading.verdicts:
        planned = planned_power(verdict.principle, design, count)
        seeds = f"{verdict.look.seeds} of {verdict.look.asked}"
        needed = f"{verdict.needed:,}" if verdict.needed else "over 1,000" if verdict.word == "undecided" else "-"
        rows.append([tag("th", tag("a", verdict.principle.key.upper(), href=f"#{verdict.principle.key}"), scope="row"),
                     percent(planned), _word(verdict.word), seeds, needed, rounded(verdict.p),
                     rounded(verdict.q)])  # fmt: skip
    heads = ["claim", "power, as planned", "verdict", "seeds", "seeds needed", "p it holds", "p it fails"]
    caption = (f"Power was fixed before any training, for the effects the pages expect ({design.points:g} points here "
               f"for one of theirs) and a deviation of {design.sd:g} points of one training over seeds. Seeds needed: "
               "to tell an effect worth the claim from none by the deviation seen, at 80 % power. A claim of little "
               "power that stays undecided could not have been decided at this scale.")  # fmt: skip
    return section("power", "What this scale can decide", tag("div", table(caption, heads, rows), class_="scroller"))


def reproduce(reading: Reading, run: Run) -> Markup:
    """How to run it again."""
    seconds = sum(record.seconds for record in reading.records.values())
    versions = ", ".join(f"{clip(name, 40)} {clip(value, 40)}" for name, value in run.versions.items())
    said = f"{len(reading.records):,} trainings, {seconds / 60:,.0f} minutes of training in all workers; {versions}."
    return section("reproduce", "Run it again", tag("pre", tag("code", clip(run.command, 2_000)), tabindex=0),
                   tag("p", said, class_="note"), tag("details", tag("summary", "Every setting"),
                   tag("pre", tag("code", study_to_toml(reading.family)), tabindex=0)))  # fmt: skip
