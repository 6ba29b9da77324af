"""The first screen: what was searched for, and what was found."""

import re
from html import unescape

from nas.report.html.markup import Child, Markup, join, tag
from nas.report.html.table import share_bar, terms
from nas.report.run.frame import used
from nas.report.run.recommend import Recommendation, Recommendations, recommend
from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import between, clip, full_quantity, listed, noun, percent, quantity
from nas.search.objectives import Budget, Range
from nas.search.results.compare_errors import finalist_difference
from nas.search.results.finalist_files import Finalist
from nas.search.trial import TrialRecord
from nas.training.metrics import METRICS

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"  # a heading must not break between a number and its unit


def run_header(view: View) -> Markup:
    """Return heading, answer, the networks to take and the state of the search."""
    found = recommend(view)
    return tag(
        "header",
        tag("p", "Architecture search · ", clip(view.experiment.name), class_="kicker"),
        tag("h1", run_title(view)),
        tag("p", _answer(view, found), class_="answer"),
        tag("div", [_card(view, each) for each in found.taken], class_="taken") if found else None,
        tag("p", _state(view), class_="note"),
    )


def _card(view: View, each: Recommendation) -> Markup:
    """Return a network to take: its error, its costs and the command that exports it."""
    record, heading = each.record, f"take-{each.record.number}-heading"
    title = "Cheapest that cannot be told from it" if each.difference else f"Lowest {view.noun('error')}"
    return tag(
        "article",
        tag("h2", title, id=heading),
        tag("p", tag("span", quantity("error", each.error), class_="figure"), f" trial {record.number}"),
        tag("p", error_note(view, each), class_="note"),
        terms([(noun(name), _cost(view, record, name)) for name in dict.fromkeys((*view.limits, *view.costs))]),
        tag("pre", tag("code", trial_export_command(view, each)), tabindex=0),
        aria_labelledby=heading,
    )


def error_note(view: View, each: Recommendation) -> str:
    """Return interval, difference and test error in words: `95 % interval 7.3 % to 13.5 % over 360 images`."""
    parts = [f"95 % interval {between(*each.interval)} {each.sample}" if each.interval else each.sample]
    if each.test_error is not None:
        parts.append(f"{view.noun('test_error')} {quantity('error', each.test_error)}")
    if found := each.difference:
        value, low, high = found.in_points
        parts.append(f"difference {value} points, 95 % interval {low} to {high}, {found.sample}")
    return "; ".join(parts)


def trial_export_command(view: View, each: Recommendation) -> str:
    """Return the command that exports a network to take."""
    return f"nas export {view.argument} --trial {each.record.number}"


def _cost(view: View, record: TrialRecord, name: str) -> Child:
    value, shares = full_quantity(name, value_of(name, record)), used(record, view.limits)
    if name not in shares:
        return f"{value} ({_range_text(name, view.limits[name])})" if name in view.limits else value
    return [f"{value}, {percent(shares[name])} of the budget", share_bar(shares[name])]


def run_title(view: View) -> str:
    """Return what was searched for: `Best network for digits within 50 k parameters and 1.5 M MACs`."""
    within = f" within {budget_text(view.limits)}" if view.limits else ""
    return f"Best network for {clip(view.run.task.name)}{within}"


def budget_text(limits: Budget) -> str:
    """Return a budget in words: `50 k parameters and 1.5 M MACs`."""
    return listed([f"{_range_text(name, limit)} {noun(name)}" for name, limit in limits.items()])


def _range_text(name: str, limit: Range) -> str:
    low, high = [quantity(name, end).replace(" ", NO_BREAK_SPACE) for end in (limit.min, limit.max)]
    if limit.min is None or limit.max is None:
        return f"at least {low}" if limit.max is None else high
    return f"{low} to {high}"


def answer_text(view: View) -> str:
    """Return the answer as plain text."""
    return unescape(re.sub(r"<[^>]*>", "", join(_answer(view, recommend(view)))))


def _answer(view: View, found: Recommendations | None) -> Child:
    if found is None:
        return _no_result(view)
    first, error = found.lowest, tag("strong", quantity("error", found.lowest.error))
    name = ["Take ", tag("strong", f"trial {first.record.number}")]
    if not view.finalists:
        has = f": it has the lowest {view.noun('error')}, "
        return [name, has, error, ". ", found.remark(view), _best_baseline(view)]
    has = f", the best of {len(view.finalists)} finalists: {view.noun('error')} "
    tested = tag("strong", quantity("error", first.test_error))
    test = [f" ({first.sample}), {view.noun('test_error')} ", tested, ". "]
    return [name, has, error, test, found.remark(view), _best_baseline(view)]


def _best_baseline(view: View) -> str | None:
    if not view.baselines:
        return None
    first = view.baselines[0]
    trained = "trained once" if view.finalists else "trained with the same recipe"
    if final := view.finalist(first):
        return _retrained_baseline(view, first, final)
    return (f" The best baseline ({clip(first.baseline, 60)}), {trained}, has {quantity('error', first.error)}, with "
            f"{quantity('macs', first.cost.macs)} MACs.")  # fmt: skip


def _retrained_baseline(view: View, record: TrialRecord, final: Finalist) -> str:
    """Return what the best baseline has, trained as the finalists are, and how far it is from the best of these."""
    best = view.finalists[0]
    said = (f" The best baseline ({clip(record.baseline, 60)}), trained likewise, has a {view.noun('error')} of "
            f"{quantity('error', final.error)}, with {quantity('macs', record.cost.macs)} MACs")  # fmt: skip
    found = finalist_difference(view.run, (*view.finalists, *view.retrained), best, final, view.images)
    if found is None:
        return f"{said}."
    value, low, high = found.in_points
    return f"{said}: {value} points, 95 % interval {low} to {high}, {found.sample}."


def _no_result(view: View) -> str:
    records = view.run.records
    if not records:
        return "No network has been trained yet."
    running = sum(record.state == "running" for record in records)
    if running:
        return f"No trial is complete yet; {running} of {len(records)} are still training."
    return f"None of the {len(records)} trials completed: see the reasons under Failures."


def _state(view: View) -> Child:
    """Return how far the search is, what guessing would give, and how to confirm the result."""
    done, total = len(view.complete), view.experiment.trials
    said = f"{done:,} of {total:,} trials are complete"
    if view.best is None:
        return f"{said}."
    guessing = METRICS[view.experiment.metric].of_guessing(view.run.task.classes)
    said += f", {len(view.front):,} of them on the front; guessing has {percent(guessing)}."
    if view.finalists:
        return said
    luck = " Each network was trained from one seed, and the lowest of many errors is partly luck; confirm with "
    return [said, luck, tag("code", f"nas finalists {view.argument}"), "."]
