"""Images of one's own that Python has: digested once into a file that workers and a later resume find again."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from nas.errors import DataError, near
from nas.files import atomic_file
from nas.training.data.cache import split_digest
from nas.training.data.images import ImageStack, prepare_image
from nas.training.data.items import count_items, items_of, names_of, to_image, to_label
from nas.training.data.loading import load_parts
from nas.training.data.part_names import NAMES, named_part
from nas.training.data.reader import Part
from nas.training.data.readers import npz
from nas.training.data.source import Size, Source
from nas.training.data.split import Split
from nas.training.data.untrusted import raise_data_error

TWICE = 8  # items that are read two times, to find random transforms
REMEDY = "An item is a PIL image, an array or a tensor, and an integer from 0"
KEYS: dict[Part, str] = {"train": "train", "validation": "val", "test": "test"}


def own_data(
    data: Any,
    name: str = "own",
    *,
    class_names: Sequence[str] | None = None,
    image_size: int | Size | None = None,
    folder: Path | str | None = None,
) -> Path:
    """Keep images that Python has in an .npz file, and return its absolute path: the `data` of an experiment.

    data: a map-style dataset of (image, label), as torch's or one of Hugging Face with columns image and label; a pair
    (images, labels) of arrays; or a mapping of parts (train, validation, test) to such, as a DatasetDict. Images are
    PIL images, arrays (height, width) or (height, width, channels), or tensors (channels, height, width), of bytes or
    of floats from 0 to 1; labels are integers from 0. There must be no random transforms: recipes augment.

    name: how the file's name begins; a digest of the content follows, so the same images are kept once. class_names:
    in the order of labels; by default the dataset's own (`classes`, or the names of its label column). image_size:
    pixels a side, or (height, width), to which images are cropped and scaled. folder: of the file; by default `own` in
    the folder NAS_DATA, or in `data`.

    Digests are those of the same images in an .npz file of one's own. Raises DataError, naming the item, for what
    cannot be read or searched with, and OSError when the file cannot be written.
    """
    parts = _parts(data)
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    splits = {part: _read(each, size, f"{name}, {part}") for part, each in parts.items()}
    names = tuple(class_names) if class_names is not None else names_of(parts["train"])
    digests = [f"{part} {split_digest(split)}" for part, split in splits.items()]
    digest = sha256("\n".join([*digests, *names]).encode()).hexdigest()[:16]
    path = (Path(folder) if folder else Source("own").data_dir).absolute() / f"{name}-{digest}.npz"
    if not path.exists():
        _write(path, splits, names)
    return path


def _parts(data: Any) -> dict[Part, Any]:
    """Return the data of each part, "train" among them. Raises DataError."""
    if not isinstance(data, Mapping):
        return {"train": data}
    parts: dict[Part, Any] = {}
    for key in data:
        if (part := named_part(str(key))) is None or part in parts:
            known = [each for names in NAMES.values() for each in names]
            raise DataError(
                f"the parts are {', '.join(map(str, data))}; name them train, validation and test, or leave out {key!r}"
                f"{near(str(key), known)}"
            )
        parts[part] = data[key]
    if "train" not in parts:
        raise DataError(f"the parts are {', '.join(map(str, data)) or 'none'}; there must be one named train")
    return parts


def _read(data: Any, size: Size | None, place: str) -> Split:
    """Return the images and labels of a part. Raises DataError naming the item."""
    with raise_data_error(place, REMEDY):
        count = count_items(data)
        if not count:
            raise ValueError("there are no images")
    stack, labels = ImageStack(count, size, place), []
    items = items_of(data)
    for index in range(count):
        with raise_data_error(f"{place}, item {index}", REMEDY):
            image, label = next(items)
            stack.add_image(to_image(image))
            labels.append(to_label(label))
    _check_repeatable(data, size, place)
    return stack.split(np.array(labels, np.int64))


def _check_repeatable(data: Any, size: Size | None, place: str) -> None:
    """Raise DataError when an item differs from one reading to the next."""

    def some() -> list[bytes]:
        return [prepare_image(to_image(image), size).tobytes() for image, _ in islice(items_of(data), TWICE)]

    for index, (first, second) in enumerate(zip(some(), some(), strict=True)):
        if first != second:
            raise DataError(f"{place}, item {index} is another image when read again; leave out random transforms")


def _write(path: Path, splits: Mapping[Part, Split], names: Sequence[str]) -> None:
    """Write the file, and read it as a search does. Raises DataError, leaving no file, when that fails."""
    arrays: dict[str, Any] = {npz.CLASS_NAMES: np.array(names)} if names else {}
    for part, split in splits.items():
        arrays |= {f"x_{KEYS[part]}": split.images.transpose(0, 2, 3, 1), f"y_{KEYS[part]}": split.labels}
    with atomic_file(path) as file:
        np.savez(file, **arrays)
    try:
        load_parts(Source("npz", str(path)))
    except DataError as problem:
        path.unlink()
        raise DataError(str(problem).replace(str(path), path.stem)) from problem
