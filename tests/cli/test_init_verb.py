"""`nas init`: what it writes loads and is searched, nothing is replaced, and what fails leaves nothing behind."""

import re
import tomllib
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from training.image_files import cycled, encoded, folder_files, npz_bytes, pixels, put
from typer.testing import CliRunner, Result

from nas.cli.app import app
from nas.cli.init import FILES
from nas.errors import DataError, ExperimentError
from nas.genome.cost import cost
from nas.search.experiment_file import load_experiment
from nas.search.objectives import CountedNetwork
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space
from nas.search.store.run import load_run
from nas.training.data import task


@pytest.fixture(autouse=True)
def _working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def photos(place: Path) -> Path:
    """Pictures of two classes, some larger than the others."""
    return put(put(place, folder_files(10, side=36)), {f"cats/{i}.png": encoded(pixels(50, 40, 3)) for i in range(3)})


def share_inside(file: Path) -> float:
    """The share of a written space that is inside the budget beside it."""
    experiment = load_experiment(str(file))
    space, images = load_space(experiment.space), task(experiment.source)
    networks = [sample_network(space, images, seed) for seed in range(40)]
    return float(np.mean([experiment.budget.allows(CountedNetwork.of(network)) for network in networks]))


@pytest.mark.parametrize("absolute", [False, True])
def test_pictures_of_different_sizes(absolute: bool, tmp_path: Path) -> None:
    place = photos(tmp_path / "my photos")
    done = call("init", "new/pets", "--data", str(place) if absolute else "my photos")
    assert (done.exit_code, done.stdout) == (0, "new/pets\n")
    assert "Next: nas search new/pets/search.toml\n" in done.stderr
    settings = tomllib.loads(Path("new/pets/search.toml").read_text(encoding="utf-8"))
    assert settings["data"] == (str(place) if absolute else "../../my photos")
    assert (settings["image_size"], settings["name"], settings["recipe"]["flip"]) == (32, "pets", True)
    assert 0.2 < share_inside(Path("new/pets/search.toml")) < 0.8
    readme = Path("new/pets/README.md").read_text(encoding="utf-8")
    verbs = re.findall(r"^(?:nas (\w+)|python) (\S+)", readme, re.MULTILINE)
    assert verbs == [
        ("search", "new/pets/search.toml"), ("search", "new/pets/search.toml"), ("report", "runs/pets"),
        ("export", "runs/pets"), ("", "exports/pets/predict.py"),
    ]  # fmt: skip


def test_without_images_it_is_digits_in_an_existing_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert call("init", ".").exit_code == 0
    assert {each.name for each in tmp_path.iterdir()} - {"__pycache__"} == {"notes.txt", *FILES}
    experiment = load_experiment("search.toml")
    assert (experiment.data, experiment.name) == ("digits", tmp_path.name[:60])
    assert 0.2 < share_inside(Path("search.toml")) < 0.8


def test_a_folder_with_the_name_of_a_set_and_of_its_own_images(tmp_path: Path) -> None:
    put(tmp_path / "digits", folder_files(10))
    assert call("init", ".", "--data", "./digits").exit_code == 0
    assert load_experiment("search.toml").source.directory == str(tmp_path / "digits")


def test_parts_of_different_sizes(tmp_path: Path) -> None:
    put(put(tmp_path / "photos", folder_files(9, "train/", side=20)), folder_files(3, "test/", side=9))
    assert call("init", "x", "--data", "photos").exit_code == 0
    assert load_experiment("x/search.toml").image_size == 20


def test_beside_the_folders_of_classes(tmp_path: Path) -> None:
    put(tmp_path, folder_files(10))
    done = call("init", ".", "--data", ".")
    assert done.exit_code == 0, (done.stderr, done.exception)
    assert call("search", "search.toml", "--dry-run").exit_code == 0


@pytest.mark.parametrize("side", [1, 5, 47, 100])
def test_the_space_suits_images_of_any_size(side: int, tmp_path: Path) -> None:
    (tmp_path / "own.npz").write_bytes(npz_bytes(images=pixels(40, side, side + 9), labels=cycled(40, 2)))
    done = call("init", "x", "--data", "own.npz")
    assert done.exit_code == 0, done.stderr
    experiment = load_experiment("x/search.toml")
    assert cost(sample_network(load_space(experiment.space), task(experiment.source), 0, lowest=True)).params < 10_000


def test_many_images_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.cli.init.MAX_TRAIN_IMAGES", 500)
    assert call("init", "x").exit_code == 0
    assert load_experiment("x/search.toml").train_images == 500


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_replaced(name: str, tmp_path: Path) -> None:
    put(tmp_path / "x", {name: b"mine"})
    problem = call("init", "x").exception
    assert isinstance(problem, ExperimentError)
    assert f"x holds {name} already" in str(problem)
    assert [each.name for each in (tmp_path / "x").iterdir()] == [name]
    assert (tmp_path / "x" / name).read_bytes() == b"mine"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine", encoding="utf-8")
    assert "x is a file" in str(call("init", "x").exception)


def test_a_folder_without_images_leaves_nothing_behind(tmp_path: Path) -> None:
    put(tmp_path / "photos", {"cats/notes.txt": b"none"})
    problem = call("init", "new/pets", "--data", "photos").exception
    assert isinstance(problem, DataError)
    assert "photos" in str(problem)
    assert [each.name for each in tmp_path.iterdir()] == ["photos"]


def test_a_check_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_experiment: object) -> None:
        raise DataError("images for test are missing")

    monkeypatch.setattr("nas.cli.plan.print_plan", fail)
    (tmp_path / "old").mkdir()
    for folder in ("old", "new/pets"):
        assert str(call("init", folder).exception) == "images for test are missing"
    assert [each.name for each in tmp_path.rglob("*")] == ["old"]


@pytest.mark.slow
def test_what_is_written_is_searched(tmp_path: Path) -> None:
    photos(tmp_path / "photos")
    assert call("init", "pets", "--data", "photos").exit_code == 0
    done = call("search", "pets/search.toml", "--trials", "2", "--set", "recipe.epochs=1")
    assert done.exit_code == 0, done.stderr
    assert [record.state for record in load_run(tmp_path / "runs" / "pets").records] == ["complete"] * 2


@pytest.mark.slow
def test_the_templates_are_in_the_wheel(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    wheel = next(WheelBuilder(str(Path(__file__).parents[2])).build(directory=str(tmp_path), versions=["standard"]))
    assert {f"nas/cli/init_templates/{name}" for name in FILES.values()} <= set(ZipFile(wheel).namelist())
