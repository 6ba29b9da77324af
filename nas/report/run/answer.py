"""The first screen: the question that was asked, and what was found."""

import re
from html import unescape

from nas.report.html.markup import Child, Markup, join, tag
from nas.report.network.blocks import extent
from nas.report.run.frame import used
from nas.report.run.view import View
from nas.report.text import NAMES, between, clip, percent, quantity
from nas.search.objectives import Budget, Range
from nas.search.trial import TrialRecord


def answer(view: View) -> Markup:
    """Question, answer, key numbers."""
    run = view.run
    return tag(
        "header",
        tag("p", "Architecture search · ", clip(run.experiment.name), class_="kicker"),
        tag("h1", question(view)),
        tag("p", _found(view), class_="answer"),
        tag("dl", [tag("div", tag("dt", name), tag("dd", value, class_="figure"), tag("dd", note, class_="note"))
                   for name, value, note in _figures(view)], class_="figures"),
    )  # fmt: skip


def question(view: View) -> str:
    """What was asked, in one sentence."""
    task, limits = view.run.task, view.limits
    within = f", within {budget(limits)}" if limits else ""
    return f"Which network of the space {clip(view.experiment.space)} reads {clip(task.name)} best{within}?"


def budget(limits: Budget) -> str:
    """A budget in words: `50 k parameters and 1.5 M MACs`."""
    said = [f"{_range(name, limit)} {NAMES[name] if name != 'peak_bytes' else 'peak memory'}"
            for name, limit in limits.items()]  # fmt: skip
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def _range(name: str, limit: Range) -> str:
    if limit.min is None or limit.max is None:
        return f"at least {quantity(name, limit.min)}" if limit.max is None else quantity(name, limit.max)
    return f"{quantity(name, limit.min)} to {quantity(name, limit.max)}"


def said(view: View) -> str:
    """The answer as plain text."""
    return unescape(re.sub(r"<[^>]*>", "", join(_found(view))))


def _found(view: View) -> Child:
    best = view.best
    if best is None:
        return _nothing(view)
    counts = (f", with {best.cost.params:,} parameters and {best.cost.macs:,} MACs an image of "
              f"{extent(view.run.task.input)}.")  # fmt: skip
    return [tag("strong", f"Trial {best.number}"), *_standing(view, best, counts), _known(view)]


def _standing(view: View, best: TrialRecord, counts: str) -> list[Child]:
    """How sure the result is: by finalists, or by one training."""
    if not view.finalists:
        doubt = (" It was trained once; whether it beats its neighbours is for several seeds and the untouched test "
                 "split to say.")  # fmt: skip
        return [" has the least validation error: ", tag("strong", quantity("error", best.error)), counts, doubt]
    first = view.finalists[0]
    return [
        f" is the best of {len(view.finalists)} finalists: validation error ",
        tag("strong", quantity("error", first.error)),
        f" over {len(first.errors)} seeds (95 % interval {between(first.low, first.high)}), test error ",
        tag("strong", quantity("error", first.test_error)), counts,
    ]  # fmt: skip


def _known(view: View) -> str | None:
    """The best baseline, in a sentence."""
    if not view.baselines:
        return None
    first = view.baselines[0]
    trained = "trained once" if view.finalists else "trained alike"
    return (f" The best baseline, {trained} ({clip(first.baseline, 60)}), has {quantity('error', first.error)}, with "
            f"{quantity('macs', first.cost.macs)} MACs.")  # fmt: skip


def _nothing(view: View) -> str:
    records = view.run.records
    if not records:
        return "No network has been trained yet: there is nothing to compare."
    running = sum(record.state == "running" for record in records)
    if running:
        return f"No trial is complete yet; {running} of {len(records)} still train. Come back to this page later."
    return f"None of the {len(records)} trials came to an end: see the reasons under Failures."


def _figures(view: View) -> list[tuple[str, Child, Child]]:
    best, found = view.best, list[tuple[str, Child, Child]]()
    if best is not None:
        shares = used(best, view.experiment.budget)
        first = next(iter(view.finalists), None)
        error, note_ = (
            (first.error, f"95 %: {between(first.low, first.high)}")
            if first
            else (best.error, f"guessing: {_chance(view)}")
        )
        found.append(("validation error", quantity("error", error), note_))
        for name in dict.fromkeys((*shares, "params", "macs")):
            note: Child = meter(shares[name], NAMES[name]) if name in shares else "no limit"
            found.append((NAMES[name], quantity(name, getattr(best.cost, name)), note))
    done, asked = len(view.complete), view.experiment.trials
    found.append(("trials complete", f"{done:,}", f"of {asked:,} asked for, {len(view.front)} on the front"))
    return found


def _chance(view: View) -> str:
    return percent(1 - 1 / view.run.task.classes)


def meter(share: float, what: str) -> Markup:
    """A share of a limit as a bar and in words."""
    label = f"{percent(share)} of the budget of {what}"
    bar = tag("span", tag("span", style=f"width:{min(share, 1):.1%}"), class_="bar", aria_hidden="true")
    return tag("span", bar, f"{percent(share)} of the budget", aria_label=label, role="img")
