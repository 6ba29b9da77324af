"""An experiment as a TOML file: found, read strictly, and written out whole."""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from nas.device.boards import absolute_board
from nas.errors import BudgetError, DataError, ExperimentError, NasError, near, quoted
from nas.files import line_of, read_text
from nas.resources import names, resource
from nas.search.experiment import CODE_SETTINGS, Experiment
from nas.search.explain_setting import explain, explain_limit
from nas.search.flops import FLOPS, MACS, changes_in_macs, in_macs
from nas.search.objectives import check_limit, check_whole
from nas.search.sizes import as_fraction
from nas.search.space import absolute_space
from nas.search.target import for_target
from nas.training.data.locate import absolute_path, locate
from nas.training.recipe import FORMER_KEYS, recipe_settings
from nas.user_code import absolute, trust

MAX_BYTES = 100_000
MAX_PROBLEMS = 5  # that one message tells
Table = dict[str, Any]  # of a TOML file
Typed = Mapping[str, str]  # how a key was changed on the command line, as --trials, where it was not by --set


def find_experiment(what: str) -> Path:
    """Return the file of an experiment: a path, or the name of a bundled one. Raises ExperimentError."""
    path = Path(what)
    if path.is_file():
        return path
    if path.is_dir():
        raise ExperimentError(_not_experiment(path))
    if path.suffix != ".toml" and what in names("experiments", ".toml"):
        return resource("experiments", f"{what}.toml")
    known = names("experiments", ".toml")
    listed = ", ".join(known)
    hint = near(what, known) or near(path.name, [each.name for each in path.absolute().parent.glob("*.toml")])
    raise ExperimentError(f"no experiment {what!r}: it is neither a file nor one of {listed}{hint}")


def _not_experiment(folder: Path) -> str:
    if (folder / "study.db").is_file():
        return f"{folder} is a run, not an experiment; continue it with: nas resume {quoted(folder)}"
    files = sorted(each.name for each in folder.glob("*.toml"))
    inside = f", such as {quoted(folder / files[0])}" if files else ""
    return f"{folder} is a directory; an experiment is a TOML file{inside}"


def _quotes(text: str, said: str) -> str:
    """Return the end of a message on a line of a file: the quotes that its value lacks, if that is the fault."""
    number = re.search(r"at line (\d+)", said)
    line = text.splitlines()[int(number[1]) - 1] if number else ""
    bare = re.fullmatch(r"\s*([\w.-]+)\s*=\s*([A-Za-z][\w./:-]{0,60})\s*(#.*)?", line)
    return f'; text is written in quotes: {bare[1]} = "{bare[2]}"' if bare else ""


def load_experiment(what: str, changes: Table | None = None, typed: Typed | None = None) -> Experiment:
    """Return a bundled experiment by its name, or one in a TOML file of the user's, with `changes` laid over it.

    Files that it names, of Python code and of images, are found from the experiment's own folder, those in `changes`
    from the working directory; the code is trusted. typed: as of `read_experiment`. Raises ExperimentError.
    """
    path, origins = find_experiment(what), set_options(changes or ()) | dict(typed or {})
    data, text = read_toml(path, with_absolute_files(changes or {}, Path.cwd()))
    experiment = validate_located(data, path, text, origins)
    trust(*experiment.code_names, *([experiment.latency.provider] if experiment.latency else []))
    return experiment


def with_absolute_files(table: Table, *folders: Path) -> Table:
    """Return settings with the paths of Python files and of a file of boards made absolute, from the first folder."""
    given = {key: table[key] for key in CODE_SETTINGS if isinstance(table.get(key), str)}
    made = {key: absolute(name, folders[0]) for key, name in given.items()}
    space = {"space": absolute_space(given["space"], *folders)} if "space" in given else {}
    target = table.get("target")
    board = {"target": absolute_board(target, folders[0])} if isinstance(target, str) else {}
    return {**table, **made, **space, **board}


def read_experiment(path: Path, changes: Table | None = None, typed: Typed | None = None) -> Experiment:
    """Return the experiment in a TOML file, with `changes` ("budget.params.max": 50000) laid over it.

    typed: the option by which a key was changed, as --max-params; --set for the others. Raises ExperimentError with
    file, line and remedy.
    """
    data, text = read_toml(path, changes)
    return validate_experiment(data, str(path), text, set_options(changes or ()) | dict(typed or {}))


def set_options(keys: Iterable[str]) -> dict[str, str]:
    """Return how keys were typed that were changed with --set."""
    return {key: f"--set {key}" for key in keys}


def read_toml(path: Path, changes: Table | None = None) -> tuple[Table, str]:
    """Return a TOML file as plain data with `changes` laid over it, and its text. Raises ExperimentError."""
    if path.stat().st_size > MAX_BYTES:
        raise ExperimentError(f"{path}: larger than {MAX_BYTES:,} bytes; this is not an experiment file")
    try:
        text = read_text(path)
        data = with_absolute_files(tomllib.loads(text), path.resolve().parent, Path.cwd())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ExperimentError(f"{path}: not TOML: {problem}{_quotes(text, str(problem))}") from None
    except RecursionError:
        raise ExperimentError(f"{path}: nested too deeply") from None
    data.setdefault("name", path.stem)
    _name_recipe(data)
    data = _in_macs(data, str(path), text)  # before changes are laid over it: they may have the other of the two
    for key, value in sorted(_changes_in_macs(changes or {}).items()):  # a recipe's name before its parts
        _set(data, key, value)
        _name_recipe(data)
    return data, text


def validate_experiment(data: Table, origin: str, text: str = "", changed: Typed | None = None) -> Experiment:
    """Return plain data as an Experiment. Raises ExperimentError naming the wrong keys and their lines."""
    if isinstance(data.get("recipe"), dict):
        data = data | {"recipe": _recipe(data["recipe"], _place(["recipe", "like"], origin, text, changed))}
    data = _for_target(_in_macs(data, origin, text), origin, text, changed)
    _check_budget(data.get("budget"), origin, text, changed)
    try:
        # JSON, because pydantic's strict mode then still builds dataclasses and tuples, and nothing else.
        return Experiment.model_validate_json(json.dumps(data, default=str))
    except ValidationError as problems:
        raise ExperimentError(_message(problems, origin, text, changed)) from None
    except NasError as problem:
        raise ExperimentError(f"{origin}: {problem}") from None


def validate_located(data: dict[str, Any], path: Path, text: str, origins: Typed) -> Experiment:
    """Return the experiment of a file's settings, with its images found from the file's folder.

    origins: the settings that were typed instead, whose paths start from the working directory. Raises ExperimentError.
    """
    experiment = validate_experiment(data, str(path), text, origins)
    folders = [Path.cwd() if key in origins else path.resolve().parent for key in ("data", "data_dir")]
    try:
        return with_data_path(experiment, *folders)
    except DataError as problem:
        raise ExperimentError(f"{_place(['data'], str(path), text, origins)}: {problem}") from None


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


def _message(problems: ValidationError, origin: str, text: str, changed: Typed | None) -> str:
    """Return a line per problem; a key misspelt explains one that is missing."""
    found = problems.errors(include_url=False)
    lines: dict[str, None] = {}  # in order, each once
    for problem in [each for each in found if each["type"] != "missing"] or found:
        path = _as_given([str(part) for part in problem["loc"]], text, changed)
        place = _place(path, origin, text, changed)
        lines[f"{place}: {explain('.'.join(path), problem, place.startswith('--'))}"] = None
    return "\n".join(list(lines)[:MAX_PROBLEMS])


def _in_macs(data: Table, origin: str, text: str) -> Table:
    try:
        return in_macs(data)
    except BudgetError as problem:
        line = line_of(text, ["budget" if str(problem).startswith("budget") else "objectives"])
        raise ExperimentError(f"{origin}{f', line {line}' if line else ''}: {problem}") from None


def _for_target(data: Table, origin: str, text: str, changed: Typed | None) -> Table:
    """Return settings with what their board sets. Raises ExperimentError with the line of the key that is wrong."""
    try:
        return for_target(data)
    except BudgetError as problem:
        key = str(problem).partition(" ")[0].strip("`")
        raise ExperimentError(f"{_place(key.split('.'), origin, text, changed)}: {problem}") from None
    except ExperimentError as problem:
        raise ExperimentError(f"{_place(['target'], origin, text, changed)}: {problem}") from None


def _changes_in_macs(changes: Table) -> Table:
    try:
        return changes_in_macs(changes)
    except BudgetError as problem:
        raise ExperimentError(str(problem)) from None


def _as_given(path: list[str], text: str, changed: Typed | None) -> list[str]:
    """Return the path of a key as it was given: a limit of MACs may be half of one of FLOPs."""
    if path[:2] != ["budget", MACS]:
        return path
    in_flops = ["budget", FLOPS, *path[2:]]
    typed = [key.split(".")[1] for key in changed or () if key.startswith("budget.")]
    in_text = line_of(text, in_flops) != line_of(text, ["budget"])
    return in_flops if FLOPS in typed or (in_text and MACS not in typed) else path


def _check_budget(table: object, origin: str, text: str, changed: Typed | None) -> None:
    for name, limit in table.items() if isinstance(table, dict) else ():
        try:
            check_limit(name)
        except NasError as problem:
            where = _place(["budget", name], origin, text, changed)
            raise ExperimentError(
                f"{where}: unknown key {name[:60]!r} in [budget]: {explain_limit(name, problem)}"
            ) from None
        for end, value in limit.items() if isinstance(limit, dict) else ():
            _check_end(["budget", name, end], value, origin, text, changed)


def _check_end(path: list[str], value: object, origin: str, text: str, changed: Typed | None) -> None:
    """Raise ExperimentError for an end of a range that has a fraction where the quantity is counted."""
    try:
        check_whole(path[1], as_fraction(value))
    except NasError as problem:
        shown = _as_given(path, text, changed)
        raise ExperimentError(f"{_place(shown, origin, text, changed)}: `{'.'.join(shown)}`: {problem}") from None


def _place(path: list[str], origin: str, text: str, changed: Typed | None) -> str:
    """Return where a key, or a recipe's former one, was given: in a change, or on a line of the file."""
    paths = [path, *(["recipe", old] for old, new in FORMER_KEYS.items() if path == ["recipe", new])]
    above = [".".join(each[:length]) for each in paths for length in range(len(each), 0, -1)]
    set_by = next((name for name in sorted(above, key=len, reverse=True) if name in (changed or ())), None)
    line = max((line_of(text, each) or 0 for each in paths), default=0)  # a table's own line is above those of its keys
    return (changed or {})[set_by] if set_by else f"{origin}, line {line}" if line else origin


def _name_recipe(data: Table) -> None:
    """Replace a recipe's name by a table that begins with it."""
    if isinstance(data.get("recipe"), str):
        data["recipe"] = {"like": data["recipe"]}


def _recipe(table: Table, place: str) -> Table:
    try:
        return recipe_settings(table)
    except ExperimentError as problem:
        raise ExperimentError(f"{place}: {problem}") from None


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
    given = _without_none(data)
    plain = {key: value for key, value in given.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in given.items() if isinstance(value, dict)}
    return "".join(f"# {line}\n" for line in header.splitlines()) + tomli_w.dumps(plain | tables)


def _without_none(data: Table) -> Table:
    """Return plain data without what is None, in inner tables too."""
    given = {key: value for key, value in data.items() if value is not None}
    return {key: _without_none(value) if isinstance(value, dict) else value for key, value in given.items()}
