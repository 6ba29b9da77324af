"""A table of published results in place of training, so that samplers are compared over hundreds of runs in minutes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.errors import DataError
from nas.search.propose.proposer import Proposal, Proposer


class Table:
    """Rows of choices and scores, looked up by the choices.

    Raises DataError when the file lacks a column, holds other than numbers for scores, or has one combination of
    choices twice.
    """

    def __init__(self, path: Path, choices: Sequence[str], scores: Sequence[str]) -> None:
        import pandas as pd

        try:
            table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        except (OSError, ValueError) as problem:
            raise DataError(f"{path} cannot be read as CSV or Parquet: {problem!s:.200}") from None
        if missing := [name for name in (*choices, *scores) if name not in table.columns]:
            raise DataError(f"{path} has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))[:300]}")
        if wrong := [name for name in scores if table[name].dtype.kind not in "iuf"]:
            raise DataError(f"{path}: column {wrong[0]!r} holds other than numbers; name columns of scores")
        self.choices = tuple(choices)
        columns = [table[name].tolist() for name in (*choices, *scores)]
        self.rows: dict[tuple[Any, ...], dict[str, float]] = {
            row[: len(choices)]: dict(zip(scores, map(float, row[len(choices) :]), strict=True))
            for row in zip(*columns, strict=True)
        }
        if len(self.rows) < len(table):
            raise DataError(f"{path}: some rows have the same {', '.join(choices)}; keep one of each")

    def __getitem__(self, choices: Mapping[str, Any]) -> dict[str, float]:
        """The scores of a network by its choices. Raises DataError when the table has none."""
        row = tuple([choices.get(name) for name in self.choices])
        if row not in self.rows:
            raise DataError(f"the table has no row of {dict(zip(self.choices, row, strict=True))}")
        return self.rows[row]


def rehearse(
    proposer: Proposer, error: Callable[[Proposal], float], trainings: int
) -> Iterator[tuple[Proposal, float]]:
    """Search with `error` in place of training: every network proposed, with what it was told.

    Ends early when the proposer finds no other network.
    """
    for _ in range(trainings):
        proposal = proposer.ask()
        if proposal is None:
            return
        told = error(proposal)
        proposer.tell(proposal, told)
        yield proposal, told
