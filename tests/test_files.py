"""Text files of any editor: a byte order mark is no part of them."""

import ast
import codecs
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nas
from nas.device.boards import BUNDLED, read_boards
from nas.files import read_text
from nas.genome.baselines import baseline
from nas.genome.genome_json import read_genome, to_json
from nas.known_code import is_known, list_file, remember
from nas.search.experiment_file import load_experiment, read_experiment, to_toml
from nas.search.results.finalist_files import load_finalists
from nas.search.store.running_trials import read_running_trials
from nas.training import recipe
from nas.training.data.cache import cached_part
from nas.training.data.split import Split
from nas.user_code import sources

NAS = Path(nas.__file__).parent
Prepared = tuple[Path, Callable[[], Any]]
"""A file, and what reads it."""


def genome(folder: Path, _: pytest.MonkeyPatch) -> Prepared:
    file = folder / "genome.json"
    file.write_text(to_json(baseline("lenet5_paper")), encoding="utf-8")
    return file, lambda: read_genome(file)


def experiment(folder: Path, _: pytest.MonkeyPatch) -> Prepared:
    file = folder / "quickstart.toml"
    file.write_text(to_toml(load_experiment("quickstart")), encoding="utf-8")
    return file, lambda: read_experiment(file)


def finalists(folder: Path, _: pytest.MonkeyPatch) -> Prepared:
    row = {"number": 3, "errors": [0.1, 0.2], "low": 0.1, "high": 0.2, "seed": 1, "test_error": 0.1, "epochs": 2}
    file = folder / "finalists" / "finalists.json"
    file.parent.mkdir()
    file.write_text(json.dumps([row]), encoding="utf-8")
    return file, lambda: load_finalists(folder)


def space_file(folder: Path, _: pytest.MonkeyPatch) -> Prepared:
    file = folder / "mine.py"
    file.write_text("WIDTHS = [8, 16]\n", encoding="utf-8")
    return file, lambda: sources(file)


def known(folder: Path, patch: pytest.MonkeyPatch) -> Prepared:
    patch.setenv("NAS_CONFIG_DIR", str(folder))
    (folder / "mine.py").write_text("WIDTHS = [8, 16]\n", encoding="utf-8")
    remember(f"{folder}/mine.py:mine")
    return list_file(), lambda: is_known(f"{folder}/mine.py:mine")


def running(folder: Path, _: pytest.MonkeyPatch) -> Prepared:
    file = folder / "running.json"
    file.write_text('{"3": {"epoch": 1, "seconds": 2.0, "begun": 3.0}}', encoding="utf-8")
    return file, lambda: read_running_trials(folder)


def cache(folder: Path, _: pytest.MonkeyPatch) -> Prepared:
    (folder / "images").touch()
    split = Split(np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4), np.arange(2))
    given = iter([split])
    return (
        folder / ".nas" / "a.json",
        lambda: cached_part([folder / "images"], folder, "a", [], lambda: next(given)).statistics,
    )


def recipes(folder: Path, patch: pytest.MonkeyPatch) -> Prepared:
    file = folder / "fast.toml"
    file.write_bytes((recipe.HERE / "fast.toml").read_bytes())
    patch.setattr(recipe, "HERE", folder)
    return file, lambda: recipe.recipe("fast")


def boards(folder: Path, _: pytest.MonkeyPatch) -> Prepared:
    file = folder / "boards.toml"
    file.write_bytes(BUNDLED.read_bytes())
    return file, lambda: read_boards(file)


READERS = {
    "device/boards.py": boards,
    "genome/genome_json.py": genome,
    "search/experiment_file.py": experiment,
    "search/store/rows.py": finalists,
    "search/store/running_trials.py": running,
    "user_code.py": space_file,
    "known_code.py": known,
    "training/data/cache.py": cache,
    "training/recipe.py": recipes,
}
"""What each file of the package that reads a text file of anybody's reads."""
PACKAGED = {
    "cli/init.py",
    "files.py",
    "genome/baselines/__init__.py",
    "model/predict.py",
    "report/html/page.py",
    "search/space.py",
}


def calls(path: Path) -> set[str]:
    """The functions and methods that a file calls, by their last name."""
    nodes = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    names = {f"{node.id}()" for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_every_reader_has_an_entry() -> None:
    called = {path.relative_to(NAS).as_posix(): calls(path) for path in NAS.rglob("*.py")}
    assert {name for name, names in called.items() if "read_text()" in names} == set(READERS)
    assert {name for name, names in called.items() if "read_text" in names} == PACKAGED


@pytest.mark.parametrize("reader", READERS)
def test_a_byte_order_mark_is_no_part_of_a_file(reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, read = READERS[reader](tmp_path, monkeypatch)
    before = read()
    assert before
    file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
    assert read() == before
    assert not read_text(file).startswith("\ufeff")
