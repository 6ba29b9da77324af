"""What the device offers: its number format, its memory."""

import resource
import sys

import torch

from nas.training.recipe import Recipe


def number_format(recipe: Recipe, place: torch.device) -> torch.dtype:
    """What the step computes in; weights, statistics and evaluation stay float32.

    "auto" is bfloat16 where the processor or card has instructions for it: elsewhere it is emulated, and slower.
    """
    if recipe.precision != "auto":
        return torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32
    if place.type == "cuda":
        fast = torch.cuda.get_device_capability(place) >= (8, 0)  # Ampere was the first
    else:
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32


def forget_peak(place: torch.device) -> None:
    """Begin a trial's count of memory; a process on a CPU cannot."""
    if place.type == "cuda":
        torch.cuda.reset_peak_memory_stats(place)


def peak_bytes(place: torch.device) -> int:
    """The most memory so far: allocated on the card, or resident in this process (since it started) on a CPU."""
    if place.type == "cuda":
        return int(torch.cuda.max_memory_allocated(place))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024  # bytes there, KiB elsewhere
