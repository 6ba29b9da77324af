"""Progress: hypervolume of the Pareto front over trials, against random order."""

from pathlib import Path

from nas.report.html.markup import tag
from nas.report.html.section import Section, chooser, plot, section
from nas.report.run.hypervolume import SearchProgress
from nas.report.run.view import View
from nas.report.text import form_of, listed, percent, quantity

SIGNIFICANT = 0.05


def progress_section(view: View) -> Section | None:
    """Return hypervolume over trials and over training time; None while no trial is complete."""
    progress = view.progress
    if progress is None:
        return None
    menu = chooser("course", "over", {"trials": "complete trials", "seconds": "training time"})
    drawing = plot("progress", "Hypervolume over trials", _caption(view, progress))
    curves = {name: getattr(progress, name).round(6).tolist() for name in ("found", "mean", "low", "high")}
    data = {
        "trials": progress.trials.tolist(),
        "seconds": progress.seconds.round(1).tolist(),
        "range": progress.window,
        **curves,
    }
    html = section("progress", "Did the search learn?", tag("p", tag("strong", learned(view))), menu, drawing)
    return Section(html, {"progress": data}, Path(__file__).with_suffix(".js"))


def learned(view: View) -> str:
    """Return in a sentence whether the search learned; "" while no trial is complete."""
    if view.progress is None:
        return ""
    trials, p = f"{len(view.complete):,} trials", view.progress.p
    if p is None:
        return f"Too few trials to say whether the search beat chance ordering: {len(view.complete)}."
    tested = f"{trials}, p = {p:.1g}" if p < 0.01 else f"{trials}, p = {p:.2f}"
    if p < SIGNIFICANT:
        return f"The search learned: its later trials are better than in chance ordering ({tested})."
    return f"No evidence that it beat chance ordering: {tested}."


def _caption(view: View, progress: SearchProgress) -> str:
    worst = zip(view.experiment.objectives, progress.reference, strict=True)
    point = listed([f"{percent(value) if form_of(name) == 'share' else quantity(name, value)} {view.noun(name)}"
                    for name, value in worst])  # fmt: skip
    below = (progress.found < progress.low - 1e-12).mean()
    above = (progress.found > progress.high + 1e-12).mean()
    return (
        "Hypervolume of the Pareto front: the share of the box from zero to the reference point that the front "
        f"dominates. The reference point is {point} (error of guessing; the budget's limit or the objective's upper "
        "bound, otherwise 1.1 times the worst value). Band: chance ordering, the same trials in random order, mean and "
        "90 % of 100 shuffles. A search that learns finds its good networks late, so its curve is below the band. This "
        f"search was below it for {percent(below)} of its course, inside it for {percent(1 - below - above)} and above "
        f"it for {percent(above)}; its final hypervolume is {progress.found[-1]:.3f}. "
        "p: of a permutation test that later trials are dominated by fewer others than in 999 random orders."
    )
