"""diff: what separates two networks."""

from typing import Annotated

import typer

from nas.cli.app import app, output, text_table
from nas.cli.networks import find_network
from nas.cli.options import Json, On, Seed, refuse_options

Which = "a baseline, a genome file, RUN:TRIAL, or a search space with --seed"


@app.command("diff")
def diff_command(
    first: Annotated[str, typer.Argument(metavar="A", help=f"From: {Which}.")],
    second: Annotated[str, typer.Argument(metavar="B", help=f"To: {Which}.")],
    seed: Seed = None,
    data: On = None,
    as_json: Json = False,
) -> None:
    """Describe the differences between two networks, and what they change in the costs."""
    from nas.genome.cost import cost
    from nas.genome.diff import differences
    from nas.genome.metrics import receptive_field
    from nas.resources import names

    spaces = [what for what in (first, second) if what in names("search_spaces", ".py")]
    if not spaces:
        refuse_options("neither network is drawn from a search space", seed=seed, data=data)
    graphs = [find_network(what, *((seed, data) if what in spaces else (None, None)))[0] for what in (first, second)]
    counts = [cost(graph).as_dict() | {"receptive_field": receptive_field(graph)} for graph in graphs]
    sentences = differences(*graphs)
    if as_json:
        output({"differences": sentences, "a": counts[0], "b": counts[1]})
        return
    rows: list[tuple[str, ...]] = [("", "A", "B", "from A to B")]
    rows += [
        (name, f"{a:,}", f"{b:,}", relative_change(a, b))
        for (name, a), b in zip(counts[0].items(), counts[1].values(), strict=True)
    ]
    lines = [f"- {sentence}" for sentence in sentences] or ["The networks are the same."]
    output("\n".join([f"A  {first}", f"B  {second}", "", *lines, "", text_table(rows)]))


def relative_change(before: int, after: int) -> str:
    """Return a change as a percentage, +36 %, or as a factor if it at least doubles."""
    if before == after:
        return "the same"
    if not before or after >= 2 * before:
        return f"x {after / before:.2g}" if before else "more"
    return f"{after / before - 1:+.1%}".replace("%", " %")
