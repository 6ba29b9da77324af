"""FLOPs in a budget and in objectives: twice the multiply-accumulates, by which everything else counts.

They are read and never written: a budget of FLOPs becomes one of half as many MACs before it is checked.
"""

from collections.abc import Mapping
from typing import Any

from nas.errors import BudgetError
from nas.search.sizes import parse_size

FLOPS, MACS = "flops", "macs"


def in_macs(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an experiment with `macs` in place of `flops`; a limit that is malformed stays as it is.

    Raises BudgetError where a budget, or the objectives, have both.
    """
    found, budget, objectives = dict(settings), settings.get("budget"), settings.get("objectives")
    if isinstance(budget, Mapping) and FLOPS in budget:
        _refuse_both(budget, "budget:")
        found["budget"] = {MACS if name == FLOPS else name: _halved(name, limit) for name, limit in budget.items()}
    if isinstance(objectives, list | tuple) and FLOPS in objectives:
        _refuse_both(objectives, "objectives:")
        found["objectives"] = [MACS if name == FLOPS else name for name in objectives]
    return found


def changes_in_macs(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes ("budget.flops.max": "3M") with `macs` in place of `flops`. Raises BudgetError as `in_macs`."""
    limits = {key: key.split(".")[1] for key in changes if key.startswith("budget.")}
    _refuse_both(limits.values(), f"{' and '.join([key for key in limits if limits[key] in (FLOPS, MACS)])}:")
    found: dict[str, Any] = {}
    for key, value in changes.items():
        head, *path = key.split(".")
        if head == "budget" and path[:1] == [FLOPS]:
            found[".".join([head, MACS, *path[1:]])] = _half(path[1], value) if path[1:] else _halved(FLOPS, value)
        else:
            found[key] = in_macs({key: value})[key]
    return found


def _refuse_both(names: Any, what: str) -> None:
    if FLOPS in names and MACS in names:
        raise BudgetError(f"{what} both flops and macs are given, and flops are twice macs; keep one of them")


def _halved(name: str, limit: Any) -> Any:
    if name != FLOPS or not isinstance(limit, Mapping):
        return limit
    return {end: _half(end, value) for end, value in limit.items()}


def _half(end: str, value: Any) -> Any:
    """Return half of a limit, an upper one rounded down and a lower one up: no network is inside one of both only."""
    try:
        count = parse_size(value) if isinstance(value, str) else value
    except BudgetError:
        return value
    if type(count) is not int:
        return value
    return (count + 1) // 2 if end == "min" else count // 2
