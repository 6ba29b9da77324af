"""Export of a network that no search trained: a baseline, a genome file, a draw from a space."""

from pathlib import Path

import torch

from nas.genome.baselines import BASELINES, Baseline
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.model.export import ExportResult, export_network
from nas.model.formats import OPSET, Format
from nas.model.module import module


def export_untrained(
    graph: Graph, what: str, folder: Path, seed: int, formats: tuple[Format, ...], opset: int = OPSET
) -> ExportResult:
    """Export a network with torch's default weights drawn from `seed`; source and card state that it is untrained."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = module(graph)
    known = BASELINES.get(what)
    task = known.task if known else Task("images", graph.input, graph.nodes[graph.outputs[0]].shape[0])
    story = f"{_name(what, known)}. Its weights are untrained: torch's default initialization from seed {seed}."
    facts = {"Weights": f"untrained: torch's default initialization, seed {seed}"} | (
        _published_facts(known) if known else {}
    )
    return export_network(graph, network, folder, task, story, facts, formats, opset)


def _name(what: str, known: Baseline | None) -> str:
    return f"The network {what} of {known.year}, family {known.family}" if known else f"The network {Path(what).name}"


def _published_facts(known: Baseline) -> dict[str, str]:
    """Return what the paper reports for the network under the paper's recipe."""
    errors = []
    for entry in known.published:
        values = [f"{name} {value:.2%}" for name, value in (("error", entry.error), ("top 5", entry.top5)) if value]
        recalled = " (recalled, not seen again in the source)" if entry.recalled else ""
        errors += [f"{entry.measure}: {', '.join(values)}{recalled}"] if values else []
    facts = {"Published": "; ".join(errors), "Published recipe": known.recipe, "Note": known.note}
    return {name: text for name, text in facts.items() if text}
