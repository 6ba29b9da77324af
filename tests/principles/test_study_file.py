from pathlib import Path

import pytest

from nas.errors import ExperimentError
from nas.principles.study_file import PrincipleStudy, read_study, save, saved
from nas.resources import names
from nas.search.experiment_file import find_experiment

TEXT = """name = "mine"
data = "digits"

[recipe]
epochs = 2

[principles]
looks = [2, 3]
width = 8
deep = 14
keys = ["h01"]
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_study_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    family = read_study(write(tmp_path, TEXT), {"principles.sd": 2.0, "recipe.epochs": 5})
    assert (family.design.sd, family.experiment.recipe.epochs, family.design.looks) == (2.0, 5, (2, 3))
    save(family, tmp_path / "run", "Run by: nas principles x")
    assert saved(tmp_path / "run") == family


def test_a_folder_without_a_study_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="holds no study of principles"):
        saved(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("width = 8", "widht = 8", "line 9.*principles.widht"),
        ("width = 8", "width = 2", "line 9.*principles.width"),
        ("deep = 14", "deep = 15", "6 n \\+ 2"),
        ("looks = [2, 3]", "looks = [3, 2]", "must rise"),
        ("looks = [2, 3]", "looks = [1]", "principles.looks"),
        ('keys = ["h01"]', 'keys = ["h99"]', "no principle 'h99'"),
        ("epochs = 2", "epocs = 2", "line 5.*epocs"),
        ('data = "digits"', 'data = "digits"\nspace = "mixed"', "'space' has no place"),
        ("[recipe]", "[recipe", "TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ExperimentError, match=f"(?s)mine.toml.*{says}|{says}"):
        read_study(write(tmp_path, TEXT.replace(old, new)))


def test_a_setting_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"--set name\.x"):
        read_study(write(tmp_path, TEXT), {"name.x": 1})


@pytest.mark.parametrize("name", [name for name in names("experiments", ".toml") if "principles" in name])
def test_every_study_that_comes_along_is_valid(name: str) -> None:
    family: PrincipleStudy = read_study(find_experiment(name))
    assert family.experiment.name == name
    assert len(family.principles) > 20
