"""A space that was edited between search and resume is refused with the difference; a comment changes nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search.idle import InProcess

from nas.errors import ExperimentError, RunError
from nas.search import space
from nas.search.experiment import Experiment
from nas.search.loop.search import Search
from nas.search.space import load_space
from nas.search.store.create import create
from nas.search.store.space_facts import check_space
from nas.user_code import sources

TEXT = '''"""Widths."""

from nas.genome import Graph
from nas.genome.primitives import GapHead, Stem


def mine(trial, task):
    """Return a stem and a head."""
    width = trial.suggest_categorical("width", [8, 16])  # few
    depth = trial.suggest_int("depth", 1, 4)
    x = task.image()
    for _ in range(depth):
        x = Stem(width)(x)
    return Graph.of(GapHead(task.classes)(x))
'''
SAME = {
    "a comment": TEXT.replace("  # few", "  # narrow ones"),
    "a docstring": TEXT.replace("Return a stem", "Return stems"),
    "layout": TEXT.replace("[8, 16]", "[\n        8,\n        16,\n    ]"),
}
OTHER = {
    "a list that grew": (TEXT.replace("[8, 16]", "[8, 16, 24]"), "[8, 16, 24]"),
    "a range": (TEXT.replace("1, 4", "1, 3"), '"depth", 1, 3'),
    "a kernel": (TEXT.replace("Stem(width)", "Stem(width, 5)"), "Stem(width, 5)"),
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a space named `mine`."""
    monkeypatch.setattr(space, "resource", lambda _folder, name: tmp_path / "spaces" / name)
    monkeypatch.setattr(space, "names", lambda *_: ["mine"])
    (tmp_path / "spaces").mkdir()
    written = tmp_path / "spaces" / "mine.py"
    written.write_text(TEXT)
    load_space.cache_clear()
    return written


def go(run: Path, trials: int) -> int:
    """Search, or go on, with workers that train nothing; the number of trials after it."""
    load_space.cache_clear()
    experiment = Experiment(name="mine", space="mine", data="digits", trials=trials, sampler="random", workers=1)
    study = create(run, experiment, "test")
    for _ in Search(study, lambda _: InProcess()).events():
        pass
    return len(study.records())


@pytest.mark.parametrize("edit", SAME)
def test_what_changes_no_code_changes_nothing(edit: str, file: Path, tmp_path: Path) -> None:
    assert go(tmp_path / "run", 2) == 2
    file.write_text(SAME[edit])
    assert go(tmp_path / "run", 4) == 4


@pytest.mark.parametrize("edit", OTHER)
def test_an_edited_space_is_refused_with_the_difference(edit: str, file: Path, tmp_path: Path) -> None:
    go(tmp_path / "run", 2)
    text, shown = OTHER[edit]
    file.write_text(text)
    with pytest.raises(RunError, match="another search space") as caught:
        go(tmp_path / "run", 4)
    assert "mine.py" in str(caught.value)
    assert shown in str(caught.value)
    file.write_text(TEXT)
    assert go(tmp_path / "run", 4) == 4, "restored, it goes on"


def test_a_file_that_the_space_imports_belongs_to_it(file: Path, tmp_path: Path) -> None:
    file.write_text("from spaces.parts import WIDTHS\nfrom . import more\nimport os\n" + TEXT)
    (file.parent / "parts.py").write_text("import deep\nWIDTHS = [8, 16]\n")
    (file.parent / "more.py").write_text("X = 1\n")
    (file.parent / "deep.py").write_text("import parts\n")
    (file.parent / "other.py").write_text("Y = 1\n")
    known = sources(file)
    assert set(known) == {"mine.py", "parts.py", "more.py", "deep.py"}
    with pytest.raises(RunError, match=r"parts.py(.|\n)*WIDTHS = \[8, 24\]"):
        check_space({"space": known}, known | {"parts.py": "import deep\nWIDTHS = [8, 24]\n"}, tmp_path)


def test_a_list_that_grew_in_a_run_of_an_earlier_version_is_refused_at_its_line(file: Path, tmp_path: Path) -> None:
    go(tmp_path / "run", 2)
    with closing(sqlite3.connect(tmp_path / "run" / "study.db")) as database, database:
        database.execute("DELETE FROM study_user_attributes WHERE key = 'space'")
    file.write_text(OTHER["a list that grew"][0])
    with pytest.raises(ExperimentError, match=r"mine.py, line 9: .*\[8, 16\].*\[8, 16, 24\]"):
        go(tmp_path / "run", 4)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_are_compared(old: str, new: str) -> None:
    facts = {"space": {"mine.py": old}}
    check_space(facts, {"mine.py": old}, Path("run"))
    told = None
    try:
        check_space(facts, {"mine.py": new}, Path("run"))
    except RunError as problem:
        told = str(problem)
    assert told is None or (old != new and len(told) < 1_500)


@pytest.mark.parametrize(
    ("now", "same"),
    [
        ("import nas\nW = [8]\nprint(2)\ne = nas.Experiment(trials=9)\nr = nas.run_search(e)\nprint(r)\n", True),
        ("import nas\nW = [8]\nprint(2)\nif __name__ == '__main__':\n    nas.run_search(nas.Experiment())\n", True),
        ("import nas\nW = [9]\nprint(2)\ne = nas.Experiment(trials=9)\n", False),
        ("import nas\nW = [8]\nprint(2)\ne = nas.Experiment()\ndef more(): ...\n", False),
        ("import nas\nW = [8]\nprint(3)\ne = nas.Experiment()\n", False),
    ],
)
def test_what_a_script_does_is_not_of_its_space(now: str, same: bool) -> None:
    before = {"space": {"s.py": "import nas\nW = [8]\nprint(2)\ne = nas.Experiment(trials=2)\n"}}
    if same:
        check_space(before, {"s.py": now}, Path("run"))
    else:
        with pytest.raises(RunError, match="another search space"):
            check_space(before, {"s.py": now}, Path("run"))
