"""Every reader keeps the contract of `nas.testing.readers`; a reader from outside the package is one entry."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training.image_files import (
    cycled,
    folder_files,
    hub_rows,
    npz_bytes,
    parquet_bytes,
    pixels,
    put,
    tiny_cifar,
    tiny_mnist,
)
from typer.testing import CliRunner

from nas.cli.app import app
from nas.errors import DataError, ExperimentError
from nas.genome import Graph, Task
from nas.genome.primitives import GapHead, Stem
from nas.model import module
from nas.testing.readers import check_description, check_reader, check_split
from nas.training.data import READERS, Source, class_names, load_data, load_test, summarize, task
from nas.training.data.reader import Part
from nas.training.data.registry import BUNDLED, is_own
from nas.training.data.source import Size
from nas.training.data.split import Split
from nas.training.recipe import Recipe
from nas.training.train import train
from nas.user_code import code_digest, trust


def files_of(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets of files for a reader, without and with a test part."""
    images, labels = pixels(20, 5, 4), cycled(20, 2)
    rows, numbers = hub_rows(20)
    cases: dict[str, Callable[[], list[dict[str, bytes]]]] = {
        "digits": lambda: [{}],
        "cifar10": lambda: [tiny_cifar(monkeypatch)],
        "mnist": lambda: [tiny_mnist(monkeypatch)],
        "folder": lambda: [folder_files(5), folder_files(5, "train/") | folder_files(2, "test/")],
        "npz": lambda: [
            {"a.npz": npz_bytes(images=images, labels=labels)},
            {"a.npz": npz_bytes(x_train=images, y_train=labels, x_test=images[:4], y_test=labels[:4])},
        ],
        "parquet": lambda: [
            {"all.parquet": parquet_bytes(rows, numbers)},
            {"train.parquet": parquet_bytes(rows, numbers), "test.parquet": parquet_bytes(rows[:4], numbers[:4])},
        ],
    }
    return cases[name]()


@pytest.mark.parametrize("name", ["digits", "cifar10", "mnist", "folder", "npz", "parquet"])
def test_a_reader_keeps_its_promises(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number, files in enumerate(files_of(name, monkeypatch)):
        check_reader(READERS[name], put(tmp_path / str(number), files))


def test_every_bundled_reader_describes_itself() -> None:
    for reader in BUNDLED:
        check_description(reader)
        assert READERS[reader.name] is reader


class Stripes:
    """Images of 6 pixels with a bright row or a bright column; none of them in a file."""

    name = "stripes"
    summary = "rows and columns"
    task: Task | None = None
    resizes = False
    own = False

    def class_names(self, place: Path) -> tuple[str, ...]:
        return "row", "column"

    def parts(self, place: Path) -> tuple[Part, ...]:
        return ("train",)

    def files(self, place: Path, part: Part) -> list[Path]:
        return []

    def read(self, files: list[Path], part: Part, size: Size | None) -> Split:
        images, labels = pixels(60, 1, 6, 6) // 4, cycled(60, 2)
        for index, label in enumerate(labels):
            line = index % 6
            if label:
                images[index, 0, :, line] = 255
            else:
                images[index, 0, line] = 255
        return Split(images, labels)


@pytest.fixture
def stripes() -> Iterator[str]:
    READERS.register(Stripes())
    yield "stripes"
    READERS.unregister("stripes")


def test_a_registered_reader_loads_divides_and_trains(stripes: str, tmp_path: Path) -> None:
    check_reader(READERS[stripes], tmp_path)
    data, test = load_data(stripes), load_test(stripes)
    assert [len(split.labels) for split in (data.train, data.validation, test)] == [36, 12, 12]
    assert task(stripes) == data.task == Task("stripes", (1, 6, 6), 2)
    assert (summarize(stripes).images, class_names(stripes)) == (data.digest, ("row", "column"))
    network = module(Graph.of(GapHead(2)(Stem(8)(data.task.image()))))
    scores = list(train(network, data, Recipe(epochs=8, batch=4), 0))
    assert scores[-1].loss < scores[0].loss
    assert not is_own(stripes)
    assert "rows and columns" in CliRunner().invoke(app, ["data"]).stdout


def test_a_users_reader_is_found_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    name = f"{file}:Stripes"
    with pytest.raises(DataError, match="imported only for whoever names it"):
        task(name)
    trust(name, f"{Stripes.__module__}:Stripes")
    check_reader(READERS.find(name), tmp_path)
    assert is_own(name)
    assert task(name).classes == 2
    assert summarize(name).images == summarize(Source(f"{Stripes.__module__}:Stripes")).images
    for wrong, message in {
        f"{file}:Striped": "did you mean 'Stripes'",
        f"{tmp_path / 'none.py'}:Stripes": "no file",
        f"{file}:cycled": "cannot be created: TypeError",
        "collections:Counter": "is not a data reader: it has no name, summary, task",
    }.items():
        trust(wrong)
        with pytest.raises(DataError, match=message):
            task(wrong)
        with pytest.raises(ExperimentError, match=message):
            READERS.find(wrong)


def test_a_users_set_is_cached_under_a_name_without_slashes(tmp_path: Path) -> None:
    code = """
        from nas.training.data.readers.npz import Npz

        class Mine(Npz):
            name = "mine"
    """
    put(tmp_path, {"set.npz": npz_bytes(images=pixels(20, 5, 4), labels=cycled(20, 2))})
    file = tmp_path / "mine.py"
    file.write_text("\n".join(line[8:] for line in code.splitlines()), encoding="utf-8")
    trust(f"{file}:Mine")
    first = load_data(Source(f"{file}:Mine", str(tmp_path)))
    assert first.digest == summarize(Source("npz", str(tmp_path))).images
    (note,) = (tmp_path / ".nas").glob("*Mine-train.json")
    assert note.name.endswith("mine.py_Mine-train.json")


def test_an_edited_reader_does_not_get_the_images_of_the_former(tmp_path: Path) -> None:
    """Each reading is in a process of its own, as after an edit between two searches."""
    put(tmp_path, {"set.npz": npz_bytes(images=pixels(20, 5, 4), labels=cycled(20, 2))})
    file, found = tmp_path / "mine.py", []
    reading = f"""
from nas.user_code import code_digest, trust
from nas.training.data import Source, summarize
trust({str(file)!r} + ":Mine")
print(summarize(Source({str(file)!r} + ":Mine", {str(tmp_path)!r})).images)
"""
    code = """
from nas.training.data.readers.npz import Npz
from nas.training.data.split import Split

class Mine(Npz):
    name = "mine"

    def read(self, files, part, size):
        split = super().read(files, part, size)
        return Split(split.images // {0}, split.labels)
"""
    for divisor in (2, 2, 3, 2):
        file.write_text(code.format(divisor), encoding="utf-8")
        done = subprocess.run([sys.executable, "-c", reading], capture_output=True, text=True, check=True)
        found.append(done.stdout)
    assert found[0] == found[1] == found[3] != found[2]


def test_only_a_users_own_has_code_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    assert code_digest("npz") == code_digest("never.imported:Mine") == code_digest(f"{tmp_path}/none.py:Mine") == ""
    assert len({code_digest(f"{tmp_path}/mine.py:Mine"), code_digest(f"{Stripes.__module__}:Stripes"), ""}) == 3


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (Split(pixels(4, 5, 5), cycled(4, 2)), "not \\(n, channels"),
        (Split(pixels(4, 1, 5, 5) / 255, cycled(4, 2)), "not uint8"),
        (Split(pixels(4, 2, 5, 5), cycled(4, 2)), "2 channels"),
        (Split(pixels(4, 1, 5, 5), cycled(4, 2).astype(np.int32)), "not int64"),
        (Split(pixels(4, 1, 5, 5), cycled(3, 2)), "for 4 images"),
        (Split(pixels(0, 1, 5, 5), cycled(0, 2)), "no images"),
        (Split(pixels(4, 1, 5, 5), cycled(4, 2) - 1), "negative"),
    ],
)
def test_a_broken_promise_is_named(split: Split, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_split(split)
