"""The README's blocks run as printed, in order."""

import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from training.image_files import folder_files, put

from nas.cli.app import app
from nas.genome import Task
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment
from nas.search.objectives import Budget
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space
from nas.training.recipe import FORMER_KEYS, Recipe

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_console_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nas: Callable[..., Any]) -> None:
    put(tmp_path / "photos", folder_files(20))
    monkeypatch.chdir(tmp_path)
    for block in blocks("console"):
        commands = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        for command in commands:
            line, _, printed = command.partition("\n")
            program, *arguments = line.split()
            code, out, err = nas(*arguments)
            assert (program, code) == ("nas", 0), f"{line}\n{err}"
            if printed:
                assert out == printed, line
    assert (tmp_path / "exports" / "small" / "net.py").is_file()


def test_python_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks("python"):
        exec(compile(block.replace("trials=4", "trials=1"), "README.md", "exec"), {})


SPACES = (ROOT / "docs" / "spaces.md").read_text(encoding="utf-8")


def test_the_page_of_spaces_has_a_space() -> None:
    scope: dict[str, Any] = {}
    exec(re.findall(r"^```python\n(.*?)^```", SPACES, re.MULTILINE | re.DOTALL)[0], scope)
    assert sample_network(scope["mine"], Task("digits", (1, 8, 8), 10), 3)


def settings_of(heading: str) -> dict[str, str]:
    """The keys of the table below a heading of docs/spaces.md, and what their last column says."""
    section = SPACES.split(f"## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \|.*\| (.*?) ?\|$", section, re.MULTILINE))


def says(cell: str, default: object) -> bool:
    """Whether a cell of a table gives a default value; behind a colon it may explain what none means."""
    if default in (None, (), Budget()):
        return cell.partition(":")[0] == "none"
    if isinstance(default, bool):
        return cell == str(default).lower()
    if isinstance(default, int | float):
        return float(cell) == default
    return cell == (", ".join(default) if isinstance(default, tuple) else default)


def test_the_page_of_spaces_has_every_setting_with_its_default() -> None:
    table, fields = settings_of("An experiment"), Experiment.model_fields
    assert set(table) == set(fields)
    assert fields["recipe"].default == Recipe()
    said = {"space": "", "data": "", "name": "the file's name", "recipe": "the defaults below"}
    for key, cell in table.items():
        assert cell == said[key] if key in said else says(cell, fields[key].default), key


def test_the_page_of_spaces_has_every_key_of_a_recipe_with_its_default_and_former_name() -> None:
    table = settings_of("A recipe")
    assert list(table) == list(asdict(Recipe()))
    for key, default in asdict(Recipe()).items():
        assert says(table[key], default), key
    assert dict(re.findall(r"`(\w+)`\s\((\w+)\)", SPACES)) == FORMER_KEYS


def test_numbers_in_comments() -> None:
    import nas

    block = next(block for block in blocks("python") if "nas.cost(graph)" in block)
    scope: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), scope)
    promised = re.search(r"print\(nas\.cost\(graph\)\)\s+# (.*?)\.\.\.", block)
    assert promised is not None
    assert str(nas.cost(scope["graph"])).startswith(promised[1].rstrip())


def test_toml_blocks(tmp_path: Path) -> None:
    for block in blocks("toml"):
        file = tmp_path / "mine.toml"
        file.write_text(block, encoding="utf-8")
        (tmp_path / "dense.py").write_text(next(each for each in blocks("python") if "def dense" in each), "utf-8")
        assert callable(load_space(load_experiment(str(file)).space))


def test_every_verb_is_in_the_table() -> None:
    import nas.cli  # noqa: F401

    for command in app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        assert f"`nas {name}" in README, name


@pytest.mark.parametrize("target", ["search", "test"])
def test_the_two_commands_are_in_the_makefile(target: str) -> None:
    assert f"make {target}" in README
    assert re.search(rf"^{target}: install$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
