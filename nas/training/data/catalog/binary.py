"""Parsers of the binary layouts of CIFAR and MNIST. A parser raises ValueError for anything else."""

import struct
from collections.abc import Sequence

import numpy as np

from nas.training.data.split import Images, Labels, Split

CIFAR_SIDE = 32
IDX_IMAGES, IDX_LABELS = 0x803, 0x801  # unsigned bytes in three dimensions, and in one


def parse_cifar(blobs: Sequence[bytes], labels: tuple[int, ...]) -> Split:
    """Return records of label bytes and 3 x 32 x 32 pixels, channel by channel (cs.toronto.edu/~kriz/cifar.html).

    `labels` gives the number of classes of each label byte: (10,) for CIFAR-10; (20, 100), coarse and fine, for
    CIFAR-100. The last one is kept. Raises ValueError.
    """
    size = len(labels) + 3 * CIFAR_SIDE**2
    parts = []
    for blob in blobs:
        if not blob or len(blob) % size:
            raise ValueError(f"{len(blob):,} bytes are not a whole number of records of {size:,}")
        parts.append(np.frombuffer(blob, np.uint8).reshape(-1, size))
    for column, classes in enumerate(labels):
        highest = max(int(part[:, column].max()) for part in parts)
        if highest >= classes:
            raise ValueError(f"label {highest}, where {classes} classes are expected")
    images = np.concatenate([part[:, len(labels) :] for part in parts])
    kept = np.concatenate([part[:, len(labels) - 1] for part in parts])
    return Split(images.reshape(-1, 3, CIFAR_SIDE, CIFAR_SIDE), kept.astype(np.int64))


def parse_mnist(blobs: Sequence[bytes], classes: int = 10) -> Split:
    """Return an idx file of images and one of labels (yann.lecun.com/exdb/mnist). Raises ValueError."""
    images, labels = parse_idx_images(blobs[0]), parse_idx_labels(blobs[1])
    if len(images) != len(labels):
        raise ValueError(f"{len(images):,} images, but {len(labels):,} labels")
    if labels.max() >= classes:
        raise ValueError(f"label {labels.max()}, where {classes} classes are expected")
    return Split(images, labels)


def parse_idx_images(blob: bytes) -> Images:
    """Return images (n, 1, height, width). Raises ValueError."""
    count, height, width = _header(blob, IDX_IMAGES, 3)
    return np.frombuffer(blob, np.uint8, offset=16).reshape(count, 1, height, width)


def parse_idx_labels(blob: bytes) -> Labels:
    """Return labels (n,). Raises ValueError."""
    _header(blob, IDX_LABELS, 1)
    return np.frombuffer(blob, np.uint8, offset=8).astype(np.int64)


def _header(blob: bytes, magic: int, dimensions: int) -> tuple[int, ...]:
    length = 4 + 4 * dimensions
    if len(blob) < length:
        raise ValueError(f"{len(blob)} bytes are not an idx file")
    begin, *sizes = struct.unpack(f">{1 + dimensions}I", blob[:length])
    if begin != magic:
        raise ValueError(f"not an idx file of {dimensions} dimensions: it begins with {begin:#010x}, not {magic:#010x}")
    total = 1
    for size in sizes:
        total *= size
    if not total or len(blob) - length != total:
        raise ValueError(f"the header declares {' x '.join(map(str, sizes))} bytes, {len(blob) - length:,} follow")
    return tuple(sizes)
