"""Spaces as people write them, with their mistakes: one message, the file, the line."""

from pathlib import Path

import pytest

from nas.errors import ExperimentError, ShapeError
from nas.genome import Graph, Task
from nas.search import space
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space

TASK = Task("digits", (1, 8, 8), 10)
HEAD = "from nas.genome import Graph\nfrom nas.genome.primitives import *\n"
FAULTY = {
    "syntax": ("def mine(trial, task:\n", "mine.py, line 3: SyntaxError"),
    "import": ("import no_such_package\n", "mine.py, line 3: ModuleNotFoundError"),
    "name": ("def mine(trial, task):\n    return Stme(8)(task.image())\n", "line 4: NameError: name 'Stme'"),
    "another name": ("def yours(trial, task):\n    pass\n", r"no function 'mine'; write: def mine\(trial"),
    "no function": ("mine = 3\n", "no function 'mine'"),
    "nothing": ("def mine(trial, task):\n    Stem(8)(task.image())\n", "mine returned NoneType, not a Graph"),
    "a value": ("def mine(trial, task):\n    return Stem(8)(task.image())\n", "mine returned Value, not a Graph"),
    "range": ("def mine(trial, task):\n    trial.suggest_int('w', 16, 4)\n", "line 4: ValueError"),
    "deep": ("def mine(trial, task):\n    return mine(trial, task)\n", "line 4: RecursionError"),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(space, "resource", lambda _folder, name: tmp_path / name)
    monkeypatch.setattr(space, "names", lambda *_: ["mine"])
    load_space.cache_clear()
    return tmp_path / "mine.py"


@pytest.mark.parametrize("fault", FAULTY)
def test_a_fault_in_a_space_names_its_line(fault: str, home: Path) -> None:
    text, says = FAULTY[fault]
    home.write_text(HEAD + text)
    with pytest.raises(ExperimentError, match=says) as caught:
        sample_network(load_space("mine"), TASK, 0)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_shapes_that_do_not_fit_are_no_fault_of_the_space(home: Path) -> None:
    home.write_text(HEAD + "def mine(trial, task):\n    return Graph.of(Linear(10)(task.image()))\n")
    with pytest.raises(ShapeError):
        sample_network(load_space("mine"), TASK, 0)


def test_a_space_that_is_right_gives_a_network(home: Path) -> None:
    home.write_text(HEAD + "def mine(trial, task):\n    return Graph.of(GapHead(10)(Stem(8)(task.image())))\n")
    assert isinstance(sample_network(load_space("mine"), TASK, 0), Graph)
    load_space.cache_clear()
