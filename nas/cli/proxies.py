"""proxies: how well scores before training would have ranked a finished search."""

from typing import Annotated

import typer

from nas.cli.app import app, info, output, text_table
from nas.cli.options import DataDir, Json, RunDir, former_options


@app.command("proxies", context_settings=former_options(most="networks"))
def proxies_command(
    run: RunDir,
    networks: Annotated[int, typer.Option(min=5, max=10_000, help="Networks to score, sampled evenly.")] = 100,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Compare zero-cost scores (synflow and others) with the errors that training gave.

    A score is useful if it ranks the networks of a finished run better than their parameters and MACs do.
    """
    from dataclasses import asdict

    from nas.search.results.proxies import evaluate_proxies
    from nas.search.store.run import load_run
    from nas.search.trial import TrialRecord

    results = []
    for done, step in enumerate(evaluate_proxies(load_run(run, data_dir).require_search(), networks), 1):
        if isinstance(step, TrialRecord):
            info(f"scored trial {step.number} ({done} networks so far)")
        else:
            results = step
    if as_json:
        output([asdict(row) for row in results])
        return
    rows = [("score", "rank correlation", "95 % interval", "error of its best network")]
    rows += [
        (r.name, f"{r.rank:+.2f}", f"{r.low:+.2f} to {r.high:+.2f}", f"{r.error:.4f}, {r.regret:.4f} above the lowest")
        for r in results
    ]
    info(f"{results[0].networks} networks; a correlation of 1 means the same order as after training")
    output(text_table(list(rows)))
