"""report, export, finalists: the results of a search."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nas.cli.app import app, info, output, text_table
from nas.cli.options import DataDir, Json, RunDir, SpaceFile, former_options, refuse_options
from nas.errors import ExperimentError, ExportError, RunError

if TYPE_CHECKING:
    from nas.model.export import ExportResult
    from nas.model.formats import Format
    from nas.search.results.finalist_files import Finalist, FinalistVariant
    from nas.search.store.run import Run

FormatChoice = Literal["source", "onnx", "pt2", "tflite", "all"]
VariantChoice = Literal["all-images", "distilled"]


@app.command("report")
def report_command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="A run directory, or several to compare.")],
    format_: Annotated[
        Literal["html", "md"], typer.Option("--format", help="An HTML page, or Markdown on stdout.")
    ] = "html",
    out: Annotated[
        Path | None,
        typer.Option(help="File to write instead of those in RUN/report; it gets the page alone."),
    ] = None,
    script_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder for one copy of the plotting library (5 MB), which pages then share; by default each page "
            "holds it. Move the pages and the folder together."
        ),
    ] = None,
    space: SpaceFile = None,
) -> None:
    """Write the report of a run, or a comparison of several: one offline HTML page, with figures and tables."""
    from nas.files import atomic_write
    from nas.report import markdown_report, write_comparison, write_report
    from nas.search.store.run import load_run

    found = [load_run(run, space=space) for run in runs]
    if format_ == "md":
        refuse_options("Markdown has no plots", script_dir=script_dir)
        text = "\n".join(markdown_report(run) for run in found).rstrip()
        output(text if out is None else str(atomic_write(out, text + "\n")))
        return
    one = len(found) == 1
    page = write_report(found[0], out, script_dir) if one else write_comparison(found, out, script_dir)
    info("Report, to open in a browser:")
    output(str(page))


@app.command("export")
def export_command(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="A run, RUN:TRIAL, a baseline, a genome file, or a search space.")
    ],
    trial: Annotated[
        str | None, typer.Option(help="When WHAT is a run: a trial's number, or best, which is the default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; default RUN/export/TRIAL or exports/WHAT.")] = None,
    format_: Annotated[
        FormatChoice,
        typer.Option(
            "--format", help="What to write in addition to the source: all is onnx and pt2; tflite has 8-bit integers."
        ),
    ] = "source",
    seed: Annotated[
        int | None, typer.Option(help="Seed of untrained weights, and of a draw from a space; 0 by default.")
    ] = None,
    opset: Annotated[int | None, typer.Option(help="Version of ONNX's operators, 18 to 23; 20 by default.")] = None,
    qat: Annotated[
        int | None,
        typer.Option(min=1, max=1_000, help="Epochs for which tflite is fine-tuned as the integers that it will be."),
    ] = None,
    variant: Annotated[
        VariantChoice | None,
        typer.Option(help="Weights of a finalist trained in another way: all-images or distilled."),
    ] = None,
    data_dir: DataDir = None,
    space: SpaceFile = None,
) -> None:
    """Export a network as source, weights, genome and card, with a parity check in a clean process.

    A trial of a run is exported as it was trained; any other network gets untrained weights.
    """
    from nas.model.formats import FORMATS, OPSET, check_formats
    from nas.model.parity import TOLERANCE

    formats = FORMATS if format_ == "all" else (format_,)
    if "onnx" not in formats:
        refuse_options("no ONNX is written; add --format onnx", opset=opset)
    if "tflite" not in formats:
        refuse_options("no 8-bit integers are written; add --format tflite", qat=qat)
    opset = OPSET if opset is None else opset
    check_formats(formats, opset)
    if chosen := _trial(what, trial):
        refuse_options("the weights of a trial are those it was trained to", seed=seed)
        exported = _trained(*chosen, out, formats, opset, qat or 0, data_dir, space, variant)
    else:
        refuse_options(f"{what!r} is not a run", trial=trial, data_dir=data_dir, space=space, variant=variant)
        if "tflite" in formats:
            raise ExperimentError(f"{what} is not a trial of a run, whose training images tflite is calibrated on")
        exported = _untrained(what, out, seed, formats, opset)
    for name, row in exported.parity.items():
        info(f"parity of {name}: {max(row.values()):.1e} in a clean process")
    info("Network, ready to import:")
    output(str(exported.folder / "net.py"))
    if not exported.agrees:
        raise ExportError(
            f"{exported.folder}: a file differs by {exported.max_difference:.1e}, more than {TOLERANCE:.0e}"
        )


def _trial(what: str, trial: str | None) -> tuple[Path, str] | None:
    """Return the run and the trial that WHAT names, or None if it names another network."""
    run, colon, number = what.rpartition(":")
    if colon and Path(run).is_dir():
        refuse_options(f"{what!r} names the trial", trial=trial)
        return Path(run), number
    return (Path(what), trial or "best") if Path(what).is_dir() else None


def _trained(
    run: Path,
    trial: str,
    out: Path | None,
    formats: "tuple[Format, ...]",
    opset: int,
    qat: int,
    data_dir: Path | None,
    space: str | None,
    variant: "VariantChoice | None",
) -> "ExportResult":
    from nas.search.results.export_trial import export_trial
    from nas.search.store.run import load_run

    found = load_run(run, data_dir, space)
    record = found.record(trial)
    folder = out or run / "export" / (f"{record.number:06d}-{variant}" if variant else f"{record.number:06d}")
    exported, accuracy = export_trial(found, record, folder, info, formats, opset, qat, variant)
    info("test accuracy not measured" if accuracy is None else f"test accuracy {accuracy:.4f}")
    return exported


def _untrained(
    what: str, out: Path | None, seed: int | None, formats: "tuple[Format, ...]", opset: int
) -> "ExportResult":
    from nas.cli.export_untrained import export_untrained
    from nas.cli.networks import find_network, find_space

    graph, _ = find_network(what, seed if find_space(what) else None, None)
    info(f"{what} is not a trial of a run: its weights are untrained")
    return export_untrained(graph, what, out or Path("exports") / Path(what).stem, seed or 0, formats, opset)


@app.command("finalists", context_settings=former_options(most="top"))
def finalists_command(
    run: RunDir,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="Trainings of each network; default the experiment's, or 3.")
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Networks, the front's of lowest error first; default likewise, or 5."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="Epochs of each training; default likewise, or twice the search's."),
    ] = None,
    all_images: Annotated[
        bool | None,
        typer.Option("--all-images", help="Then train the best of them on the images for validation, too."),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT", help="Then train the best of them on the answers of a trial, of a run's best, or RUN:TRIAL."
        ),
    ] = None,
    baselines: Annotated[
        bool | None,
        typer.Option("--baselines", help="Then train the baselines of the search in the same way."),
    ] = None,
    data_dir: DataDir = None,
    space: SpaceFile = None,
    as_json: Json = False,
) -> None:
    """Train the best networks again from several seeds, for longer; then evaluate each once on the test split.

    The same command continues one that was interrupted. With --all-images, --teacher or --baselines, finalists that are
    trained already are kept.
    """
    from dataclasses import asdict

    from nas.search.finalist_settings import FinalistSettings
    from nas.search.results.finalist_variants import train_pending
    from nas.search.results.finalists import train_finalists
    from nas.search.store.run import load_run

    found = load_run(run, data_dir, space).require_search()
    options = {"seeds": seeds, "top": top, "epochs": epochs, "all_images": all_images, "teacher": teacher,
               "baselines": baselines}  # fmt: skip
    given = {key: value for key, value in options.items() if value is not None}
    settings = (found.experiment.finalists or FinalistSettings()).model_copy(update=given)
    if baselines and not found.baselines:
        raise RunError(f"{run} has no baselines yet; the command that made it adds some, with: --baselines NAME,NAME")
    if all_images or teacher or baselines:
        ranked = print_trainings(train_pending(found, settings))
    else:
        recipe = settings.recipe(found.experiment.recipe)
        ranked = print_trainings(train_finalists(found, recipe, settings.seeds, settings.top))
    if as_json:
        output([asdict(finalist) for finalist in ranked])
    else:
        output(finalists_table(found, ranked))


def print_trainings(steps: "Iterator[str | Finalist | FinalistVariant]") -> list["Finalist | FinalistVariant"]:
    """Print the trainings of finalists as they end; return the finalists, best first. Raises as `train_finalists`."""
    ranked: list[Finalist | FinalistVariant] = []
    try:
        for step in steps:
            if isinstance(step, str):
                info(step)
            else:
                ranked.append(step)
    except KeyboardInterrupt:
        info("the trainings that ended are kept; continue with the same command")
        raise
    return ranked


def finalists_table(run: "Run", ranked: "Sequence[Finalist | FinalistVariant]") -> str:
    """Return finalists as a table: mean validation and test error over the seeds, each with its interval.

    The last column is the test error of the weights that are kept.
    """
    titles = run.experiment.error_title, "95 % interval", run.experiment.test_title, "95 % interval"
    rows = [("trial", *titles, "of the weights kept")]
    for each in ranked:
        means = *_mean_error(each.errors), *_mean_error(each.test_errors or (each.test_error,))
        rows.append((_name(run, each), *means, f"{each.test_error:.4f}"))
    return text_table(list(rows))


def _name(run: "Run", finalist: "Finalist | FinalistVariant") -> str:
    title, baseline = getattr(finalist, "title", ""), run.record(str(finalist.number)).baseline
    return f"{baseline or finalist.number}{f', {title}' if title else ''}"


def _mean_error(errors: tuple[float, ...]) -> tuple[str, str]:
    """Return the mean error over seeds and its interval; one training has none, and none has no error."""
    from nas.statistics import mean_share_interval

    if not errors:
        return "-", "-"
    low, high = mean_share_interval(errors)
    return f"{sum(errors) / len(errors):.4f}", f"{low:.4f} to {high:.4f}" if len(errors) > 1 else "-"
