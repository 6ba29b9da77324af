"""The card of an exported network: what it is, what it costs, how well it does, how to load it.

It opens with the front matter that model hubs read, so the folder can be uploaded as it is.
"""

import json
import sys
from importlib.metadata import version

import torch

from nas.genome.cost import cost
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.model.parity import Parity


def model_card(graph: Graph, task: Task, facts: dict[str, str], apart: Parity) -> str:
    """The card as Markdown. `facts` are further rows of its table."""
    rows = {**_counts(graph, task), **facts, **_checked(apart), **_terms()}
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows.items())
    title = " ".join(task.name.split())
    others = "".join(OTHERS[name] for name in apart if name in OTHERS)
    return f"{_front_matter(title)}\n# A convolutional network for {title}\n\n| | |\n|---|---|\n{table}\n{LOAD}{others}"


def _cell(text: str) -> str:
    """On one line, and no cell more."""
    return " ".join(text.split()).replace("|", chr(92) + "|")


def _front_matter(data: str) -> str:
    """YAML, each value written as JSON, which is YAML whatever it holds."""
    fields = {
        "license": "mit",
        "library_name": "pytorch",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "neural-architecture-search", "convolutional-neural-network", data],
    }
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in fields.items())
    return f"---\n{lines}---\n"


def _counts(graph: Graph, task: Task) -> dict[str, str]:
    counts = cost(graph)
    return {
        "Task": f"{task.name}: images of {' x '.join(map(str, task.input))}, {task.classes} classes",
        "Parameters": f"{counts.params:,}",
        "Multiply-accumulates": f"{counts.macs:,} per image ({counts.flops:,} FLOPs)",
        "Activations": f"{counts.activations:,}",
        "Peak memory of activations": f"{counts.peak_bytes:,} bytes (float32, one image)",
        "Depth": f"{counts.depth} weighted layers",
    }


def _checked(apart: Parity) -> dict[str, str]:
    """A row a format: how far its scores are from those of the network that was exported."""
    return {
        f"Parity of {name}": ", ".join(f"batch {n}: {value:.1e}" for n, value in row.items()) + " (clean process)"
        for name, row in apart.items()
    }


def _terms() -> dict[str, str]:
    return {
        "Versions": f"torch {torch.__version__}, safetensors {version('safetensors')}, Python {sys.version.split()[0]}",
        "Licence": "the file net.py is yours, under the MIT licence or any other you choose",
    }


LOAD = """
Load it in three lines; only torch and safetensors are needed:

```python
from net import Network
from safetensors.torch import load_file
network = Network(); network.load_state_dict(load_file("weights.safetensors")); network.eval()
```
"""

OTHERS = {
    "onnx": """
`network.onnx` maps `images` (batch, channels, height, width) to `scores`, for any batch:

```python
import onnxruntime
session = onnxruntime.InferenceSession("network.onnx")
(scores,) = session.run(None, {"images": images})  # numpy, float32
```
""",
    "pt2": """
`network.pt2` is the same as an exported program of torch. Such a file can run code when it is loaded: load only those
whose writer you trust.

```python
import torch
network = torch.export.load("network.pt2").module()
```
""",
}
