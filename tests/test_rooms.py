"""Imports run one way: genome < model < device < training < search < principles < report < testing < cli.

So do those inside rooms.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nas
from benchmarks.structure import arrows, cycles, public_names

ROOMS = [
    "errors",
    "files",
    "resources",
    "user_code",
    "known_code",
    "registry",
    "statistics",
    "genome",
    "model",
    "device",
    "training",
    "search",
    "optuna",
    "principles",
    "report",
    "api",
    "tune",
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


INNER_ROOMS: dict[str, list[str]] = {
    "search": [
        "distributions durations finalist_settings ranges sizes",
        "flops target",
        "objectives registries",
        "experiment checked_trial",
        "explain_setting",
        "experiment_file space trial",
        "pareto",
        "propose workers store",
        "loop",
        "results",
    ],
    "device": [
        "schema windows shapes integer_graph fixed_point",
        "builder file_layout memory_plan lookup_tables sums float_constants",
        "bookkeeping layer_conversions float_run tflite_file layer_arrays torch_ops",
        "conversion quantize",
        "footprint memory_profile reference",
        "latency int8_module fake_quantization",
        "boards",
    ],
    "training/data": [
        "source split untrusted",
        "cache images reader",
        "items",
        "part_names",
        "listing",
        "readers catalog",
        "registry",
        "locate",
        "loading",
        "overview own_data",
    ],
    "principles": ["claims", "study_file", "judging", "training"],
    "report": ["text", "html network", "run", "comparison live principles"],
}
"""The entries of a room from the ground up: one imports from its own floor or below, and never in a circle."""


def entries_below(home: Path, entry: str) -> set[str]:
    """The entries of a room that one of them imports, imports inside functions counted."""
    prefix = ".".join(home.relative_to(NAS.parent).parts) + "."
    place = home / entry
    files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    found = {
        name.removeprefix(prefix).split(".")[0] for path in files for name in imported(path) if name.startswith(prefix)
    }
    return found - {entry}


@pytest.mark.parametrize("home", INNER_ROOMS)
def test_the_entries_of_a_room_import_only_downwards(home: str) -> None:
    floors = INNER_ROOMS[home]
    level = {entry: floor for floor, entries in enumerate(floors) for entry in entries.split()}
    there = {path.stem for path in (NAS / home).iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert set(level) == there - {"__init__"}
    for entry in level:
        for other in entries_below(NAS / home, entry):
            assert level[other] <= level[entry], f"{home}/{entry} imports {other}"
            assert entry not in entries_below(NAS / home, other), f"{entry} and {other} import each other"


COUNTING = [
    NAS / "device" / f"{name}.py"
    for name in (
        "schema", "windows", "shapes", "integer_graph", "builder", "file_layout", "memory_plan", "bookkeeping",
        "layer_conversions", "conversion", "footprint", "memory_profile",
    )
]  # fmt: skip
"""The files that count what a network takes on a device."""


@pytest.mark.parametrize("path", [*sorted((NAS / "genome").rglob("*.py")), *COUNTING], ids=lambda path: path.stem)
def test_genome_and_counting_need_the_standard_library_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in top:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        assert all(name.split(".")[0] in GENOME_MAY for name in names), f"{path}: {names}"


@pytest.mark.parametrize("path", sorted((NAS.parent / "search_spaces").glob("*.py")), ids=lambda path: path.stem)
def test_spaces_import_the_genome_only(path: Path) -> None:
    for name in imported(path):
        assert name == "nas" or name.startswith("nas.genome") or name in sys.stdlib_module_names, f"{path}: {name}"


@pytest.mark.parametrize("module", ["nas.genome", "nas.device.footprint"])
def test_importing_the_genome_loads_nothing_heavy(module: str) -> None:
    code = (
        f"import {module}, sys; print([m for m in ('torch', 'optuna', 'ray', 'pandas', 'numpy') if m in sys.modules])"
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


def test_no_public_name_has_two_meanings() -> None:
    defined = public_names(NAS.parent)
    assert len(defined) > 500
    assert not [name for name, times in defined.items() if times > 1]


@pytest.mark.parametrize("home", sorted({path.parent for path in FILES}), ids=lambda home: str(home.relative_to(NAS)))
def test_no_room_has_a_circle_of_imports(home: Path) -> None:
    assert cycles(arrows(NAS.parent, home)) == 0
