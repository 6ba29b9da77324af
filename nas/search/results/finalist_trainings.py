"""The trainings of finalists that ended, kept until all have: hours of work that an interruption must not lose."""

import json
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nas.errors import RunError, quoted
from nas.files import atomic_write
from nas.search.store.rows import STRICT, Number, Seconds, Share, read_rows
from nas.training.recipe import Recipe

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


@dataclass(frozen=True)
class FinalistTraining:
    """A training that ended well.

    number: of the trial. recipe, weights: digests. error: on validation, a fraction. seconds: that it took.
    """

    __pydantic_config__ = STRICT

    number: Number
    seed: Number
    recipe: Digest
    error: Share
    weights: Digest
    seconds: Seconds = 0.0

    @property
    def key(self) -> tuple[int, int, str]:
        """Return what tells it from the others."""
        return self.number, self.seed, self.recipe


class FinalistTrainings:
    """The trainings of one run under one recipe: those on the disk, and those that are added.

    variant: what else is different from the training of a finalist, in words.
    """

    def __init__(self, path: Path, recipe: Recipe, variant: str = "") -> None:
        """Read what an earlier call has left. Raises RunError when the list is damaged."""
        self._home = path / "finalists"
        self._recipe = _text_digest(json.dumps(asdict(recipe), sort_keys=True) + variant)
        self._all = {each.key: each for each in load_trainings(path)}

    def weights(self, number: int, seed: int) -> Path:
        """Return where the weights of a training lie, or will lie."""
        return _weights(self._home, number, seed, self._recipe)

    def error(self, number: int, seed: int) -> float | None:
        """Return the validation error of a training that ended; None where there is none, or its weights changed."""
        found, file = self._all.get((number, seed, self._recipe)), self.weights(number, seed)
        return found.error if found and file.is_file() and digest(file) == found.weights else None

    def seconds(self, number: int) -> float:
        """Return the seconds that the trainings of a network took together."""
        return sum(each.seconds for each in self._all.values() if (each.number, each.recipe) == (number, self._recipe))

    def add(self, number: int, seed: int, error: float, seconds: float) -> None:
        """Keep a training whose weights are written. Raises OSError."""
        made = FinalistTraining(number, seed, self._recipe, error, digest(self.weights(number, seed)), seconds)
        self._all[made.key] = made
        atomic_write(_file(self._home), json.dumps([asdict(each) for each in self._all.values()], indent=1) + "\n")

    def clear(self) -> None:
        """Forget all trainings, once their finalists are listed."""
        self._all = {}
        _file(self._home).unlink(missing_ok=True)


def load_trainings(path: Path) -> tuple[FinalistTraining, ...]:
    """Return the trainings that are kept in a run. Raises RunError when their list is damaged."""
    file = _file(path / "finalists")
    try:
        return read_rows(file, FinalistTraining)
    except ValueError as problem:
        raise RunError(f"{file} is damaged ({problem}); remove it and run: nas finalists {quoted(path)}") from None


def training_files(path: Path) -> set[Path]:
    """Return the weights of the trainings that are kept in a run. Raises RunError when their list is damaged."""
    return {_weights(path / "finalists", *each.key) for each in load_trainings(path)}


def digest(file: Path) -> str:
    """Return 16 hexadecimal digits of what a file holds. Raises OSError."""
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()[:16]


def _text_digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _file(home: Path) -> Path:
    return home / "trainings.json"


def _weights(home: Path, number: int, seed: int, recipe: str) -> Path:
    return home / f"training-{number:06d}-{seed}-{recipe}.safetensors"
