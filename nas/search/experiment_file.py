"""An experiment as a TOML file: found, read strictly, and written out whole."""

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nas.errors import DataError, ExperimentError, NasError, near
from nas.files import read_text
from nas.resources import names, resource
from nas.search.experiment import CODE_SETTINGS, Experiment
from nas.search.objectives import Range, check_limit, exact_objectives
from nas.search.space import absolute_space
from nas.training.data.locate import absolute_path, locate
from nas.training.recipe import FORMER_KEYS, Recipe, recipe_settings
from nas.user_code import absolute, trust

MAX_BYTES = 100_000
Table = dict[str, Any]  # of a TOML file


def find_experiment(what: str) -> Path:
    """Return the file of an experiment: a path, or the name of a bundled one. Raises ExperimentError."""
    path = Path(what)
    if path.is_file():
        return path
    if path.suffix != ".toml" and what in names("experiments", ".toml"):
        return resource("experiments", f"{what}.toml")
    known = names("experiments", ".toml")
    listed = ", ".join(known)
    raise ExperimentError(f"no experiment {what!r}: it is neither a file nor one of {listed}{near(what, known)}")


def load_experiment(what: str, changes: Table | None = None) -> Experiment:
    """Return a bundled experiment by its name, or one in a TOML file of the user's, with `changes` laid over it.

    Files that it names, of Python code and of images, are found from the experiment's own folder, those in `changes`
    from the working directory; the code is trusted. Raises ExperimentError.
    """
    path, changed = find_experiment(what), set(changes or {})
    data, text = read_toml(path, with_absolute_code(changes or {}, Path.cwd()))
    experiment = validate_experiment(data, str(path), text, changed)
    folders = [Path.cwd() if key in changed else path.resolve().parent for key in ("data", "data_dir")]
    try:
        experiment = with_data_path(experiment, *folders)
    except DataError as problem:
        raise ExperimentError(f"{_place(['data'], str(path), text, changed)}: {problem}") from None
    trust(*experiment.code_names)
    return experiment


def with_absolute_code(table: Table, *folders: Path) -> Table:
    """Return settings with the paths of Python files made absolute, from the first of the folders."""
    given = {key: table[key] for key in CODE_SETTINGS if isinstance(table.get(key), str)}
    made = {key: absolute(name, folders[0]) for key, name in given.items()}
    space = {"space": absolute_space(given["space"], *folders)} if "space" in given else {}
    return {**table, **made, **space}


def read_experiment(path: Path, changes: Table | None = None) -> Experiment:
    """Return the experiment in a TOML file, with `changes` ("budget.params.max": 50000) laid over it.

    Raises ExperimentError with file, line and remedy.
    """
    data, text = read_toml(path, changes)
    return validate_experiment(data, str(path), text, set(changes or {}))


def read_toml(path: Path, changes: Table | None = None) -> tuple[Table, str]:
    """Return a TOML file as plain data with `changes` laid over it, and its text. Raises ExperimentError."""
    if path.stat().st_size > MAX_BYTES:
        raise ExperimentError(f"{path}: larger than {MAX_BYTES:,} bytes; this is not an experiment file")
    try:
        text = read_text(path)
        data = with_absolute_code(tomllib.loads(text), path.resolve().parent, Path.cwd())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ExperimentError(f"{path}: not TOML: {problem}") from None
    except RecursionError:
        raise ExperimentError(f"{path}: nested too deeply") from None
    data.setdefault("name", path.stem)
    _name_recipe(data)
    for key, value in sorted((changes or {}).items()):  # a recipe's name before its parts
        _set(data, key, value)
        _name_recipe(data)
    return data, text


def validate_experiment(data: Table, origin: str, text: str = "", changed: set[str] | None = None) -> Experiment:
    """Return plain data as an Experiment. Raises ExperimentError naming the first wrong key and its line."""
    if isinstance(data.get("recipe"), dict):
        data = data | {"recipe": _recipe(data["recipe"], _place(["recipe", "like"], origin, text, changed))}
    _check_budget(data.get("budget"), origin, text, changed)
    try:
        # JSON, because pydantic's strict mode then still builds dataclasses and tuples, and nothing else.
        return Experiment.model_validate_json(json.dumps(data, default=str))
    except ValidationError as problems:
        first = min(problems.errors(), key=lambda problem: problem["type"] == "missing")  # a key misspelt explains one
        path = [str(part) for part in first["loc"]]
        raise ExperimentError(f"{_place(path, origin, text, changed)}: {_explain('.'.join(path), first)}") from None
    except NasError as problem:
        raise ExperimentError(f"{origin}: {problem}") from None


def with_data_path(experiment: Experiment, data: Path, data_dir: Path) -> Experiment:
    """Return an experiment with `data` as a reader's name and `data_dir` as an absolute path. Raises DataError.

    data, data_dir: the folders from which a relative path in each setting starts.
    """
    reader, path = locate(experiment.data, data)
    if path is None:
        found = experiment.data_dir and absolute_path(experiment.data_dir, data_dir)
        return experiment.model_copy(update={"data_dir": found})
    if experiment.data_dir is not None:
        raise DataError(f"data names {path}, and data_dir {experiment.data_dir!r} as well; remove data_dir")
    return experiment.model_copy(update={"data": reader, "data_dir": path})


def _check_budget(table: object, origin: str, text: str, changed: set[str] | None) -> None:
    for name in table if isinstance(table, dict) else ():
        try:
            check_limit(name)
        except NasError as problem:
            where = _place(["budget", name], origin, text, changed)
            raise ExperimentError(f"{where}: unknown key {name[:60]!r} in [budget]: {problem}") from None


def _place(path: list[str], origin: str, text: str, changed: set[str] | None) -> str:
    """Return where a key, or a recipe's former one, was given: in a change, or on a line of the file."""
    paths = [path, *(["recipe", old] for old, new in FORMER_KEYS.items() if path == ["recipe", new])]
    above = [".".join(each[:length]) for each in paths for length in range(len(each), 0, -1)]
    set_by = next((name for name in sorted(above, key=len, reverse=True) if name in (changed or ())), None)
    line = max((line_of(text, each) or 0 for each in paths), default=0)  # a table's own line is above those of its keys
    return f"--set {set_by}" if set_by else f"{origin}, line {line}" if line else origin


def _name_recipe(data: Table) -> None:
    """Replace a recipe's name by a table that begins with it."""
    if isinstance(data.get("recipe"), str):
        data["recipe"] = {"like": data["recipe"]}


def _recipe(table: Table, place: str) -> Table:
    try:
        return recipe_settings(table)
    except ExperimentError as problem:
        raise ExperimentError(f"{place}: {problem}") from None


def _explain(key: str, problem: ErrorDetails) -> str:
    kind = problem["type"]
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        *above, last = key.split(".")
        return f"unknown key {last!r}{f' in [{chr(46).join(above)}]' if above else ''}; known: {_known(above)}"
    if kind == "missing":
        return f"the key {key!r} is missing"
    found = "" if kind == "value_error" else f", found {str(problem['input'])[:60]!r}"
    return f"`{key}`: {problem['msg'].removeprefix('Value error, ')}{found}"


def _known(above: list[str]) -> str:
    if not above:
        return ", ".join(Experiment.model_fields)
    if above == ["budget"]:
        return ", ".join(objective.name for objective in exact_objectives())
    if above == ["recipe"]:
        return ", ".join(["like", *(spec.name for spec in fields(Recipe))])
    return ", ".join(spec.name for spec in fields(Range))


def line_of(text: str, path: list[str]) -> int | None:
    """Return the line of a TOML document on which a key, or the nearest table above it, stands."""
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]]+)\]+", line):
            table = [part.strip().strip("\"'") for part in header[1].split(".")]
            here = table
        elif assignment := re.match(r"\s*([\w.\-\"' ]+?)\s*=", line):
            here = table + [part.strip().strip("\"'") for part in assignment[1].split(".")]
        else:
            continue
        if here == path[: len(here)] and (best is None or len(here) > best[0]):
            best = len(here), number
    return best and best[1]


def _set(data: Table, key: str, value: object) -> None:
    *tables, last = key.split(".")
    for table in tables:
        inner = data.setdefault(table, {})
        if not isinstance(inner, dict):
            raise ExperimentError(f"--set {key}: {table!r} is a value, not a table")
        data = inner
    data[last] = value


def to_toml(experiment: Experiment, header: str = "") -> str:
    """Return the effective experiment as TOML, every setting written out."""
    return write_toml(experiment.as_dict(), header)


def write_toml(data: Table, header: str = "") -> str:
    """Return plain data as TOML, tables last, without what is None; the header becomes a comment."""
    plain = {key: value for key, value in data.items() if value is not None and not isinstance(value, dict)}
    tables = {key: value for key, value in data.items() if isinstance(value, dict)}
    return "".join(f"# {line}\n" for line in header.splitlines()) + tomli_w.dumps(plain | tables)
