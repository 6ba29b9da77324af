"""A network that no search has trained, handed over: a baseline, a genome file, a draw from a space."""

from pathlib import Path

import torch

from nas.genome.baselines import BASELINES, Baseline
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.model.export import ExportResult, export_network
from nas.model.formats import Format
from nas.model.module import module


def hand_over_untrained(
    graph: Graph, what: str, folder: Path, seed: int, formats: tuple[Format, ...]
) -> ExportResult:  # fmt: skip
    """Export a network with torch's default weights drawn from `seed`, and say so in file and card."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = module(graph)
    known = BASELINES.get(what)
    task = known.task if known else Task("images", graph.input, graph.nodes[graph.outputs[0]].shape[0])
    story = f"{_called(what, known)}. Its weights are untrained: torch's default initialisation from seed {seed}."
    facts = {"Weights": f"untrained: torch's default initialisation, seed {seed}"} | (_reported(known) if known else {})
    return export_network(graph, network, folder, task, story, facts, formats)


def _called(what: str, known: Baseline | None) -> str:
    return f"The network {what} of {known.year}, family {known.family}" if known else f"The network {Path(what).name}"


def _reported(known: Baseline) -> dict[str, str]:
    """What its paper says of it, trained as its paper trains it."""
    errors = []
    for entry in known.published:
        values = [f"{name} {value:.2%}" for name, value in (("error", entry.error), ("top 5", entry.top5)) if value]
        recalled = " (recalled, not seen again in the source)" if entry.recalled else ""
        errors += [f"{entry.measure}: {', '.join(values)}{recalled}"] if values else []
    facts = {"Published": "; ".join(errors), "Published recipe": known.recipe, "Note": known.note}
    return {name: text for name, text in facts.items() if text}
