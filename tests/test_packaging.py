"""What the package imports is what it declares, and the lock file pins all of it."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
UNPINNED = {"mlflow", "wandb"}  # extras that no test installs
DISTRIBUTIONS = {"PIL": "pillow", "mlflow": "mlflow-skinny"}  # where a package is not called like its distribution


def imports(path: Path) -> Iterator[str]:
    """Yield the top-level packages that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_every_import_is_declared() -> None:
    runtime = PROJECT["dependencies"] + [line for extra in EXTRAS if extra != "dev" for line in EXTRAS[extra]]
    declared = {canonicalize_name(Requirement(line).name) for line in runtime}
    found = {name for path in (ROOT / "nas").rglob("*.py") for name in imports(path)}
    found -= {*sys.stdlib_module_names, "nas"}
    assert {canonicalize_name(DISTRIBUTIONS.get(name, name)) for name in found} <= declared


def test_the_lock_file_meets_every_requirement() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    pinned_extras = [lines for extra, lines in EXTRAS.items() if extra not in UNPINNED]
    for line in [*PROJECT["dependencies"], *(each for extra in pinned_extras for each in extra)]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), line
