"""The figures for a paper or a slide, as PNG and SVG."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nas.files import atomic_file
from nas.report.run.error_axis import error_axis
from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import axis_title, clip, form_of, noun, percent, quantity, short

BLUE, ORANGE, GRAY = "#0072B2", "#D55E00", "#8A939C"  # distinguishable with any color vision (Okabe & Ito 2008)


def write_figures(view: View, folder: Path) -> None:
    """Write front and hypervolume, each as PNG and SVG; nothing while no trial is complete. Raises OSError."""
    if not view.complete:
        return
    with _figure(folder / "front") as axes:
        _draw_front(view, axes)
    with _figure(folder / "hypervolume") as axes:
        _draw_hypervolume(view, axes)


@contextmanager
def _figure(path: Path) -> Iterator[Any]:
    import matplotlib as mpl
    import seaborn as sns
    from matplotlib.figure import Figure

    # Names may hold dollar signs, which would be read as mathematics; a fixed salt keeps the SVG the same each time.
    style: Any = {"text.parse_math": False, "svg.hashsalt": "nas", "svg.fonttype": "none", "axes.titlelocation": "left"}
    with sns.axes_style("whitegrid", {"grid.color": "#E6E9EC", "axes.edgecolor": "#C9D1D9"}), mpl.rc_context(style):
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.subplots()
        yield axes
        sns.despine(ax=axes)
        for kind, settings in (("png", {"dpi": 160}), ("svg", {"metadata": {"Date": None}})):
            with atomic_file(path.with_suffix(f".{kind}")) as file:
                figure.savefig(file, format=kind, **settings)


def _draw_front(view: View, axes: Any) -> None:
    """Draw error against cost: every complete trial, the front as a step line, the baselines, the budget."""
    import seaborn as sns
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    name, scale = view.abscissa, error_axis([view])
    costs = [value_of(name, record) for record in view.complete]
    sns.scatterplot(x=costs, y=[r.error for r in view.complete], ax=axes, color=GRAY, s=22, alpha=0.6, label="trials")
    members = sorted(record.vector((name, "error")) for record in view.front)
    x, y = [cost for cost, _ in members], [error for _, error in members]
    if len(view.experiment.objectives) == 2:
        axes.step(x, y, where="post", color=BLUE, linewidth=1.4)
    sns.scatterplot(x=x, y=y, ax=axes, color=BLUE, s=42, label=f"front ({len(members)})", zorder=3)
    if view.baselines:
        at = [value_of(name, record) for record in view.baselines]
        known = [view.error_of(record) for record in view.baselines]
        sns.scatterplot(x=at, y=known, ax=axes, color=ORANGE, s=52, marker="D", label="baselines", zorder=4)
    _limits(view, name, axes)
    _scale_errors(view, scale, axes)
    write = percent if form_of(name) == "share" else short
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    error = view.noun("error")
    axes.set(xlabel=axis_title(name), ylabel=error)
    axes.set_title(f"{clip(view.experiment.name, 40)}: {error} against {noun(name)}", weight="bold")
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0)


def _scale_errors(view: View, scale: dict[str, Any], axes: Any) -> None:
    """Show the errors that matter, and those beyond as triangles at the edge."""
    if scale["log"]:
        axes.set_yscale("log")
    if scale["range"]:
        top = scale["range"][1]
        beyond = [record for record in (*view.complete, *view.baselines) if (record.error or 0) > top]
        at = [value_of(view.abscissa, record) for record in beyond]
        axes.plot(at, [top] * len(at), linestyle="", marker="^", color=GRAY, markersize=6, clip_on=False)
        axes.set_ylim(*scale["range"])


def _limits(view: View, name: str, axes: Any) -> None:
    limit = view.limits.get(name)
    for end in (limit.min, limit.max) if limit else ():
        if end is not None:
            axes.axvline(end, color=ORANGE, linestyle="--", linewidth=1.2)
            axes.annotate(f"budget {quantity(name, end)}", (end, 1), (-4, -4), xycoords=("data", "axes fraction"),
                          textcoords="offset points", ha="right", va="top", color=ORANGE, rotation=90)  # fmt: skip


def _draw_hypervolume(view: View, axes: Any) -> None:
    """Draw hypervolume over trials, and over the same trials in random order."""
    progress = view.progress
    assert progress is not None
    axes.fill_between(progress.trials, progress.low, progress.high, color=GRAY, alpha=0.25, linewidth=0,
                      label="random order, 90 %")  # fmt: skip
    axes.plot(progress.trials, progress.mean, color=GRAY, linestyle="--", linewidth=1.2, label="random order, mean")
    axes.plot(progress.trials, progress.found, color=BLUE, linewidth=1.8, drawstyle="steps-post", label="actual order")
    axes.set(xlabel="complete trials", ylim=progress.window, ylabel="hypervolume of the Pareto front")
    axes.set_title(f"{clip(view.experiment.name, 40)}: progress against chance ordering", weight="bold")
    axes.legend(frameon=False, loc="lower right")
