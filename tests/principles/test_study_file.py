from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.errors import ExperimentError
from nas.principles.claims import principle_registry, principles
from nas.principles.study_file import FILE, FIRST_PRINCIPLES, PrincipleStudy, load_study, read_study, save_study
from nas.resources import names
from nas.search.experiment_file import find_experiment

TEXT = """name = "mine"
data = "digits"

[recipe]
epochs = 2

[principles]
interim_seeds = [2, 3]
width = 8
deep = 14
keys = ["h01"]
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_study_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, TEXT), {"principles.error_sd": 2.0, "recipe.epochs": 5})
    assert (study.design.error_sd, study.experiment.recipe.epochs, study.design.interim_seeds) == (2.0, 5, (2, 3))
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


def test_a_run_without_names_is_of_the_first_claims(tmp_path: Path) -> None:
    """Runs of earlier versions did not record which claims are judged together."""
    (tmp_path / FILE).write_text(TEXT.replace('["h01"]', "[]"), encoding="utf-8")
    assert load_study(tmp_path).design.keys == FIRST_PRINCIPLES
    assert read_study(find_experiment("principles_small")).design.keys == FIRST_PRINCIPLES


def test_a_file_without_names_resumes_the_claims_of_its_run(tmp_path: Path, nas: Callable[..., Any]) -> None:
    save_study(read_study(write(tmp_path, TEXT)), tmp_path / "run", "Run by: nas principles x")
    file = write(tmp_path, TEXT.replace('keys = ["h01"]\n', ""))
    code, _, err = nas("principles", file, "--dry-run", "--out", tmp_path / "run")
    assert (code, "mine: 1 claims" in err) == (0, True)


def test_a_folder_without_a_study_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="has no study of principles"):
        load_study(tmp_path)


def test_former_keys_are_read_from_files_and_changes(tmp_path: Path) -> None:
    former = TEXT.replace("interim_seeds", "looks") + "futile = 0.3\nsd = 0.7\n"
    design = read_study(write(tmp_path, former)).design
    assert (design.interim_seeds, design.min_power, design.error_sd) == ((2, 3), 0.3, 0.7)
    for key in ("looks", "interim_seeds"):
        changes = {f"principles.{key}": [4]}
        for text in (former, TEXT):
            assert read_study(write(tmp_path, text), changes).design.interim_seeds == (4,)
    with pytest.raises(ExperimentError, match=r"line 8.*principles\.looks"):
        read_study(write(tmp_path, former.replace("[2, 3]", "[1]")))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("width = 8", "widht = 8", "line 9.*principles.widht"),
        ("width = 8", "width = 2", "line 9.*principles.width"),
        ("deep = 14", "deep = 15", "6 n \\+ 2"),
        ("interim_seeds = [2, 3]", "interim_seeds = [3, 2]", "must be increasing"),
        ("interim_seeds = [2, 3]", "interim_seeds = [1]", "principles.interim_seeds"),
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
    assert len(study.principles) > 20
