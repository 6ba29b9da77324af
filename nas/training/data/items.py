"""Images and labels as Python has them: PIL images, arrays and tensors, in the items of a dataset."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.training.data.images import check_image, open_image

IMAGE_COLUMNS, LABEL_COLUMNS = ("image", "img"), ("label", "fine_label", "labels")
CHANNELS = (1, 3, 4)
LEVELS = 255


def items_of(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield image and label of each item of a map-style dataset, or of a pair of images and labels.

    An item is (image, label) or a row with such columns. Raises ValueError for anything else.
    """
    if isinstance(data, tuple):
        yield from zip(*data, strict=True)
        return
    for index in range(len(data)):
        yield _pair(data[index])


def count_items(data: Any) -> int:
    """Return how many items there are. Raises ValueError for what is not a dataset or a pair of one length."""
    if isinstance(data, tuple) and len(data) == 2 and all(hasattr(each, "__len__") for each in data):
        if len(data[0]) != len(data[1]):
            raise ValueError(f"{len(data[0]):,} images and {len(data[1]):,} labels; there must be one for each")
        return len(data[0])
    if isinstance(data, tuple | str) or not (hasattr(data, "__len__") and hasattr(data, "__getitem__")):
        kind = type(data).__name__
        raise ValueError(
            f"{kind} is not a map-style dataset, with __len__ and __getitem__, nor a pair (images, labels)"
        )
    return len(data)


def _pair(item: Any) -> tuple[Any, Any]:
    if isinstance(item, Mapping):
        images, labels = ([name for name in names if name in item] for names in (IMAGE_COLUMNS, LABEL_COLUMNS))
        if images and labels:
            return item[images[0]], item[labels[0]]
        raise ValueError(
            f"its columns are {', '.join(map(str, item))}; one must be {' or '.join(IMAGE_COLUMNS)}, and one "
            f"{' or '.join(LABEL_COLUMNS)}"
        )
    if isinstance(item, tuple | list) and len(item) >= 2:
        return item[0], item[1]
    raise ValueError(f"it is a {type(item).__name__}, where (image, label) is expected")


def to_image(value: Any) -> Image.Image:
    """Return an image as PIL's: a PIL image, encoded bytes, an array (h, w) or (h, w, c), or a tensor (c, h, w).

    Arrays are of integers from 0 to 255 or of floats from 0 to 1, with 1, 3 or 4 channels. Raises ValueError for
    anything else, and any exception of Pillow for damaged bytes.
    """
    if isinstance(value, Mapping):  # as the hubs' libraries give what is not decoded
        value = value.get("bytes")
    if isinstance(value, bytes):
        return open_image(value)
    if isinstance(value, Image.Image):
        check_image(value)
        return value
    pixels = to_bytes(to_array(value))
    if pixels.ndim == 3:
        pixels = _channels_last(pixels, first=hasattr(value, "detach"))
    if pixels.ndim not in (2, 3) or not pixels.size:
        raise ValueError(f"an image of shape {pixels.shape}; (height, width) and 1, 3 or 4 channels are read")
    return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)


def _channels_last(pixels: NDArray[np.uint8], first: bool) -> NDArray[np.uint8]:
    """Return (h, w, c); `first` says which is meant where both ends could be channels."""
    ends = [end for end in ((0, 2) if first else (2, 0)) if pixels.shape[end] in CHANNELS]
    if not ends:
        raise ValueError(f"an image of shape {pixels.shape}: neither the first nor the last number is 1, 3 or 4")
    return np.ascontiguousarray(np.moveaxis(pixels, ends[0], 2))


def to_array(value: Any) -> NDArray[Any]:
    """Return an array, a tensor's content too."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def to_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return integers from 0 to 255, or floats from 0 to 1, as bytes. Raises ValueError for other values."""
    if pixels.dtype == np.uint8 or not pixels.size:
        return pixels.astype(np.uint8)
    floats = pixels.dtype.kind == "f"
    if not (floats or pixels.dtype.kind in "iu"):
        raise ValueError(f"an image of {pixels.dtype}; bytes, or floats from 0 to 1, are read")
    low, high = pixels.min(), pixels.max()
    if not (low >= 0 and high <= (1 if floats else LEVELS)):
        raise ValueError(
            f"values from {low:.4g} to {high:.4g}; integers from 0 to 255, or floats from 0 to 1, are read. Leave out "
            "a transform such as Normalize: training normalizes"
        )
    return np.rint(pixels * LEVELS).astype(np.uint8) if floats else pixels.astype(np.uint8)


def to_label(value: Any) -> int:
    """Return a label as an integer. Raises ValueError for anything else."""
    label = to_array(value)
    if label.size != 1 or label.dtype.kind not in "iu":
        raise ValueError(f"its label is {str(value)[:60]!r}; an integer from 0 is expected")
    return int(label.reshape(()))


def names_of(data: Any) -> tuple[str, ...]:
    """Return the names of the classes that a dataset knows, or the one that it is part of; none if there are none."""
    for owner in (data, getattr(data, "dataset", None), *getattr(data, "datasets", ())[:1]):
        if classes := getattr(owner, "classes", None):
            return tuple([", ".join(each) if isinstance(each, tuple) else str(each) for each in classes])
        features = getattr(owner, "features", None) or {}
        for column in LABEL_COLUMNS:
            if names := getattr(features.get(column), "names", None):
                return tuple(map(str, names))
    return ()
