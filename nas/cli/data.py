"""data: the image sets there are, where they are looked for, and how to come by them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.app import Json, app, info, output, text_table

if TYPE_CHECKING:
    from nas.training.data.catalog.fetch import Progress


COLUMNS = ("name", "image", "classes", "train", "test", "where")


@app.command()
def data(
    name: Annotated[str | None, typer.Argument(help="A public set: cifar10, cifar100, mnist or fashion_mnist.")] = None,
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder to put it in; where it is looked for otherwise.")
    ] = None,
    mirror: Annotated[str | None, typer.Option(help="URL of a folder that has the published archives.")] = None,
    as_json: Json = False,
) -> None:
    """List the data sets, or fetch a public one: NAME [DIR]. Goes on where a download was cut off."""
    if name is None:
        rows = listing()
        output(rows if as_json else text_table([tuple(rows[0]), *(tuple(map(_cell, row.values())) for row in rows)]))
        return
    from nas.training.data import Source
    from nas.training.data.catalog.fetch import fetch

    place = directory or Source(name).data_dir
    with shown() as progress:
        fetch(name, place, progress, mirror)
    info(f"{name} is in:")
    output(str(place))


def listing() -> list[dict[str, Any]]:
    """A row a set: its images, their classes, how many there are for training and for the test, and where."""
    from nas.training.data import READERS, Source
    from nas.training.data.catalog.fetch import is_complete
    from nas.training.data.catalog.public_sets import PUBLIC_SETS

    rows: list[tuple[Any, ...]] = [("digits", [1, 8, 8], 10, 1438, 359, "comes along")]
    for name, known in PUBLIC_SETS.items():
        place = Source(name).data_dir
        state = f"in {place}" if is_complete(known, place) else f"not in {place}; fetch it: nas data {name}"
        rows.append((name, list(known.task.input), known.task.classes, *known.counts, state))
    shown = {row[0] for row in rows}
    for name, reader in READERS.items():
        if name not in shown:
            rows.append((name, None, None, None, None, f"{reader.summary}, in data_dir"))
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "x".join(map(str, value))
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def shown() -> "Iterator[Progress]":
    """Progress on stderr: a bar in a terminal, silence elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        known: dict[str, TaskID] = {}

        def hear(file: str, there: int, length: int) -> None:
            if file not in known:
                known[file] = bars.add_task(file, total=length)
            bars.update(known[file], completed=there)

        yield hear
