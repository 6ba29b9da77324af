"""A split on the device as bytes; batches are cut, augmented and normalised there, with no worker process.

All that is random in an epoch is drawn on the CPU and crosses to the device in one table, so a seed gives the same
images on every device, and no step waits for the host.
"""

import random
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from nas.training.data import Data, Split
from nas.training.recipe import Recipe

ROOM = {"cpu": 2**16, "cuda": 2**20}
"""Pixels of an evaluation batch: what a core's cache likes (64 images of 32 pixels: a DenseNet-BC-22 reads 660 images
a second, 340 in batches of 512), and what fills a card."""


class Batches:
    """A split with room for shifts: `pixels` are its images, black `margin` all round, a row a pixel."""

    def __init__(self, split: Split, data: Data, device: torch.device, margin: int = 0) -> None:
        images = torch.from_numpy(split.images).to(device)
        self.labels = torch.from_numpy(split.labels).to(device)
        self.classes = data.task.classes
        self.height, self.width = images.shape[2:]
        padded = F.pad(images, (margin,) * 4).permute(0, 2, 3, 1)  # channels last: a pixel is one short row
        self.margin, self.grid = margin, padded.shape[1:3]
        self.pixels = padded.reshape(-1, padded.shape[3])
        self.mean = torch.tensor(data.mean, device=device) * 255
        self.std = torch.tensor(data.std, device=device) * 255

    def __len__(self) -> int:
        return len(self.labels)

    def plain(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in order as they are: (batch, channels, height, width) and labels."""
        whole, m = self.pixels.view(len(self), *self.grid, -1), self.margin
        inner = whole[:, m : m + self.height, m : m + self.width]
        size = max(1, ROOM[inner.device.type] // (self.height * self.width))
        for images, labels in zip(torch.split(inner, size), torch.split(self.labels, size), strict=True):
            yield self.normalised(images), labels

    def epoch(self, recipe: Recipe, source: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Every image once, shuffled and augmented: (batch, channels, height, width) and labels.

        Under mixup the labels are probabilities, (batch, classes). The last batch may be smaller, but never one image.
        """
        blend = random.Random(_draw(source, 2**62, 1).item())
        for rows in torch.split(self.plan(recipe, source).to(self.labels.device), recipe.batch, dim=1):
            if rows.shape[1] > 1:
                images, labels = self.augmented(rows, recipe.cutout), self.labels[rows[0]]
                share = blend.betavariate(recipe.mixup, recipe.mixup) if recipe.mixup else 1.0
                yield mixed(images, labels, share, self.classes) if recipe.mixup else (images, labels)

    def plan(self, recipe: Recipe, source: torch.Generator) -> Tensor:
        """(6, n): an image's number, its crop's top and left, whether it is mirrored, its hole's row and column."""
        n, places = len(self), 2 * self.margin + 1
        ranges = (places, places, 1 + recipe.flip, self.height, self.width)
        draws = [_draw(source, high, n) for high in ranges]
        return torch.stack([torch.randperm(n, generator=source), *draws])

    def augmented(self, plan: Tensor, cutout: int) -> Tensor:
        """The images of some columns of a plan, cropped and mirrored by a single gather."""
        image, top, left, mirrored, *centre = plan
        down = torch.arange(self.height, device=plan.device)
        right = torch.arange(self.width, device=plan.device)
        rows = (image * self.grid[0] + top)[:, None] + down
        columns = left[:, None] + torch.where(mirrored[:, None] == 1, self.width - 1 - right, right)
        images = self.normalised(self.pixels[rows[:, :, None] * self.grid[1] + columns[:, None, :]])
        if cutout:
            hole = _near(down, centre[0], cutout)[:, None, :, None] & _near(right, centre[1], cutout)[:, None, None, :]
            images = images.masked_fill(hole, 0.0)
        return images

    def normalised(self, pixels: Tensor) -> Tensor:
        """uint8 (n, h, w, c) to float32 (n, c, h, w) with mean 0 and deviation 1, channels last in memory."""
        return pixels.to(torch.float32).sub_(self.mean).div_(self.std).permute(0, 3, 1, 2)


def mixed(images: Tensor, labels: Tensor, share: float, classes: int) -> tuple[Tensor, Tensor]:
    """Each image blended with another of its batch (Zhang et al. 2018): a shuffled batch backwards is a pairing."""
    targets = F.one_hot(labels, classes).to(images.dtype)
    return images.lerp(images.flip(0), 1 - share), targets.lerp(targets.flip(0), 1 - share)


def _near(places: Tensor, centre: Tensor, side: int) -> Tensor:
    """(n, places): whether a place lies in the stretch of `side` around an image's centre."""
    away = places - centre[:, None] + side // 2
    return (away >= 0) & (away < side)


def _draw(source: torch.Generator, high: int, n: int) -> Tensor:
    return torch.randint(high, (n,), generator=source)
