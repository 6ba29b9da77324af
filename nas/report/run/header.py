"""The first screen: what was searched for, and what was found."""

import re
from html import unescape

from nas.report.html.markup import Child, Markup, join, tag
from nas.report.html.table import share_bar
from nas.report.network.blocks import extent
from nas.report.run.frame import used
from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import between, clip, listed, noun, percent, quantity
from nas.search.objectives import Budget, Range
from nas.search.trial import TrialRecord
from nas.training.metrics import METRICS

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"  # a heading must not break between a number and its unit
Figure = tuple[str, Child, Child]


def run_header(view: View) -> Markup:
    """Return heading, answer and key numbers."""
    figures = [tag("div", tag("dt", name), tag("dd", value, class_="figure"), tag("dd", note, class_="note"))
               for name, value, note in _figures(view)]  # fmt: skip
    return tag(
        "header",
        tag("p", "Architecture search · ", clip(view.experiment.name), class_="kicker"),
        tag("h1", run_title(view)),
        tag("p", _answer(view), class_="answer"),
        tag("dl", figures, class_="figures"),
    )


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
    return unescape(re.sub(r"<[^>]*>", "", join(_answer(view))))


def _answer(view: View) -> Child:
    best = view.best
    if best is None:
        return _no_result(view)
    counts = (f", with {best.cost.params:,} parameters and {best.cost.macs:,} MACs per image of "
              f"{extent(view.run.task.input)}.")  # fmt: skip
    return [tag("strong", f"Trial {best.number}"), *_error(view, best, counts), _best_baseline(view)]


def _error(view: View, best: TrialRecord, counts: str) -> list[Child]:
    """Return the error of the best network and its uncertainty."""
    if not view.finalists:
        confirm = tag("code", f"nas finalists {view.argument}")
        return [f" has the lowest {view.noun('error')}: ", tag("strong", quantity("error", best.error)), counts,
                " One seed only; confirm with ", confirm, "."]  # fmt: skip
    first = view.finalists[0]
    return [
        f" is the best of {len(view.finalists)} finalists: {view.noun('error')} ",
        tag("strong", quantity("error", first.error)),
        f" over {len(first.errors)} seeds (95 % interval {between(first.low, first.high)}), {view.noun('test_error')} ",
        tag("strong", quantity("error", first.test_error)), counts,
    ]  # fmt: skip


def _best_baseline(view: View) -> str | None:
    if not view.baselines:
        return None
    first = view.baselines[0]
    trained = "trained once" if view.finalists else "trained with the same recipe"
    return (f" The best baseline ({clip(first.baseline, 60)}), {trained}, has {quantity('error', first.error)}, with "
            f"{quantity('macs', first.cost.macs)} MACs.")  # fmt: skip


def _no_result(view: View) -> str:
    records = view.run.records
    if not records:
        return "No network has been trained yet."
    running = sum(record.state == "running" for record in records)
    if running:
        return f"No trial is complete yet; {running} of {len(records)} are still training."
    return f"None of the {len(records)} trials completed: see the reasons under Failures."


def _figures(view: View) -> list[Figure]:
    done, total = len(view.complete), view.experiment.trials
    trials = ("trials complete", f"{done:,}", f"of {total:,}, {len(view.front)} on the front")
    return [trials] if view.best is None else [_error_figure(view, view.best), *_cost_figures(view, view.best), trials]


def _error_figure(view: View, best: TrialRecord) -> Figure:
    title = view.noun("error")
    if view.finalists:
        first = view.finalists[0]
        return title, quantity("error", first.error), f"95 %: {between(first.low, first.high)}"
    guessing = METRICS[view.experiment.metric].of_guessing(view.run.task.classes)
    return title, quantity("error", best.error), f"guessing: {percent(guessing)}"


def _cost_figures(view: View, best: TrialRecord) -> list[Figure]:
    shares = used(best, view.limits)
    return [(noun(name), quantity(name, value_of(name, best)), _limit_note(view, name, shares))
            for name in dict.fromkeys((*shares, *view.costs))]  # fmt: skip


def _limit_note(view: View, name: str, shares: dict[str, float]) -> Child:
    if name not in shares:
        return _range_text(name, view.limits[name]) if name in view.limits else "no limit"
    share = f"{percent(shares[name])} of the budget"
    return tag("span", share_bar(shares[name]), share, aria_label=f"{share} of {noun(name)}", role="img")
