"""Imports run one way: genome < model < training < search < principles < report < testing < cli."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nas

ROOMS = [
    "errors",
    "files",
    "resources",
    "registry",
    "statistics",
    "genome",
    "model",
    "training",
    "search",
    "principles",
    "report",
    "testing",
    "cli",
    "__main__",
]
NAS = Path(nas.__file__).parent
FILES = sorted(NAS.rglob("*.py"))
GENOME_MAY = {*sys.stdlib_module_names, "nas"}


def imported(path: Path) -> list[str]:
    """Every module a file imports, wherever in the file."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.append(node.module or "")
            names += [f"{node.module}.{alias.name}" for alias in node.names if node.module == "nas"]
    return names


def room(path: Path) -> str:
    return path.relative_to(NAS).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(NAS)))
def test_a_room_imports_only_leftwards(path: Path) -> None:
    if path == NAS / "__init__.py":
        return
    mine = ROOMS.index(room(path))
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "nas" and len(parts) > 1:
            assert ROOMS.index(parts[1]) <= mine, f"{path} imports {name}"


@pytest.mark.parametrize("path", sorted((NAS / "genome").rglob("*.py")), ids=lambda path: path.stem)
def test_genome_needs_the_standard_library_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in top:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        assert all(name.split(".")[0] in GENOME_MAY for name in names), f"{path}: {names}"


@pytest.mark.parametrize("path", sorted((NAS.parent / "search_spaces").glob("*.py")), ids=lambda path: path.stem)
def test_spaces_import_the_genome_only(path: Path) -> None:
    for name in imported(path):
        assert name == "nas" or name.startswith("nas.genome") or name in sys.stdlib_module_names, f"{path}: {name}"


def test_importing_the_genome_loads_nothing_heavy() -> None:
    code = (
        "import nas.genome, sys; print([m for m in ('torch', 'optuna', 'ray', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_the_emitters_text_is_executed() -> None:
    for path in FILES:
        calls = [
            n.func.id
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        ]
        risky = {"exec", "eval", "compile"} & set(calls)
        assert not risky or path == NAS / "model" / "module.py", f"{path}: {risky}"
        assert not any(name.split(".")[0] in ("pickle", "cloudpickle", "dill", "joblib") for name in imported(path)), (
            path
        )
