"""spaces, primitives, baselines, show, cost: what can be known of a network without training it."""

from dataclasses import MISSING, fields
from difflib import get_close_matches
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.app import Json, app, info, output, text_table
from nas.errors import ExperimentError, GenomeError, RunError, near

if TYPE_CHECKING:
    from nas.genome.graph import Graph, Op

What = Annotated[str, typer.Argument(help="A baseline, a genome file, RUN:TRIAL, or a search space with --seed.")]
Seed = Annotated[int, typer.Option(help="Seed of the draw when WHAT is a search space.")]
On = Annotated[str, typer.Option("--data", help="Data set whose images the drawn network reads.")]


def find_network(what: str, seed: int, data: str) -> "tuple[Graph, str]":
    """The network that WHAT names, and a title for it. Raises NasError with the nearest names."""
    from nas.genome.baselines import BASELINES, baseline
    from nas.genome.genome_json import read_genome
    from nas.resources import names

    if what in BASELINES:
        return baseline(what), what
    if what in names("search_spaces", ".py"):
        from nas.search.propose.candidate import sample_network
        from nas.search.space import load_space
        from nas.training.data import task

        return sample_network(load_space(what), task(data), seed), f"{what}, seed {seed}, on {data}"
    run, colon, trial = what.rpartition(":")
    if colon and Path(run).is_dir():
        from nas.search.store.run import load_run

        return load_run(Path(run)).record(trial).graph, what
    if Path(what).is_file():
        return read_genome(Path(what)), what
    if Path(what).is_dir():
        raise RunError(f"{what} is a directory; name a trial of it: {what}:best")
    if what.endswith(".json") or "/" in what:
        raise ExperimentError(f"no file or directory {what!r}")
    if space := get_close_matches(what, names("search_spaces", ".py"), 1):
        raise ExperimentError(f"no network {what!r}; did you mean the search space {space[0]!r}?")
    return baseline(what), what


@app.command()
def spaces(as_json: Json = False) -> None:
    """List the search spaces."""
    from nas.resources import names
    from nas.search.space import space_summary

    rows = {name: space_summary(name) for name in names("search_spaces", ".py")}
    output(
        [{"name": name, "summary": text} for name, text in rows.items()] if as_json else text_table(list(rows.items()))
    )


@app.command()
def primitives(
    name: Annotated[str | None, typer.Argument(help="One of them, to read all that is said of it.")] = None,
    as_json: Json = False,
) -> None:
    """List the building blocks that a space may use, with their arguments and sources."""
    from nas.genome import primitives as known

    if name is not None and name not in known.__all__:
        raise GenomeError(f"no primitive {name[:60]!r}{near(name, known.__all__)}")
    rows = {each: block(getattr(known, each)) for each in ([name] if name else known.__all__)}
    if as_json:
        output([{"name": each, "arguments": arguments, "about": about} for each, (arguments, about) in rows.items()])
    elif name:
        output("\n".join([f"{name}({rows[name][0]})", "", rows[name][1]]))
    else:
        output(
            "\n".join(f"{each}({arguments})\n    {about.splitlines()[0]}" for each, (arguments, about) in rows.items())
        )


def block(op: "type[Op]") -> tuple[str, str]:
    """The arguments of a building block as they are written, and what is said of it."""
    arguments = [
        spec.name if spec.default is MISSING else f"{spec.name}={spec.default!r}" for spec in fields(op) if spec.init
    ]
    return ", ".join(arguments), cleandoc(op.__doc__ or "")


@app.command()
def baselines(as_json: Json = False) -> None:
    """List the networks of the papers, counted for the papers' own tasks."""
    from nas.genome.baselines import BASELINES
    from nas.genome.cost import cost as count
    from nas.genome.metrics import receptive_field

    rows = []
    for name, entry in BASELINES.items():
        graph = entry.graph()
        counts = count(graph)
        sight = receptive_field(graph)
        rows.append({"name": name, "year": entry.year, "input": list(entry.task.input), "params": counts.params,
                     "macs": counts.macs, "depth": counts.depth, "receptive_field": sight})  # fmt: skip
    if as_json:
        output(rows)
        return
    head = ("name", "year", "input", "params", "macs", "depth", "receptive field")
    output(text_table([head, *(tuple(shown(key, value) for key, value in row.items()) for row in rows)]))


def shown(key: str, value: Any) -> str:
    """1234567 -> 1,234,567; [3, 224, 224] -> 3x224x224; a year as it is."""
    if isinstance(value, list):
        return "x".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and key != "year" else str(value)


@app.command()
def show(
    what: What,
    seed: Seed = 0,
    data: On = "digits",
    layers: Annotated[bool, typer.Option("--layers", help="Every primitive written out in layers.")] = False,
    as_source: Annotated[bool, typer.Option("--source", help="The network as Python.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Write a drawing to this file.")] = None,
    dot: Annotated[bool, typer.Option("--dot", help="The graph in Graphviz's language.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The genome, as a file that every verb reads.")] = False,
) -> None:
    """Show a network: its nodes, its source, a drawing, or its genome."""
    from nas.genome.genome_json import to_json
    from nas.genome.graph import lower

    graph, _ = find_network(what, seed, data)
    graph = lower(graph) if layers else graph
    if as_source:
        from nas.model.source import source

        output(source(graph).rstrip())
    elif as_json:
        output(to_json(graph).rstrip())
    elif dot:
        from nas.report.network import to_dot

        output(to_dot(graph).rstrip())
    elif svg is not None:
        from nas.report.network import draw

        svg.write_text(draw(graph), encoding="utf-8")
        info(f"drawn to {svg}")
    else:
        output(text_table(nodes(graph)))


def nodes(graph: "Graph") -> list[tuple[str, ...]]:
    """A row a node: shape, parameters, MACs, name, what it is."""
    from nas.genome.cost import tally

    rows: list[tuple[str, ...]] = [("shape", "params", "macs", "name", "from", "op")]
    for node in graph.nodes:
        counts = tally(node.placed)
        inputs = ",".join(graph.nodes[i].name for i in node.inputs)
        shape = "x".join(map(str, node.shape))
        rows.append((shape, f"{counts.params:,}", f"{counts.macs:,}", node.name, inputs, str(node.op)))
    return rows


@app.command()
def cost(
    what: What,
    seed: Seed = 0,
    data: On = "digits",
    nodewise: Annotated[bool, typer.Option("--nodes", help="Also the counts of each node.")] = False,
    as_json: Json = False,
) -> None:
    """Count a network exactly, per image: parameters, MACs, FLOPs, activations, peak memory, depth."""
    from nas.genome.cost import cost as count
    from nas.genome.metrics import receptive_field

    graph, title = find_network(what, seed, data)
    counts = count(graph).as_dict() | {"receptive_field": receptive_field(graph)}
    if as_json:
        output(counts)
        return
    units = {"macs": "multiply-accumulates", "flops": "2 * macs", "peak_bytes": "float32 tensors alive at once",
             "depth": "weighted layers on the longest path", "receptive_field": "pixels"}  # fmt: skip
    info(f"{title}: an image of {'x'.join(map(str, graph.input))}")
    output("\n".join(f"{name:<16}{value:>16,}  {units.get(name, '')}".rstrip() for name, value in counts.items()))
    if nodewise:
        output(text_table(nodes(graph)))
