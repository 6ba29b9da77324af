"""diff: what separates two networks."""

from typing import Annotated

import typer

from nas.cli.app import Json, app, output, text_table
from nas.cli.networks import On, Seed, find_network

Which = "a baseline, a genome file, RUN:TRIAL, or a search space with --seed"


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help=f"From: {Which}.")],
    second: Annotated[str, typer.Argument(metavar="B", help=f"To: {Which}.")],
    seed: Seed = 0,
    data: On = "digits",
    as_json: Json = False,
) -> None:
    """Say in words what separates two networks, and what that does to their costs."""
    from nas.genome.cost import cost
    from nas.genome.diff import differences
    from nas.genome.metrics import receptive_field

    graphs = [find_network(what, seed, data)[0] for what in (first, second)]
    counts = [cost(graph).as_dict() | {"receptive_field": receptive_field(graph)} for graph in graphs]
    said = differences(*graphs)
    if as_json:
        output({"differences": said, "a": counts[0], "b": counts[1]})
        return
    rows: list[tuple[str, ...]] = [("", "A", "B", "from A to B")]
    rows += [
        (name, f"{a:,}", f"{b:,}", change(a, b))
        for (name, a), b in zip(counts[0].items(), counts[1].values(), strict=True)
    ]
    lines = [f"- {sentence}" for sentence in said] or ["They are one network."]
    output("\n".join([f"A  {first}", f"B  {second}", "", *lines, "", text_table(rows)]))


def change(before: int, after: int) -> str:
    """How much more or less: +36 %, or a factor from twice on."""
    if before == after:
        return "the same"
    if not before or after >= 2 * before:
        return f"x {after / before:.2g}" if before else "more"
    return f"{after / before - 1:+.1%}".replace("%", " %")
