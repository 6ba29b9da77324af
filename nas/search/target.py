"""A board in an experiment: it sets limits of RAM and flash, and how latency is known.

A board is given by name and recorded whole, so that a run means the same board when a file of boards changes.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nas.device.boards import Board, as_board, find_board
from nas.errors import BudgetError
from nas.search.sizes import in_bytes, parse_size


def for_target(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an experiment with the board in place of its name, and with what it sets.

    Its RAM and flash are upper limits of the budget where that has no stricter ones; its keys of [latency] fill in
    those that are not given. What is malformed stays as it is. Raises ExperimentError for an unknown board, and
    BudgetError, which begins with the key, for a limit of the budget above the board's.
    """
    board = _board(settings.get("target"))
    if board is None:
        return dict(settings)
    budget, latency = settings.get("budget", {}), settings.get("latency") or {}
    return {
        **settings,
        "target": asdict(board),
        "budget": _within(board, budget) if isinstance(budget, Mapping) else budget,
        "latency": {**board.latency_table, **latency} if isinstance(latency, Mapping) else latency,
    }


def _board(target: Any) -> Board | None:
    if isinstance(target, str):
        return find_board(target, Path.cwd())
    return as_board(target) if isinstance(target, Mapping) else None


def _within(board: Board, budget: Mapping[str, Any]) -> dict[str, Any]:
    """Return a budget with the limits of a board where it has none."""
    found = dict(budget)
    for name, limit in board.limits.items():
        own = budget.get(name, {})
        if isinstance(own, Mapping):
            given = {end: value for end, value in own.items() if value is not None}
            for end, value in given.items():
                _check_below(board, f"budget.{name}.{end}", _bytes(value), limit)
            found[name] = {"max": limit, **given}
    return found


def _bytes(value: Any) -> int | None:
    """Return a limit as it is written in bytes; None where it is malformed."""
    try:
        count = in_bytes(value)
        count = parse_size(count) if isinstance(count, str) else count
    except BudgetError:
        return None
    return count if type(count) is int else None


def _check_below(board: Board, key: str, value: int | None, limit: int) -> None:
    if value is not None and value > limit:
        raise BudgetError(
            f"`{key}` (={value:,}) is above the {limit:,} bytes of the board {board.name}; lower it or leave it out"
        )
