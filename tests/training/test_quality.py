"""Metrics are those of scikit-learn, a search minimizes the one it is given, and classes are reported one by one."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from search.results.image_run import card_of, image_run, write_images
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, top_k_accuracy_score
from torch import nn
from training.image_files import encoded
from typer.testing import CliRunner

from nas.cli.app import app
from nas.errors import ExperimentError, RunError
from nas.genome.task import Task
from nas.report.comparison.page import comparison_page
from nas.report.run.page import run_page
from nas.report.run.view import view_of
from nas.search.pareto import front_of
from nas.search.results.class_results import most_confused, recall_text
from nas.search.results.export_trial import export_trial
from nas.search.store.confusion import last_predictions, load_confusion, record_confusion
from nas.search.store.run import load_run
from nas.search.store.stored_trial import to_result
from nas.training.balance import imbalance
from nas.training.batches import Batches
from nas.training.data import Data, Split, load_data
from nas.training.evaluation import Evaluation, evaluate
from nas.training.metrics import (
    MAX_CONFUSION_CLASSES,
    METRICS,
    confusion_rows,
    misclassified_images,
    misclassified_text,
)
from nas.training.recipe import Recipe
from nas.training.score import Score
from nas.training.train import Training, TrainingLoop, balanced_weights

CPU = torch.device("cpu")


class Fixed(nn.Module):
    """Logits that are known beforehand, in order."""

    def __init__(self, logits: NDArray[np.float32]) -> None:
        super().__init__()
        self.logits, self.place = torch.from_numpy(logits), 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.place += len(x)
        return self.logits[self.place - len(x) : self.place]


def evaluated(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Evaluation:
    images = np.zeros((len(labels), 1, 2, 2), np.uint8)
    split = Split(images, labels)
    data = Data(Task("x", (1, 2, 2), logits.shape[1]), split, split, (0.5,), (0.5,))
    return evaluate(Fixed(logits), Batches(split, data, CPU))


@given(st.integers(6, 9), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_metrics_are_those_of_scikit_learn(classes: int, count: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    labels = dice.integers(0, classes, count)
    logits = dice.permuted(np.tile(np.arange(classes, dtype=np.float32), (count, 1)), axis=1)  # without ties
    found, predicted = evaluated(logits, labels), logits.argmax(1)
    assert found.error == pytest.approx(np.mean(predicted != labels))
    assert np.array_equal(found.confusion, confusion_matrix(labels, predicted, labels=range(classes)))
    here = np.unique(labels)
    recall = [np.mean(predicted[labels == label] == label) for label in here]
    assert found.balanced_error == pytest.approx(1 - np.mean(recall))
    if set(predicted) <= set(here):  # it warns of others
        assert found.balanced_error == pytest.approx(1 - balanced_accuracy_score(labels, predicted))
    scores = top_k_accuracy_score(labels, logits, k=5, labels=range(classes))
    assert found.top5_error == pytest.approx(1 - scores)
    assert {name: found.metric(name) for name in METRICS} == {name: getattr(found, name) for name in METRICS}


def test_logits_that_are_no_numbers_are_wrong() -> None:
    found = evaluated(np.full((8, 7), np.nan, np.float32), np.arange(8) % 7)
    assert found.top5_error == 1
    assert found.loss != found.loss


def test_ours_gives_every_metric_and_the_matrix() -> None:
    data = load_data("digits")
    few = replace(data, train=Split(data.train.images[:100], data.train.labels[:100]))
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    score = Training(network, few, Recipe(epochs=1), 0).epoch()
    found = evaluate(network, Batches(data.validation, data, CPU))
    assert (score.error, score.balanced_error, score.top5_error) == (
        found.error,
        found.balanced_error,
        found.top5_error,
    )
    assert score.confusion == confusion_rows(found.confusion)
    assert score.misclassified == misclassified_text(found.misclassified)
    assert found.misclassified.sum() == found.images - found.confusion.trace()
    assert 0 < found.top5_error < found.error < 1


def test_a_large_matrix_is_not_kept() -> None:
    assert confusion_rows(np.zeros((MAX_CONFUSION_CLASSES + 1,) * 2, np.int64)) == ()
    assert len(confusion_rows(np.zeros((MAX_CONFUSION_CLASSES,) * 2, np.int64))) == MAX_CONFUSION_CLASSES


def test_class_weights_are_inverse_frequencies_and_average_one_over_the_images() -> None:
    labels = np.array([0, 0, 0, 0, 0, 0, 2, 2])  # no image of class 1
    split = Split(np.zeros((8, 1, 2, 2), np.uint8), labels)
    data = Data(Task("x", (1, 2, 2), 3), split, split, (0.5,), (0.5,))
    weights = balanced_weights(Batches(split, data, CPU))
    assert weights[0] * 6 == pytest.approx(weights[2] * 2)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    loop = TrainingLoop(network, Recipe(precision="float32", label_smoothing=0.0), CPU, 8, weights)
    images, truth = torch.randn(8, 1, 2, 2), torch.from_numpy(labels)
    each = nn.functional.cross_entropy(network(images), truth, reduction="none")
    expected = (weights[truth] * each).sum() / weights[truth].sum()
    assert loop.losses(images, truth)[0].item() == pytest.approx(expected.item(), rel=1e-5)


def test_unbalanced_classes_are_told_with_the_settings_not_used_yet() -> None:
    labels = np.repeat([0, 1, 2], [200, 40, 50])
    note = imbalance(labels, 3, "error", Recipe())
    assert note == (
        'classes are unbalanced, 40 to 200 training images each; consider metric = "balanced_error" and '
        'recipe.class_weights = "balanced"'
    )
    assert "metric" not in imbalance(labels, 3, "balanced_error", Recipe())
    assert not imbalance(labels, 3, "balanced_error", Recipe(class_weights="balanced"))
    assert not imbalance(np.repeat([0, 1], [200, 100]), 2, "error", Recipe())
    assert "0 to 3" in imbalance(np.zeros(3, np.int64), 2, "error", Recipe())


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two classes, one of which has a third of the images."""
    root = write_images(tmp_path / "pets")
    for i in range(24):
        (root / "train" / "cat" / f"more{i}.png").write_bytes(encoded(np.full((6, 6, 3), 40 + i, np.uint8)))
    return root


def test_a_search_is_told_of_unbalanced_classes_and_of_a_metric_without_meaning(images: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'space = "mixed"\ndata = "folder"\ndata_dir = "{images}"\nimage_size = 16\n', encoding="utf-8")
    plan = CliRunner().invoke(app, ["search", str(file), "--set", "data=digits", "--set", "trainer=standart"])
    assert "no trainer 'standart'; did you mean 'standard'" in str(plan.exception)
    plan = CliRunner().invoke(app, ["search", str(file), "--dry-run", "--set", "recipe.epochs=1"])
    assert "classes are unbalanced, 11 to 32 training images each; consider metric" in plan.output, plan.exception
    refused = CliRunner().invoke(app, ["search", str(file), "--set", "metric=top5_error"])
    assert "metric (='top5_error') is 0 for every network of 2 classes: it needs more than 5" in str(refused.exception)
    refused = CliRunner().invoke(app, ["search", str(file), "--set", "metric=balance_error"])
    assert "no metric 'balance_error'; did you mean 'balanced_error'" in str(refused.exception)
    with pytest.raises(ExperimentError, match="it needs more than 5"):
        image_run(tmp_path / "run", images, metric="top5_error")


def test_a_run_is_reported_by_its_metric(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.model.export.parity", lambda *_: {"source": {1: 0.0}})
    recipe = {"epochs": 1, "batch": 8, "class_weights": "balanced"}
    run = image_run(tmp_path / "run", images, metric="balanced_error", recipe=recipe)
    best = run.best()
    network_confusion = np.array([[9, 1], [1, 2]])
    record_confusion(run.path, replace(best, scores=(Score(1, 0.5, confusion=confusion_rows(network_confusion)),)))
    status = CliRunner().invoke(app, ["status", str(run.path)]).stdout
    assert f"best: trial 0, validation balanced error {best.error:.4f}" in status
    page = run_page(view_of(run))
    assert "lowest validation balanced error" in page
    assert '"error":{"title":"validation balanced error"' in page  # of an axis
    assert "validation error" not in page
    assert "Class by class: trial 0" in page
    assert "66.7 %" in page  # the recall of dog
    export_trial(run, best, tmp_path / "export", lambda _: None)
    card = card_of(tmp_path / "export")
    for row in ("Validation balanced error", "Test balanced error", "Test accuracy", "Recall per class, test"):
        assert f"| {row} |" in card
    assert "| Recall per class, validation | cat: " in card
    plain = image_run(tmp_path / "plain", images)
    with pytest.raises(RunError, match=r"minimize different metrics \(error and balanced_error\)"):
        comparison_page([view_of(run), view_of(plain)])
    assert "Class by class" not in run_page(view_of(plain))


def test_a_search_keeps_the_matrices_of_its_front_beside_the_study(finished_run: Path, tmp_path: Path) -> None:
    run = load_run(finished_run)
    front = {record.number for record in front_of(list(run.records), run.experiment.objectives)}
    kept = {record.number: load_confusion(run.path, record.number) for record in run.records}
    assert {number for number, found in kept.items() if found is not None} == front
    for record in run.records:
        found = kept[record.number]
        assert found is None or 1 - found.trace() / found.sum() == pytest.approx(record.error)
        assert all(not score.confusion and score.balanced_error is None for score in record.scores)
    assert b"confusion" not in (finished_run / "study.db").read_bytes()
    shutil.copytree(finished_run, tmp_path / "run")
    file = tmp_path / "run" / "trials" / f"{run.best().number:06d}" / "confusion.json"
    for damage in ("[", "{}", '[{"predicted":[1,2]}]', '[{"predicted":[-1]}]', '[{"predicted":[1e9]}]', "[[1]]"):
        file.write_text(damage, encoding="utf-8")
        with pytest.raises(RunError, match=r"confusion\.json is damaged .*remove it"):
            load_confusion(tmp_path / "run", run.best().number)
    file.write_text(json.dumps([{"predicted": [0] * 101}] * 101), encoding="utf-8")
    with pytest.raises(RunError, match="at most 100 classes"):
        load_confusion(tmp_path / "run", run.best().number)


def test_only_the_last_epoch_keeps_its_predictions() -> None:
    scores = last_predictions(
        (Score(1, 0.5, confusion=((1,),), misclassified="1 80"), Score(2, 0.5, confusion=((2,),)))
    )
    assert [score.confusion for score in scores] == [(), ((2,),)]
    assert scores[0].misclassified == ""


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_misclassified_images_are_read_as_they_were_written(images: list[bool]) -> None:
    found = misclassified_images(misclassified_text(np.array(images)))
    assert found is not None
    assert found.tolist() == images


@pytest.mark.parametrize("text", ["", "8", "9 ff", "8 fg", "x ff", "8 ffff", "-8 ff", f"{10**30} ff"])
def test_damaged_ones_are_none(text: str) -> None:
    assert misclassified_images(text) is None


def test_a_search_keeps_the_misclassified_images_of_every_complete_trial(finished_run: Path) -> None:
    run = load_run(finished_run)
    for record in run.records:
        images = misclassified_images(record.misclassified)
        assert images is not None
        assert images.mean() == pytest.approx(record.error)
        assert not any(score.misclassified for score in record.scores[:-1])
        assert len(images) == 360
    stopped = replace(run.records[0], state="pruned")
    assert "misclassified" not in to_result(stopped)["scores"][-1]


def test_recall_and_confusions_in_words() -> None:
    counts = np.array([[8, 2, 0], [1, 3, 0], [0, 0, 0]])
    assert recall_text(counts, ("cat", "dog", "emu")) == "cat: 0.80, dog: 0.75"
    assert recall_text(counts, None) == "0: 0.80, 1: 0.75"
    assert most_confused(counts) == [(0, 1, 2), (1, 0, 1)]
    many = np.diag(np.arange(1, 31))
    many[7, 8] = 8
    text = recall_text(many, None)
    assert text.startswith("7: 0.50, 0: 1.00")
    assert text.endswith("(the lowest 20 of 30)")
