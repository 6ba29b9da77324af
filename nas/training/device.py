"""What depends on the device: which there is, the number format of a step, its kernels, and the peak memory."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.training.recipe import Recipe

MIN_CHANNELS = 8


def has_device(device: str) -> bool:
    """Return whether torch finds a device of this kind here: "cpu", "cuda" or "mps"."""
    if device == "mps":
        return torch.backends.mps.is_available()
    return device == "cpu" or torch.cuda.is_available()


def best_device() -> Literal["cpu", "cuda", "mps"]:
    """Return what "auto" means here: a GPU that torch finds, otherwise the CPU."""
    return "cuda" if has_device("cuda") else "mps" if has_device("mps") else "cpu"


def step_dtype(recipe: Recipe, device: torch.device) -> torch.dtype:
    """Return the number format that a training step computes in; weights, statistics and evaluation are float32.

    "auto" is bfloat16 where the processor or GPU has instructions for it: elsewhere it is emulated, and slower.
    """
    if recipe.precision != "auto":
        return torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)  # since Ampere
    elif device.type == "mps":
        native = False
    else:
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


@contextmanager
def safe_kernels(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Meanwhile, compute each narrow 1x1 convolution with a stride as one without, of every stride-th pixel.

    On a CPU, in float32 and channels last, torch's gradient of the former writes out of bounds when the input has fewer
    than MIN_CHANNELS channels (seen in torch 2.13): the process is killed. The results are the same.
    """
    narrow = [each for each in network.modules() if device.type == "cpu" and _is_narrow_pointwise(each)]
    for conv in narrow:
        conv.forward = partial(_subsampled, conv)  # type: ignore[method-assign]  # shadows the method of the class
    try:
        yield
    finally:
        for conv in narrow:
            del conv.forward


def _is_narrow_pointwise(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    if not isinstance(module, nn.Conv2d) or module.in_channels >= MIN_CHANNELS:
        return False
    return module.kernel_size == (1, 1) and module.stride != (1, 1) and module.padding == (0, 0)


def _subsampled(conv: nn.Conv2d, x: Tensor) -> Tensor:
    down, right = conv.stride
    return F.conv2d(x[:, :, ::down, ::right], conv.weight, conv.bias, groups=conv.groups)


def reset_peak_bytes(device: torch.device) -> None:
    """Start a trial's peak of memory on a GPU; that of a CPU process cannot be reset."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_bytes(device: torch.device) -> int:
    """Return the peak of memory in bytes; 0 where the system does not tell.

    It is what was allocated on a GPU, or resident in this process since it started.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # Windows has none
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, others KiB
