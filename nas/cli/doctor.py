"""doctor: what is inconsistent in a run, and how to fix it."""

from typing import Annotated

import typer

from nas.cli.app import EXIT_FINDINGS, app, info, output
from nas.cli.options import RunDir, former_options


@app.command("doctor", context_settings=former_options(mend="fix"))
def doctor_command(
    run: RunDir,
    fix: Annotated[bool, typer.Option("--fix", help="Fix what can be fixed; otherwise only print it.")] = False,
) -> None:
    """Find what is inconsistent in a run that is not in use. Exits with 1 if anything is left to fix."""
    from nas.search.results.doctor import find_inconsistencies

    left = 0
    for finding in find_inconsistencies(run, fix):
        fixed = fix and finding.fix is not None
        left += not fixed
        action = "fixed" if fixed else "--fix would" if finding.fix else "to be done by you"
        output(f"{finding.what}\n  {action}: {finding.remedy}")
    if left:
        raise typer.Exit(EXIT_FINDINGS)
    info(f"{run} is consistent")
