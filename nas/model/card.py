"""The model card of an exported network: what it is, its cost, its accuracy, and how to load it.

It begins with the front matter that model hubs read, so the folder can be uploaded as it is.
"""

import json
import sys
from importlib.metadata import version

import torch

from nas.errors import one_line
from nas.genome.cost import cost
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.model.parity import Parity


def model_card(
    graph: Graph, task: Task, facts: dict[str, str], parity: Parity, predicts: bool = False, has_tflite: bool = False
) -> str:
    """Return the card as Markdown. `facts` are further rows of its table; `parity` has the formats to describe.

    predicts: whether there is a predict.py. has_tflite: whether there is a network.tflite.
    """
    rows = {**_counts(graph, task), **facts, **_differences(parity), **_terms()}
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows.items())
    title = one_line(task.name)
    described = (*parity, "tflite") if has_tflite else tuple(parity)
    others = "".join(OTHERS[name] for name in described if name in OTHERS)
    load = PREDICT + LOAD if predicts else LOAD
    return f"{_front_matter(title)}\n# A convolutional network for {title}\n\n| | |\n|---|---|\n{table}\n{load}{others}"


def _cell(text: str) -> str:
    """Return text as one cell of the table: on one line, with pipes escaped."""
    return one_line(text).replace("|", chr(92) + "|")


def _front_matter(data: str) -> str:
    """Return the front matter as YAML. Each value is written as JSON, which is always valid YAML."""
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
        "Peak memory of activations": f"{counts.peak_bytes:,} bytes per image (float32)",
        "Depth": f"{counts.depth} weighted layers",
    }


def _differences(parity: Parity) -> dict[str, str]:
    """Return one row per format: the difference of its logits from those of the exported network."""
    return {
        f"Parity of {name}": ", ".join(f"batch {n}: {value:.1e}" for n, value in row.items()) + " (clean process)"
        for name, row in parity.items()
    }


def _terms() -> dict[str, str]:
    return {
        "Versions": f"torch {torch.__version__}, safetensors {version('safetensors')}, Python {sys.version.split()[0]}",
        "License": "net.py is yours, under the MIT license or any other you choose",
    }


PREDICT = """
To classify picture files, with torch, safetensors and Pillow (`--onnx` runs `network.onnx`, where there is one):

```
python predict.py cat.jpg dog.png --top 3
```

It turns a picture upright as its EXIF orientation says, composites what is transparent on white, converts it to the
channels of the network, crops the central part of the network's shape, resizes it (bicubic), and normalizes it as the
row Input says. `labels.json` has the name of each class by its index.
"""

LOAD = """
To load it, only torch and safetensors are needed:

```python
from net import Network
from safetensors.torch import load_file
network = Network(); network.load_state_dict(load_file("weights.safetensors")); network.eval()
```
"""

OTHERS = {
    "onnx": """
`network.onnx` maps `images` (batch, channels, height, width) to `scores` (batch, classes), for any batch size:

```python
import onnxruntime
session = onnxruntime.InferenceSession("network.onnx")
(scores,) = session.run(None, {"images": images})  # numpy, float32
```
""",
    "pt2": """
`network.pt2` is the network as an exported program of torch. Such a file can run code when it is loaded, so load only
files from a source you trust.

```python
import torch
network = torch.export.load("network.pt2").module()
```
""",
    "tflite": """
`network.tflite` is the network in 8-bit integers, for TensorFlow Lite Micro and LiteRT. It reads one image at a time,
as the row Input of network.tflite says, and gives one logit per class as int8.

```python
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter("network.tflite"); interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)  # numpy, int8, (1, height, width, channels)
interpreter.invoke()
scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
```
""",
}
