"""report, export, finalists: what a search leaves behind."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nas.cli.app import Json, RunDir, app, info, output, text_table
from nas.errors import ExportError

if TYPE_CHECKING:
    from nas.model.export import ExportResult
    from nas.model.formats import Format
    from nas.search.results.finalists import Finalist

Choice = Literal["source", "onnx", "pt2", "all"]
What = Annotated[str, typer.Argument(help="A run, RUN:TRIAL, a baseline, a genome file, or a search space.")]


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="A run directory; several are compared.")],
    format_: Annotated[Literal["html", "md"], typer.Option("--format", help="A page, or Markdown to stdout.")] = "html",
    out: Annotated[
        Path | None, typer.Option(help="File of a comparison; RUN/report/comparison.html otherwise.")
    ] = None,
) -> None:
    """Write the run's page: one offline HTML file, with figures and tables beside it. Several runs: one comparison."""
    from nas.report import compare, markdown, write
    from nas.search.store.study import load_run

    found = [load_run(run) for run in runs]
    if format_ == "md":
        output("\n".join(markdown(run) for run in found).rstrip())
        return
    page = write(found[0]) if len(found) == 1 else compare(found, out)
    info("the report, for a browser:")
    output(str(page))


@app.command()
def export(
    what: What,
    trial: Annotated[str, typer.Option(help="A trial's number, or best, when WHAT is a run.")] = "best",
    out: Annotated[Path | None, typer.Option(help="Folder; RUN/export/TRIAL or exports/WHAT otherwise.")] = None,
    format_: Annotated[Choice, typer.Option("--format", help="What to write beside the source.")] = "source",
    seed: Annotated[int, typer.Option(help="Seed of an untrained network's weights, and of a draw.")] = 0,
) -> None:
    """Hand over a network: source, weights, genome and card, with a parity check in a clean process.

    A run's trial comes trained, by itself or as RUN:TRIAL; any other network comes with untrained weights.
    """
    from nas.model.formats import FORMATS, check_formats
    from nas.model.parity import TOLERANCE

    formats = FORMATS if format_ == "all" else (format_,)
    check_formats(formats)
    if chosen := _trial(what, trial):
        exported = _trained(*chosen, out, formats)
    else:
        exported = _untrained(what, out, seed, formats)
    for name, row in exported.parity.items():
        info(f"parity of {name}: {max(row.values()):.1e} in a clean process")
    info("the network, ready to use:")
    output(str(exported.folder / "net.py"))
    if not exported.agrees:
        raise ExportError(
            f"{exported.folder}: a file differs by {exported.max_difference:.1e}, more than {TOLERANCE:.0e}"
        )


def _trial(what: str, trial: str) -> tuple[Path, str] | None:
    """The run and the trial that WHAT names, if it names one."""
    run, colon, number = what.rpartition(":")
    if colon and Path(run).is_dir():
        return Path(run), number
    return (Path(what), trial) if Path(what).is_dir() else None


def _trained(run: Path, trial: str, out: Path | None, formats: "tuple[Format, ...]") -> "ExportResult":
    from nas.search.results.export_trial import export_trial
    from nas.search.store.study import load_run

    found = load_run(run)
    record = found.record(trial)
    folder = out or run / "export" / f"{record.number:06d}"
    exported, accuracy = export_trial(found, record, folder, info, formats)
    info(f"test accuracy {accuracy:.4f}, read once")
    return exported


def _untrained(what: str, out: Path | None, seed: int, formats: "tuple[Format, ...]") -> "ExportResult":
    from nas.cli.networks import find_network
    from nas.cli.untrained import hand_over_untrained

    graph, _ = find_network(what, seed, "digits")
    info(f"{what} is no trial of a run: its weights are untrained")
    return hand_over_untrained(graph, what, out or Path("exports") / Path(what).stem, seed, formats)


@app.command()
def finalists(
    run: RunDir,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Trainings of each network.")] = 3,
    most: Annotated[int, typer.Option(min=1, max=1000, help="Networks of the front, of least error first.")] = 5,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Epochs of each training; twice the search's otherwise.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train the front again from several seeds on a longer schedule, then read the test split once for each."""
    from dataclasses import asdict, replace

    from nas.search.results.finalists import Finalist
    from nas.search.results.finalists import finalists as train_again
    from nas.search.store.study import load_run

    found = load_run(run)
    recipe = replace(found.experiment.recipe, epochs=epochs or 2 * found.experiment.recipe.epochs)
    ranked: list[Finalist] = []
    for step in train_again(found, recipe, seeds, most):
        if isinstance(step, Finalist):
            ranked.append(step)
        else:
            info(step)
    if as_json:
        output([asdict(finalist) for finalist in ranked])
        return
    rows = [("trial", "validation error", "95 % interval", "test error")]
    rows += [(str(f.number), f"{f.error:.4f}", spread(f), f"{f.test_error:.4f}") for f in ranked]
    output(text_table(list(rows)))


def spread(finalist: "Finalist") -> str:
    """The interval of its mean, which one training has not."""
    return f"{finalist.low:.4f} to {finalist.high:.4f}" if len(finalist.errors) > 1 else "-"
