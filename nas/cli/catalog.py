"""spaces, primitives, baselines: what a network and a search can be made of."""

from contextlib import suppress
from dataclasses import MISSING, asdict, fields
from inspect import cleandoc
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.app import app, output, text_table
from nas.cli.options import Json, On, refuse_options
from nas.errors import GenomeError, near

if TYPE_CHECKING:
    from nas.genome.graph import Op

DRAWS = 200  # of a space, to see its choices


@app.command("spaces")
def spaces_command(
    space: Annotated[
        str | None, typer.Argument(metavar="SPACE", help="A space, or its Python file, to print its choices.")
    ] = None,
    data: On = None,
    as_json: Json = False,
) -> None:
    """List the bundled search spaces, or the choices of one."""
    from nas.resources import names
    from nas.search.space import space_summary

    if space is None:
        refuse_options("no space is named", data=data)
        rows = {name: space_summary(name) for name in names("search_spaces", ".py")}
    else:
        rows = space_choices(space, data or "digits")
    key = "summary" if space is None else "values"
    output([{"name": name, key: text} for name, text in rows.items()] if as_json else text_table(list(rows.items())))


def space_choices(what: str, data: str) -> dict[str, str]:
    """Return what every choice of a space can be, in words, as far as DRAWS networks show it.

    Raises ExperimentError for a space that is not known or fails.
    """
    import random

    from nas.cli.networks import find_space
    from nas.search.distributions import in_words
    from nas.search.propose.choices import GuidedTrial
    from nas.search.space import load_space
    from nas.training.data import task

    asked, space, rng = task(data), load_space(find_space(what) or what), random.Random(0)
    found: dict[str, str] = {}
    for _ in range(DRAWS):
        trial = GuidedTrial(rng)
        with suppress(GenomeError):
            space(trial, asked)
        found |= {name: in_words(each) for name, each in trial.distributions.items() if name not in found}
    return found


@app.command("primitives")
def primitives_command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A primitive, to print its documentation and every argument.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the building blocks of networks, with their arguments and sources; or all arguments of one."""
    from nas.genome import primitives as known

    if name is not None and name not in known.__all__:
        raise GenomeError(f"no primitive {name[:60]!r}{near(name, known.__all__)}")
    ops = {each: getattr(known, each) for each in ([name] if name else known.__all__)}
    if as_json:
        output([_primitive_row(op) for op in ops.values()])
    elif name:
        output("\n\n".join(filter(None, [_call(ops[name]), cleandoc(ops[name].__doc__), _argument_lines(ops[name])])))
    else:
        output("\n".join(f"{_call(op)}\n    {op.__doc__.splitlines()[0]}" for op in ops.values()))


def _primitive_row(op: "type[Op]") -> dict[str, Any]:
    from nas.genome.op_reference import hyperparameters

    about = {"name": op.__name__, "arguments": _arguments(op), "about": cleandoc(op.__doc__ or "")}
    return about | {"hyperparameters": [asdict(each) for each in hyperparameters(op)]}


def _call(op: "type[Op]") -> str:
    return f"{op.__name__}({_arguments(op)})"


def _arguments(op: "type[Op]") -> str:
    """Return the arguments of a building block as they are written."""
    return ", ".join(
        spec.name if spec.default is MISSING else f"{spec.name}={spec.default!r}" for spec in fields(op) if spec.init
    )


def _argument_lines(op: "type[Op]") -> str:
    """Return two lines for each argument: its type, default and legal values, and its meaning."""
    from nas.genome.op_reference import hyperparameters

    return "\n".join(f"{each}\n    {each.meaning}" for each in hyperparameters(op))


@app.command("baselines")
def baselines_command(as_json: Json = False) -> None:
    """List the networks of the papers with their counts, each for its paper's task."""
    from nas.genome.baselines import BASELINES
    from nas.genome.cost import cost as count
    from nas.genome.metrics import receptive_field

    rows = []
    for name, entry in BASELINES.items():
        graph = entry.graph()
        counts = count(graph)
        field = receptive_field(graph)
        rows.append({"name": name, "year": entry.year, "input": list(entry.task.input), "params": counts.params,
                     "macs": counts.macs, "depth": counts.depth, "receptive_field": field})  # fmt: skip
    if as_json:
        published = [list(map(asdict, entry.counts)) for entry in BASELINES.values()]
        output([row | {"published_counts": counts} for row, counts in zip(rows, published, strict=True)])
        return
    head = ("name", "year", "input", "params", "macs", "depth", "receptive field")
    output(text_table([head, *(tuple(_cell(key, value) for key, value in row.items()) for row in rows)]))


def _cell(key: str, value: Any) -> str:
    """Return 1,234,567 for 1234567, 3x224x224 for [3, 224, 224], and a year as it is."""
    if isinstance(value, list):
        return "x".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and key != "year" else str(value)
