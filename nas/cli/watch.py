"""watch: the report of a run in the browser, updated while the search works on it."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.app import app, info, output
from nas.cli.options import RunDir, SpaceFile
from nas.cli.signals import quiet_interrupt
from nas.errors import NasError

if TYPE_CHECKING:
    from nas.report.live.page import LivePage


@app.command("watch")
def watch_command(
    run: RunDir,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the page on this machine; 0 takes a free one.")
    ] = 0,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    space: SpaceFile = None,
) -> None:
    """Show the report of a run in the browser, and update it as trials end, until Ctrl-C.

    The page is for this machine and this user only: its address is on 127.0.0.1 and has a random token. The run is
    only read.
    """
    import webbrowser

    from nas.report.live.page import LivePage
    from nas.report.live.server import PageServer
    from nas.search.results.running import read_live_run

    page = LivePage(lambda: read_live_run(run, space))
    page.html()  # what is wrong with a run is said here, not in the browser
    try:
        server = PageServer(page, port)
    except OSError as problem:
        raise NasError(f"port {port} cannot be used ({problem.strerror}); choose another --port, or none") from None
    with suppress(KeyboardInterrupt), quiet_interrupt(), server:
        info("Report, to open in a browser; Ctrl-C ends it:")
        output(server.url)
        if open_:
            webbrowser.open(server.url)
        _follow(page)
    info("the page is no longer served; a running search continues")


def _follow(page: "LivePage") -> None:
    """Read the run again and again, and print what the search is doing when that changes."""
    note = ""
    while True:
        if page.note != note:
            note = page.note
            info(note)
        time.sleep(page.pause)
        page.refresh()
