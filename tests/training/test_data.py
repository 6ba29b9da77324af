"""Sources, divisions and the cache: the same images every time, the test held out, and no stale cache used."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from disk import fill
from hypothesis import given
from hypothesis import strategies as st
from training.image_files import (
    cifar_bytes,
    cycled,
    folder_files,
    npz_bytes,
    pixels,
    put,
    same,
    tiny_cifar,
    tiny_mnist,
)

from nas.errors import DataError
from nas.genome.task import Task
from nas.training.data import READERS, Source, load_data, load_test, summarize, task
from nas.training.data.catalog.public_sets import PUBLIC_SETS
from nas.training.data.split import class_quotas, remaining_rows, sample_rows


def rows(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


def test_tasks_of_public_sets_need_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert task("cifar10") == Task("cifar10", (3, 32, 32), 10)
    assert task("cifar100").classes == 100
    assert task("mnist").input == task("fashion_mnist").input == (1, 28, 28)
    with pytest.raises(DataError, match=r"no data_batch_1\.bin in data/cifar10.*nas data cifar10 data/cifar10"):
        load_data("cifar10")


def test_published_tables_add_up() -> None:
    for known in PUBLIC_SETS.values():
        channels, height, width = known.task.input
        for part, count in zip((known.train, known.test), known.counts, strict=True):
            length, labels = sum(file.length for file in part), 2 if known.task.name == "cifar100" else 1
            headers = 24 if len(known.downloads) == 4 else 0
            assert length == count * (channels * height * width + labels) + headers
        digests = [file.digest for file in (*known.downloads, *known.train, *known.test)]
        assert len(set(digests)) == len(digests)
        assert all(len(text) == 64 and int(text, 16) for text in digests)


def test_unknown_names_and_settings_say_what_there_is() -> None:
    with pytest.raises(DataError, match="digits, cifar10"):
        task("imagenet")
    with pytest.raises(DataError, match=r"image_size \(=16\) is for folder and parquet"):
        task(Source("digits", image_size=16))


def test_validation_is_cut_from_train_and_the_test_is_not_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    contents = tiny_cifar(monkeypatch)
    test = contents.pop("test_batch.bin")
    place = put(tmp_path, contents)
    source = Source("cifar10", str(place), validation=0.2)
    monkeypatch.setattr(type(READERS["cifar10"]), "files", _training_only(type(READERS["cifar10"]).files))
    data = load_data(source)
    assert (len(data.train.labels), len(data.validation.labels)) == (48, 12)
    assert not rows(data.train.images) & rows(data.validation.images)
    assert len(rows(data.train.images) | rows(data.validation.images)) == 60
    assert np.bincount(data.validation.labels).max() - np.bincount(data.validation.labels).min() <= 1
    assert load_data(source) is data
    monkeypatch.undo()
    tiny_cifar(monkeypatch)
    put(place, {"test_batch.bin": test})
    assert len(load_test(source).labels) == 20


def _training_only(files: object) -> object:
    def checked(self: object, place: Path, part: str) -> list[Path]:
        assert part == "train"
        return files(self, place, part)  # type: ignore[operator,no-any-return]

    return checked


def test_default_shares() -> None:
    digits = load_data("digits")
    assert [len(s.labels) for s in (digits.train, digits.validation, load_test("digits"))] == [1078, 360, 359]
    seen = rows(digits.train.images) | rows(digits.validation.images)
    assert not seen & rows(load_test("digits").images)


def test_a_smaller_share_leaves_the_validation_images_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = str(put(tmp_path, tiny_cifar(monkeypatch)))
    whole, few = load_data(Source("cifar10", place)), load_data(Source("cifar10", place, train_images=20))
    assert same(whole.validation, few.validation)
    assert whole.digest == few.digest == summarize(Source("cifar10", place)).images
    assert np.bincount(few.train.labels).tolist() == [2] * 10
    assert rows(few.train.images) < rows(whole.train.images)
    with pytest.raises(DataError, match=r"train_images \(=60\): only 54 are left"):
        load_data(Source("cifar10", place, train_images=60))
    with pytest.raises(DataError, match="no image is left to train class"):
        load_data(Source("cifar10", place, train_images=5))
    with pytest.raises(DataError, match="no image is left to validate with"):
        load_data(Source("cifar10", place, validation=0.001))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.floats(0, 1), st.integers(0, 5))
def test_samples_are_exact_and_stratified(sizes: list[int], share: float, seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    count = round(share * len(labels))
    chosen = sample_rows(labels, count, seed)
    assert len(chosen) == len(set(chosen.tolist())) == count
    assert np.all(np.abs(np.bincount(labels[chosen], minlength=len(sizes)) - np.array(sizes) * count / len(labels)) < 1)
    assert np.array_equal(
        np.sort(np.concatenate([chosen, remaining_rows(len(labels), chosen)])), np.arange(len(labels))
    )
    assert np.array_equal(chosen, sample_rows(labels, count, seed))
    assert np.all(class_quotas(np.array(sizes), count) <= sizes)


def test_statistics_are_those_of_the_images_a_search_may_see(tmp_path: Path) -> None:
    images, labels = pixels(50, 5, 5, 3), cycled(50, 5)
    data = load_data(Source("npz", str(put(tmp_path, {"a.npz": npz_bytes(images=images, labels=labels)}))))
    seen = np.concatenate([data.train.images, data.validation.images]) / 255
    assert len(seen) == 40
    assert np.allclose(data.mean, seen.mean((0, 2, 3)))
    assert np.allclose(data.std, seen.std((0, 2, 3)))


def test_the_place_is_named_or_under_nas_data_or_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NAS_DATA", raising=False)
    assert Source("mnist").data_dir == Path("data/mnist")
    monkeypatch.setenv("NAS_DATA", str(tmp_path))
    assert Source("mnist").data_dir == tmp_path / "mnist"
    assert Source("mnist", "here").data_dir == Path("here")
    put(tmp_path / "mnist", {f"raw/{name}": content for name, content in tiny_mnist(monkeypatch).items()})
    assert load_data("mnist").train.images.shape == (36, 1, 28, 28)


def cached(place: Path) -> dict[str, float]:
    return {path.name: path.stat().st_mtime_ns for path in (place / ".nas").iterdir()}


def reread(source: Source) -> str:
    """The digest, as another process would find it."""
    return summarize(source).images


def test_the_cache_is_used_while_nothing_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = Source("cifar10", str(put(tmp_path, tiny_cifar(monkeypatch))))
    first = reread(source)
    before = cached(tmp_path)
    kept = ("-images.npy", "-labels.npy", ".json")
    assert sorted(before) == [f"cifar10-{part}{kind}" for part in ("test", "train") for kind in kept]
    monkeypatch.setattr(type(READERS["cifar10"]), "read", None)
    assert reread(source) == first
    assert cached(tmp_path) == before


@pytest.mark.parametrize("name", ["cifar10-train-images.npy", "cifar10-train-labels.npy", "cifar10-train.json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "nonsense"])
def test_a_damaged_cache_is_made_again(name: str, damage: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = Source("cifar10", str(put(tmp_path, tiny_cifar(monkeypatch))))
    first, path = reread(source), tmp_path / ".nas" / name
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 3] ^= 1
    damaged = {"cut": content[: len(content) // 2], "flip": bytes(flipped), "nonsense": b'{"made_of": 3, "facts": []}'}
    written = path.stat().st_mtime_ns
    path.unlink() if damage == "gone" else path.write_bytes(damaged[damage])
    if damage != "gone":
        os.utime(path, ns=(written + 10**9,) * 2)  # some systems' clocks do not tell two writes of one moment apart
    made = load_data(source)
    assert made.digest == first
    assert np.array_equal(np.unique(made.train.images), np.arange(256))
    assert json.loads((tmp_path / ".nas" / "cifar10-train.json").read_text())["facts"]["digest"] == first
    assert name.endswith("json") or path.read_bytes() == content
    assert not list(tmp_path.rglob("*.part"))


def test_changed_files_are_read_again(tmp_path: Path) -> None:
    place = put(tmp_path, folder_files(10))
    source = Source("folder", str(place))
    first = reread(source)
    put(place, {"cats/0.png": (place / "dogs/3.png").read_bytes()})
    second = reread(source)
    (place / "cats" / "9.png").unlink()
    assert len({first, second, reread(source)}) == 3


def test_without_a_place_to_write_the_cache_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("cifar10", str(put(tmp_path, tiny_cifar(monkeypatch))))
    (tmp_path / ".nas").write_text("in the way")
    assert len(load_data(source).train.labels) == 54
    assert stat.S_ISREG(os.stat(tmp_path / ".nas").st_mode)


def test_a_cache_that_finds_no_room_is_made_later(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("cifar10", str(put(small_disk, tiny_cifar(monkeypatch))))
    ballast = fill(small_disk, 8192)
    assert len(load_data(source).train.labels) == 54
    assert not list(small_disk.rglob("*.part"))
    ballast.unlink()
    reread(source)
    assert len(cached(small_disk)) == 6, "of the two parts each: images, labels, statistics"


def test_no_cache_is_left_by_a_set_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contents = tiny_cifar(monkeypatch)
    put(tmp_path, contents | {"data_batch_2.bin": cifar_bytes(20, seed=9)})
    with pytest.raises(DataError, match=r"data_batch_2\.bin cannot be read: its 61,460 bytes have SHA-256.*Delete it"):
        load_data(Source("cifar10", str(tmp_path)))
    assert not (tmp_path / ".nas").exists()


def test_test_images_must_be_of_the_training_images_kind(tmp_path: Path) -> None:
    arrays = {"x_train": pixels(20, 4, 4), "y_train": cycled(20, 2), "x_test": pixels(6, 5, 5), "y_test": cycled(6, 2)}
    source = Source("npz", str(put(tmp_path, {"a.npz": npz_bytes(**arrays)})))
    for read in (task, load_data, load_test):  # trouble in the test part is told when a search begins
        with pytest.raises(DataError, match="they must agree"):
            read(source)
