"""report, export: what a search leaves behind."""

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.app import RunDir, app, say, tell
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
