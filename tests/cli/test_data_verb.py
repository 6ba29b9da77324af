"""`nas data`: what there is, where it is looked for; and a run that is continued on other images is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from training.image_files import folder_files, put, tiny_mnist
from typer.testing import CliRunner

from nas.cli.app import app
from nas.errors import DataError, RunError
from nas.search.experiment import Experiment
from nas.search.experiment_file import validate_experiment
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.training.data import READERS


def test_the_list_names_every_set_and_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NAS_DATA", str(tmp_path))
    put(tmp_path / "mnist", tiny_mnist(monkeypatch))
    printed = CliRunner().invoke(app, ["data"]).stdout.splitlines()
    assert [line.split()[0] for line in printed[1:]] == list(READERS)
    found = {row["name"]: row for row in json.loads(CliRunner().invoke(app, ["data", "--json"]).stdout)}
    assert found["cifar100"] == {
        "name": "cifar100", "image": [3, 32, 32], "classes": 100, "train": 50_000, "test": 10_000,
        "where": f"not in {tmp_path / 'cifar100'}; fetch it: nas data cifar100",
    }  # fmt: skip
    assert found["mnist"]["where"] == f"in {tmp_path / 'mnist'}"


def test_fetching_says_where_it_went(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put(tmp_path, tiny_mnist(monkeypatch))
    done = CliRunner().invoke(app, ["data", "mnist", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path}\n")
    assert isinstance(CliRunner().invoke(app, ["data", "imagenet"]).exception, DataError)


def question(place: Path, **changes: Any) -> Experiment:
    settings = {"name": "mine", "space": "mixed", "data": "folder", "data_dir": str(place)}
    return validate_experiment(settings | changes, "here")


def test_a_run_on_other_images_is_refused(tmp_path: Path) -> None:
    place = put(tmp_path / "images", folder_files(10))
    create(tmp_path / "run", question(place), "nas search mine")
    assert load_run(tmp_path / "run").task.name == "images"  # what a person calls them
    moved = place.rename(tmp_path / "moved")
    create(tmp_path / "run", question(moved), "nas search mine")
    assert load_run(tmp_path / "run").experiment.source.directory == str(moved)
    put(moved, {"cats/0.png": (moved / "dogs/0.png").read_bytes()})
    with pytest.raises(RunError, match="holds a run on other images than folder has now"):
        create(tmp_path / "run", question(moved), "nas search mine")
    with pytest.raises(RunError, match="train_images was None, is now 10"):
        create(tmp_path / "run", question(moved, train_images=10), "nas search mine")


def test_no_run_begins_without_its_images(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Put one folder per class there"):
        create(tmp_path / "run", question(tmp_path / "nowhere"), "nas search mine")
    assert not (tmp_path / "run").exists()
