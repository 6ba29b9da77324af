"""The best finalist, trained on all images or by a teacher, beside its own result."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from nas.cli.app import app
from nas.errors import RunError
from nas.genome import Graph, Task
from nas.genome.primitives import GapHead, Stem
from nas.model.module import module
from nas.search.finalist_settings import FinalistSettings
from nas.search.results.finalist_files import load_finalists, load_variants
from nas.search.results.finalist_variants import check_teacher, find_teacher, train_pending
from nas.search.store.readings import load_readings
from nas.search.store.run import load_run
from nas.search.workers.job import Job, Teacher
from nas.training.data import Source, load_data
from nas.training.recipe import Recipe
from nas.training.train import Training, distillation_loss

SETTINGS = FinalistSettings(top=1, seeds=2, epochs=1, all_images=True, teacher="best")


@pytest.fixture(scope="module")
def trained(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    path = Path(shutil.copytree(finished_run, tmp_path_factory.mktemp("variants") / "run"))
    return path, list(train_pending(load_run(path), SETTINGS))


def test_the_finalist_comes_first_and_then_each_other_way(trained: tuple[Path, list[object]]) -> None:
    path, steps = trained
    (finalist,) = load_finalists(path)
    whole, taught = load_variants(path)
    assert [step for step in steps if not isinstance(step, str)] == [finalist, whole, taught]
    assert (whole.name, whole.errors, whole.teacher) == ("all-images", (), "")
    assert (taught.name, len(taught.errors), taught.teacher) == ("distilled", 2, "best")
    assert whole.seed == finalist.seed
    assert taught.errors[taught.seed - 2**20] == min(taught.errors)
    for each in (whole, taught):
        assert (each.number, each.epochs, len(each.test_errors)) == (finalist.number, 1, 2)
        assert each.test_error in each.test_errors
        each.check_weights(path / "finalists" / each.weights)
    assert len({finalist.weights, whole.weights, taught.weights}) == 3
    assert sum(each.verb == "nas finalists" for each in load_readings(path, finalist.number)) == 3
    assert not [*path.glob("finalists/training*")]


def test_what_is_trained_is_not_trained_again(trained: tuple[Path, list[object]]) -> None:
    path, _ = trained
    assert list(train_pending(load_run(path), SETTINGS)) == []


def test_weights_of_other_ways_stay_when_finalists_are_trained_again(
    trained: tuple[Path, list[object]], tmp_path: Path
) -> None:
    path = Path(shutil.copytree(trained[0], tmp_path / "run"))
    done = CliRunner().invoke(app, ["finalists", str(path), "--top", "1", "--seeds", "1", "--epochs", "1"])
    assert done.exit_code == 0, done.output
    for each in load_variants(path):
        each.check_weights(path / "finalists" / each.weights)


@pytest.mark.parametrize(
    ("variant", "said"), [("all-images", "trained on all images"), ("distilled", "taught by best")]
)
def test_it_is_exported_with_a_card_that_says_how_it_was_trained(
    trained: tuple[Path, list[object]], tmp_path: Path, variant: str, said: str
) -> None:
    path, _ = trained
    (row,) = [each for each in load_variants(path) if each.name == variant]
    done = CliRunner().invoke(app, ["export", str(path), "--variant", variant, "--out", str(tmp_path / "net")])
    assert done.exit_code == 0, done.output
    card = (tmp_path / "net" / "README.md").read_text()
    assert said in card
    assert f"{1 - row.test_error:.4f}" in card
    assert ("not measured: trained on those images" in card) == (variant == "all-images")


def test_the_page_has_a_row_of_each(trained: tuple[Path, list[object]]) -> None:
    path, _ = trained
    done = CliRunner().invoke(app, ["report", str(path)])
    assert done.exit_code == 0, done.output
    page = (path / "report" / "index.html").read_text()
    assert "trained on all images" in page
    assert "taught by best" in page


def test_an_experiment_asks_for_them(trained: tuple[Path, list[object]]) -> None:
    assert FinalistSettings().variants == ()
    assert SETTINGS.variants == ("all-images", "distilled")


def test_a_damaged_list_is_one_message(trained: tuple[Path, list[object]], tmp_path: Path) -> None:
    (tmp_path / "finalists").mkdir()
    row = asdict(load_variants(trained[0])[0])
    changes: list[dict[str, object]] = [
        {"test_errors": []}, {"name": "other"}, {"weights": "../x.safetensors"}, {"errors": [2.0]},
    ]  # fmt: skip
    for change in changes:
        (tmp_path / "finalists" / "variants.json").write_text(json.dumps([row | change]))
        with pytest.raises(RunError, match=r"variants\.json is damaged"):
            load_variants(tmp_path)


def test_a_way_that_was_not_taken_is_named_with_its_command(finished_run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["export", str(finished_run), "--variant", "distilled", "--out", str(tmp_path / "n")]
    )
    assert isinstance(done.exception, RunError)
    assert "--teacher TRIAL" in str(done.exception)


def test_a_teacher_is_a_trial_a_run_or_a_trial_of_a_run(trained: tuple[Path, list[object]], finished_run: Path) -> None:
    run, other = load_run(trained[0]), load_run(finished_run)

    def found(teacher: str) -> tuple[Path, str]:
        home, number = find_teacher(run, teacher)
        return home.path, number

    assert found("3") == (run.path, "3")
    assert found(str(other.path)) == (other.path, "best")
    assert found(f"{other.path}:2") == (other.path, "2")
    with pytest.raises(RunError, match="neither a trial of"):
        found("runs/nowhere")


def test_a_teacher_without_weights_is_refused_before_any_training(trained: tuple[Path, list[object]]) -> None:
    run = load_run(trained[0])
    without = next(each for each in run.records if not run.weights(each).is_file())
    settings = SETTINGS.model_copy(update={"all_images": False, "teacher": str(without.number)})
    with pytest.raises(RunError, match="are not kept"):
        list(train_pending(run, settings))


def test_a_teacher_of_other_images_or_classes_is_refused() -> None:
    def network(side: int, classes: int) -> Graph:
        return Graph.of(GapHead(classes)(Stem(4)(Task("any", (3, side, side), classes).image())))

    check_teacher(network(8, 10), network(8, 10))
    with pytest.raises(RunError, match=r"images of \(3, 16, 16\), the network of \(3, 8, 8\)"):
        check_teacher(network(8, 10), network(16, 10))
    with pytest.raises(RunError, match="classes of 5, the network of 10"):
        check_teacher(network(8, 10), network(8, 5))


def test_a_job_travels_with_its_teacher() -> None:
    job = Job(1, "{}", Source("digits", all_images=True), Recipe(), 0, "w", teacher=Teacher("{}", "t.safetensors"))
    assert Job.from_json(job.to_json()) == job


def test_all_images_are_those_of_training_and_validation() -> None:
    part, whole = load_data(Source("digits")), load_data(Source("digits", all_images=True))
    assert len(whole.train.labels) == len(part.train.labels) + len(part.validation.labels)
    assert (whole.validation.images == part.validation.images).all()
    assert (whole.digest, whole.mean) == (part.digest, part.mean)


def test_the_loss_of_distillation_is_the_divergence_times_the_temperature_squared() -> None:
    torch.manual_seed(0)
    own, taught = torch.randn(5, 7), torch.randn(5, 7)
    q, p = torch.softmax(own / 3, 1), torch.softmax(taught / 3, 1)
    expected = 9 * (p * (p.log() - q.log())).sum(1).mean()
    assert distillation_loss(own, taught, 3.0).item() == pytest.approx(expected.item(), rel=1e-5)
    assert distillation_loss(taught, taught, 3.0).item() == pytest.approx(0.0, abs=1e-6)


def test_a_network_learns_the_answers_of_its_teacher_and_not_the_labels(finished_run: Path) -> None:
    """The teacher's classes are permuted: only one who learns from it errs on nearly every image."""
    run, data = load_run(finished_run), load_data("digits")
    graph = run.record("best").graph
    recipe = Recipe(epochs=6, distill_weight=0.99)

    class Permuted(torch.nn.Module):
        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.network(images)
            return logits.roll(1, 1)

    own = module(graph, training=True)
    training = Training(own, data, recipe, seed=1)
    plain = [training.epoch() for _ in range(recipe.epochs)][-1]
    before = {name: tensor.clone() for name, tensor in own.state_dict().items()}
    taught = Training(module(graph, training=True), data, recipe, seed=2, teacher=Permuted(own))
    score = [taught.epoch() for _ in range(recipe.epochs)][-1]
    assert plain.error < 0.5
    assert score.error > 0.9
    assert all(torch.equal(before[name], tensor) for name, tensor in own.state_dict().items())
