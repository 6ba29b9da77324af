"""Arrays in one NPZ file. Headers are read first: nothing too large or of another type is decompressed."""

import zipfile
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nas.errors import DataError
from nas.training.data.part_names import is_junk
from nas.training.data.reader import Part
from nas.training.data.source import Size
from nas.training.data.split import Images, Labels, Split
from nas.training.data.untrusted import MAX_BYTES, raise_data_error

NAMES: dict[Part, tuple[tuple[str, str], ...]] = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels"), ("images", "labels")),
    "validation": (
        ("x_val", "y_val"),
        ("x_valid", "y_valid"),
        ("x_validation", "y_validation"),
        ("val_images", "val_labels"),
    ),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}
CLASS_NAMES = "class_names"
CONTENT = (
    "It must hold x_train and y_train, train_images and train_labels, or images and labels: pixels of uint8, "
    "(n, height, width) with 1 or 3 channels last or first, and integers from 0; class_names, if there are any, as text"
)


class Npz:
    """FILE.npz, or DIR/*.npz, one file, with the array names of Keras or MedMNIST, those for validation included."""

    name: ClassVar[str] = "npz"
    summary: ClassVar[str] = "your own: one .npz file of images and labels"
    task: ClassVar[None] = None
    resizes: ClassVar[bool] = False
    own: ClassVar[bool] = True

    def class_names(self, data_dir: Path) -> tuple[str, ...]:
        """Return what the array class_names holds, none without one. Raises DataError."""
        (path,) = self.files(data_dir, "train")
        with raise_data_error(path, CONTENT), zipfile.ZipFile(path) as archive:
            return _class_names(archive)

    def files(self, data_dir: Path, part: Part) -> list[Path]:
        """Return the one file. Raises DataError."""
        with raise_data_error(data_dir, "Check data_dir"):
            if data_dir.is_file():
                return [data_dir]
            paths = sorted(path for path in data_dir.glob("*.npz") if not is_junk(path.name))
        if data_dir.suffix == ".npz" and not data_dir.exists():
            raise DataError(f"{data_dir} does not exist. Restore it; own_data makes the same file of the same images")
        if len(paths) != 1:
            names = ", ".join(path.name for path in paths[:5])
            raise DataError(f"{data_dir} must hold one .npz file; it holds {names or 'none'}. {CONTENT}")
        return paths

    def parts(self, data_dir: Path) -> tuple[Part, ...]:
        """Return the parts that the file has arrays for, "train" always. Raises DataError."""
        (path,) = self.files(data_dir, "train")
        with raise_data_error(path, CONTENT), zipfile.ZipFile(path) as archive:
            return tuple(part for part in NAMES if part == "train" or _pair(archive, part) is not None)

    def read(self, files: list[Path], part: Part, size: Size | None) -> Split:
        """Return a part's arrays. Raises DataError."""
        with raise_data_error(files[0], CONTENT), zipfile.ZipFile(files[0]) as archive:
            pair = _pair(archive, part)
            if pair is None:
                raise ValueError(f"it holds {', '.join(archive.namelist()[:8]) or 'nothing'}")
            images, labels = (_array(archive, f"{name}.npy") for name in pair)
            checked, names = check_labels(labels, len(images)), _class_names(archive)
            if names and part == "train" and len(names) != checked.max() + 1:
                raise ValueError(f"{len(names)} class_names for {checked.max() + 1} classes")
            return Split(channels_first(images), checked)


def _pair(archive: zipfile.ZipFile, part: Part) -> tuple[str, str] | None:
    """Return the names of a part's images and labels, if it has them. Raises ValueError for one without the other."""
    present = {name.removesuffix(".npy") for name in archive.namelist()}
    found = [pair for pair in NAMES[part] if present.intersection(pair)]
    if lone := next((pair for pair in found if not present.issuperset(pair)), None):
        there, absent = sorted(lone, key=lambda name: name not in present)
        raise ValueError(f"it holds {there} without {absent}")
    if len(found) > 1:
        raise ValueError(f"it holds both {found[0][0]} and {found[1][0]}; keep one")
    return found[0] if found else None


def _class_names(archive: zipfile.ZipFile) -> tuple[str, ...]:
    if f"{CLASS_NAMES}.npy" not in archive.namelist():
        return ()
    names = _array(archive, f"{CLASS_NAMES}.npy")
    if names.dtype.kind != "U" or names.ndim != 1:
        raise ValueError(f"{CLASS_NAMES} is {names.shape} of {names.dtype}, where texts are expected")
    return tuple(names.tolist())


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as file:
        shape, fortran, dtype = _header(file)
        length = dtype.itemsize
        for dimension in shape:
            length *= dimension
        if dtype.hasobject or length > MAX_BYTES:
            raise ValueError(f"{name} is of {shape} x {dtype}")
        content = file.read(length)
        if len(content) != length or file.read(1):
            raise ValueError(f"{name} declares {length:,} bytes but has another number")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    return shape, fortran, dtype


def channels_first(images: NDArray[Any]) -> Images:
    """Return (n, h, w), (n, h, w, c) or (n, c, h, w) as the last. Raises ValueError for anything else."""
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or not images.size:
        raise ValueError(f"images are {images.shape} of {images.dtype}")
    if images.ndim == 3:
        return np.ascontiguousarray(images[:, None])
    if images.shape[3] in (1, 3):
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    if images.shape[1] in (1, 3):
        return np.ascontiguousarray(images)
    raise ValueError(f"images are {images.shape}: neither the second nor the last dimension is 1 or 3")


def check_labels(labels: NDArray[Any], count: int) -> Labels:
    """Return labels (n,) or (n, 1) of integers as int64 (n,). Raises ValueError for anything else."""
    if labels.dtype.kind not in "iu" or labels.shape not in ((count,), (count, 1)):
        raise ValueError(f"labels are {labels.shape} of {labels.dtype}, for {count:,} images")
    return labels.reshape(-1).astype(np.int64)
