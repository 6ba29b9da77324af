"""Lists of records in JSON beside a study. A run may come from somebody else: they are checked before they are used."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from nas.files import read_text

MAX_BYTES = 10_000_000
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)
Number = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, lt=1e12)]
Words = Annotated[str, Field(max_length=100)]
T = TypeVar("T")


def read_rows(file: Path, kind: type[T]) -> tuple[T, ...]:
    """Return the records of a file, none where there is no file.

    kind: a dataclass with `__pydantic_config__ = STRICT`. Raises ValueError with what is wrong, in a line, and OSError.
    """
    if not file.is_file():
        return ()
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES:,} bytes")
    try:
        return TypeAdapter(tuple[kind, ...]).validate_json(read_text(file))  # type: ignore[valid-type]
    except ValidationError as problems:
        first = problems.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place or 'the file'}: {first['msg']}"[:200]) from None
