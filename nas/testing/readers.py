"""The contract of a data reader: call `check_reader` in a test with files that the reader can read."""

from pathlib import Path

import numpy as np

from nas.genome.task import Task
from nas.training.data.cache import compute_statistics
from nas.training.data.reader import Part, Reader
from nas.training.data.split import Split

SIZE = (5, 4)
"""Height and width to which the images are scaled where the reader resizes."""


def check_reader(reader: Reader, data_dir: Path) -> None:
    """Check a reader on the files in `data_dir`: its description, its files, and the images of each part.

    Raises AssertionError that names the broken promise, and DataError when the files cannot be read.
    """
    check_description(reader)
    train = check_part(reader, data_dir, "train")
    classes = int(train.labels.max()) + 1
    assert sorted(set(train.labels.tolist())) == list(range(classes)), "labels are not numbered from 0 without gaps"
    names = reader.class_names(data_dir)
    assert len(names) in (0, classes), f"{len(names)} class names for {classes} classes"
    if reader.task is not None:
        assert train.images.shape[1:] == reader.task.input, f"images are {train.images.shape[1:]}, unlike the task"
        assert classes == reader.task.classes, f"{classes} classes, unlike the task"
    parts = reader.parts(data_dir)
    assert "train" in parts, "there is no part for training"
    assert len(set(parts)) == len(parts), "a part is named twice"
    for part in (each for each in parts if each != "train"):
        split = check_part(reader, data_dir, part)
        assert split.images.shape[1:] == train.images.shape[1:], f"{part}: images have another shape than for training"
        assert split.labels.max() < classes, f"{part}: there is a class that training does not have"


def check_description(reader: Reader) -> None:
    """Check that a reader's name, summary, task and flags are as Reader describes them. Raises AssertionError."""
    assert reader.name.split() == [reader.name], f"the name {reader.name!r} is empty or has spaces"
    assert len(reader.summary.splitlines()) == 1, "the summary is not one line"
    assert reader.task is None or isinstance(reader.task, Task), "the task is neither None nor a Task"
    assert {type(reader.resizes), type(reader.own)} == {bool}, "resizes and own must be bool"


def check_part(reader: Reader, data_dir: Path, part: Part) -> Split:
    """Check the files and images of a part, and return these. Raises AssertionError and DataError."""
    files = reader.files(data_dir, part)
    assert files == reader.files(data_dir, part), f"{part}: the order of files changes from one call to the next"
    assert all(path.is_file() for path in files), f"{part}: some of the files do not exist"
    split = reader.read(files, part, None)
    check_split(split)
    again = compute_statistics(reader.read(files, part, None))
    assert compute_statistics(split) == again, f"{part}: a second reading gives other images or labels"
    if reader.resizes:
        scaled = reader.read(files, part, SIZE)
        check_split(scaled)
        assert scaled.images.shape[2:] == SIZE, f"{part}: images are not scaled to the given size"
        assert np.array_equal(scaled.labels, split.labels), f"{part}: the labels depend on the images' size"
    return split


def check_split(split: Split) -> None:
    """Check the types and shapes of images and labels. Raises AssertionError."""
    images, labels = split.images, split.labels
    assert images.dtype == np.uint8, f"images are {images.dtype}, not uint8"
    assert images.ndim == 4, f"images are {images.shape}, not (n, channels, height, width)"
    assert images.shape[1] in (1, 3), f"images have {images.shape[1]} channels, not 1 or 3"
    assert labels.dtype == np.int64, f"labels are {labels.dtype}, not int64"
    assert labels.shape == images.shape[:1], f"labels are {labels.shape}, for {len(images)} images"
    assert len(labels), "there are no images"
    assert labels.min() >= 0, "a label is negative"
