"""A trained network leaves: one readable file, its weights, its genome, its card; then proof that they agree.

The proof runs in a clean process that can import torch and safetensors but not this toolkit.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from nas.errors import ExportError
from nas.genome.cost import cost
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.genome.text import to_json
from nas.model.module import run
from nas.model.source import source

TOLERANCE = 1e-6
BATCHES = (1, 2, 7)

CLEAN = """
import json, sys
sys.modules["nas"] = None  # the toolkit must not be needed
sys.path.insert(0, ".")
import torch
from safetensors.torch import load_file
from net import Network
torch.set_num_threads(1)
network = Network()
network.load_state_dict(load_file("weights.safetensors"))
network.eval()
checks = load_file(sys.argv[1])
with torch.no_grad():
    apart = {n: network(checks[f"images{n}"]) - checks[f"scores{n}"] for n in json.loads(sys.argv[2])}
print(json.dumps({n: float(difference.abs().max()) for n, difference in apart.items()}))
"""


@dataclass(frozen=True)
class Exported:
    """Where the files lie, and the largest difference of scores by batch size."""

    folder: Path
    parity: dict[int, float]

    @property
    def agrees(self) -> bool:
        """Whether every score is within TOLERANCE."""
        return all(difference <= TOLERANCE for difference in self.parity.values())


def save_weights(network: nn.Module, path: Path) -> None:
    """The state dict as safetensors, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}, part)
    part.replace(path)


def load_weights(network: nn.Module, path: Path) -> None:
    """Weights from safetensors: plain numbers, which execute nothing."""
    network.load_state_dict(load_file(path))


def export(graph: Graph, network: nn.Module, folder: Path, task: Task, story: str, facts: dict[str, str]) -> Exported:
    """Write net.py, weights.safetensors, genome.json and card.md into `folder`, and check them.

    `story` becomes the docstring of net.py; `facts` are the rows of the card. Raises ExportError when the clean
    process cannot run the file; a difference beyond TOLERANCE is reported in the result.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = source(graph, story)
    (folder / "net.py").write_text(text, encoding="utf-8")
    save_weights(network, folder / "weights.safetensors")
    (folder / "genome.json").write_text(to_json(graph), encoding="utf-8")
    exported = Exported(folder, parity(network, folder, graph))
    (folder / "card.md").write_text(_card(graph, task, facts, exported.parity), encoding="utf-8")
    run(text)  # the text itself must stand on its own, docstring included
    return exported


def parity(network: nn.Module, folder: Path, graph: Graph) -> dict[int, float]:
    """Largest absolute difference of scores between `network` and the exported files, by batch size."""
    random = torch.Generator().manual_seed(0)
    network = network.cpu().eval()
    checks: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        for n in BATCHES:
            images = checks[f"images{n}"] = torch.randn(n, *graph.input, generator=random)
            checks[f"scores{n}"] = network(images).contiguous()
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "checks.safetensors"
        save_file(checks, file)
        arguments = [sys.executable, "-I", "-W", "ignore", "-c", CLEAN, str(file), json.dumps(BATCHES)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        done = subprocess.run(
            arguments, cwd=folder, capture_output=True, text=True, timeout=300, env=environment, check=False
        )
    if done.returncode:
        raise ExportError(f"{folder}/net.py does not run in a clean process:\n{done.stderr[-2000:]}")
    return {int(n): value for n, value in json.loads(done.stdout).items()}


def _card(graph: Graph, task: Task, facts: dict[str, str], apart: dict[int, float]) -> str:
    counts = cost(graph)
    shape = " x ".join(map(str, task.input))
    rows = {
        "Task": f"{task.name}: images of {shape}, {task.classes} classes",
        "Parameters": f"{counts.params:,}",
        "Multiply-accumulates": f"{counts.macs:,} per image ({counts.flops:,} FLOPs)",
        "Activations": f"{counts.activations:,}",
        "Peak memory of activations": f"{counts.peak_bytes:,} bytes (float32, one image)",
        "Depth": f"{counts.depth} weighted layers",
        **facts,
        "Parity": ", ".join(f"batch {n}: {value:.1e}" for n, value in apart.items()) + " (clean process)",
        "Versions": f"torch {torch.__version__}, safetensors {version('safetensors')}, Python {sys.version.split()[0]}",
        "Licence": "the file net.py is yours, under the MIT licence or any other you choose",
    }
    table = "\n".join(f"| {name} | {str(value).replace('|', chr(92) + '|')} |" for name, value in rows.items())
    return CARD.format(title=task.name, table=table)


CARD = """# A convolutional network for {title}

| | |
|---|---|
{table}

Load it in three lines; only torch and safetensors are needed:

```python
from net import Network
from safetensors.torch import load_file
network = Network(); network.load_state_dict(load_file("weights.safetensors")); network.eval()
```
"""
