"""Readers: valid files are read exactly; anything else is one DataError that names the file."""

import gzip
import io
import struct
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from training.image_files import (
    cifar_bytes,
    cycled,
    encoded,
    folder_files,
    hub_rows,
    idx_bytes,
    npz_bytes,
    parquet_bytes,
    pixels,
    put,
    tiny_cifar,
    tiny_mnist,
)

from nas.errors import DataError
from nas.training.data import Source, load_data, load_test, task
from nas.training.data import images as decoding
from nas.training.data.catalog.binary import parse_cifar, parse_mnist
from nas.training.data.split import Split


def test_cifar_records() -> None:
    split = parse_cifar([cifar_bytes(20), cifar_bytes(10, seed=1)], (10,))
    assert split.labels.tolist() == [*range(10)] * 3
    assert np.array_equal(split.images[20:].reshape(10, -1), pixels(10, 3072, seed=1))
    fine = parse_cifar([cifar_bytes(100, 100, coarse=True)], (20, 100))
    assert fine.labels.tolist() == list(range(100))
    assert np.array_equal(fine.images.reshape(100, -1), pixels(100, 3072))


def test_idx_files() -> None:
    split = parse_mnist([idx_bytes(pixels(20, 28, 28)), idx_bytes(cycled(20, 10))])
    assert np.array_equal(split.images[:, 0], pixels(20, 28, 28))
    assert split.labels.tolist() == cycled(20, 10).tolist()


def named(value: object) -> str | None:
    """Test names without the bytes."""
    return value[:20] if isinstance(value, str) else "bytes"


GOOD = idx_bytes(pixels(6, 3, 3)), idx_bytes(cycled(6, 3))


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (GOOD[0][:-1], GOOD[1]),
        (GOOD[0] + b"\0", GOOD[1]),
        (GOOD[1], GOOD[0]),
        (b"", b""),
        (GOOD[0][:9], GOOD[1]),
        (struct.pack(">4I", 0x803, 2**32 - 1, 2**32 - 1, 2**32 - 1), GOOD[1]),
        (struct.pack(">4I", 0x803, 0, 28, 28), GOOD[1]),
        (GOOD[0], idx_bytes(cycled(5, 3))),
        (GOOD[0], idx_bytes(np.array([0, 1, 2, 3, 4, 10]))),
        (struct.pack(">I", 0x0D03) + GOOD[0][4:], GOOD[1]),
    ],
    ids=named,
)
def test_invalid_idx_files(images: bytes, labels: bytes) -> None:
    with pytest.raises(ValueError, match=r"idx|header|label"):
        parse_mnist([images, labels])


@pytest.mark.parametrize("blob", [b"", cifar_bytes(3)[:-1], cifar_bytes(2) + b"\0", b"\x0a" + cifar_bytes(1)[1:]])
def test_invalid_cifar_records(blob: bytes) -> None:
    with pytest.raises(ValueError, match=r"records|label"):
        parse_cifar([blob], (10,))


@pytest.mark.parametrize("packed", [True, False])
def test_published_sets_plain_and_packed(packed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contents = tiny_mnist(monkeypatch)
    files = {f"{n}.gz": gzip.compress(c) for n, c in contents.items()} if packed else contents
    source = Source("mnist", str(put(tmp_path, files)))
    data = load_data(source)
    assert (data.train.images.shape, len(data.validation.labels)) == ((36, 1, 28, 28), 4)
    assert np.array_equal(load_test(source).images[:, 0], pixels(20, 28, 28))


def refused(name: str, contents: dict[str, bytes], place: Path, match: str, size: int | None = None) -> None:
    """Reading these files is one DataError that names the place, and leaves no cache."""
    put(place, contents)
    with pytest.raises(DataError, match=match) as caught:
        load_data(Source(name, str(place), image_size=size))
    assert str(place) in str(caught.value)
    assert not (place / ".nas").exists()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"no gzip at all", "cannot be read: Not a gzipped file"),
        (gzip.compress(idx_bytes(pixels(40, 28, 28)))[:-9], "end-of-stream"),
        (gzip.compress(bytes(200_000_000), 1), "more than the 31,376 bytes expected"),
        (gzip.compress(idx_bytes(pixels(40, 28, 28, seed=1))), "SHA-256"),
    ],
    ids=named,
)
def test_packed_files_that_are_not_the_published(
    content: bytes, match: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = {f"{n}.gz": gzip.compress(c) for n, c in tiny_mnist(monkeypatch).items()}
    refused("mnist", files | {"train-images-idx3-ubyte.gz": content}, tmp_path, match)


def test_plain_files_that_are_not_the_published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contents = tiny_cifar(monkeypatch)
    first = contents["data_batch_1.bin"]
    refused("cifar10", contents | {"data_batch_1.bin": first[:-1]}, tmp_path, "SHA-256")
    refused("cifar10", contents | {"data_batch_1.bin": first + b"\0"}, tmp_path, "where at most 122,920 are expected")


def test_folders_undivided_and_divided(tmp_path: Path) -> None:
    undivided = Source("folder", str(put(tmp_path / "a", folder_files(10) | {"cats/note.txt": b"", "x.png": b""})))
    assert (task(undivided).input, task(undivided).classes) == ((3, 6, 6), 2)
    assert [len(s.labels) for s in (load_data(undivided).train, load_test(undivided))] == [12, 4]
    divided = put(tmp_path / "b", folder_files(10, "train/") | folder_files(3, "test/"))
    source = Source("folder", str(divided))
    assert [len(s.labels) for s in (load_data(source).train, load_test(source))] == [18, 6]
    assert np.array_equal(load_test(source).images[0], pixels(6, 6, 3).transpose(2, 0, 1))
    assert load_test(source).labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_images_are_cropped_to_the_center_and_scaled(tmp_path: Path) -> None:
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 4:20] = 200
    files = {f"{c}/{i}.jpg": encoded(pixels(20, 30, 3), "JPEG") for c in "ab" for i in range(9)}
    put(tmp_path, files | {"c/0.png": encoded(wide), "c/1.png": encoded(wide)})
    source = Source("folder", str(tmp_path), image_size=4, validation=0.5)
    data = load_data(source)
    images = np.concatenate([data.train.images, data.validation.images, load_test(source).images])
    labels = np.concatenate([data.train.labels, data.validation.labels, load_test(source).labels])
    assert images.shape == (20, 3, 4, 4)
    assert np.all(images[labels == 2] == 200)


def test_images_are_grayscale_if_all_are(tmp_path: Path) -> None:
    gray = {f"{c}/{i}.png": encoded(pixels(5, 5, seed=i)) for c in "ab" for i in range(5)}
    assert task(Source("folder", str(put(tmp_path / "gray", gray)))).input == (1, 5, 5)
    mixed = Source("folder", str(put(tmp_path / "mixed", gray | {"a/9.png": encoded(pixels(5, 5, 3))})))
    assert task(mixed).input == (3, 5, 5)
    images = np.concatenate([load_data(mixed).train.images, load_data(mixed).validation.images])
    assert sum(np.array_equal(image[0], image[2]) for image in images) >= 7


def gif() -> bytes:
    return encoded(pixels(6, 6), "GIF")


def huge(side: int) -> bytes:
    """A PNG of a few kilobytes that decodes to side x side pixels."""
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "not a PNG, JPEG, WebP"),
        (b"plain text", "not a PNG, JPEG, WebP"),
        (encoded(pixels(6, 6, 3))[:60], "truncated"),
        (encoded(pixels(6, 6, 3), "JPEG")[:400], "Truncated File Read"),
        (gif(), "not a PNG, JPEG, WebP"),
        (huge(8_000), "8000 x 8000 pixels; at most 50,000,000"),
        (huge(11_000), "decompression bomb|exceeds limit"),
    ],
    ids=named,
)
def test_invalid_images(content: bytes, match: str, tmp_path: Path) -> None:
    refused("folder", folder_files() | {"cats/9.png": content}, tmp_path, rf"cats/9\.png cannot be read: .*({match})")


def test_invalid_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="Put one folder per class there"):
        load_data(Source("folder", str(tmp_path / "nowhere")))
    (tmp_path / "empty").mkdir()
    refused("folder", {}, tmp_path / "empty", "no images")
    (tmp_path / "gap" / "ants").mkdir(parents=True)
    refused("folder", folder_files(), tmp_path / "gap", "gap/ants: a class without images; fill or remove that folder")
    source = Source("folder", str(put(tmp_path / "new", folder_files(9, "train/") | folder_files(1, "test/x"))))
    with pytest.raises(DataError, match="no folder for class 'cats'; add images of it, or move test away"):
        load_test(source)
    monkeypatch.setattr(decoding, "MAX_BYTES", 1000)
    refused("folder", folder_files(9), tmp_path / "large", "set a smaller image_size")


def split_of(source: Source) -> Split:
    data, test = load_data(source), load_test(source)
    parts = (data.train, data.validation, test)
    return Split(np.concatenate([s.images for s in parts]), np.concatenate([s.labels for s in parts]))


@pytest.mark.parametrize("names", [("x_train", "y_train", "x_test", "y_test"), None])
@pytest.mark.parametrize("shape", [(20, 5, 4), (20, 5, 4, 1), (20, 1, 5, 4), (20, 5, 4, 3), (20, 3, 5, 4)])
def test_npz(shape: tuple[int, ...], names: tuple[str, ...] | None, tmp_path: Path) -> None:
    images, labels = pixels(*shape), cycled(20, 2)
    arrays = {"images": images, "labels": labels[:, None]}
    if names:
        arrays = dict(zip(names, (images[:12], labels[:12], images[12:], labels[12:]), strict=True))
    source = Source("npz", str(put(tmp_path, {"set.npz": npz_bytes(**arrays)})))
    expected = images[:, None] if images.ndim == 3 else images if shape[3] == 4 else images.transpose(0, 3, 1, 2)
    found = split_of(source)
    assert sorted(image.tobytes() for image in found.images) == sorted(image.tobytes() for image in expected)
    assert task(source).input == expected.shape[1:]
    if names:
        assert np.array_equal(load_test(source).images, expected[12:])


def crafted(header: str, content: bytes = b"") -> bytes:
    """An NPZ file whose images have this header."""
    text = header.encode().ljust(117) + b"\n"
    labels = io.BytesIO()
    np.save(labels, cycled(6, 2))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content)
        archive.writestr("labels.npy", labels.getvalue())
    return buffer.getvalue()


GOOD_NPZ = npz_bytes(images=pixels(20, 4, 4), labels=cycled(20, 2))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "not a zip file"),
        (GOOD_NPZ[:-30], "not a zip file"),
        (GOOD_NPZ[:200] + bytes(20) + GOOD_NPZ[220:], "cannot be read"),
        (npz_bytes(pictures=pixels(20, 4, 4)), r"it holds pictures\.npy"),
        (npz_bytes(images=pixels(20, 4, 4) / 255, labels=cycled(20, 2)), "float64"),
        (npz_bytes(images=pixels(20, 4, 4, 2), labels=cycled(20, 2)), "neither the second nor the last"),
        (npz_bytes(images=pixels(20, 4), labels=cycled(20, 2)), r"images are \(20, 4\)"),
        (npz_bytes(images=pixels(20, 4, 4), labels=cycled(19, 2)), r"labels are \(19,\).*20 images"),
        (npz_bytes(images=pixels(20, 4, 4), labels=cycled(20, 2) * 1.0), "labels are .* of float64"),
        (npz_bytes(images=pixels(20, 4, 4), labels=cycled(20, 2) - 1), "20 labels from -1 to 0"),
        (npz_bytes(images=pixels(20, 4, 4), labels=cycled(20, 2) * 10**12), "number the classes from 0"),
        (npz_bytes(images=pixels(20, 4, 4), labels=cycled(20, 2) * 2), "without gaps"),
        (npz_bytes(images=np.full((20, 4, 4), 7, np.uint8), labels=cycled(20, 2)), "all alike"),
        (npz_bytes(images=np.zeros((0, 4, 4), np.uint8), labels=cycled(0, 2)), r"images are \(0, 4, 4\)"),
        (crafted("{'descr': '|O', 'fortran_order': False, 'shape': (6, 4, 4), }"), "object"),
        (crafted("{'descr': '|u1', 'fortran_order': False, 'shape': (6, 1000000, 1000000), }"), "1000000"),
        (crafted("{'descr': '|u1', 'fortran_order': False, 'shape': (6, 10000, 10000), }"), "declares 600,000,000"),
        (crafted("{'descr': '|u1', 'fortran_order': False, 'shape': (6, 4, 4), }", bytes(90_000_000)), "declares 96"),
        (crafted("{'descr': '|u1', 'fortran_order': False, 'shape': (-6, 4, 4), }"), "cannot be read"),
        (crafted("(((((((("), "cannot be read"),
    ],
    ids=named,
)
def test_invalid_npz_files(content: bytes, match: str, tmp_path: Path) -> None:
    refused("npz", {"set.npz": content}, tmp_path, match)


def test_npz_is_one_file(tmp_path: Path) -> None:
    refused("npz", {}, put(tmp_path, {"note.txt": b""}), "it holds none")
    refused("npz", {"a.npz": GOOD_NPZ, "b.npz": GOOD_NPZ}, tmp_path, r"it holds a\.npz, b\.npz")


@pytest.mark.parametrize("struct_", [True, False])
@pytest.mark.parametrize(
    "names", [("train-0.parquet", "test-0.parquet"), ("d/partial-train/0.parquet", "d/Test/0.parquet")]
)
def test_parquet_divided(names: tuple[str, str], struct_: bool, tmp_path: Path) -> None:
    images, labels = hub_rows(20)
    images = images if struct_ else [row["bytes"] for row in images]  # type: ignore[index]
    columns = ("image", "label") if struct_ else ("img", "fine_label")
    train, test = (parquet_bytes(images[a:b], labels[a:b], *columns) for a, b in ((0, 14), (14, 20)))
    source = Source("parquet", str(put(tmp_path, dict(zip(names, (train, test), strict=True)))))
    assert (task(source).input, task(source).classes) == ((3, 4, 4), 2)
    assert len(load_data(source).train.labels) == 13
    assert load_test(source).labels.tolist() == labels[14:]
    assert np.array_equal(load_test(source).images[0], pixels(4, 4, 3, seed=14).transpose(2, 0, 1))


def test_parquet_undivided_in_several_files(tmp_path: Path) -> None:
    images, labels = hub_rows(30)
    files = {f"{i}.parquet": parquet_bytes(images[i : i + 10], labels[i : i + 10]) for i in (0, 10, 20)}
    source = Source("parquet", str(put(tmp_path, files)), image_size=3)
    assert split_of(source).images.shape == (30, 3, 3, 3)
    assert len(load_test(source).labels) == 6


ROWS, NUMBERS = hub_rows()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"PAR1", "cannot be read"),
        (parquet_bytes(ROWS, NUMBERS)[:-20], "cannot be read"),
        (parquet_bytes(ROWS, NUMBERS, "photo"), "its columns are photo, label"),
        (parquet_bytes(ROWS, NUMBERS, label="class"), "its columns are image, class"),
        (parquet_bytes([], []), "0 rows"),
        (parquet_bytes([*ROWS[1:], {"bytes": None, "path": "x"}], NUMBERS), "row 9 cannot be read: .*NoneType"),
        (
            parquet_bytes([*ROWS[1:], {"bytes": b"no", "path": "x"}], NUMBERS),
            "row 9 cannot be read: not a PNG, JPEG, WebP",
        ),
        (parquet_bytes(NUMBERS, NUMBERS), "row 0 cannot be read: its image is not bytes but int"),
        (parquet_bytes(ROWS, [*NUMBERS[1:], None]), "labels are .* object"),
        (parquet_bytes(ROWS, ["cat"] * 10), "labels are"),
        (parquet_bytes(ROWS, [-1] * 10), "from -1 to -1"),
    ],
    ids=named,
)
def test_invalid_parquet_files(content: bytes, match: str, tmp_path: Path) -> None:
    refused("parquet", {"all.parquet": content}, tmp_path, match)


def read_npz(content: bytes) -> None:
    _read("npz", "set.npz", content)


def read_parquet(content: bytes) -> None:
    _read("parquet", "all.parquet", content)


def read_image(content: bytes) -> None:
    _read("folder", "cats/9.png", content)


def _read(name: str, file: str, content: bytes) -> None:
    """Read everything or raise DataError; never leave a part of a cache."""
    with tempfile.TemporaryDirectory() as folder:
        place = put(Path(folder), (folder_files(2) if name == "folder" else {}) | {file: content})
        with suppress(DataError):
            load_data(Source(name, folder, validation=0.5))
        assert not list(place.rglob("*.part"))


FUZZED: list[tuple[Callable[[bytes], None], bytes]] = [
    (read_npz, GOOD_NPZ),
    (read_parquet, parquet_bytes(*hub_rows(8))),
    (read_image, encoded(pixels(6, 6, 3))),
    (read_image, encoded(pixels(6, 6, 3), "JPEG")),
    (read_image, encoded(pixels(6, 6, 3), "WEBP")),
    (read_image, encoded(pixels(6, 6, 3), "BMP")),
    (read_image, encoded(pixels(6, 6, 3), "TIFF")),
]


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(FUZZED))
def test_damaged_files_are_an_error_and_nothing_else(
    data: st.DataObject, case: tuple[Callable[[bytes], None], bytes]
) -> None:
    read, good = case
    bad = bytearray(good)
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), max_size=6)):
        bad[place] = value
    end = data.draw(st.none() | st.integers(0, len(good)))
    read(bytes(bad[:end]) + data.draw(st.binary(max_size=8)))


@given(st.binary(max_size=80), st.binary(max_size=40))
def test_any_bytes_as_idx(images: bytes, labels: bytes) -> None:
    for blob in (images, struct.pack(">I", 0x803) + images):
        with pytest.raises(ValueError, match=r".+"):
            parse_mnist([blob, labels])
