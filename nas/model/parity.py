"""Check that exported files agree with the network: a clean process runs them without this toolkit."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from nas.errors import ExportError
from nas.files import atomic_write
from nas.genome.graph import Shape
from nas.model.formats import FILES, Format

TOLERANCE = 1e-5  # on the same processor the difference is usually exactly zero
BATCHES = (1, 2, 7)
Parity = dict[str, dict[int, float]]
"""The largest difference of a logit by format and batch size: absolute, or relative to the batch's largest logit if
that is above 1 (LeNet-5's outputs are squared distances near 100, which float32 does not resolve to 1e-5)."""

CLEAN = """
import json, runpy, sys
sys.modules["nas"] = None  # the toolkit must not be needed
import torch
from safetensors.torch import load_file
torch.set_num_threads(1)

def source(folder):
    network = runpy.run_path(f"{folder}/net.py")["Network"]()
    network.load_state_dict(load_file(f"{folder}/weights.safetensors"))
    return network.eval()

def onnx(folder):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(f"{folder}/network.onnx", options, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(None, {"images": images.numpy()})[0])

def pt2(folder):
    return torch.export.load(f"{folder}/network.pt2").module()  # trusted: written by this export

def furthest(found, scores):
    return float((found - scores).abs().max() / scores.abs().max().clamp(min=1))

for folder, file, formats in json.load(sys.stdin):
    checks, apart = load_file(file), {}
    batches = [name.removeprefix("images") for name in checks if name.startswith("images")]
    with torch.no_grad():
        for name in formats:
            run = {"source": source, "onnx": onnx, "pt2": pt2}[name](folder)
            apart[name] = {n: furthest(run(checks[f"images{n}"]), checks[f"scores{n}"]) for n in batches}
    print(json.dumps(apart), flush=True)
"""

Comparison = tuple[nn.Module, Path, Shape, tuple[Format, ...]]
"""A network, the folder of its files, the shape of one image, and the formats to compare with the network."""


def parity(network: nn.Module, folder: Path, shape: Shape, formats: tuple[Format, ...] = ("source",)) -> Parity:
    """Compare the files in `folder` with `network` on random images, in batches of 1, 2 and 7.

    Raises ExportError when a file does not run in the clean process.
    """
    return parities([(network, folder, shape, formats)])[0]


def parities(comparisons: Sequence[Comparison]) -> list[Parity]:
    """Compare several exports in one clean process. Raises ExportError naming the first that does not run."""
    with tempfile.TemporaryDirectory() as scratch:
        requests = []
        for number, (network, folder, shape, formats) in enumerate(comparisons):
            file = Path(scratch) / f"{number}.safetensors"
            atomic_write(file, save(_checks(network, shape)))
            requests.append((str(folder.resolve()), str(file), formats))
        arguments = [sys.executable, "-I", "-W", "ignore", "-c", CLEAN]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        done = subprocess.run(
            arguments, input=json.dumps(requests), cwd=scratch, capture_output=True, text=True,
            timeout=900 * len(comparisons), env=environment, check=False,
        )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    if done.returncode:
        _, folder, _, formats = comparisons[len(rows)]
        names = ", ".join(FILES[name] for name in formats)
        raise ExportError(f"{folder}: one of {names} does not run in a clean process:\n{done.stderr[-2000:]}")
    return [{name: {n: row[name][str(n)] for n in BATCHES} for name in row} for row in rows]


def _checks(network: nn.Module, shape: Shape) -> dict[str, torch.Tensor]:
    """Return random images and the logits that every format must compute for them."""
    random = torch.Generator().manual_seed(0)
    network = network.cpu().eval()
    checks: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        for n in BATCHES:
            images = checks[f"images{n}"] = torch.randn(n, *shape, generator=random)
            checks[f"scores{n}"] = network(images).contiguous()
    return checks
