"""A network as an object: pickled, copied, and compiled by TorchScript."""

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nas.genome.baselines import BASELINES
from nas.model import module

SMALL = ("lenet5_paper", "lenet5_modern", "cifar_resnet20", "googlenet_torchvision")


def test_a_network_can_be_pickled_and_copied() -> None:
    graph = BASELINES["lenet5_paper"].graph()
    network = module(graph).eval()
    images = torch.randn(2, *graph.input)
    saved = io.BytesIO()
    torch.save(network, saved)
    saved.seek(0)
    copies = (copy.deepcopy(network), pickle.loads(pickle.dumps(network)), torch.load(saved, weights_only=False))
    for each in copies:
        assert type(each) is type(network)
        assert not each.training
        assert torch.equal(each(images), network(images))


@pytest.mark.slow
def test_a_pickle_is_read_in_another_process(tmp_path: Path) -> None:
    file = tmp_path / "network.pickle"
    file.write_bytes(pickle.dumps(module(BASELINES["cifar_resnet20"].graph())))
    code = f"import pickle; print(type(pickle.load(open({str(file)!r}, 'rb'))).__name__)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "Network\n"
    )


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "lenet5_paper" else pytest.mark.slow) for name in BASELINES]
)
def test_torchscript_compiles_every_baseline(name: str) -> None:
    network = module(BASELINES[name].graph()).eval()
    script = torch.jit.script(network)
    if name in SMALL:
        images = torch.randn(2, *BASELINES[name].graph().input)
        assert torch.allclose(script(images), network(images), atol=1e-5)
