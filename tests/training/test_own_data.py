"""Images that Python has: whatever holds them, the digest is that of the same images in an .npz file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_array
from PIL import Image
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from training.image_files import cycled, encoded, npz_bytes, pixels, put

from nas.errors import DataError
from nas.search.experiment_file import load_experiment
from nas.training.data import Source, class_names, load_data, load_test, own_data, summarize
from nas.training.data.items import to_image

COUNT = 30
COLOR, GRAY, LABELS = pixels(COUNT, 5, 4, 3), pixels(COUNT, 5, 4), cycled(COUNT, 3)


class Items(Dataset[Any]):
    """A map-style dataset of what a function makes of each image."""

    def __init__(self, images: np.ndarray, make: Callable[[np.ndarray], Any] = Image.fromarray) -> None:
        self.images, self.make, self.classes = images, make, ["ant", "bee", "cat"]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.make(self.images[index]), index % 3


class Rows:
    """As a data set of a hub gives its rows, with the names of classes among its features."""

    def __init__(self, make: Callable[[np.ndarray], Any] = Image.fromarray, column: str = "image") -> None:
        self.make, self.column = make, column
        self.features = {column: SimpleNamespace(), "label": SimpleNamespace(names=["ant", "bee", "cat"])}

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {self.column: self.make(COLOR[index]), "label": index % 3}


class Table(dict[str, Rows]):
    """As a hub's dictionary of parts."""


def chw(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)


FORMS: dict[str, tuple[Any, np.ndarray]] = {
    "PIL images": (Items(COLOR), COLOR),
    "gray PIL images": (Items(GRAY), GRAY),
    "encoded": (Items(COLOR, encoded), COLOR),
    "byte tensors": (Items(COLOR, chw), COLOR),
    "float tensors": (Items(COLOR, lambda image: chw(image) / 255), COLOR),
    "gray tensors": (Items(GRAY, lambda image: torch.from_numpy(image)[None] / 255), GRAY),
    "flat tensors": (Items(GRAY, torch.from_numpy), GRAY),
    "arrays": (Items(COLOR, np.asarray), COLOR),
    "arrays of floats": (Items(COLOR, lambda image: image.astype(np.float64) / 255), COLOR),
    "arrays of integers": (Items(GRAY, lambda image: image.astype(np.int64)[..., None]), GRAY),
    "a subset": (Subset(Items(COLOR), range(COUNT)), COLOR),
    "a list": ([(Image.fromarray(image), int(label)) for image, label in zip(COLOR, LABELS, strict=True)], COLOR),
    "datasets in a row": (ConcatDataset([Items(COLOR[:15]), Items(COLOR[15:])]), COLOR),
    "tensors": (TensorDataset(torch.from_numpy(COLOR).permute(0, 3, 1, 2), torch.from_numpy(LABELS)), COLOR),
    "a pair of arrays": ((COLOR, LABELS), COLOR),
    "a pair of gray arrays": ((GRAY / 255, LABELS[:, None]), GRAY),
    "a pair of tensors": ((torch.from_numpy(GRAY)[:, None], torch.from_numpy(LABELS)), GRAY),
    "a pair of lists": (([Image.fromarray(image) for image in COLOR], LABELS.tolist()), COLOR),
    "rows": (Rows(), COLOR),
    "rows that are not decoded": (Rows(lambda image: {"bytes": encoded(image), "path": ""}, "img"), COLOR),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_digest_is_that_of_the_same_images_in_a_file(form: str, tmp_path: Path) -> None:
    data, images = FORMS[form]
    expected = summarize(Source("npz", str(put(tmp_path, {"a.npz": npz_bytes(images=images, labels=LABELS)}))))
    path = own_data(data, "mine", folder=tmp_path / "own")
    found = summarize(str(path))
    assert replace(found, task=expected.task, class_names=()) == expected
    assert found.class_names == (() if isinstance(data, list | tuple | TensorDataset) else ("ant", "bee", "cat"))


def test_names_of_classes_are_kept(tmp_path: Path) -> None:
    parts = random_split(Items(COLOR), [20, 10], torch.Generator().manual_seed(0))
    path = own_data({"train": parts[0], "test": parts[1]}, folder=tmp_path)
    assert class_names(str(path)) == ("ant", "bee", "cat")
    named = own_data((COLOR, LABELS), class_names=("x", "y", "z"), folder=tmp_path)
    assert class_names(str(named)) == ("x", "y", "z")
    with pytest.raises(DataError, match="2 class_names for 3 classes"):
        own_data((COLOR, LABELS), class_names=("x", "y"), folder=tmp_path)


def test_parts_are_kept_apart(tmp_path: Path) -> None:
    table = Table(train=Rows(), validation=Rows(), test=Rows())
    data = load_data(str(own_data(table, folder=tmp_path)))
    assert (len(data.train.labels), len(data.validation.labels)) == (COUNT, COUNT)
    arrays = {
        "train": (COLOR[:18], LABELS[:18]),
        "val": (COLOR[18:24], LABELS[18:24]),
        "test": (COLOR[24:], LABELS[24:]),
    }
    path = own_data(arrays, folder=tmp_path)
    assert np.array_equal(load_data(str(path)).validation.images, COLOR[18:24].transpose(0, 3, 1, 2))
    assert np.array_equal(load_test(str(path)).images, COLOR[24:].transpose(0, 3, 1, 2))


def test_the_same_images_are_kept_once_and_found_by_an_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAS_DATA", str(tmp_path))
    path = own_data(Items(COLOR), "pets")
    written = path.stat().st_mtime_ns
    assert own_data((COLOR, LABELS), "pets", class_names=["ant", "bee", "cat"]) == path
    assert path.stat().st_mtime_ns == written
    assert path.parent == tmp_path / "own"
    assert path.name.startswith("pets-")
    assert [file.suffix for file in sorted(path.parent.glob(".nas/*train*"))] == [".npy", ".npy", ".json"]
    experiment = load_experiment("quickstart", {"data": str(path)})
    assert experiment.source == Source("npz", str(path))
    assert experiment.images == path.stem
    assert own_data(Items(255 - COLOR), "pets") != path
    path.unlink()
    with pytest.raises(DataError, match=r"does not exist\. Restore it; own_data makes the same file"):
        summarize(experiment.source)
    assert own_data(Items(COLOR), "pets") == path


def test_images_are_cropped_and_scaled(tmp_path: Path) -> None:
    data = [(Image.fromarray(pixels(20, 10 + i, 3)), i % 2) for i in range(10)]
    with pytest.raises(DataError, match=r"own, train: images differ in size: 9 of 10 .*; set image_size, e\.g\. 15"):
        own_data(data, folder=tmp_path)
    assert load_data(str(own_data(data, image_size=8, folder=tmp_path))).train.images.shape[1:] == (3, 8, 8)
    assert load_data(str(own_data(data, image_size=(8, 6), folder=tmp_path))).train.images.shape[1:] == (3, 8, 6)


def random_image(image: np.ndarray) -> Image.Image:
    return Image.fromarray(np.random.default_rng().permutation(image))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            Items(COLOR, lambda image: chw(image) / 50 - 2),
            "own, train, item 0 cannot be read: values from -.*Normalize",
        ),
        (Items(COLOR, random_image), r"item \d is another image when read again; leave out random transforms"),
        (Items(pixels(9, 5, 4, 2), np.asarray), r"an image of shape \(5, 4, 2\): neither the first nor the last"),
        (Items(COLOR, lambda image: "a.png"), "an image of <U5"),
        ([(GRAY[0], "cat")], "item 0 cannot be read: its label is 'cat'; an integer from 0 is expected"),
        ([(GRAY[0], [0, 1])], r"its label is '\[0, 1\]'"),
        ([GRAY[0]], "it is a ndarray, where"),
        ([{"pixel_values": GRAY[0], "label": 1}], "its columns are pixel_values, label; one must be image or img"),
        ([], "there are no images"),
        (iter([(GRAY[0], 1)]), "list_iterator is not a map-style dataset"),
        ("mnist", "str is not a map-style dataset"),
        ((COLOR, LABELS[:9]), "30 images and 9 labels; there must be one for each"),
        ((COLOR, LABELS - 1), "own-[0-9a-f]{16}: 30 labels from -1 to 1"),
        ((COLOR[:2], LABELS[:2]), "2 images are too few"),
        ({"train": (COLOR, LABELS), "tset": (COLOR, LABELS)}, "name them train, validation and test.*mean 'test'"),
        ({"test": (COLOR, LABELS)}, "the parts are test; there must be one named train"),
    ],
)
def test_what_cannot_be_read_is_named(data: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        own_data(data, folder=tmp_path / "own")
    assert not list(tmp_path.rglob("*.npz"))


@settings(max_examples=60, deadline=None)
@given(any_array(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3]))))
def test_every_form_of_an_image_is_the_same_image(image: np.ndarray) -> None:
    """Bytes become floats from 0 to 1 and are themselves again, whether channels stand first or last."""
    expected = np.asarray(to_image(image)).reshape(image.shape)
    assert np.array_equal(expected, image)
    tensor = torch.from_numpy(image).permute(2, 0, 1)
    for form in (image / 255, (image / 255).astype(np.float32), tensor, tensor / 255):
        assert np.array_equal(np.asarray(to_image(form)).reshape(image.shape), image)
