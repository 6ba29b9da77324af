"""What a run keeps of its finalists: their results, and their weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from nas.errors import RunError, quoted
from nas.search.finalist_settings import VariantName
from nas.search.results.finalist_trainings import digest
from nas.search.store.rows import STRICT, Number, Seconds, Share, Words, read_rows

Epochs = Annotated[int, Field(ge=1, lt=2**31)]
T = TypeVar("T")
FileName = Annotated[str, Field(pattern=r"^[0-9]+-[0-9a-f]+\.safetensors$")]


@dataclass(frozen=True)
class Finalist:
    """A network after retraining: one of the search, or a baseline.

    errors: validation error (a fraction) by seed. low, high: 95 % interval of their mean (Student's t), equal to the
    mean with one seed. seed: of the training that was best on validation, whose weights are kept. test_error: of those
    weights. weights: their file's name, which ends in their digest; "" in runs of earlier versions. test_errors: by
    seed like errors, all read at once; () in runs of earlier versions. seconds: of the trainings of all seeds together;
    0 in runs of earlier versions.
    """

    __pydantic_config__ = STRICT

    number: Number
    errors: Annotated[tuple[Share, ...], Field(min_length=1)]
    low: Share
    high: Share
    seed: Number
    test_error: Share
    epochs: Epochs
    weights: FileName | Literal[""] = ""
    test_errors: tuple[Share, ...] = ()
    seconds: Seconds = 0.0

    @property
    def error(self) -> float:
        """Return the mean validation error over the seeds."""
        return mean(self.errors)

    def check_weights(self, file: Path) -> None:
        """Raise RunError when the file of the weights is missing, or has other content than when it was named."""
        _check_weights(file, self.weights, finalists_again(file.parent.parent))


@dataclass(frozen=True)
class FinalistVariant:
    """A finalist trained in another way.

    teacher: by whom, in words. errors: validation error by seed; () where the images for validation were trained on.
    test_errors: likewise, never empty. seed: whose weights are kept: the best on validation, else that of the finalist.
    """

    __pydantic_config__ = STRICT

    number: Number
    name: VariantName
    teacher: Words
    errors: tuple[Share, ...]
    test_errors: Annotated[tuple[Share, ...], Field(min_length=1)]
    seed: Number
    test_error: Share
    epochs: Epochs
    weights: FileName

    @property
    def title(self) -> str:
        """Return how it was trained."""
        return f"taught by {self.teacher}" if self.name == "distilled" else "trained on all images"

    def check_weights(self, file: Path) -> None:
        """Raise RunError when the file of the weights is missing, or has other content than when it was named."""
        _check_weights(file, self.weights, f"{finalists_again(file.parent.parent)} with the options of before")


def finalists_again(path: Path) -> str:
    """Return the command that trains finalists again."""
    return f"nas finalists {quoted(path)}"


def _check_weights(file: Path, name: str, command: str) -> None:
    if not file.is_file() or (name and not file.stem.endswith(digest(file))):
        raise RunError(f"{file} is missing or was changed; restore it, or run: {command}")


def comparable(finalists: tuple[Finalist, ...]) -> tuple[Finalist, ...]:
    """Return the finalists trained for as many epochs as the first; errors of other epochs are not compared."""
    return tuple([each for each in finalists if each.epochs == finalists[0].epochs])


def finalists_file(path: Path) -> Path:
    return path / "finalists" / "finalists.json"


def baselines_file(path: Path) -> Path:
    return path / "finalists" / "baselines.json"


def variants_file(path: Path) -> Path:
    return path / "finalists" / "variants.json"


def load_finalists(path: Path) -> tuple[Finalist, ...]:
    """Return the finalists of a run: those of as many epochs as the last, best first, then others; none without any.

    Raises RunError when the file is damaged.
    """
    return read_finalists(finalists_file(path))


def load_baselines(path: Path) -> tuple[Finalist, ...]:
    """Return the baselines of a run that were trained as finalists are, in the order of finalists.

    Raises RunError when the file is damaged.
    """
    return read_finalists(baselines_file(path))


def read_finalists(file: Path) -> tuple[Finalist, ...]:
    """Return the finalists that a file lists; none where there is none. Raises RunError when it is damaged."""
    return _read(file, Finalist)


def find_finalist(path: Path, number: int) -> Finalist | None:
    """Return a finalist or a baseline trained as one, if the trial is one. Raises RunError when a file is damaged."""
    return next((each for each in (*load_finalists(path), *load_baselines(path)) if each.number == number), None)


def load_variants(path: Path) -> tuple[FinalistVariant, ...]:
    """Return the finalists of a run that were trained in another way. Raises RunError when the file is damaged."""
    return _read(variants_file(path), FinalistVariant)


def _read(file: Path, kind: type[T]) -> tuple[T, ...]:
    try:
        return read_rows(file, kind)
    except ValueError as problem:
        raise RunError(
            f"{file} is damaged ({problem}); remove it and run: {finalists_again(file.parent.parent)}"
        ) from None


def finalist_weights(path: Path, number: int) -> Path:
    """Return where a finalist's best weights lie. Raises RunError when the list of finalists is damaged."""
    found = find_finalist(path, number)
    return path / "finalists" / ((found and found.weights) or _former_name(number))


def _former_name(number: int) -> str:
    """Return the name of a finalist's weights in runs of earlier versions."""
    return f"{number:06d}.safetensors"


def kept_weights(path: Path) -> Iterator[Path]:
    """Yield the weights that are named by the lists of a run. Raises RunError when a list is damaged."""
    for each in (*load_finalists(path), *load_baselines(path)):
        yield path / "finalists" / (each.weights or _former_name(each.number))
    for variant in load_variants(path):
        yield path / "finalists" / variant.weights
