"""Tiny files in the layouts of the real sets."""

import gzip
import io
import struct
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from nas.genome.task import Task
from nas.training.data import READERS
from nas.training.data.catalog.binary import parse_cifar, parse_mnist
from nas.training.data.catalog.public_set import DataFile, PublicSet
from nas.training.data.catalog.public_sets import PUBLIC_SETS
from nas.training.data.split import Split


def pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def cycled(count: int, classes: int) -> np.ndarray:
    return np.arange(count) % classes


def cifar_bytes(count: int, classes: int = 10, coarse: bool = False, seed: int = 0) -> bytes:
    labels = cycled(count, classes).astype(np.uint8)[:, None]
    above = [labels // 5] if coarse else []
    return np.concatenate([*above, labels, pixels(count, 3072, seed=seed)], axis=1).tobytes()


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def file(name: str, content: bytes) -> DataFile:
    return DataFile(name, len(content), sha256(content).hexdigest())


def _replace(monkeypatch: pytest.MonkeyPatch, known: PublicSet) -> None:
    monkeypatch.setitem(READERS._entries, known.name, known)
    monkeypatch.setitem(PUBLIC_SETS, known.name, known)


def tiny_cifar(monkeypatch: pytest.MonkeyPatch, archive: bytes = b"") -> dict[str, bytes]:
    """Let `cifar10` stand for a set of 60 images; returns its files."""
    contents = {"data_batch_1.bin": cifar_bytes(40), "data_batch_2.bin": cifar_bytes(20, seed=1)}
    test = {"test_batch.bin": cifar_bytes(20, seed=2)}
    known = PublicSet(
        Task("cifar10", (3, 32, 32), 10), "http://nowhere.invalid/", (file("cifar-10-binary.tar.gz", archive),),
        tuple(file(*item) for item in contents.items()), tuple(file(*item) for item in test.items()),
        ("cifar-10-batches-bin",), partial(parse_cifar, labels=(10,)), (60, 20),
    )  # fmt: skip
    _replace(monkeypatch, known)
    return contents | test


def tiny_mnist(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Let `mnist` stand for a set of 40 images; returns its files, unpacked."""
    contents = {
        "train-images-idx3-ubyte": idx_bytes(pixels(40, 28, 28)), "train-labels-idx1-ubyte": idx_bytes(cycled(40, 10)),
        "t10k-images-idx3-ubyte": idx_bytes(pixels(20, 28, 28)), "t10k-labels-idx1-ubyte": idx_bytes(cycled(20, 10)),
    }  # fmt: skip
    files = tuple(file(*item) for item in contents.items())
    packed = tuple(file(f"{name}.gz", gzip.compress(content, mtime=0)) for name, content in contents.items())
    known = PublicSet(
        Task("mnist", (1, 28, 28), 10), "http://nowhere.invalid/", packed, files[:2], files[2:], ("raw",), parse_mnist,
        (40, 20),
    )  # fmt: skip
    _replace(monkeypatch, known)
    return contents


def put(place: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return place


def encoded(array: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


def folder_files(count: int = 5, prefix: str = "", side: int = 6) -> dict[str, bytes]:
    """`count` color images of each of two classes."""
    return {
        f"{prefix}{name}/{i}.png": encoded(pixels(side, side, 3, seed=10 * c + i))
        for c, name in enumerate(("cats", "dogs"))
        for i in range(count)
    }


def npz_bytes(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def parquet_bytes(images: list[object], labels: list[object], image: str = "image", label: str = "label") -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.table({image: images, label: labels}), buffer)
    return buffer.getvalue()


def hub_rows(count: int = 10, classes: int = 2) -> tuple[list[object], list[object]]:
    """Images as the hubs publish them, and their labels."""
    rows: list[object] = [{"bytes": encoded(pixels(4, 4, 3, seed=i)), "path": f"{i}.png"} for i in range(count)]
    return rows, cycled(count, classes).tolist()


def same(a: Split, b: Split) -> bool:
    return np.array_equal(a.images, b.images) and np.array_equal(a.labels, b.labels)
