"""data: the image sets, the folders in which they are looked for, and how to get them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.app import app, info, output, text_table
from nas.cli.options import Json, refuse_options

if TYPE_CHECKING:
    from nas.training.data.catalog.fetch import OnProgress


COLUMNS = ("name", "image", "classes", "train", "test", "where")


@app.command("data")
def data_command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A public set: cifar10, cifar100, mnist or fashion_mnist.")
    ] = None,
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder to save it in; by default the one it is read from.")
    ] = None,
    mirror: Annotated[str | None, typer.Option(help="URL of a folder with the published archives.")] = None,
    as_json: Json = False,
) -> None:
    """List the data sets, or download a public one: NAME [DIR]. Resumes an interrupted download."""
    if name is None:
        refuse_options("name the set to download", mirror=mirror)
        rows = data_rows()
        output(rows if as_json else text_table([tuple(rows[0]), *(tuple(map(_cell, row.values())) for row in rows)]))
        return
    refuse_options("a download prints the folder", json=as_json)
    from nas.training.data import Source
    from nas.training.data.catalog.fetch import fetch

    place = directory or Source(name).data_dir
    with progress_bars() as progress:
        fetch(name, place, progress, mirror)
    info(f"{name} is saved in:")
    output(str(place))


def data_rows() -> list[dict[str, Any]]:
    """Return a row per set: image shape, classes, images for training and for the test, and where they are."""
    from nas.training.data import READERS, Source
    from nas.training.data.catalog.fetch import is_complete
    from nas.training.data.catalog.public_sets import PUBLIC_SETS

    rows: list[tuple[Any, ...]] = [("digits", [1, 8, 8], 10, 1438, 359, "bundled")]
    for name, known in PUBLIC_SETS.items():
        folder = Source(name).data_dir
        state = f"in {folder}" if is_complete(known, folder) else f"not in {folder}; fetch it: nas data {name}"
        rows.append((name, list(known.task.input), known.task.classes, *known.counts, state))
    shown = {row[0] for row in rows}
    rows += [
        (name, None, None, None, None, f"{reader.summary}, in data_dir")
        for name, reader in READERS.items()
        if name not in shown
    ]
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "x".join(map(str, value))
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def progress_bars() -> "Iterator[OnProgress]":
    """Show progress on stderr: bars in a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        known: dict[str, TaskID] = {}

        def update(file: str, there: int, length: int) -> None:
            if file not in known:
                known[file] = bars.add_task(file, total=length)
            bars.update(known[file], completed=there)

        yield update
