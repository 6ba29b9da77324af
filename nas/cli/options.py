"""What several verbs share: the types of their options and arguments, and how their values are read."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.errors import ExperimentError

if TYPE_CHECKING:
    from nas.search.experiment import Experiment

KEYS = {
    "max_params": "budget.params.max", "max_macs": "budget.macs.max", "max_flops": "budget.flops.max",
    "min_flops": "budget.flops.min", "max_latency": "budget.latency_ms.max", "max_ram": "budget.ram.max",
    "max_flash": "budget.flash.max",
}  # fmt: skip
"""Options that are named otherwise than their key."""
MAX_NAME_BYTES = 200  # of a directory; file systems take 255

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
RunDir = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, such as runs/quickstart.")]
What = Annotated[
    str, typer.Argument(metavar="WHAT", help="A baseline, a genome file, RUN:TRIAL, or a search space with --seed.")
]
Seed = Annotated[int | None, typer.Option(help="Seed of the draw when WHAT is a search space; 0 by default.")]
On = Annotated[
    str | None,
    typer.Option("--data", help="Set or path of images, for a drawn network's input and classes; digits by default."),
]
ExperimentName = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A TOML file, or the name of a bundled experiment.")
]
Changes = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting.")]
Data = Annotated[
    str | None, typer.Option(metavar="SET", help="Images: a folder, an .npz or Parquet file, or the name of a set.")
]
MaxParams = Annotated[str | None, typer.Option(help="Hard limit on parameters, such as 50k.")]
MaxMacs = Annotated[str | None, typer.Option(help="Hard limit on MACs per image, such as 1.5M.")]
MaxFlops = Annotated[str | None, typer.Option(help="The same in FLOPs, twice the MACs, such as 3M.")]
MinFlops = Annotated[str | None, typer.Option(help="Lower limit on FLOPs per image.")]
MaxLatency = Annotated[
    str | None, typer.Option(metavar="MS", help="Hard limit on predicted latency in milliseconds, such as 2.5.")
]
MaxRam = Annotated[
    str | None, typer.Option(help="Hard limit on the RAM of a microcontroller in 8-bit integers, such as 64KB.")
]
MaxFlash = Annotated[str | None, typer.Option(help="Hard limit on its .tflite file, such as 128KB.")]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="BOARD",
        help="The board it must run on: cortex-m4-64k, cortex-m4-256k, cortex-m4-640k, cortex-m7-320k, "
        "cortex-m7-512k, or one of your own as my_boards.toml:NAME.",
    ),
]
Trials = Annotated[int | None, typer.Option(help="Networks to train, in total.")]
SearchSeed = Annotated[int | None, typer.Option(help="Seed of sampling and training.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, mps or auto.")]
SamplerName = Annotated[str | None, typer.Option(help="How networks are proposed, such as tpe or frontier.")]
Start = Annotated[
    list[str] | None,
    typer.Option("--start", metavar="RUN", help="An earlier run of the same space to learn from; may be repeated."),
]
TimeLimit = Annotated[
    str | None, typer.Option(metavar="TIME", help="Time for the whole search over all resumes, such as 2h or 1h30m.")
]
Executor = Annotated[str | None, typer.Option(help="Where the workers run: local or ray.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="FOLDER", help="Where the images are now, if they were moved.")
]
SpaceFile = Annotated[
    str | None,
    typer.Option("--space", metavar="FILE.py", help="The file of the run's own search space, trusted from now on."),
]
Address = Annotated[str | None, typer.Option(help="Address of a running Ray cluster; implies --executor ray.")]


def former_options(**names: str) -> dict[str, Any]:
    """Return the settings of a command that still reads its options' former names: `former_options(mend="fix")`."""
    return {"token_normalize_func": lambda name: names.get(name, name)}


def refuse_options(reason: str, **given: object) -> None:
    """Raise ExperimentError with the reason if an option is given; None, False and an empty list are not."""
    names = [name for name, value in given.items() if value is not None and value is not False and value != []]
    if names:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in names)
        raise ExperimentError(f"{options} cannot be used here: {reason}")


def typed_options(keys: Iterable[str]) -> dict[str, str]:
    """Return the option by which each key was changed, for messages: budget.params.max by --max-params."""
    names = {key: name for name, key in KEYS.items()}
    return {key: f"--{names.get(key, key).replace('_', '-')}" for key in keys}


def changed_experiment(
    name: str, changes: Iterable[str] | None, data: str | None, **options: str | float | list[str] | None
) -> "Experiment":
    """Return an experiment with what --set, --data and other options of its settings change.

    Raises ExperimentError, also where options exclude each other.
    """
    from nas.search.experiment_file import load_experiment

    settings: dict[str, Any] = dict(setting(change) for change in changes or [])
    if options["max_flops"] or options["min_flops"]:
        refuse_options("FLOPs are twice MACs; give one of them", **{"max-macs": options["max_macs"]})
    if data is not None:
        settings = {"data": data, "data_dir": None} | settings
    given = {KEYS.get(option, option): value for option, value in options.items() if value is not None}
    return load_experiment(name, settings | given, typed_options(given))


def setting(text: str) -> tuple[str, Any]:
    """Split KEY=VALUE; the value is read as TOML, or else taken as text. Raises ExperimentError."""
    import tomllib

    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ExperimentError(f"--set {text[:60]!r}: write KEY=VALUE, such as recipe.epochs=20")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def home(experiment: "Experiment") -> Path:
    """Return the default run directory, runs/NAME; no name leads out of runs/ or is too long for a file system."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in experiment.name).lstrip(".")
    return Path("runs") / name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")


def choose_executor(executor: str | None, address: str | None) -> str | None:
    """Return the executor; an address implies Ray and is passed in the environment, so that no file keeps it."""
    if address:
        if executor == "local":
            refuse_options("--executor local runs no Ray", address=address)
        os.environ["RAY_ADDRESS"] = address
    return executor or ("ray" if address else None)
