"""An export says what training used, or is refused: never what the disk says by then."""

import errno
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from search.results.image_run import card_of, image_run, write_images
from typer.testing import CliRunner

from nas.cli.app import app
from nas.errors import DataError, ExperimentError, RunError
from nas.model.parity import Parity
from nas.search.experiment_file import to_toml
from nas.search.results.doctor import find_inconsistencies
from nas.search.results.export_trial import export_trial
from nas.search.results.finalists import train_finalists
from nas.search.results.proxies import evaluate_proxies
from nas.search.store.create import create
from nas.search.store.run import Run, load_run
from nas.training.data import load_data
from nas.training.data.registry import preparation


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path / "pets")


@pytest.fixture(autouse=True)
def _no_clean_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parity check has tests of its own, and takes two seconds."""

    def agreeing(*_: object) -> Parity:
        return {"source": {1: 0.0}}

    monkeypatch.setattr("nas.model.export.parity", agreeing)


def export(run: Run, folder: Path) -> tuple[str, float | None, list[str]]:
    told: list[str] = []
    _, accuracy = export_trial(run, run.best(), folder, told.append)
    return card_of(folder), accuracy, told


def test_a_card_says_what_became_of_transparent_pixels(images: Path, tmp_path: Path) -> None:
    said = "of image files, what is transparent is composited on white |"
    card, _, _ = export(image_run(tmp_path / "run", images), tmp_path / "export")
    assert said in next(row for row in card.splitlines() if row.startswith("| Input |"))
    assert preparation("parquet") in said
    assert [preparation(name) for name in ("npz", "digits", "cifar10", "file.py:Mine", "unknown")] == [""] * 5


def rename(images: Path) -> None:
    for part in ("train", "test"):
        (images / part / "dog").rename(images / part / "aardvark")


def rename_in_order(images: Path) -> None:
    for part in ("train", "test"):
        (images / part / "dog").rename(images / part / "doggo")


def add_class(images: Path) -> None:
    for part in ("train", "test"):
        shutil.copytree(images / part / "dog", images / part / "emu")


def change(images: Path) -> None:
    for file in (images / "train" / "cat").iterdir():
        file.write_bytes((images / "test" / "cat" / file.name).read_bytes())


def change_test(images: Path) -> None:
    (images / "test" / "cat" / "0.png").write_bytes((images / "train" / "dog" / "0.png").read_bytes())


def remove_test(images: Path) -> None:
    shutil.rmtree(images / "test")


CHANGES = {
    rename: "class names were cat, dog, are now aardvark, cat",
    rename_in_order: "class names were cat, dog, are now cat, doggo",
    add_class: "class names were cat, dog, are now cat, dog, emu",
    change: r"the images for training and validation differ \(mean .*, now .*\)",
    change_test: "the test images differ",
    remove_test: "the test images differ",
}


@pytest.mark.parametrize("changed", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("keep", [True, False], ids=["kept", "trained again"])
def test_other_images_are_refused_by_every_verb(changed: Any, keep: bool, images: Path, tmp_path: Path) -> None:
    run = image_run(tmp_path / "run", images, keep)
    changed(images)
    match = f"holds a run on other images than folder has now: .*{CHANGES[changed]}.*--data-dir"
    with pytest.raises(RunError, match=match):
        export(run, tmp_path / "export")
    assert not (tmp_path / "export").exists()
    with pytest.raises(RunError, match=match):
        list(train_finalists(run, run.experiment.recipe, 1, 1))
    with pytest.raises(RunError, match=match):
        create(tmp_path / "run", run.experiment, "nas resume")
    several = Run(run.path, run.experiment, run.records * 5, {}, "", {}, data=run.data)
    with pytest.raises(RunError, match=match):
        list(evaluate_proxies(several, 5))


def test_the_card_says_what_training_used(images: Path, tmp_path: Path) -> None:
    run = image_run(tmp_path / "run", images)
    card, accuracy, _ = export(run, tmp_path / "export")
    data = load_data(run.experiment.source)
    assert "prediction: 0 cat, 1 dog |" in card
    assert f"mean {[round(255 * value, 4) for value in data.mean]}, std {[round(255 * v, 4) for v in data.std]}" in card
    assert f"| Test accuracy | {accuracy:.4f}, read once, at this export |" in card
    assert "Not checked" not in card


def test_kept_weights_are_exported_without_the_images(images: Path, tmp_path: Path) -> None:
    run = image_run(tmp_path / "run", images)
    whole, measured, _ = export(run, tmp_path / "whole")
    (run.path / "test_readings.json").unlink()
    images.rename(tmp_path / "moved")
    card, accuracy, told = export(run, tmp_path / "bare")
    for row in ("Input", "Output", "Task", "Seed"):
        assert row_of(card, row) == row_of(whole, row)
    assert accuracy is None
    assert row_of(card, "Test accuracy") == "not measured"
    assert "the images cannot be read: " in row_of(card, "Not checked")
    assert any(line.startswith("not checked: the images cannot be read: ") for line in told)
    moved = load_run(run.path, tmp_path / "moved")
    card, accuracy, _ = export(moved, tmp_path / "again")
    assert accuracy == measured
    assert row_of(card, "Task") == row_of(whole, "Task"), "the set is called as it was"


def row_of(card: str, name: str) -> str:
    """Return the value of a row of a card; none if there is no such row."""
    return next((line.split(" | ", 1)[1][:-2] for line in card.splitlines() if line.startswith(f"| {name} | ")), "")


def test_an_earlier_reading_is_known_without_the_images(images: Path, tmp_path: Path) -> None:
    run = image_run(tmp_path / "run", images)
    _, measured, _ = export(run, tmp_path / "export")
    shutil.rmtree(images)
    card, accuracy, _ = export(run, tmp_path / "export")
    assert accuracy == measured
    assert " by nas export" in row_of(card, "Test accuracy")


def test_weights_that_were_not_kept_need_the_images(images: Path, tmp_path: Path) -> None:
    run = image_run(tmp_path / "run", images, keep=False)
    images.rename(tmp_path / "moved")
    with pytest.raises(DataError, match=r"the images cannot be read: .* name their folder with --data-dir"):
        export(run, tmp_path / "export")
    assert export(load_run(run.path, tmp_path / "moved"), tmp_path / "export")[1] is not None
    with pytest.raises(DataError, match="nowhere"):
        load_run(run.path, tmp_path / "nowhere")


def test_a_folder_is_refused_for_a_set_without_files(finished_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="--data-dir does not apply to digits"):
        load_run(finished_run, tmp_path)


def test_trouble_in_the_test_part_does_not_stop_an_export(images: Path, tmp_path: Path) -> None:
    run = image_run(tmp_path / "run", images)
    (images / "test" / "cat" / "0.png").write_bytes(b"not an image")
    card, accuracy, told = export(run, tmp_path / "export")
    assert accuracy is None
    assert "0 cat, 1 dog" in card
    assert "images cannot be read: " in row_of(card, "Not checked")
    assert any("0.png cannot be read" in line for line in told)
    with pytest.raises(DataError, match=r"the images cannot be read: .*0\.png"):
        list(train_finalists(run, run.experiment.recipe, 1, 1))


def forget(path: Path, *keys: str) -> None:
    """Remove facts of a study, as if an earlier version had made it."""
    with closing(sqlite3.connect(path / "study.db")) as database:
        for key in keys:
            database.execute("DELETE FROM study_user_attributes WHERE key = ?", (key,))
        database.commit()


def test_a_run_of_an_earlier_version_says_what_cannot_be_checked(images: Path, tmp_path: Path) -> None:
    path = image_run(tmp_path / "run", images).path
    forget(path, "data", "experiment")
    card, accuracy, told = export(load_run(path), tmp_path / "export")
    assert accuracy is not None
    assert "0 cat, 1 dog" in card
    doubts = ["whether the test images are those of the search's time",
              "whether the class names are those of the search's time"]  # fmt: skip
    assert row_of(card, "Not checked") == "; ".join(doubts)
    assert [f"not checked: {doubt}" for doubt in doubts] == told[-2:]
    create(path, load_run(path).experiment, "nas resume")
    change(images)
    with pytest.raises(RunError, match="the images for training and validation differ"):
        export(load_run(path), tmp_path / "export")
    shutil.rmtree(images)
    card, _, _ = export(load_run(path), tmp_path / "bare")
    assert "which this run did not record" in row_of(card, "Input")
    forget(path, "images")
    assert load_run(path).data.images is None


def test_weights_of_another_trial_are_refused(images: Path, tmp_path: Path) -> None:
    run = image_run(tmp_path / "run", images, recipe={"epochs": 6, "batch": 4})
    worse = image_run(tmp_path / "other", images, recipe={"epochs": 1, "learning_rate": 1e-6})
    assert abs((run.best().error or 0) - (worse.best().error or 0)) > 0.01
    shutil.copy(worse.weights(worse.best()), run.weights(run.best()))
    with pytest.raises(RunError, match=r"weights\.safetensors has validation error .*: these are not its weights"):
        export(run, tmp_path / "export")
    run.weights(run.best()).write_bytes(b"damaged")
    with pytest.raises(RunError, match="does not hold the weights of this network"):
        export(run, tmp_path / "export")


@pytest.mark.parametrize(("old", "new"), [("epochs = 1", "epochs = 3"), ("seed = 0", "seed = 1")])
def test_an_experiment_edited_after_the_search_is_refused(old: str, new: str, images: Path, tmp_path: Path) -> None:
    path = image_run(tmp_path / "run", images).path
    text = (path / "experiment.toml").read_text(encoding="utf-8")
    assert old in text
    (path / "experiment.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    run = load_run(path)
    with pytest.raises(RunError, match=rf"was edited after the search began \(.*was {old[-1]}, is now {new[-1]}"):
        export(run, tmp_path / "export")
    with pytest.raises(RunError, match=rf"was {old[-1]}, is now {new[-1]}"):
        create(path, run.experiment, "nas resume")
    moved = run.experiment.model_copy(update={"trials": 9})
    (path / "experiment.toml").write_text(to_toml(moved), encoding="utf-8")
    (found,) = find_inconsistencies(path, fix=True)
    assert found.what.startswith("experiment.toml was edited after the search began (")
    assert list(find_inconsistencies(path, fix=False)) == []
    assert load_run(path).experiment.trials == 9, "what may change is kept"
    assert export(load_run(path), tmp_path / "export")[1] is not None


def test_the_doctor_trains_again_on_the_same_images_only(images: Path, tmp_path: Path) -> None:
    path = image_run(tmp_path / "run", images, keep=False).path
    change(images)
    with pytest.raises(RunError, match="the images for training and validation differ"):
        list(find_inconsistencies(path, fix=True))


def test_the_verbs_take_the_folder_of_moved_images(images: Path, tmp_path: Path) -> None:
    path = image_run(tmp_path / "run", images).path
    images.rename(tmp_path / "moved")
    for verb in (["export", "--out", str(tmp_path / "export")], ["resume"]):
        done = CliRunner().invoke(app, [verb[0], str(path), *verb[1:], "--data-dir", str(tmp_path / "moved")])
        assert done.exit_code == 0, done.exception
    assert "read once, at this export" in card_of(tmp_path / "export")
    assert load_run(path).experiment.data_dir == str(tmp_path / "moved"), "a resumed run remembers it"
    for verb in (["export"], ["resume"], ["finalists"], ["proxies"]):
        done = CliRunner().invoke(app, [verb[0], str(path), "--data-dir", str(tmp_path / "nowhere")])
        assert isinstance(done.exception, DataError), verb
    done = CliRunner().invoke(app, ["export", "lenet5", "--data-dir", str(tmp_path)])
    assert isinstance(done.exception, ExperimentError)


def test_a_folder_that_cannot_be_written_is_one_message(images: Path, tmp_path: Path) -> None:
    run = image_run(tmp_path / "run", images)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match=r"cannot be written: .*choose another folder with --out"):
        export(run, tmp_path / "file" / "export")


def test_a_reading_that_cannot_be_recorded_is_said(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = image_run(tmp_path / "run", images)

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("nas.search.results.export_trial.record_reading", read_only)
    card, accuracy, told = export(run, tmp_path / "export")
    assert accuracy is not None
    assert row_of(card, "Test accuracy") == f"{accuracy:.4f}, read once, at this export"
    assert "Read-only file system): this reading of the test split is not recorded" in told[-1]


def test_trouble_in_the_test_part_is_found_before_the_search(images: Path, tmp_path: Path) -> None:
    (images / "test" / "cat" / "0.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"0\.png cannot be read"):
        image_run(tmp_path / "run", images)
    assert not (tmp_path / "run").exists()
