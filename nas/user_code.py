"""Code of a user's own, named `module:Name` or `file.py:Name`: trusted, read and loaded.

What a user types, or writes into an experiment file that is given to `nas search`, is trusted. What a run directory
names is not: it may come from somebody else. See `known_code` for what is trusted again in another process.
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, ModuleType
from typing import Any

from nas.errors import ExperimentError, near
from nas.files import read_text

SCRIPT_CALLS = {"Experiment", "load", "run_search", "start_search"}  # nas.…, with which a file becomes a script
MAX_FILES = 200  # that are read for one name
Sources = dict[str, str]  # the text of Python files by name, the one that is named first
_trusted: set[str] = set()
_given: dict[str, Any] = {}  # objects of this process by the name they got
_loading: list[Path] = []  # files whose code is running
_shipped: dict[str, tuple[Path, TemporaryDirectory[str]]] = {}  # where a file lies that came with a job


def is_outside(name: str) -> bool:
    """Return whether a name is `module:Name` or `file.py:Name` rather than that of a registered entry."""
    place, colon, attribute = name.rpartition(":")
    return bool(colon and place) and attribute.isidentifier()


def trust(*names: str) -> None:
    """Allow the code that these names refer to to be imported in this process."""
    _trusted.update(filter(is_outside, names))


def is_trusted(name: str) -> bool:
    """Return whether a name is trusted in this process."""
    return name in _trusted


def absolute(name: str, folder: Path) -> str:
    """Return `file.py` or `file.py:Name` with the path made absolute, the name by default that of the file.

    Any other name is returned as it is.
    """
    file, attribute = name, ""
    if is_outside(name):
        file, _, attribute = name.rpartition(":")
    if not file.endswith(".py"):
        return name
    path = Path(file).expanduser()
    return f"{(folder / path).resolve()}:{attribute or path.stem}"


def short_name(name: str) -> str:
    """Return `file.py:Name` without the folder; any other name as it is."""
    return name.replace("\\", "/").rpartition("/")[2] if is_outside(name) else name


def give(thing: Any) -> str:
    """Return a trusted name for an object of this process, by which `load_attribute` finds it.

    A function or class at the top of a file or module has a name that other processes find, too.
    """
    name = getattr(thing, "__qualname__", "")
    place = getattr(thing, "__module__", None) or "__main__"
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if place == "__main__" and main and main.endswith(".py"):
        place = str(Path(main).resolve())
    if not name.isidentifier():
        place, name = "python", f"{name.rpartition('.')[2].strip('<>') or type(thing).__name__}_{len(_given)}"
    _given[f"{place}:{name}"] = thing
    trust(f"{place}:{name}")
    return f"{place}:{name}"


def give_importable(thing: Any) -> str:
    """Return the name of `give`. Raises ExperimentError for a thing that another process could not find by it."""
    module, name = str(getattr(thing, "__module__", "")), str(getattr(thing, "__qualname__", thing))
    found = sys.modules.get(module)
    if getattr(found, "__file__", None) is None or getattr(found, name, None) is not thing:
        raise ExperimentError(
            f"{name:.60} cannot be imported by the workers from {module!r:.60}: define it at the top of a file"
        )
    return give(thing)


def load_attribute(name: str) -> Any:
    """Return what `module:Name` or `file.py:Name` names. This runs code. Raises ExperimentError."""
    if name in _given:
        return _given[name]
    place, _, attribute = name.rpartition(":")
    try:
        module = _load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except ExperimentError:
        raise
    except Exception as problem:
        raise ExperimentError(f"{name}: {place} cannot be imported: {type(problem).__name__}: {problem}") from problem
    if not hasattr(module, attribute):
        raise ExperimentError(f"{name}: {place} has no {attribute}{near(attribute, vars(module))}")
    return getattr(module, attribute)


def _load_file(path: Path) -> ModuleType:
    """Load a file as a module, run once: what is defined in it stays one class. It may import the files beside it."""
    path = _shipped[str(path)][0] if str(path) in _shipped else path
    if not path.is_file():
        raise ExperimentError(f"no file {path}")
    name = f"nas_user_{path.resolve().as_posix()}"
    for known in (name, "__main__"):
        file = getattr(sys.modules.get(known), "__file__", None)
        if file and Path(file).resolve() == path.resolve():
            return sys.modules[known]
    spec = importlib.util.spec_from_file_location(name, path, loader=_DefinitionsLoader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    _check_neighbors(path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    _loading.append(path)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        _loading.pop()
    return module


class _DefinitionsLoader(SourceFileLoader):
    """Loads what a file defines, without what it does as a script; no bytecode is kept."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(without_script(ast.parse(self.get_data(path), path)), path)


def without_script(tree: ast.Module) -> ast.Module:
    """Return the syntax tree of a file without what it does as a script.

    That is what stands under `if __name__ == "__main__":`, and from the first call such as `nas.Experiment(...)` on
    everything but imports and definitions.
    """
    body, begun = list[ast.stmt](), False
    for statement in tree.body:
        begun = begun or any(map(_is_search, ast.walk(statement)))
        defines = isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
        if defines or not (begun or _is_guard(statement)):
            body.append(statement)
    return ast.Module(body, tree.type_ignores)


def _is_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test)


def _is_search(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return isinstance(node.func.value, ast.Name) and node.func.value.id == "nas" and node.func.attr in SCRIPT_CALLS


def check_not_imported(what: str) -> None:
    """Raise ExperimentError where a file that is being loaded does what is for a script to do."""
    if _loading:
        raise ExperimentError(f"{_loading[-1]} {what} when it is imported; put that under: if __name__ == '__main__':")


def _check_neighbors(path: Path) -> None:
    """Raise ExperimentError where a module that a file means to find beside it would be another one."""
    for name in [Path(each).parts[0].removesuffix(".py") for each in list(sources(path))[1:]]:
        try:
            found = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            continue
        origin = found and (found.origin or next(iter(found.submodule_search_locations or ()), None))
        beside = [path.resolve().parent / f"{name}.py", path.resolve().parent / name]
        if origin and not any(Path(origin).resolve() in (each, each / "__init__.py") for each in beside):
            raise ExperimentError(f"{path}: `import {name}` finds {origin}, not the file beside it; rename yours")


def source_file(name: str) -> Path | None:
    """Return the file of a user's own; None for a module that was not imported, or one without a file."""
    place = name.rpartition(":")[0]
    file = place if place.endswith(".py") else getattr(sys.modules.get(place), "__file__", None)
    return Path(file).resolve() if file else None


def code_digest(name: str) -> str:
    """Return the digest of the file of a user's own, as this process first saw it.

    It is empty for the name of a registered entry, for a module that was not imported, and for one without a file.
    """
    file = source_file(name) if is_outside(name) else None
    return _file_digest(file) if file else ""


@cache
def _file_digest(file: Path) -> str:
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError:  # in an archive, or removed
        return ""


def sources(file: Path) -> Sources:
    """Return the text of a Python file and of those in its folder that it imports, by name, itself first.

    Of a package in its folder every module is returned. Raises ExperimentError when there are too many.
    """
    found: Sources = {}
    waiting = [file]
    while waiting:
        here = waiting.pop()
        key = here.relative_to(file.parent).as_posix()
        if key in found or not here.is_file():
            continue
        found[key] = read_text(here)
        if len(found) > MAX_FILES:
            raise ExperimentError(f"{file} imports more than {MAX_FILES} files of its folder; keep a space by itself")
        for name in _imported(found[key], file.parent.name):
            waiting += [file.with_name(f"{name}.py"), *sorted(file.with_name(name).glob("**/*.py"))]
    return found


def _imported(text: str, folder: str) -> Iterator[str]:
    """Yield names of modules that may lie beside a file: `import cells`, `from .cells`, `from search_spaces.cells`."""
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module] if module not in ("", folder) else [alias.name for alias in node.names]
        else:
            continue
        yield from (name.removeprefix(f"{folder}.").partition(".")[0] for name in names)


def parsed(text: str) -> ast.Module:
    """Return the syntax tree of a text; empty where it is not Python, which is said when it is run."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def load_shipped(name: str, texts: Sources) -> None:
    """Trust and load code that came with a job: from its file where that is here and the same, else from the texts."""
    trust(name)
    file = name.rpartition(":")[0]
    if file.endswith(".py") and file not in _shipped and not (Path(file).is_file() and sources(Path(file)) == texts):
        folder = TemporaryDirectory(prefix="nas-code-")
        for each, text in texts.items():
            path = Path(folder.name) / each
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _shipped[file] = Path(folder.name) / next(iter(texts)), folder
    load_attribute(name)
