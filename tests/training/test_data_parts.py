"""The parts of a set of one's own: each image is in one of them, whatever the layout and whatever changed."""

import io
import tempfile
from itertools import chain, combinations, count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from training.image_files import encoded, folder_files, hub_rows, npz_bytes, parquet_bytes, pixels, put

from nas.errors import DataError
from nas.genome import Graph, Input
from nas.genome.primitives import GapHead, Stem
from nas.search.experiment_file import load_experiment, validate_experiment
from nas.search.trial import TrialRecord
from nas.search.workers.job import Job
from nas.training.data import READERS, Source, class_names, load_data, load_test, summarize, task
from nas.training.data.cache import compute_statistics
from nas.training.data.images import open_image
from nas.training.data.part_names import prefixed_part
from nas.user_code import trust

CLASSES = ("cats", "dogs")


def image(number: int) -> np.ndarray:
    """An image that tells its number: red and green spell it."""
    pixel = np.array([number % 256, number // 256, 7], np.uint8)
    picture = np.tile(pixel, (4, 4, 1))
    picture[3] = 255 - pixel
    return picture


def numbers(images: np.ndarray) -> list[int]:
    return [int(red) + 256 * int(green) for red, green in images[:, :2, 0, 0]]


def read(source: Source) -> dict[str, list[int]]:
    """The numbers of the images of each part, after checking that labels are even and odd numbers."""
    data, test = load_data(source), load_test(source)
    splits = {"train": data.train, "validation": data.validation, "test": test}
    for split in splits.values():
        assert [number % 2 for number in numbers(split.images)] == split.labels.tolist()
    return {part: numbers(split.images) for part, split in splits.items()}


def check_disjoint(parts: dict[str, list[int]]) -> None:
    for a, b in combinations(parts, 2):
        assert not set(parts[a]) & set(parts[b]), f"{a} and {b} share images"


def write_folder(place: Path, parts: dict[str, list[int]]) -> None:
    for part, images in parts.items():
        for number in images:
            put(place / part, {f"{CLASSES[number % 2]}/{number}.png": encoded(image(number))})


def write_parquet(place: Path, parts: dict[str, list[int]]) -> None:
    for part, images in parts.items():
        rows: list[object] = [{"bytes": encoded(image(number)), "path": ""} for number in images]
        put(place, {f"{part or 'all'}-00000-of-00001.parquet": parquet_bytes(rows, [n % 2 for n in images])})


def write_npz(place: Path, parts: dict[str, list[int]]) -> None:
    arrays: dict[str, np.ndarray] = {}
    for part, images in parts.items():
        suffix = f"_{part or 'train'}"
        arrays |= {f"x{suffix}": np.stack([image(n) for n in images]), f"y{suffix}": np.array(images) % 2}
    put(place, {"set.npz": npz_bytes(**arrays)})


WRITERS = {"folder": write_folder, "parquet": write_parquet, "npz": write_npz}
LAYOUTS = [("",), ("train",), ("train", "test"), ("train", "val"), ("train", "valid", "test"), ("train", "validation")]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(WRITERS)),
    st.lists(st.tuples(st.sampled_from(LAYOUTS), st.integers(5, 12)), min_size=2, max_size=4),
)
def test_no_image_is_in_two_parts_whatever_changes_between_two_readings(
    reader: str, stages: list[tuple[tuple[str, ...], int]]
) -> None:
    """Parts come, go and are renamed in one place, with the cache of the readings before."""
    with tempfile.TemporaryDirectory() as folder:
        place, kept, fresh = Path(folder), Path(folder) / ".nas", count()
        for names, each in stages:
            for old in place.iterdir():
                if old != kept and not old.name.startswith("."):
                    old.rename(place / f".{next(fresh)}")  # hidden, and so no longer a part
            parts = {name: list(range(100 * i, 100 * i + 4 * each)) for i, name in enumerate(names)}
            WRITERS[reader](place, parts)
            found = read(Source(reader, folder))
            check_disjoint(found)
            assert sorted(chain(*found.values())) == sorted(chain(*parts.values()))
            for name in names:
                own = {"val": "validation", "valid": "validation"}.get(name, name)
                if own in ("validation", "test"):
                    assert sorted(found[own]) == parts[name]


def test_a_test_part_that_is_removed_is_cut_from_the_rest_again(tmp_path: Path) -> None:
    write_folder(tmp_path, {"train": list(range(20)), "test": list(range(100, 108))})
    source = Source("folder", str(tmp_path))
    assert sorted(read(source)["test"]) == list(range(100, 108))
    (tmp_path / "test").rename(tmp_path.parent / "away")
    after = read(source)
    check_disjoint(after)
    assert len(after["test"]) == 4
    assert set(chain(*after.values())) == set(range(20))


def test_a_class_that_is_renamed_changes_the_labels_of_the_test(tmp_path: Path) -> None:
    put(tmp_path, folder_files(9, "train/") | folder_files(4, "test/"))
    source = Source("folder", str(tmp_path))
    assert load_test(source).labels.tolist() == [0] * 4 + [1] * 4
    first = load_test(source).images[0]
    for part in ("train", "test"):
        (tmp_path / part / "cats").rename(tmp_path / part / "zebras")
    assert class_names(source) == ("dogs", "zebras")
    test = load_test(source)
    assert [label for each, label in zip(test.images, test.labels, strict=True) if np.array_equal(each, first)] == [1]


def test_a_change_of_files_is_seen_in_the_same_process(tmp_path: Path) -> None:
    source = Source("folder", str(put(tmp_path, folder_files(9))))
    before = load_data(source)
    assert load_data(source) is before
    put(tmp_path, {"cats/0.png": encoded(pixels(6, 6, 3, seed=99))})
    assert load_data(source).digest == summarize(source).images != before.digest


def test_hub_layouts(tmp_path: Path) -> None:
    """The first gigabytes of a part are named partial; what a client keeps in hidden folders is not data."""
    rows, labels = hub_rows(48)
    cut = {name: parquet_bytes(rows[a:b], labels[a:b]) for name, a, b in (("train", 0, 31), ("test", 31, 48))}
    place = put(
        tmp_path,
        {
            "default/partial-train/0000.parquet": cut["train"],
            "default/test/0000.parquet": cut["test"],
            ".cache/huggingface/train-0000.parquet": cut["test"],
        },
    )
    source = Source("parquet", str(place))
    assert len(load_test(source).labels) == 17
    data = load_data(source)
    assert len(data.train.labels) + len(data.validation.labels) == 31


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (("a/train-0.parquet", "a/test-0.parquet", "b/train-0.parquet"), "of two sets; name the folder of one"),
        (("train-0.parquet", "more.parquet"), "more.parquet belongs to none of train, validation and test"),
        (("test-0.parquet", "validation-0.parquet"), "no file or folder is named train"),
    ],
)
def test_parquet_files_that_cannot_be_told_apart(names: tuple[str, ...], match: str, tmp_path: Path) -> None:
    source = Source("parquet", str(put(tmp_path, dict.fromkeys(names, parquet_bytes(*hub_rows())))))
    with pytest.raises(DataError, match=match):
        load_data(source)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train-00000-of-00002.parquet", "train"), ("Training.parquet", "train"), ("partial-test", "test"),
        ("valid_1.parquet", "validation"), ("val", "validation"), ("validation", "validation"), ("trainer", None),
        ("value.parquet", None), ("testament", None), ("my-train", None), ("test2017", "test"),
    ],
)  # fmt: skip
def test_a_part_is_told_by_a_whole_word(name: str, part: str | None) -> None:
    assert prefixed_part(name) == part


@pytest.mark.parametrize(
    ("files", "match"),
    [
        (folder_files(5) | folder_files(5, "test/"), "a folder test, but none named train"),
        (folder_files(5, "train/") | folder_files(5, "val/") | folder_files(5, "valid/"), "both val and valid"),
        (
            folder_files(5, "train/") | {"test/0.png": encoded(pixels(6, 6, 3))},
            "test: no images in folders of",
        ),
        (folder_files(5, "train/") | {"birds/0.png": encoded(pixels(6, 6, 3))}, "birds is a folder of images beside"),
        (folder_files(5, "train/") | {"test/cats/0.png": encoded(pixels(6, 6, 3))}, "no folder for class 'dogs'"),
        (
            folder_files(5, "train/") | folder_files(5, "test/") | {"test/newts/0.png": encoded(pixels(6, 6, 3))},
            "no class 'newts' among those for training",
        ),
    ],
    ids=["no train", "two names", "flat test", "stray class", "missing class", "unknown class"],
)
def test_folders_that_cannot_be_told_apart(files: dict[str, bytes], match: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=match):
        load_data(Source("folder", str(put(tmp_path, files))))


@pytest.mark.parametrize(("link", "target"), [("val", "test"), ("test", "train"), ("val", "train")])
def test_one_folder_is_not_two_parts(link: str, target: str, tmp_path: Path) -> None:
    put(
        tmp_path,
        folder_files(5, "train/") | folder_files(5, "test/") if target == "test" else folder_files(5, "train/"),
    )
    (tmp_path / link).symlink_to(target, target_is_directory=True)
    with pytest.raises(DataError, match=rf"({link} and {target}|{target} and {link}) are one folder, given twice; rem"):
        load_data(Source("folder", str(tmp_path)))


@pytest.mark.parametrize("own_validation", [False, True])
def test_a_division_leaves_every_class_images_and_the_test_some(own_validation: bool, tmp_path: Path) -> None:
    names = "abcde"
    home = "train/" if own_validation else ""
    put(tmp_path, {f"{home}{name}/0.png": encoded(pixels(6, 6, 3, seed=i)) for i, name in enumerate(names)})
    if own_validation:
        put(tmp_path, {f"val/{name}/0.png": encoded(pixels(6, 6, 3, seed=9 + i)) for i, name in enumerate(names)})
    source = Source("folder", str(tmp_path))
    for load in (load_data, load_test, summarize, task):
        with pytest.raises(DataError, match=r"no image of class . \(.\) is left to train with, as 20% are held out"):
            load(source)
    two = {"a.npz": npz_bytes(images=pixels(2, 6, 6), labels=np.arange(2))}
    for load in (load_data, load_test, summarize, task):
        with pytest.raises(
            DataError, match=r"pair: 2 images are too few, as 20% are held out for the test; add images"
        ):
            load(Source("npz", str(put(tmp_path / "pair", two))))


@pytest.mark.parametrize("name", [name for name in READERS if name != "digits"])
def test_a_path_that_is_too_long_is_a_data_error(name: str, tmp_path: Path) -> None:
    for place in ("x" * 300, "x/" * 3000, "y" * 5000):
        for load in (load_data, load_test, summarize):
            with pytest.raises(DataError, match=r"cannot be read: .*too long"):
                load(Source(name, str(tmp_path / place)))


def test_arrays_without_their_labels_and_classes_without_images(tmp_path: Path) -> None:
    train = {"x_train": pixels(20, 4, 4), "y_train": np.arange(20) % 3}
    for name, more, match in (
        ("a", {"x_test": pixels(6, 4, 4)}, "it holds x_test without y_test"),
        ("b", {"x_val": pixels(6, 4, 4), "y_val": np.arange(6) % 2}, "no image for validation is of class 2"),
        ("c", {"x_test": pixels(6, 4, 4), "y_test": np.arange(6)}, "an image for test is of class 5"),
        ("d", {"x_val": pixels(6, 4, 4), "y_val": np.arange(6) % 3, "val_images": pixels(6, 4, 4)}, "val_images with"),
    ):
        with pytest.raises(DataError, match=match):
            load_data(Source("npz", str(put(tmp_path / name, {"a.npz": npz_bytes(**train, **more)}))))


def test_a_share_for_validation_beside_images_for_it_is_refused(tmp_path: Path) -> None:
    put(tmp_path, folder_files(9, "train/") | folder_files(4, "valid/"))
    with pytest.raises(DataError, match=r"has images for validation, which are used; remove validation \(=0.2\)"):
        load_data(Source("folder", str(tmp_path), validation=0.2))


def test_one_color_image_makes_all_parts_color(tmp_path: Path) -> None:
    gray = {
        f"{part}/{c}/{i}.png": encoded(pixels(5, 5, seed=i))
        for part in ("train", "test")
        for c in "ab"
        for i in range(5)
    }
    source = Source("folder", str(put(tmp_path, gray | {"test/a/9.png": encoded(pixels(5, 5, 3))})))
    assert task(source).input == (3, 5, 5)
    data, test = load_data(source), load_test(source)
    assert data.train.images.shape[1:] == test.images.shape[1:] == (3, 5, 5)
    assert len(data.mean) == 3
    assert np.array_equal(data.train.images[:, 0], data.train.images[:, 2])


def test_files_of_systems_are_passed_over(tmp_path: Path) -> None:
    junk = [
        "lost+found/x.png", "__MACOSX/cats/1.png", ".git/cats/1.png", "cats/._0.png", "cats/.0.png.icloud",
        "cats/Thumbs.db", ".DS_Store", "desktop.ini",
    ]  # fmt: skip
    source = Source("folder", str(put(tmp_path, folder_files(9) | dict.fromkeys(junk, b"no image"))))
    assert class_names(source) == CLASSES
    assert len(load_data(source).train.labels) == 10


def test_a_long_name_of_a_reader_is_no_file_name_too_long(tmp_path: Path) -> None:
    reader = tmp_path / f"{'画' * 60}.py"
    reader.write_text("from nas.training.data.readers.folder import Folder as Base\n\n\nclass Mine(Base):\n    pass\n")
    source = Source(f"{reader}:Mine", str(put(tmp_path / "set", folder_files(9))))
    trust(source.name)
    assert len(load_data(source).train.labels) == 10
    assert list((tmp_path / "set" / ".nas").glob("*.json"))


def png(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", **options)
    return buffer.getvalue()


def drawing(mode: str) -> bytes:
    """A black dot on transparent black."""
    if mode == "P":
        picture = Image.new("P", (4, 4), 1)
        picture.putpalette([0, 0, 0, 0, 0, 0])
        picture.putpixel((1, 1), 0)
        return png(picture, transparency=1)
    picture = Image.new(mode, (4, 4), 0)
    picture.putpixel((1, 1), (0, 255) if mode == "LA" else (0, 0, 0, 255))
    return png(picture)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode: str, tmp_path: Path) -> None:
    files = {f"{c}/{i}.png": drawing(mode) for c in "ab" for i in range(9)}
    images = load_data(Source("folder", str(put(tmp_path, files)))).train.images
    assert images.shape[1] == (1 if mode == "LA" else 3)
    assert (images[0, :, 1, 1] == 0).all()
    assert (images[0].sum(0) > 0).sum() == 15
    assert images[0].max() == images[0, 0, 0, 0] == 255


def test_a_photograph_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    tall = np.zeros((6, 4, 3), np.uint8)
    tall[:3] = 250
    buffer = io.BytesIO()
    Image.fromarray(np.rot90(tall)).save(buffer, "JPEG", exif=exif, quality=95)
    upright = {"a/0.jpg": buffer.getvalue()}
    files = folder_files(9) | {f"{c}/{i}.jpg": buffer.getvalue() for c in "ab" for i in range(9)}
    files = {name: content for name, content in (files | upright).items() if name.endswith("jpg")}
    images = load_data(Source("folder", str(put(tmp_path, files)))).train.images
    assert images.shape[2:] == (6, 4)
    assert images[0, :, :2].min() > 200 > 50 > images[0, :, 4:].max()


def ink(adobe: bool) -> bytes:
    """A JPEG in four inks: white, with a black corner."""
    picture = Image.new("CMYK", (16, 16), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 8, 8))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=100, subsampling=0)
    content = buffer.getvalue()
    return content if adobe else content.replace(b"Adobe", b"Edoba")


def test_inks_are_read_where_their_meaning_is_known(tmp_path: Path) -> None:
    files = {f"{c}/{i}.jpg": ink(adobe=True) for c in "ab" for i in range(9)}
    images = load_data(Source("folder", str(put(tmp_path, files)))).train.images
    assert images[0, :, 12, 12].min() > 240
    assert images[0, :, 2, 2].max() < 40
    with pytest.raises(DataError, match="whether its values are inverted"):
        load_data(Source("folder", str(put(tmp_path, {"a/0.jpg": ink(adobe=False)}))))


def test_height_and_width_of_ones_own(tmp_path: Path) -> None:
    source = Source("folder", str(put(tmp_path, folder_files(9, side=12))), image_size=(8, 6))
    assert task(source).input == (3, 8, 6)
    assert task(Source("folder", str(tmp_path), image_size=8)).input == (3, 8, 8)


def test_height_and_width_reach_a_worker(tmp_path: Path) -> None:
    experiment = load_experiment("quickstart", {"data": "folder", "data_dir": "pets", "image_size": [8, 6]})
    assert experiment.source.size == (8, 6)
    assert validate_experiment(experiment.as_dict(), "a study") == experiment
    graph = Graph.of(GapHead(2)(Stem(4)(Input((3, 8, 6))())))
    record = TrialRecord.of(graph, 0, 0)
    job = Job.for_trial(experiment, record, tmp_path / "weights")
    assert Job.from_json(job.to_json()) == job


@pytest.mark.parametrize("parts", [("",), ("train/", "test/"), ("train/", "val/"), ("train/", "val/", "test/")])
@pytest.mark.parametrize("writable", [True, False])
def test_a_summary_decodes_each_image_once(
    parts: tuple[str, ...], writable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source("folder", str(tmp_path))
    for number, part in enumerate(parts):
        put(tmp_path, {name: encoded(pixels(6, 6, 3, seed=99 * number + i))
                       for i, name in enumerate(folder_files(9, part))})  # fmt: skip
    if not writable:
        (tmp_path / ".nas").touch()
    decoded: list[bytes] = []

    def decode(content: bytes) -> Image.Image:
        decoded.append(content)
        return open_image(content)

    monkeypatch.setattr("nas.training.data.images.open_image", decode)
    summary = summarize(source)
    assert len(decoded) == len(set(decoded)) == 18 * len(parts)
    data, test = load_data(source), load_test(source)
    assert (summary.images, summary.task, summary.mean, summary.std) == (data.digest, data.task, data.mean, data.std)
    assert summary.test == compute_statistics(test).digest
    assert summary.class_names == class_names(source) == ("cats", "dogs")
    assert len(decoded) == 18 * len(parts) * (1 if writable else 3), "once more for each of the two, without a cache"


def test_a_summary_has_the_test_of_a_set_that_is_known() -> None:
    summary, test = summarize("digits"), load_test("digits")
    assert (summary.test, summary.task.classes) == (compute_statistics(test).digest, 10)
