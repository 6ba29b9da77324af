"""show, cost: what is known about a network without training it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.app import app, info, output, text_table
from nas.cli.options import Json, On, Seed, Target, What, refuse_options
from nas.errors import ExperimentError, RunError

if TYPE_CHECKING:
    from nas.genome.baselines import PublishedCount
    from nas.genome.graph import Graph


def find_network(what: str, seed: int | None, data: str | None) -> "tuple[Graph, str]":
    """Return the network that WHAT names, and a title.

    seed, data: of a draw from a search space. Raises NasError with the nearest name, and where they do not apply.
    """
    from nas.genome.baselines import BASELINES, baseline
    from nas.genome.genome_json import read_genome
    from nas.resources import names

    if space := find_space(what):
        from nas.search.propose.candidate import sample_network
        from nas.search.space import load_space
        from nas.training.data import task

        seed, data = seed or 0, data or "digits"
        return sample_network(load_space(space), task(data), seed), f"{what}, seed {seed}, on {data}"
    refuse_options(f"{what!r} is not a search space", seed=seed, data=data)
    if what in BASELINES:
        return baseline(what), what
    run, colon, trial = what.rpartition(":")
    if colon and Path(run).is_dir():
        from nas.search.store.run import load_run

        return load_run(Path(run)).record(trial).graph, what
    if Path(what).is_file():
        return read_genome(Path(what)), what
    if (genome := Path(what) / "genome.json").is_file():
        return read_genome(genome), what
    if what == "best":
        raise ExperimentError("best of which run? Name it: RUN:best")
    if Path(what).is_dir():
        raise RunError(f"{what} is a directory; name one of its trials: {what}:best")
    if what.endswith(".json") or "/" in what:
        raise ExperimentError(f"no file or directory {what!r}")
    if near_space := get_close_matches(what, names("search_spaces", ".py"), 1):
        raise ExperimentError(f"no network {what!r}; did you mean the search space {near_space[0]!r}?")
    return baseline(what), what


def find_space(what: str) -> str | None:
    """Return the name of the search space that WHAT names, a file's trusted as it was typed; None for anything else."""
    from nas.resources import names
    from nas.search.space import absolute_space
    from nas.user_code import is_outside, trust

    name = absolute_space(what, Path.cwd())
    if is_outside(name) and name.rpartition(":")[0].endswith(".py"):
        trust(name)
        return name
    return what if what in names("search_spaces", ".py") else None


@app.command("show")
def show_command(
    what: What,
    seed: Seed = None,
    data: On = None,
    layers: Annotated[bool, typer.Option("--layers", help="Write every primitive out in layers, with memory.")] = False,
    as_source: Annotated[bool, typer.Option("--source", help="Print the network as Python.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Write a drawing to this SVG file.")] = None,
    dot: Annotated[bool, typer.Option("--dot", help="Print the graph in Graphviz's language.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the genome, which every verb can read.")] = False,
) -> None:
    """Show a network as a table of nodes and of a microcontroller's memory, as Python, as a drawing, or as a genome."""
    from nas.genome.genome_json import to_json
    from nas.genome.graph import lower

    forms = {"source": as_source, "json": as_json, "dot": dot, "svg": svg}
    first = next((name for name, given in forms.items() if given not in (None, False)), "")
    refuse_options(f"--{first} gives another form", **{name: forms[name] for name in forms if name != first})
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
        from nas.files import atomic_write
        from nas.report.network import draw

        atomic_write(svg, draw(graph))
        info(f"Drawing: {svg}")
    else:
        from nas.cli.device_tables import find_target, print_device_tables

        output(text_table(node_rows(graph)))
        print_device_tables(graph, find_target(what, None), layers)


def node_rows(graph: "Graph") -> list[tuple[str, ...]]:
    """Return a row per node under a header: shape, parameters, MACs, name, inputs, op."""
    from nas.genome.cost import tally

    rows: list[tuple[str, ...]] = [("shape", "params", "macs", "name", "from", "op")]
    for node in graph.nodes:
        counts = tally(node.placed)
        inputs = ",".join(graph.nodes[i].name for i in node.inputs)
        shape = "x".join(map(str, node.shape))
        rows.append((shape, f"{counts.params:,}", f"{counts.macs:,}", node.name, inputs, str(node.op)))
    return rows


@app.command("cost")
def cost_command(
    what: What,
    seed: Seed = None,
    data: On = None,
    target: Target = None,
    latency: Annotated[
        bool, typer.Option("--latency", help="Measure it: on this machine, or as the board of --target says.")
    ] = False,
    nodewise: Annotated[bool, typer.Option("--nodes", help="Print the counts of each node, too.")] = False,
    layerwise: Annotated[
        bool, typer.Option("--layers", help="Print the memory of each layer, and the tensors at the peak.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Count a network exactly, per image: parameters, MACs, FLOPs, activations, peak memory, depth.

    RAM and flash are those of a microcontroller that runs it in 8-bit integers, beside what a board has: that of
    --target, or that of the run in RUN:TRIAL. A network of a paper is shown beside the counts that others print of it.
    """
    from nas.cli.device_tables import device_facts, find_target, measure_latency, print_device_tables
    from nas.genome.baselines import BASELINES
    from nas.genome.cost import cost as count
    from nas.genome.metrics import receptive_field

    if as_json:
        refuse_options("--json prints the totals only", nodes=nodewise, layers=layerwise)
    graph, title = find_network(what, seed, data)
    counts = count(graph).as_dict() | {"receptive_field": receptive_field(graph)}
    published = BASELINES[what].counts if what in BASELINES else ()
    board = find_target(what, target)
    measured = measure_latency(graph, target) if latency else None
    if as_json:
        papers = {"published_counts": list(map(asdict, published))} if published else {}
        output(counts | device_facts(graph, board, measured) | papers)
        return
    units = {"macs": "multiply-accumulates", "flops": "2 * macs", "peak_bytes": "float32 tensors alive at once",
             "depth": "weighted layers on the longest path", "receptive_field": "pixels"}  # fmt: skip
    info(f"{title}: input {'x'.join(map(str, graph.input))}")
    output("\n".join(f"{name:<16}{value:>16,}  {units.get(name, '')}".rstrip() for name, value in counts.items()))
    if measured:
        output(f"{'latency_ms':<16}{measured.median_ms:>16,.3f}  {measured.details}")
    if published:
        output("\n" + text_table(published_rows(counts, published)))
    print_device_tables(graph, board, layerwise)
    if nodewise:
        output("\n" + text_table(node_rows(graph)))


def published_rows(counts: Mapping[str, int], published: Sequence["PublishedCount"]) -> list[tuple[str, ...]]:
    """Return a row per source under a header and the counts of this toolkit: parameters, MACs, source."""
    rows = [("params", "macs", "source"), (f"{counts['params']:,}", f"{counts['macs']:,}", "counted here")]
    for each in published:
        remark = f" ({each.remark})" if each.remark else ""
        rows.append((each.params or "-", each.macs or "-", each.source + remark))
    return [(params.rjust(13), macs.rjust(14), source) for params, macs, source in rows]
