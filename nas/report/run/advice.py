"""What to run next: a few sentences, each with the numbers behind it."""

from collections.abc import Iterator

from nas.report.html.markup import tag
from nas.report.html.section import Section, section
from nas.report.run.frame import used
from nas.report.run.insight import as_number, choice_names
from nas.report.run.view import View
from nas.report.text import clip, listed, noun, percent

MAX_SENTENCES = 3
FULL = 0.9  # share of a limit: the budget binds
FALLING = 0.1  # share by which the error fell in the last fifth of the epochs: training stops too early
RISING = 0.01  # share of the hypervolume gained in the last quarter of the trials: the search stops too early


def advice_section(view: View) -> Section:
    """Return the next steps as a list."""
    steps = tag("ol", [tag("li", line) for line in advice(view)], class_="next")
    return Section(section("next", "What to run next", steps))


def advice(view: View) -> list[str]:
    """Return the most useful next steps, at most three."""
    if not view.complete:
        return ["Wait for a few trials to complete, then write the report again."]
    found = [*_finalists(view), *_trials(view), *_epochs(view), *_edges(view), *_budget(view)]
    return found[:MAX_SENTENCES] or ["The search has converged: try another space or a smaller budget."]


def _finalists(view: View) -> Iterator[str]:
    if not view.finalists:
        yield (
            "Each network was trained from one seed, so the order of the best is partly chance: nas finalists "
            f"{view.argument} trains the front ({len(view.front)} networks) from several seeds and evaluates it on the "
            "test split."
        )


def _trials(view: View) -> Iterator[str]:
    progress = view.progress
    if progress is None or len(progress.found) < 8:
        yield f"{len(view.complete)} complete trials are too few to know the front: train more."
        return
    volumes = progress.found
    gain = 1 - float(volumes[3 * len(volumes) // 4]) / max(float(volumes[-1]), 1e-12)
    if gain > RISING:
        added = f"{gain:.1%}".replace("%", " %")
        yield (
            f"The last quarter of the trials added {added} of the hypervolume: more trials should help "
            f"(nas resume {view.argument} --trials {2 * view.experiment.trials})."
        )


def _epochs(view: View) -> Iterator[str]:
    gains = []
    for record in view.front:
        errors = [score.error for score in record.scores]
        before = errors[4 * len(errors) // 5 - 1] if len(errors) >= 5 else 0.0
        gains += [1 - errors[-1] / before] if before > 0 else []
    gain = sorted(gains)[len(gains) // 2] if gains else 0.0
    if gain > FALLING:
        yield (
            f"The errors of the front fell by {percent(gain)} in the last fifth of the epochs: a recipe of more than "
            f"{view.experiment.recipe.epochs} epochs may rank the networks differently."
        )


def _edges(view: View) -> Iterator[str]:
    top = view.complete[: max(3, len(view.complete) // 10)]
    for name in choice_names(view.complete):
        values = [v for r in view.complete if (v := as_number(r.choices.get(name))) is not None]
        best = [v for r in top if (v := as_number(r.choices.get(name))) is not None]
        if len(set(values)) < 4 or len(best) < 3:
            continue
        for end, word in ((max(values), "largest"), (min(values), "smallest")):
            at = sum(value == end for value in best)
            if at > 0.7 * len(best):
                yield (
                    f"{clip(name, 40)} is at its {word} value ({end:g}) in {at} of the {len(best)} best "
                    "networks: widen its range in the space."
                )


def _budget(view: View) -> Iterator[str]:
    best = view.best
    assert best is not None
    shares = used(best, view.experiment.budget)
    full = {name: share for name, share in shares.items() if share > FULL}
    if full:
        names = listed([f"{percent(share)} of the {noun(name)}" for name, share in full.items()])
        yield f"The best network uses {names} allowed: with a larger budget a better one is likely."
    elif shares and max(shares.values()) < 0.6:
        name = max(shares, key=lambda name: shares[name])
        yield (
            f"The best network uses only {percent(shares[name])} of the {noun(name)} allowed: the budget does not "
            "limit it; the space, the recipe or the data may."
        )
