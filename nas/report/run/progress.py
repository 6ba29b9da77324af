"""Progress: hypervolume of the Pareto front over trials, against random order."""

from pathlib import Path

from nas.report.html.section import Section, chooser, plot, section
from nas.report.run.hypervolume import SearchProgress
from nas.report.run.view import View
from nas.report.text import form_of, listed, percent, quantity


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
    html = section("progress", "Did the search learn?", menu, drawing)
    return Section(html, {"progress": data}, Path(__file__).with_suffix(".js"))


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
        f"it for {percent(above)}; its final hypervolume is {progress.found[-1]:.3f}."
    )
