from dataclasses import replace
from pathlib import Path

import pytest

from nas.errors import ExperimentError, NasError
from nas.files import line_of
from nas.resources import names
from nas.search.experiment_file import find_experiment, load_experiment, read_experiment, to_toml
from nas.search.objectives import Range
from nas.training.recipe import recipe

GOOD = """space = "mixed"
data = "digits"
trials = 4

[budget]
params = { max = 50_000 }

[recipe]
epochs = 2
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "question.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_and_fills_in(tmp_path: Path) -> None:
    question = read_experiment(write(tmp_path, GOOD))
    assert question.name == "question"
    assert question.budget["params"] == Range(max=50_000)
    assert question.recipe.epochs == 2
    assert question.objectives == ("error", "macs")


def test_effective_toml_reads_back_equal(tmp_path: Path) -> None:
    question = read_experiment(write(tmp_path, GOOD), {"name": 'a "b" \\ é\n\x7f$<script>'})
    assert read_experiment(write(tmp_path, to_toml(question, "by hand"))) == question


@pytest.mark.parametrize("name", [name for name in names("experiments", ".toml") if "principles" not in name])
def test_every_experiment_that_comes_along_is_valid(name: str) -> None:
    assert load_experiment(name).name == name


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("trials = 4", "trails = 4", 3, "unknown key 'trails'"),
        ("trials = 4", 'trials = "4"', 3, "trials"),
        ("trials = 4", "trials = true", 3, "trials"),
        ("trials = 4", "trials = 0", 3, "trials"),
        ("trials = 4", 'sampler = "magic"', 3, "sampler"),
        ("trials = 4", 'objectives = ["macs"]', 3, "error"),
        ("max = 50_000", "maximum = 50_000", 6, "unknown key 'maximum' in [budget.params]"),
        ("epochs = 2", "epocs = 2", 9, "unknown key 'epocs' in [recipe]"),
        ("epochs = 2", "epochs = 2.5", 9, "recipe.epochs"),
        ("epochs = 2", "epochs = 0", 9, "epochs"),
        ("params = ", "parms = ", 6, "unknown key 'parms' in [budget]"),
        ('space = "mixed"', "", None, "'space' is missing"),
        ('space = "mixed"', 'spcae = "mixed"', 1, "unknown key 'spcae'"),
    ],
)
def test_errors_name_file_line_and_key(tmp_path: Path, old: str, new: str, line: int | None, says: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ExperimentError) as problem:
        read_experiment(path)
    assert says in str(problem.value)
    assert str(path) in str(problem.value)
    if line is not None:
        assert f"line {line}:" in str(problem.value)


@pytest.mark.parametrize("text", ["space = ", "\x00", "[a\n", 'space = "x"\nspace = "y"', "a = " + "[" * 5000])
def test_text_that_is_no_toml(tmp_path: Path, text: str) -> None:
    with pytest.raises(ExperimentError):
        read_experiment(write(tmp_path, text))


def test_budget_that_contradicts_itself(tmp_path: Path) -> None:
    with pytest.raises(NasError, match="above"):
        read_experiment(write(tmp_path, GOOD.replace("max = 50_000", "max = 5, min = 6")))


def test_a_change_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"--set recipe.epochs"):
        read_experiment(write(tmp_path, GOOD), {"recipe.epochs": "many"})
    with pytest.raises(ExperimentError, match=r"--set objectives: `objectives.1`"):
        read_experiment(write(tmp_path, GOOD), {"objectives": ["error", "acc"]})
    with pytest.raises(ExperimentError, match="a value, not a table"):
        read_experiment(write(tmp_path, GOOD), {"trials.max": 3})


def test_the_place_of_a_former_key_is_where_it_was_written(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"^--set recipe.clip: `recipe.grad_clip`"):
        read_experiment(find_experiment("quickstart"), {"recipe.clip": "x"})
    text = find_experiment("quickstart").read_text(encoding="utf-8").replace("[recipe]", '[recipe]\nclip = "x"')
    line = text.splitlines().index('clip = "x"') + 1
    with pytest.raises(ExperimentError, match=rf"line {line}: `recipe.grad_clip`"):
        read_experiment(write(tmp_path, text), {})


@pytest.mark.parametrize("written", ['recipe = "resnet_cifar"', '[recipe]\nlike = "resnet_cifar"'])
def test_a_recipe_by_its_name(tmp_path: Path, written: str) -> None:
    text = GOOD.split("[budget]")[0] + written
    assert read_experiment(write(tmp_path, text)).recipe == recipe("resnet_cifar")
    changed = read_experiment(write(tmp_path, text), {"recipe.epochs": 3, "recipe.schedule": "cosine"}).recipe
    assert changed == replace(recipe("resnet_cifar"), epochs=3, schedule="cosine", milestones=())
    assert read_experiment(write(tmp_path, text), {"recipe.rate": 0.2, "recipe": "fast"}).recipe == replace(
        recipe("fast"), learning_rate=0.2
    )


def test_an_unknown_recipe_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"line 9: no recipe 'quick'.*resnet_cifar"):
        read_experiment(write(tmp_path, GOOD.replace("epochs", 'like = "quick"\nepochs')))
    with pytest.raises(ExperimentError, match=r"--set recipe: no recipe 'quick'"):
        read_experiment(write(tmp_path, GOOD), {"recipe": "quick", "recipe.epochs": 3})


def test_missing_experiment_names_those_there_are() -> None:
    with pytest.raises(ExperimentError, match=r"principles_small, quickstart; did you mean 'quickstart'\?"):
        find_experiment("quikstart")


def test_line_of_nested_keys() -> None:
    assert line_of(GOOD, ["budget", "params", "max"]) == 6
    assert line_of(GOOD, ["recipe", "epochs"]) == 9
    assert line_of(GOOD, ["nothing"]) is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://me:secret@host/nas", "has a password"),
        ("postgresql://me@host/nas?password=secret", "has a password"),
        ("sqlite:////etc/shadow", "must be postgresql://"),
        ("mysql://host/nas", "must be postgresql://"),
        ("postgresql://host", "must be postgresql://"),
        ("postgresql://[host/nas", "is not a URL"),
    ],
)
def test_a_study_lies_on_postgresql_and_its_password_elsewhere(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(ExperimentError, match=says) as problem:
        read_experiment(write(tmp_path, GOOD.replace("trials = 4", f'storage = "{url}"')))
    assert "line 3" in str(problem.value)
    assert "secret" not in str(problem.value).replace(str(tmp_path), "")


def test_an_address_is_read_from_no_file(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="unknown key 'address'"):
        read_experiment(write(tmp_path, GOOD.replace("trials = 4", 'address = "ray://elsewhere:10001"')))
