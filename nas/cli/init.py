"""init: a starter space, experiment and README for images of one's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from shutil import rmtree
from string import Template
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.app import app, info, output
from nas.cli.options import home
from nas.errors import ExperimentError, quoted

if TYPE_CHECKING:
    from nas.genome.task import Task
    from nas.training.data import Data, Source

FILES = {"space.py": "space.txt", "search.toml": "search.txt", "README.md": "readme.txt"}
MAX_TRAIN_IMAGES = 10_000  # of a starter search, which is to take minutes
IMAGE_READINGS = 40_000  # that a training aims at, between MIN_EPOCHS and MAX_EPOCHS
MIN_EPOCHS, MAX_EPOCHS = 6, 30
MAX_STAGES, MIN_GRID, LARGE_SIDE = 4, 4, 48  # pixels; from LARGE_SIDE on the stem halves the grid
DRAWS = 200  # of which the budget takes the median


@app.command("init")
def init_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; made if it does not exist.")],
    data: Annotated[
        str, typer.Option(metavar="IMAGES", help="Images: a folder, an .npz or Parquet file, or the name of a set.")
    ] = "digits",
) -> None:
    """Write a starter space, experiment and README for your images, and check them by a dry run."""
    from nas.cli.plan import print_plan
    from nas.search.experiment_file import load_experiment

    _check_folder(folder)
    source, images = read_images(data)
    file, task = folder / "search.toml", images.task
    with _removed_on_error(folder):
        _write(folder, "space.py", _space_values(task.input))
        _write(folder, "search.toml", _search_values(folder, data, source, images))
        experiment = load_experiment(str(file))
        _write(folder, "README.md", _readme_values(file, home(experiment), task.input, task.classes))
        print_plan(experiment)
    info(f"{', '.join(FILES)} are written. Next: nas search {quoted(file)}")
    output(str(folder))


def _check_folder(folder: Path) -> None:
    """Raise ExperimentError where the files cannot be written without replacing others."""
    if folder.exists() and not folder.is_dir():
        raise ExperimentError(f"{folder} is a file; name a folder")
    if there := [name for name in FILES if os.path.lexists(folder / name)]:
        raise ExperimentError(f"{folder} holds {', '.join(there)} already; name another folder, or move them away")


def read_images(data: str) -> "tuple[Source, Data]":
    """Return the source that `data` means, scaled where its images differ in size, and its images. Raises DataError."""
    from dataclasses import replace

    from nas.training.data import Source, load_data
    from nas.training.data.images import ImageSizeError
    from nas.training.data.locate import locate
    from nas.user_code import absolute, trust

    name, path = locate(absolute(data, Path.cwd()))
    trust(name)
    source = Source(name, path)
    try:
        return source, load_data(source)
    except ImageSizeError as problem:
        scaled = replace(source, image_size=problem.suggested)
    return scaled, load_data(scaled)


@contextmanager
def _removed_on_error(folder: Path) -> Iterator[None]:
    """Remove what was written to a folder when the block fails, and the folder if it was made."""
    made = [each for each in (folder, *folder.absolute().parents) if not each.exists()]
    had_cache = (folder / "__pycache__").exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        if not had_cache:
            rmtree(folder / "__pycache__", ignore_errors=True)
        for each in made:
            each.rmdir()
        raise


def _write(folder: Path, name: str, values: dict[str, Any]) -> None:
    from nas.files import atomic_write

    template = files("nas.cli").joinpath("init_templates", FILES[name]).read_text(encoding="utf-8")
    atomic_write(folder / name, Template(template).substitute(values))


def _space_values(shape: tuple[int, ...]) -> dict[str, Any]:
    """Return what the space says: as many stages as leave a grid of 4 pixels, four at most."""
    side = min(shape[1:])
    stride = 2 if side >= LARGE_SIDE else 1
    sides = [side // stride >> i for i in range(MAX_STAGES)]
    grids = [each for each in sides if each >= MIN_GRID] or sides[:1]
    return {
        "shape": _shape_text(shape), "stages": len(grids), "stride": stride, "grids": ", ".join(map(str, grids))
    }  # fmt: skip


def _search_values(folder: Path, data: str, source: "Source", images: "Data") -> dict[str, Any]:
    """Return what the experiment says; its budget is the median of the space that lies in the folder."""
    count = min(len(images.train.labels), MAX_TRAIN_IMAGES)
    epochs = min(max(IMAGE_READINGS // count, MIN_EPOCHS), MAX_EPOCHS)
    params, macs = _median_costs(folder / "space.py", images.task)
    return {
        "name": _toml(name=folder.resolve().name[:60] or "search"),
        "images": "\n".join(_image_lines(folder, data, source, len(images.train.labels))),
        "params": f"{params:_}", "macs": f"{macs:_}", "epochs": epochs, "flip": str(images.task.input[0] == 3).lower(),
    }  # fmt: skip


def _image_lines(folder: Path, data: str, source: "Source", count: int) -> Iterator[str]:
    """Yield the lines on the images; a path that is relative to the working directory becomes one to the folder."""
    from nas.user_code import absolute

    named = absolute(data, Path.cwd())
    if source.directory is not None:
        typed = Path(data).expanduser()
        inner = os.path.relpath(typed.resolve(), folder.resolve())
        named = str(typed) if typed.is_absolute() else inner if os.sep in inner else f"./{inner}"
    yield f"{_toml(data=named)}  # the images: a folder, an .npz or Parquet file, or the name of a set"
    if source.image_size is not None:
        yield f"{_toml(image_size=source.image_size)}  # pixels a side; the images differ in size"
    if count > MAX_TRAIN_IMAGES:
        yield f"{_toml(train_images=MAX_TRAIN_IMAGES)}  # to train on, of {count:,}; without this line all of them"


def _toml(**setting: Any) -> str:
    from nas.search.experiment_file import write_toml

    return write_toml(setting).strip()


def _median_costs(file: Path, task: "Task") -> tuple[int, int]:
    """Return the median parameters and MACs of the networks of a space, rounded up to two digits."""
    from nas.genome.cost import cost
    from nas.search.propose.candidate import sample_network
    from nas.search.space import load_space
    from nas.user_code import absolute, trust

    name = absolute(str(file), Path.cwd())
    trust(name)
    space = load_space(name)
    costs = [cost(sample_network(space, task, seed)) for seed in range(DRAWS)]
    return _rounded_up([each.params for each in costs]), _rounded_up([each.macs for each in costs])


def _rounded_up(values: list[int]) -> int:
    middle = sorted(values)[len(values) // 2]
    unit = int(10 ** max(0, len(str(middle)) - 2))
    return -(-middle // unit) * unit


def _readme_values(file: Path, run: Path, shape: tuple[int, ...], classes: int) -> dict[str, Any]:
    """Return what the README says; its commands are those of the folder in which this one runs."""
    export = Path("exports") / run.name
    return {
        "title": run.name, "shape": _shape_text(shape), "classes": classes, "experiment": quoted(file),
        "run": quoted(run), "export": quoted(export),
    }  # fmt: skip


def _shape_text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
