"""The structure of the package in figures: rooms, arrows between them, cycles, names with two meanings.

    python -m benchmarks.structure [FOLDER]

A room is a folder of `nas`; its entries are its files and sub-folders. An arrow leads from one entry to another that
some file in it imports, imports inside functions and for type checking counted. A floor is a level of the longest chain
of arrows. FOLDER is a checkout, the current one by default.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import networkx as nx


def imported(path: Path) -> Iterator[str]:
    """Every module of ours that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def entry(room: Path, path: Path) -> str | None:
    """The entry of a room in which a file lies."""
    if not path.is_relative_to(room):
        return None
    return path.relative_to(room).parts[0].removesuffix(".py")


def module_file(root: Path, name: str) -> Path | None:
    """The file of a dotted name: a module, a package, or what holds an attribute."""
    parts = name.split(".")
    while parts and parts[0] == "nas":
        place = root.joinpath(*parts)
        if place.with_suffix(".py").is_file():
            return place.with_suffix(".py")
        if (place / "__init__.py").is_file():
            return place / "__init__.py"
        parts.pop()
    return None


def arrows(root: Path, room: Path) -> "nx.DiGraph[str]":
    """The entries of a room and which imports which; the room's own __init__ is no entry."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for path in sorted(room.rglob("*.py")):
        here = entry(room, path)
        if here in (None, "__init__"):
            continue
        graph.add_node(here)
        for name in imported(path):
            target = module_file(root, name)
            there = target and entry(room, target)
            if there and there not in ("__init__", here):
                graph.add_edge(here, there)
    return graph


def floors(graph: "nx.DiGraph[str]") -> int:
    """Entries on the longest chain of arrows, cycles drawn together."""
    return int(nx.dag_longest_path_length(nx.condensation(graph))) + 1 if graph else 0


def cycles(graph: "nx.DiGraph[str]") -> int:
    """Groups of entries that import each other."""
    return sum(len(group) > 1 for group in nx.strongly_connected_components(graph))


def public_names(root: Path) -> Counter[str]:
    """How often each public class or function is defined at the top of a file."""
    found: Counter[str] = Counter()
    for path in (root / "nas").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                found[node.name] += 1
    return found


def lines(root: Path, pattern: str) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in root.glob(pattern))


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    nas = root / "nas"
    rooms = [nas, *sorted({path.parent for path in nas.rglob("*.py")} - {nas})]
    print(f"{'room':<32}{'entries':>8}{'arrows':>8}{'floors':>8}{'cycles':>8}")
    for room in rooms:
        graph = arrows(root, room)
        if len(graph) > 1:
            row = len(graph), graph.number_of_edges(), floors(graph), cycles(graph)
            print(f"{room.relative_to(root).as_posix():<32}" + "".join(f"{value:>8}" for value in row))
    files = sorted(nas.rglob("*.py"))
    print(f"files of Python in nas          {len(files):>8,}")
    print(f"folders of nas                  {len(rooms):>8,}")
    print(f"lines of Python in nas          {lines(root, 'nas/**/*.py'):>8,}")
    print(f"lines of JavaScript and CSS     {lines(root, 'nas/**/*.js') + lines(root, 'nas/**/*.css'):>8,}")
    print(f"lines of Python in tests        {lines(root, 'tests/**/*.py'):>8,}")
    words = [re.findall(r"\bAny\b", path.read_text(encoding="utf-8")) for path in (nas / "search").rglob("*.py")]
    print(f"`Any` in nas/search             {sum(map(len, words)):>8,}")
    names = public_names(root)
    twice = sorted(name for name, count in names.items() if count > 1)
    print(f"public names                    {len(names):>8,}")
    print(f"public names defined twice      {len(twice):>8,}  {', '.join(twice)}")


if __name__ == "__main__":
    main()
