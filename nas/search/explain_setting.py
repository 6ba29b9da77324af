"""What is wrong with a setting, in words, with the remedy: unknown keys, values of another kind, other names."""

import json
from dataclasses import fields
from typing import Any

from pydantic_core import ErrorDetails

from nas.device.boards import Board
from nas.device.latency.settings import LatencySettings
from nas.errors import NasError, near
from nas.search.experiment import Experiment
from nas.search.finalist_settings import FinalistSettings
from nas.search.flops import FLOPS
from nas.search.objectives import OBJECTIVES, Range, exact_objectives
from nas.training.recipe import Recipe

OTHER_KEYS = {
    "lr": "learning_rate", "batch_size": "batch", "batchsize": "batch", "optim": "optimizer", "optimiser": "optimizer",
    "wd": "weight_decay", "scheduler": "schedule", "lr_scheduler": "schedule", "max_epochs": "epochs",
    "num_epochs": "epochs", "n_epochs": "epochs", "n_trials": "trials", "num_trials": "trials", "max_trials": "trials",
    "num_workers": "workers", "n_jobs": "workers", "dataset": "data", "search_space": "space", "random_state": "seed",
    "random_seed": "seed", "warm_start": "start", "objective": "objectives", "algorithm": "sampler",
    "directory": "data_dir", "board": "target", "hardware": "target",
}  # fmt: skip
"""Our key by the name that other libraries give a setting."""
OTHER_LIMITS = {
    "max_params": "params.max", "max_macs": "macs.max", "max_flops": "flops.max", "parameters": "params",
    "max_ram": "ram.max", "max_flash": "flash.max", "memory": "ram", "sram": "ram", "rom": "flash",
}  # fmt: skip
OTHER_VALUES = {"adam": "adamw", "gpu": "cuda", "fp32": "float32", "bf16": "bfloat16", "linear": "step"}
"""Our value by the name that is meant; the nearest value is proposed for any other."""
NUMBERS = ("int_type", "int_from_float", "float_type")


def explain(key: str, problem: ErrorDetails, typed: bool = False) -> str:
    """Return one problem of a setting and its remedy. typed: on the command line, and so not in a table of a file."""
    kind, value = problem["type"], problem.get("input")
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return explain_key(key)
    if kind == "missing":
        example = {"space": ' = "mixed"', "data": ' = "digits"'}.get(key)
        return f"the key {key!r} is missing{f'; write {key}{example}' if example else ''}"
    said = problem["msg"].removeprefix("Value error, ")
    found = "" if kind == "value_error" else f", found {_written(value)}"
    return f"`{key}`: {said}{found}{_remedy(key, problem, value, typed)}"


def explain_key(key: str) -> str:
    """Return that a key is unknown, with the one that is meant, or else with all of its table."""
    *above, last = key.split(".")
    where = f" in [{'.'.join(above)}]" if above else ""
    hint = _meant(above, last) or f"; known: {', '.join(_known(above))}"
    return f"unknown key {last[:60]!r}{where}{hint}"


def find_setting(name: str) -> str:
    """Return the whole key of the setting that a name means, as recipe.learning_rate for lr; empty for none."""
    folded = name.lower().replace("-", "_")
    meant = OTHER_KEYS.get(folded, folded)
    return next((".".join([*table, meant]) for table in ([], ["recipe"]) if meant in _known(table)), "")


def explain_limit(name: str, problem: NasError) -> str:
    """Return why a budget cannot limit a quantity; a known other name of a limit gives the one that is meant."""
    meant = OTHER_LIMITS.get(name.lower())
    return f"did you mean {meant!r}?" if meant else str(problem)


def _meant(above: list[str], last: str) -> str:
    """Return the end of a message on an unknown key: the key of this table or of another that is meant."""
    folded = last.lower().replace("-", "_")
    name = OTHER_KEYS.get(folded, folded)
    if hint := near(name, _known(above)):
        return hint
    setting = find_setting(last) if len(above) < 2 else ""
    where = "" if "." in setting else ", above the first table"
    return f"; did you mean {setting!r}{where}?" if setting else ""


def _known(above: list[str]) -> list[str]:
    if not above:
        return list(Experiment.model_fields)
    if above == ["finalists"]:
        return list(FinalistSettings.model_fields)
    if above == ["budget"]:
        return [*(objective.name for objective in exact_objectives()), FLOPS]
    tables = {"recipe": Recipe, "latency": LatencySettings, "target": Board}
    table = tables.get(above[0], Range) if len(above) == 1 else Range
    return ["like"] * (table is Recipe) + [spec.name for spec in fields(table)]


def _written(value: Any) -> str:
    """Return a value as a file has it, at most 60 characters."""
    return json.dumps(value, ensure_ascii=False, default=str)[:60]


def _remedy(key: str, problem: ErrorDetails, value: Any, typed: bool) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "literal_error" and isinstance(value, str):
        known = [part.strip("'") for part in str(context.get("expected", "")).replace(" or ", ", ").split(", ")]
        other = OTHER_VALUES.get(value.lower(), value.lower().partition(":")[0])
        return near(other, known)
    if key == "objectives" and kind == "tuple_type":
        return f'; write a list such as ["error", "macs"] of: {", ".join([*OBJECTIVES, FLOPS])}'
    if key == "budget" and kind.endswith("_type"):
        return "; write budget.params.max=50000" if typed else "; write [budget] and below it params.max = 50000"
    if key.startswith("budget.") and kind in ("dataclass_type", "dataclass_exact_type"):
        size = _written(value) if isinstance(value, (int, str)) else "50000"
        return f"; write {key}.max={size}" if typed else f"; write {key.removeprefix('budget.')}.max = {size}"
    if kind in NUMBERS and isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return "; write it without quotes"
    if kind == "bool_type":
        return "; write true or false"
    return "; write it in quotes" if kind == "string_type" and isinstance(value, (int, float)) else ""
