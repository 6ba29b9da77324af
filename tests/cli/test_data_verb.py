"""`nas data`: what there is, where it is looked for; and a run that is continued on other images is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from training.image_files import cycled, folder_files, hub_rows, npz_bytes, parquet_bytes, pixels, put, tiny_mnist
from typer.testing import CliRunner

from nas.cli.app import app
from nas.errors import DataError, ExperimentError, RunError
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment, validate_experiment, write_toml
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.training.data import READERS, Source, load_data, task

GOOD_NPZ = npz_bytes(images=pixels(20, 4, 4), labels=cycled(20, 2))


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


def mine(place: Path, **settings: Any) -> Path:
    return write_settings(place, {"space": "mixed", **settings})


def write_settings(place: Path, settings: dict[str, Any]) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(write_toml(settings), encoding="utf-8")
    return place


ROWS, LABELS = hub_rows(20)
FORMS: dict[str, tuple[str, dict[str, bytes], str]] = {
    "folder": ("pets", {f"pets/{name}": content for name, content in folder_files(10).items()}, "folder"),
    "folder with a slash": ("pets/", {f"pets/{name}": content for name, content in folder_files(10).items()}, "folder"),
    "folder above": ("../far", {f"../far/{name}": content for name, content in folder_files(10).items()}, "folder"),
    "arrays": ("a.npz", {"a.npz": GOOD_NPZ, "b.npz": b"another"}, "npz"),
    "arrays in a folder": ("set", {"set/a.npz": GOOD_NPZ}, "npz"),
    "table": ("a.parquet", {"a.parquet": parquet_bytes(ROWS, LABELS), "b.parquet": b"another"}, "parquet"),
    "tables in a folder": ("hub", {"hub/data/train-0.parquet": parquet_bytes(ROWS, LABELS)}, "parquet"),
}


@pytest.mark.parametrize("form", FORMS)
def test_data_is_a_path_beside_the_experiment(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, files, reader = FORMS[form]
    home = put(tmp_path / "project", files)
    experiment = load_experiment(str(mine(home / "mine.toml", data=data)))
    assert (experiment.data, experiment.data_dir) == (reader, os.path.abspath(home / data))
    assert experiment.images == Path(data).stem
    seen = load_data(experiment.source)
    assert len(seen.train.labels) + len(seen.validation.labels) >= 16
    run = create(tmp_path / "run", experiment, "nas search mine.toml")
    monkeypatch.chdir(tmp_path)
    assert run.experiment.source.directory == load_run(tmp_path / "run").experiment.data_dir == experiment.data_dir
    monkeypatch.chdir(home)
    assert load_experiment("quickstart", {"data": data}).source == experiment.source
    assert task(data) == task(experiment.source)


def test_paths_start_from_the_experiment_and_those_typed_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(mine(put(tmp_path / "project", folder_files(2, "pets/")) / "mine.toml", data="folder", data_dir="pets"))
    monkeypatch.chdir(tmp_path)
    assert load_experiment(file).data_dir == str(tmp_path / "project" / "pets")
    assert load_experiment(file, {"data_dir": "pets"}).data_dir == str(tmp_path / "pets")
    put(tmp_path / "digits", folder_files(2))
    assert load_experiment(file, {"data": "digits", "data_dir": None}).source.directory is None
    assert load_experiment(file, {"data": "./digits", "data_dir": None}).data == "folder"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            "pest",
            "line 2: no data set 'pest': it is neither /.*/pest, which does not exist, nor one of digits, cifar10",
        ),
        ("cifar", "line 2: no data set 'cifar'; did you mean 'cifar10'"),
        ("set.zip", "line 2: .*/set.zip is neither a folder nor a file that ends in .npz or .parquet; unpack"),
        ("both", "holds images in two forms; say which: data = 'folder' or 'npz', and data_dir = '/"),
    ],
)
def test_data_that_is_neither_a_set_nor_a_path(data: str, message: str, tmp_path: Path) -> None:
    put(tmp_path, {"set.zip": b"", "both/a.npz": b""} | folder_files(2, "both/"))
    with pytest.raises(ExperimentError, match=message):
        load_experiment(str(mine(tmp_path / "mine.toml", data=data)))


def test_a_path_and_a_folder_are_one_too_many(tmp_path: Path) -> None:
    file = mine(put(tmp_path, folder_files(2, "pets/")) / "mine.toml", data="pets", data_dir="other")
    with pytest.raises(
        ExperimentError, match=r"line 2: data names .*pets, and data_dir 'other' as well; remove data_d"
    ):
        load_experiment(str(file))


def test_a_search_takes_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(put(tmp_path, folder_files(40, "pets/", side=8)))
    asked: list[Experiment] = []
    monkeypatch.setattr("nas.cli.plan.print_plan", asked.append)
    monkeypatch.setattr("nas.cli.plan.print_cost_estimate", asked.append)
    done = CliRunner().invoke(app, ["search", "quickstart", "--data", "pets", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert asked[0].source == Source("folder", str(tmp_path / "pets"))
    shown = CliRunner().invoke(app, ["cost", "mixed", "--data", "pets", "--json"])
    assert shown.exit_code == 0, shown.output
