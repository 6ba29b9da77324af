"""A split on the device as bytes; batches are cropped, augmented and normalized there, without worker processes.

All random numbers of an epoch are drawn on the CPU and copied to the device in one table, so a seed gives the same
images on every device, and no step waits for the host.
"""

import random
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from nas.training.data import Data, Split
from nas.training.recipe import Recipe

EVALUATION_PIXELS = {"cpu": 2**16, "cuda": 2**20, "mps": 2**18}
"""Pixels of an evaluation batch: what fits a core's cache (64 images of 32 pixels: a DenseNet-BC-22 evaluates 660
images per second, 340 in batches of 512), and what keeps a GPU busy."""
MIRRORED = 3  # its row of `draw_augmentations`


class Batches:
    """A split's images with a black margin for random shifts; `pixels` has one row per pixel, `channels` wide."""

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

    def in_order(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all images in order, without augmentation: (batch, channels, height, width) and labels."""
        padded, margin = self.pixels.view(len(self), *self.grid, -1), self.margin
        inner = padded[:, margin : margin + self.height, margin : margin + self.width]
        size = max(1, EVALUATION_PIXELS[inner.device.type] // (self.height * self.width))
        for images, labels in zip(torch.split(inner, size), torch.split(self.labels, size), strict=True):
            yield self.normalize(images), labels

    def epoch(
        self, recipe: Recipe, generator: torch.Generator, mirrored: Tensor | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield every image once, shuffled and augmented: (batch, channels, height, width) and labels.

        With mixup the labels are probabilities, (batch, classes). The last batch may be smaller; one of a single image
        is left out. mirrored: (n,), which images are mirrored, in place of random ones.
        """
        shares = random.Random(_draw(generator, 2**62, 1).item())
        table = self.draw_augmentations(recipe, generator)
        if mirrored is not None:
            table[MIRRORED] = mirrored[table[0]]
        table = table.to(self.labels.device)
        for columns in torch.split(table, recipe.batch, dim=1):
            if columns.shape[1] > 1:
                images, labels = self.augment(columns, recipe.cutout), self.labels[columns[0]]
                share = shares.betavariate(recipe.mixup, recipe.mixup) if recipe.mixup else 1.0
                yield mix_images(images, labels, share, self.classes) if recipe.mixup else (images, labels)

    def draw_augmentations(self, recipe: Recipe, generator: torch.Generator) -> Tensor:
        """Return (6, n): per image its index, its crop's top and left, whether it is mirrored, its hole's center."""
        n, offsets = len(self), 2 * self.margin + 1
        ranges = (offsets, offsets, 1 + (recipe.flip is True), self.height, self.width)
        draws = [_draw(generator, high, n) for high in ranges]
        return torch.stack([torch.randperm(n, generator=generator), *draws])

    def augment(self, table: Tensor, cutout: int) -> Tensor:
        """Return the images of some columns of `draw_augmentations`, cropped and mirrored by a single gather."""
        image, top, left, mirrored, *center = table
        down = torch.arange(self.height, device=table.device)
        right = torch.arange(self.width, device=table.device)
        rows = (image * self.grid[0] + top)[:, None] + down
        columns = left[:, None] + torch.where(mirrored[:, None] == 1, self.width - 1 - right, right)
        images = self.normalize(self.pixels[rows[:, :, None] * self.grid[1] + columns[:, None, :]])
        if cutout:
            hole = _within(down, center[0], cutout)[:, None, :, None] & _within(right, center[1], cutout)[:, None, None]
            images = images.masked_fill(hole, 0.0)
        return images

    def normalize(self, pixels: Tensor) -> Tensor:
        """Return uint8 (n, h, w, c) as float32 (n, c, h, w) of mean 0 and standard deviation 1, channels last."""
        return pixels.to(torch.float32).sub_(self.mean).div_(self.std).permute(0, 3, 1, 2)


def mix_images(images: Tensor, labels: Tensor, share: float, classes: int) -> tuple[Tensor, Tensor]:
    """Blend each image, and its one-hot label, with another of its batch (mixup, Zhang et al. 2018).

    The batch is shuffled, so pairing it with its reverse is a random pairing. `share` is that of the image itself.
    """
    targets = F.one_hot(labels, classes).to(images.dtype)
    return images.lerp(images.flip(0), 1 - share), targets.lerp(targets.flip(0), 1 - share)


def _within(positions: Tensor, center: Tensor, side: int) -> Tensor:
    """Return (n, positions): whether a position lies in the interval of length `side` around an image's center."""
    offset = positions - center[:, None] + side // 2
    return (offset >= 0) & (offset < side)


def _draw(generator: torch.Generator, high: int, n: int) -> Tensor:
    return torch.randint(high, (n,), generator=generator)
