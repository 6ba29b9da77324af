from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.errors import ExperimentError
from nas.principles.claims import principle_registry, principles
from nas.principles.study_file import FORMER_KEYS, PrincipleStudy, load_study, read_study, save_study
from nas.resources import names
from nas.search.experiment_file import find_experiment

TEXT = """name = "mine"
data = "digits"

[recipe]
epochs = 2

[principles]
settings = 3
width = [8, 12]
deep = [14]
keys = ["h01"]
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_study_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, TEXT), {"principles.error_sd": 2.0, "recipe.epochs": 5})
    assert (study.design.error_sd, study.experiment.recipe.epochs, study.design.settings) == (2.0, 5, 3)
    save_study(study, tmp_path / "run", "Run by: nas principles x")
    assert load_study(tmp_path / "run") == study


def test_a_run_keeps_the_claims_that_it_began_with(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, TEXT.replace('keys = ["h01"]\n', "")))
    assert study.design.keys == tuple(principles())
    save_study(study, tmp_path / "run", "Run by: nas principles x")
    principle_registry().register(replace(principles()["h01"], key="z01"))
    try:
        assert load_study(tmp_path / "run") == study
    finally:
        principle_registry().unregister("z01")


def test_a_file_without_names_resumes_the_claims_of_its_run(tmp_path: Path, nas: Callable[..., Any]) -> None:
    save_study(read_study(write(tmp_path, TEXT)), tmp_path / "run", "Run by: nas principles x")
    file = write(tmp_path, TEXT.replace('keys = ["h01"]\n', ""))
    code, _, err = nas("principles", file, "--dry-run", "--out", tmp_path / "run")
    assert (code, "mine: 1 claims, 1 bounds, on 3 settings" in err) == (0, True)


def test_a_folder_without_a_study_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="has no study of principles"):
        load_study(tmp_path)


@pytest.mark.parametrize("key", sorted(FORMER_KEYS))
def test_a_study_of_seeds_is_not_judged_any_more(key: str, tmp_path: Path) -> None:
    former = TEXT.replace("settings = 3", f"{key} = 3")
    with pytest.raises(ExperimentError, match=rf"mine\.toml, line 8: `principles\.{key}` is of a study of one pair"):
        read_study(write(tmp_path, former))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("width = [8, 12]", "widht = [8, 12]", "line 9.*principles.widht"),
        ("width = [8, 12]", "width = [2, 12]", "line 9.*principles.width"),
        ("width = [8, 12]", "width = [12, 8]", "must be .from, to."),
        ("deep = [14]", "deep = [15]", "6 n \\+ 2"),
        ("deep = [14]", "repeats = [0]", "must be at least 1"),
        ("settings = 3", "settings = 1", "line 8.*principles.settings"),
        ('keys = ["h01"]', 'keys = ["h99"]', "no principle 'h99'"),
        ("epochs = 2", "epocs = 2", "line 5.*epocs"),
        ('data = "digits"', 'data = "digits"\nspace = "mixed"', "'space' is a setting of a search"),
        ("[recipe]", "[recipe", "TOML"),
    ],
)
def test_a_mistake_is_reported_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ExperimentError, match=f"(?s)mine.toml.*{says}|{says}"):
        read_study(write(tmp_path, TEXT.replace(old, new)))


def test_a_setting_is_not_a_table(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"--set name\.x"):
        read_study(write(tmp_path, TEXT), {"name.x": 1})


@pytest.mark.parametrize("name", [name for name in names("experiments", ".toml") if "principles" in name])
def test_every_bundled_study_is_valid(name: str) -> None:
    study: PrincipleStudy = read_study(find_experiment(name))
    assert study.experiment.name == name
    assert sum(each.control is None for each in study.principles) >= 4
    assert (
        study.experiment.recipe.epochs * -(-(study.experiment.train_images or 0) // study.experiment.recipe.batch)
        > 2_500
    )


def test_images_may_be_a_file_beside_the_study(tmp_path: Path) -> None:
    images = np.zeros((40, 8, 8), np.uint8)
    np.savez(tmp_path / "mine.npz", x_train=images, y_train=np.arange(40) % 4, x_test=images, y_test=np.arange(40) % 4)
    source = read_study(write(tmp_path, TEXT.replace('"digits"', '"mine.npz"'))).source(0)
    assert (source.name, source.directory) == ("npz", str(tmp_path / "mine.npz"))
