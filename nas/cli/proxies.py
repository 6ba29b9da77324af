"""proxies: scores before training, judged by a finished search."""

from typing import Annotated

import typer

from nas.cli.app import Json, RunDir, app, info, output, text_table


@app.command()
def proxies(
    run: RunDir,
    most: Annotated[int, typer.Option(min=5, max=10_000, help="Networks to score, drawn evenly.")] = 100,
    as_json: Json = False,
) -> None:
    """Would scores before training have found this search's networks? Each beside the counts it must beat."""
    from dataclasses import asdict

    from nas.search.results.proxies import evaluate_proxies
    from nas.search.store.run import load_run
    from nas.search.trial import TrialRecord

    judged = []
    for done, step in enumerate(evaluate_proxies(load_run(run), most), 1):
        if isinstance(step, TrialRecord):
            info(f"scored trial {step.number}, the {done}. network")
        else:
            judged = step
    if as_json:
        output([asdict(row) for row in judged])
        return
    rows = [("score", "rank correlation", "95 % interval", "error of its best network")]
    rows += [
        (j.name, f"{j.rank:+.2f}", f"{j.low:+.2f} to {j.high:+.2f}", f"{j.error:.4f}, {j.regret:.4f} above the least")
        for j in judged
    ]
    info(f"{judged[0].networks} networks; a correlation of 1 orders them as training did")
    output(text_table(list(rows)))
