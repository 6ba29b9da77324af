"""What four people do outside the checkout, with the wheel: pictures and a space of their own, a script, a notebook."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent

BLOCKS = '''
from dataclasses import dataclass

from nas.genome import Primitive, Value
from nas.genome.hyperparameters import Width
from nas.genome.primitives import BatchNorm, Conv, Relu


@dataclass(frozen=True)
class Depthwise(Primitive):
    """A depthwise and a pointwise convolution (Howard et al. 2017, section 3.1)."""

    width: Width

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        x = Relu()(BatchNorm()(Conv(x.shape[0], 3, padding=1, groups=x.shape[0])(x)))
        return Relu()(BatchNorm()(Conv(self.width, 1)(x)))
'''
SPACE = '''
"""Depthwise blocks."""
from blocks import Depthwise
from nas.genome import Graph
from nas.genome.primitives import GapHead, Stem


def pets(trial, task):
    x = Stem(trial.suggest_int("stem", 4, 8, log=True), stride=2)(task.image())
    for i in range(trial.suggest_int("depth", 1, 2)):
        x = Depthwise(trial.suggest_int(f"width{i}", 8, 16, step=4))(x)
    return Graph.of(GapHead(task.classes)(x))
'''
EXPERIMENT = """
space = "pets.py"
data = "pictures"
image_size = 16
trials = 3
metric = "balanced_error"
budget = {params = {max = "5k"}}
recipe = {epochs = 2, class_weights = "balanced"}
"""
SCRIPT = """
import nas
import torch
from nas.genome import Graph
from nas.genome.primitives import ConvUnit, GapHead, Stem
from nas.training.score import Score


class Stripes(torch.utils.data.Dataset):
    classes = ["across", "down"]

    def __len__(self):
        return 80

    def __getitem__(self, index):
        image = torch.zeros(3, 12, 12)
        lines = image if index % 2 else image.transpose(1, 2)
        lines[:, index % 3 :: 3] = 0.5 + index / 200
        return image, index % 2


def space(trial, task):
    x = Stem(trial.suggest_int("stem", 4, 8))(task.image())
    return Graph.of(GapHead(task.classes)(ConvUnit(trial.suggest_int("width", 4, 8))(x)))


def training(network, data, recipe, seed, device):
    torch.manual_seed(seed)
    images = torch.from_numpy(data.train.images.copy()).float() / 255
    labels = torch.from_numpy(data.train.labels.copy()).long()
    optimizer = torch.optim.Adam(network.parameters(), 0.05)
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        network.eval()
        held = torch.from_numpy(data.validation.images.copy()).float() / 255
        wrong = network(held).argmax(1) != torch.from_numpy(data.validation.labels.copy()).long()
        yield Score(epoch, wrong.float().mean().item(), loss.item(), float(epoch), loss.item())


experiment = nas.Experiment(space=space, data=Stripes(), trainer=training, trials=2, recipe={"epochs": 8}, name="lines")
search = nas.start_search(experiment, "run")
ended = [event.record.number for event in search if event.kind == "ended"]
run = search.finish()
print(sorted(ended), len(run.to_pandas()), type(run.best().module()).__name__, run.report().name)
print(run.best().export("net").agrees)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked as an installation does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def call(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(site), "NAS_CONFIG_DIR": str(folder / "configuration")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


def write_pictures(folder: Path) -> None:
    """Write folders of two classes, one rare, as people keep them: sizes, formats and other files mixed."""
    numbers = np.random.default_rng(0)
    for part, count in (("train", 24), ("valid", 8), ("test", 8)):
        for name, share, bright in (("cat", 1.0, 60), ("Dog", 0.5, 200)):
            place = folder / part / name
            place.mkdir(parents=True)
            for i in range(int(count * share)):
                size = (20 + i % 3, 24, 3)
                image = Image.fromarray(numbers.integers(bright - 50, bright + 50, size).astype(np.uint8))
                image.save(place / f"{i}{('.jpg', '.PNG', '.webp')[i % 3]}")
    (folder / "train" / "cat" / "Thumbs.db").write_bytes(b"x")
    (folder / "train" / ".DS_Store").write_bytes(b"x")


@pytest.mark.usefixtures("one_ray")
def test_own_pictures_space_and_block_from_the_command_line(site: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures")
    for name, text in (("blocks.py", BLOCKS), ("pets.py", SPACE), ("pets.toml", EXPERIMENT)):
        (tmp_path / name).write_text(text.lstrip(), encoding="utf-8")

    def nas(*arguments: str) -> str:
        done = call(site, tmp_path, "-m", "nas", *arguments)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    assert "Depthwise" in nas("show", "pets.py")
    said = nas("search", "pets.toml")
    assert "2 classes: Dog, cat" in said
    assert "of the images: 38 unlike the most frequent size" in said
    assert "skipped: 2 hidden or a system's" in said
    assert "unbalanced" not in said  # both settings for it are used
    assert "3/3 trials" in said
    status = json.loads(nas("status", "runs/pets", "--json"))
    assert (status["complete"], status["metric"]) == (3, "balanced_error")
    assert status["best"]["params"] <= 5_000
    nas("resume", "runs/pets", "--trials", "4")
    assert "5/5 trials" in nas("resume", "runs/pets", "--trials", "5", "--executor", "ray")
    assert json.loads(nas("status", "runs/pets", "--json"))["failures"] == {}
    page = Path(tmp_path, nas("report", "runs/pets").splitlines()[0])
    assert "balanced error" in page.read_text(encoding="utf-8")
    nas("export", "runs/pets", "--out", "net")
    assert "class Depthwise(nn.Module)" in (tmp_path / "net" / "net.py").read_text(encoding="utf-8")
    predicted = subprocess.run(
        [sys.executable, "net/predict.py", "pictures/test/cat/0.jpg", "pictures/test/Dog/1.PNG"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert predicted.returncode == 0, predicted.stderr
    assert {line.split()[1] for line in predicted.stdout.splitlines() if line.startswith("  ")} == {"cat", "Dog"}


def test_a_dataset_and_a_training_of_ones_own_in_a_script(site: Path, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = call(site, tmp_path, "script.py")
    assert done.stdout == "[0, 1] 2 Network index.html\nTrue\n", done.stderr


def test_the_notebook_runs(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(site))
    text = (ROOT / "docs" / "notebook.ipynb").read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = json.dumps([cell.get("outputs") for cell in notebook.cells])
    assert "image/svg+xml" in shown
    assert "6 of 6 trials complete" in shown
    assert (tmp_path / "exports" / "notebook" / "net.py").is_file()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("searhc", "quickstart"), "search"),
        (("search", "quickstrat"), "did you mean 'quickstart'?"),
        (("search", "quickstart", "--trials", "0"), "--trials: "),
        (("show", "resnet5"), "did you mean"),
    ],
)
def test_what_is_typed_wrongly_is_one_message(typed: tuple[str, ...], said: str, site: Path, tmp_path: Path) -> None:
    done = call(site, tmp_path, "-m", "nas", *typed)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr
