"""report, export: what a search leaves behind."""

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.app import Json, RunDir, app, say, table, tell
from nas.errors import ExportError


@app.command()
def report(run: RunDir) -> None:
    """Write the run's page: one offline HTML file, with figures and tables beside it."""
    from nas.report import write
    from nas.search.study import load

    page = write(load(run))
    say("the report, for a browser:")
    tell(str(page))


@app.command()
def export(
    run: RunDir,
    trial: Annotated[str, typer.Option(help="A trial's number, or best.")] = "best",
    out: Annotated[Path | None, typer.Option(help="Folder to write to; RUN/export/TRIAL otherwise.")] = None,
) -> None:
    """Hand over a trained network: source, weights, genome and card, with a parity check in a clean process."""
    from nas.cli.finish import hand_over
    from nas.search.study import load

    found = load(run)
    record = found.record(trial)
    folder = out or run / "export" / f"{record.number:06d}"
    exported, accuracy = hand_over(found, record, folder, say)
    apart = max(exported.parity.values())
    say(f"test accuracy {accuracy:.4f}, read once; parity {apart:.1e} in a clean process")
    say("the network, ready to use:")
    tell(str(folder / "net.py"))
    if not exported.agrees:
        raise ExportError(f"{folder}: the exported network differs by {apart:.1e} from the trained one")


@app.command()
def finalists(
    run: RunDir,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Trainings of each network.")] = 3,
    most: Annotated[int, typer.Option(min=1, max=1000, help="Networks of the front, of least error first.")] = 5,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each training; twice the search's otherwise.")] = None,
    as_json: Json = False,
) -> None:
    """Train the front again from several seeds on a longer schedule, then read the test split once for each."""
    from dataclasses import asdict, replace

    from nas.search.finalists import Finalist
    from nas.search.finalists import finalists as train_again
    from nas.search.study import load

    found = load(run)
    recipe = replace(found.experiment.recipe, epochs=epochs or 2 * found.experiment.recipe.epochs)
    ranked: list[Finalist] = []
    for step in train_again(found, recipe, seeds, most):
        if isinstance(step, Finalist):
            ranked.append(step)
        else:
            say(step)
    if as_json:
        tell([asdict(finalist) for finalist in ranked])
        return
    rows = [("trial", "validation error", "95 % interval", "test error")]
    rows += [(str(f.number), f"{f.error:.4f}", f"{f.low:.4f} to {f.high:.4f}", f"{f.test_error:.4f}") for f in ranked]
    tell(table(list(rows)))
