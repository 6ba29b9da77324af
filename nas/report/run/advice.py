"""What to run next: a few sentences, each with the numbers it rests on."""

import shlex
from collections.abc import Iterator

from nas.report.run.frame import used
from nas.report.run.insight import as_number, choices
from nas.report.run.view import View
from nas.report.text import NAMES, clip, percent

MAX_SENTENCES = 3  # sentences; more are not read
FULL = 0.9  # of a limit: the budget binds
FALLING = 0.1  # of the error gained in the last fifth of the epochs: training stops too early
RISING = 0.01  # of the hypervolume gained in the last quarter of the trials: the search stops too early


def advice(view: View) -> list[str]:
    """The most useful next steps, at most three; one sentence where nothing is known yet."""
    if not view.complete:
        return ["Let a few trials come to an end; then this page can say more."]
    found = [*_finalists(view), *_trials(view), *_epochs(view), *_edges(view), *_budget(view)]
    settled = (
        "The search has settled inside its space and budget: ask another question, with another space or a smaller "
    )
    return found[:MAX_SENTENCES] or [settled + "budget."]


def _finalists(view: View) -> Iterator[str]:
    if not view.finalists:
        path = shlex.quote(clip(view.run.path, 200))
        yield (
            f"Each network was trained once, so the order of the best is partly luck: nas finalists {path} trains "
            f"the front ({len(view.front)} networks) from several seeds and reads the test split."
        )


def _trials(view: View) -> Iterator[str]:
    found = view.progress
    if found is None or len(found.found) < 8:
        yield f"With {len(view.complete)} complete trials the front is hardly known: train more."
        return
    gain = 1 - float(found.found[3 * len(found.found) // 4]) / max(float(found.found[-1]), 1e-12)
    if gain > RISING:
        asked = 2 * view.experiment.trials
        yield (
            f"The last quarter of the trials still added {gain:.1%} of the hypervolume: more trials should pay "
            f"(nas resume --trials {asked})."
        ).replace("%", " %")


def _epochs(view: View) -> Iterator[str]:
    gains = []
    for record in view.front:
        errors = [score.error for score in record.scores]
        before = errors[4 * len(errors) // 5 - 1] if len(errors) >= 5 else 0.0
        gains += [1 - errors[-1] / before] if before > 0 else []
    gain = sorted(gains)[len(gains) // 2] if gains else 0.0
    if gain > FALLING:
        yield (
            f"The front's errors still fell by {percent(gain)} in the last fifth of the epochs: a longer recipe than "
            f"{view.experiment.recipe.epochs} epochs may order the networks differently."
        )


def _edges(view: View) -> Iterator[str]:
    top = view.complete[: max(3, len(view.complete) // 10)]
    for name in choices(view.complete):
        values = [v for r in view.complete if (v := as_number(r.choices.get(name))) is not None]
        best = [v for r in top if (v := as_number(r.choices.get(name))) is not None]
        if len(set(values)) < 4 or len(best) < 3:
            continue
        for end, word in ((max(values), "largest"), (min(values), "smallest")):
            at = sum(value == end for value in best)
            if at > 0.7 * len(best):
                yield (
                    f"{clip(name, 40)} stands at its {word} value ({end:g}) in {at} of the {len(best)} best "
                    "networks: widen its range in the space."
                )


def _budget(view: View) -> Iterator[str]:
    best = view.best
    assert best is not None
    shares = used(best, view.experiment.budget)
    full = {name: share for name, share in shares.items() if share > FULL}
    if full:
        names = " and ".join(f"{percent(share)} of the {NAMES[name]}" for name, share in full.items())
        yield f"The best network takes {names}: with a larger budget a better one is likely."
    elif shares and max(shares.values()) < 0.6:
        name = max(shares, key=lambda name: shares[name])
        yield (
            f"The best network takes only {percent(shares[name])} of the {NAMES[name]}: the budget does not hold it "
            "back; look for the limit in space, recipe or data."
        )
