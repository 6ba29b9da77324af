"""Batches: every image once, moved and mirrored as a whole, the same on every run of a seed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.genome import Task
from nas.training.batches import Batches, mix_images
from nas.training.data import Data, Split
from nas.training.recipe import Recipe

CPU = torch.device("cpu")


def data(n: int = 40, shape: tuple[int, int, int] = (2, 5, 4)) -> Data:
    """Images whose every pixel tells where it comes from; mean and standard deviation leave them unchanged."""
    pixels = np.random.default_rng(0).integers(1, 255, (n, *shape), dtype=np.uint8)
    split = Split(pixels, np.arange(n) % 10)
    return Data(Task("made up", shape, 10), split, split, (0.0,) * shape[0], (1 / 255,) * shape[0])


def epoch(made: Data, recipe: Recipe, seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    batches = Batches(made.train, made, CPU, recipe.crop_padding)
    return list(batches.epoch(recipe, torch.Generator().manual_seed(seed)))


def test_normalized_by_channel_as_the_export_says() -> None:
    made = data()
    made = Data(made.task, made.train, made.validation, (0.1, 0.7), (0.5, 0.25))
    images = torch.cat([images for images, _ in Batches(made.train, made, CPU, margin=3).in_order()])
    mean, std = (np.array(values)[None, :, None, None] for values in (made.mean, made.std))
    assert np.allclose(images.numpy(), (made.train.images / 255 - mean) / std, atol=1e-5)
    assert images.is_contiguous(memory_format=torch.channels_last)


@given(st.integers(2, 41), st.integers(2, 50))
@settings(max_examples=15, deadline=None)
def test_an_epoch_shows_every_image_once_but_a_last_single_one(n: int, size: int) -> None:
    made = data(n)
    shown = epoch(made, Recipe(batch=size, crop_padding=0))
    assert sum(len(labels) for _, labels in shown) == n - (n % size == 1)
    found = {images.numpy().astype(np.uint8).tobytes() for batch, _ in shown for images in batch}
    assert found <= {image.tobytes() for image in made.train.images}
    assert len(found) == n - (n % size == 1)
    for batch, labels in shown:
        for image, label in zip(batch.numpy().astype(np.uint8), labels.tolist(), strict=True):
            assert (made.train.images[label::10] == image).all((1, 2, 3)).any()


def test_shift_and_flip_move_whole_images_every_way_and_nothing_else() -> None:
    made = data(360)
    padded = np.pad(made.train.images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    ways: dict[tuple[int, int, int], np.ndarray] = {}
    for top in range(3):
        for left in range(3):
            crop = padded[:, :, top : top + 5, left : left + 4]
            ways |= {(top, left, 0): crop, (top, left, 1): crop[..., ::-1]}
    kinds = []
    for batch, _ in epoch(made, Recipe(batch=50, crop_padding=1, flip=True)):
        for image in batch.numpy().astype(np.uint8):
            found = [way for way, images in ways.items() if (images == image).all((1, 2, 3)).any()]
            assert len(found) == 1
            kinds += found
    counts = [kinds.count(way) for way in ways]
    assert min(counts) > 6  # 20 of each are expected, 4.4 either way
    assert max(counts) < 44


def test_images_are_mirrored_as_told() -> None:
    made, told = data(60), torch.arange(60) % 3 == 0
    recipe, seen = Recipe(batch=20, crop_padding=0, flip="alternate"), set()
    generator = torch.Generator().manual_seed(0)
    for batch, _ in Batches(made.train, made, CPU).epoch(recipe, generator, told.long()):
        for image in batch.numpy().astype(np.uint8):
            plain, mirrored = ((made.train.images == way).all((1, 2, 3)) for way in (image, image[..., ::-1]))
            (number,) = np.flatnonzero(plain | mirrored)
            assert mirrored[number] == told[number]
            seen.add(int(number))
    assert len(seen) == 60


def test_cutout_blanks_one_square_to_the_mean_wherever_its_center_is() -> None:
    made = data(400)
    sizes = set()
    for batch, _ in epoch(made, Recipe(batch=50, crop_padding=0, cutout=3)):
        holes = batch == 0
        assert torch.equal(holes[:, 0], holes[:, 1])
        for hole in holes[:, 0]:
            rows, columns = hole.any(1).nonzero().flatten(), hole.any(0).nonzero().flatten()
            assert hole.sum() == len(rows) * len(columns)
            assert (len(rows), len(columns)) == (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
            sizes.add((len(rows), len(columns)))
    assert sizes == {(r, c) for r in (2, 3) for c in (2, 3)}  # smaller where the border cuts it


def test_mixup_blends_images_and_labels_alike() -> None:
    made = data(10, (1, 5, 4))
    whole = torch.from_numpy(made.train.images).float()
    for images, targets in epoch(made, Recipe(batch=5, crop_padding=0, mixup=1.0)):
        assert torch.allclose(targets.sum(1), torch.ones(5))
        expected = torch.einsum("bk,kchw->bchw", targets, whole)  # image i has label i
        assert torch.allclose(images, expected, atol=1e-2)
        assert (targets > 0).sum(1).max() == 2


def test_mixup_with_a_share_of_one_changes_nothing() -> None:
    images, labels = torch.randn(4, 1, 2, 2), torch.tensor([0, 1, 2, 2])
    same, targets = mix_images(images, labels, 1.0, 3)
    assert torch.equal(same, images)
    assert torch.equal(targets.argmax(1), labels)


@pytest.mark.parametrize("other", [Recipe(batch=7), Recipe(batch=5, mixup=0.4, cutout=2, flip=True)])
def test_a_seed_is_an_order(other: Recipe) -> None:
    made = data(30)

    def shown(seed: int) -> list[list[float]]:
        return [torch.cat([images.flatten(), labels.flatten()]).tolist() for images, labels in epoch(made, other, seed)]

    assert shown(1) == shown(1)
    assert shown(1) != shown(2)
