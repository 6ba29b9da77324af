"""doctor: what is inconsistent in a run, and its mending."""

from typing import Annotated

import typer

from nas.cli.app import EXIT_FINDINGS, RunDir, app, info, output


@app.command()
def doctor(
    run: RunDir,
    mend: Annotated[bool, typer.Option("--mend", help="Act; otherwise say what would be done.")] = False,
) -> None:
    """Find what is inconsistent in a run that nobody works on, and mend it. Exits 1 when something is left."""
    from nas.search.results.doctor import find_inconsistencies

    left = 0
    for finding in find_inconsistencies(run, mend):
        mended = mend and finding.fix is not None
        left += not mended
        deed = "mended" if mended else "--mend would" if finding.fix else "to be done by you"
        output(f"{finding.what}\n  {deed}: {finding.remedy}")
    if left:
        raise typer.Exit(EXIT_FINDINGS)
    info(f"{run} is consistent")
