"""Boards by name: what a network may take there, and how its latency is known. Read from TOML files."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from nas.device.latency.settings import Accelerator, LatencySettings, ProviderName
from nas.errors import ExperimentError, near
from nas.files import line_of, read_text

BUNDLED = Path(__file__).with_name("boards.toml")
MAX_BYTES = 100_000  # of a file of boards
RUNTIME_FILES = {"tflite-micro": "tflite"}
"""The suffix of the file that a runtime runs, and that a provider of latency is given."""
Bytes = Annotated[int, Field(ge=1, lt=2**63)]


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Board:
    """What a chip has.

    name: in its file. title: in a list. ram, flash: bytes that a network may take. runtime: what runs it. provider: of
    latency, a name in `PROVIDERS` or one of a user's own. accelerator: that Vela compiles for; None without one.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    ram: Bytes
    flash: Bytes
    runtime: Annotated[str, Field(min_length=1, max_length=100)]
    provider: ProviderName
    accelerator: Accelerator | None = None

    @property
    def limits(self) -> dict[str, int]:
        """Return the upper limits of a budget by objective, in bytes."""
        return {"ram": self.ram, "flash": self.flash}

    @property
    def latency(self) -> LatencySettings:
        """Return how latency is measured there, as far as the board tells."""
        return LatencySettings(**self.latency_table)

    @property
    def latency_table(self) -> dict[str, Any]:
        """Return the same as the keys of the table [latency] that the board tells."""
        accelerator = {"accelerator": self.accelerator} if self.accelerator else {}
        file = {"file": RUNTIME_FILES[self.runtime]} if self.runtime in RUNTIME_FILES else {}
        return {"provider": self.provider, **accelerator, **file}


_BOARD = TypeAdapter(Board)
_KEYS = tuple(name for name in Board.__dataclass_fields__ if name != "name")


def absolute_board(target: str, folder: Path) -> str:
    """Return `FILE.toml:NAME` with the path made absolute, from a folder; the name of a bundled board as it is."""
    place, _, name = target.rpartition(":")
    return f"{(folder / Path(place).expanduser()).resolve()}:{name}" if place else target


def find_board(target: str, folder: Path) -> Board:
    """Return a bundled board by its name, or `FILE.toml:NAME` of a file of one's own, found from a folder.

    Raises ExperimentError with the nearest name, or with the line of the file that is wrong.
    """
    place, _, name = absolute_board(target, folder).rpartition(":")
    file = Path(place) if place else BUNDLED
    boards = read_boards(file)
    if name not in boards:
        where = f" in {file}" if place else ""
        own = '; one of your own is written as "my_boards.toml:my-board"' if not place else ""
        raise ExperimentError(
            f"no board {name[:60]!r}{where}{near(name, boards) or '.'} There are: {', '.join(boards)}{own}"
        )
    return boards[name]


def as_board(table: Mapping[str, Any]) -> Board | None:
    """Return the board of a table with a name, as `Board` is written; None where something is wrong in it."""
    try:
        return _BOARD.validate_json(json.dumps(table, default=str))
    except ValidationError:
        return None


def read_boards(file: Path = BUNDLED) -> dict[str, Board]:
    """Return the boards of a TOML file by name, in its order. Raises ExperimentError with file, line and remedy."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ExperimentError(f"{file}: larger than {MAX_BYTES:,} bytes; this is not a file of boards")
        text = read_text(file)
        tables = tomllib.loads(text)
    except OSError as problem:
        raise ExperimentError(f"{file}: {problem.strerror or problem}") from None
    except RecursionError:
        raise ExperimentError(f"{file}: nested too deeply") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ExperimentError(f"{file}: not TOML: {problem}") from None
    return {name: _board(file, text, name, table) for name, table in tables.items()}


def _board(file: Path, text: str, name: str, table: object) -> Board:
    if not isinstance(table, dict):
        raise ExperimentError(f"{_place(file, text, [name])}: {name[:60]!r} is not a table; a board is written [NAME]")
    if table.get("name", name) != name:
        raise ExperimentError(f"{_place(file, text, [name, 'name'])}: a board is named by its table; remove `name`")
    try:
        given = {"name": name, **table}
        return _BOARD.validate_json(json.dumps(given, default=str))  # strict mode builds a dataclass from JSON only
    except ValidationError as problems:
        found = problems.errors(include_url=False)
        first = next((each for each in found if each["type"] != "missing"), found[0])  # a misspelt key explains another
        key = str(first["loc"][0]) if first["loc"] else ""
        said = _explain(key, first["type"], first["msg"], first.get("input"))
        raise ExperimentError(f"{_place(file, text, [name, key])}: {said}") from None


def _explain(key: str, kind: str, message: str, value: object) -> str:
    """Return one problem of a board's key and its remedy."""
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        hint = near(key, _KEYS) or f"; known: {', '.join(_KEYS)}"
        return f"unknown key {key[:60]!r}{hint}"
    if kind in ("missing", "missing_argument"):
        return f"the key {key!r} is missing"
    remedy = "; write a whole number of bytes, such as 65_536" if key in ("ram", "flash") else ""
    return f"`{key}`: {message.removeprefix('Value error, ')}, found {value!r:.60}{remedy}"


def _place(file: Path, text: str, path: list[str]) -> str:
    line = line_of(text, path)
    return f"{file}, line {line}" if line else str(file)
