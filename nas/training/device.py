"""What depends on the device: the number format of a training step, and the peak memory."""

import resource
import sys

import torch

from nas.training.recipe import Recipe


def step_dtype(recipe: Recipe, device: torch.device) -> torch.dtype:
    """Return the number format that a training step computes in; weights, statistics and evaluation are float32.

    "auto" is bfloat16 where the processor or GPU has instructions for it: elsewhere it is emulated, and slower.
    """
    if recipe.precision != "auto":
        return torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)  # since Ampere
    else:
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def reset_peak_bytes(device: torch.device) -> None:
    """Start a trial's peak of memory on a GPU; that of a CPU process cannot be reset."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_bytes(device: torch.device) -> int:
    """Return the peak of memory: allocated on a GPU, or resident in this process since it started on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, others KiB
