"""The page on building blocks of one's own: its files are written to a folder and its commands run."""

import inspect
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import pytest

from nas.errors import EditError, GenomeError, ShapeError
from nas.genome import OPS, Graph, Task, from_json, to_json
from nas.genome.edit import edits, mutate
from nas.genome.edit.mutate import MUTATIONS, varied
from nas.genome.graph import own_blocks
from nas.genome.hyperparameters import Count, Extents, Limits, Rate, Width, Window
from nas.genome.layer_ngrams import layer_ngrams
from nas.genome.metrics import measure
from nas.genome.primitives import GapHead, Stem
from nas.search.propose.choices import GuidedTrial
from nas.search.space import load_space
from nas.testing.ops import check_op_counts, check_op_forms
from nas.user_code import absolute, load_attribute

Call = Callable[..., tuple[int, str, str]]
PAGE = Path(__file__).parent.parent / "docs" / "extending.md"
BLOCKS = ("DepthwiseSe", "Multiply", "Sigmoid")
TASK = Task("digits", (1, 8, 8), 10)


def forget() -> None:
    for name in [name for name in sys.modules if name.startswith("nas_user_") or name in ("blocks", "test_blocks")]:
        del sys.modules[name]
    for op in BLOCKS:
        OPS.pop(op, None)
    load_space.cache_clear()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write the files of the page to a folder, and work there as a process that has loaded none of them."""
    forget()
    text = PAGE.read_text(encoding="utf-8")
    files = dict(re.findall(r"^`(\w+\.\w+)`:\n\n```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    assert list(files) == ["blocks.py", "space.py", "test_blocks.py", "search.toml"]
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    forget()


@pytest.fixture
def blocks(project: Path) -> ModuleType:
    load_attribute(absolute("blocks.py:DepthwiseSe", project))
    return sys.modules[f"nas_user_{project.resolve()}/blocks.py"]


def commands() -> list[list[str]]:
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.split() for line in block.splitlines()]


def network(blocks: ModuleType) -> Graph:
    x = blocks.DepthwiseSe(16, stride=2)(blocks.DepthwiseSe(8, 5)(Stem(8)(TASK.image())))
    return Graph.of(GapHead(10)(x))


def test_the_test_of_the_page_covers_its_blocks(project: Path) -> None:
    module = load_attribute(absolute("test_blocks.py:test_blocks", project))
    module()
    text = inspect.getsource(module)
    assert all(f"check_op({name}(" in text for name in BLOCKS)
    assert set(BLOCKS) <= set(OPS)
    classes = (project / "blocks.py").read_text(encoding="utf-8").partition("@dataclass")[2].splitlines()
    assert len(classes) <= 40


def test_a_network_of_the_space_is_counted_as_torch_counts_it(project: Path) -> None:
    graph = load_attribute(absolute("space.py:space", project))(GuidedTrial(random.Random(0)), TASK)
    assert {op.__name__ for op in own_blocks(graph)} == {"DepthwiseSe"}
    check_op_counts(graph)
    check_op_forms(graph)


def test_a_wrong_gate_is_one_message(blocks: ModuleType) -> None:
    image, gate = Task("x", (4, 8, 8), 2).image(), Task("x", (4, 1, 2), 2).image()
    with pytest.raises(ShapeError, match="must be that of the first"):
        blocks.Multiply()(image, gate)


def test_metrics_read_through_a_gate(blocks: ModuleType) -> None:
    """The squeezed images are neither stages nor the end of the receptive field, as if there were no gate."""
    found = measure(network(blocks))
    assert found["receptive_field"] == 1 + 2 + 4 + 2
    assert (found["stages"], found["bottleneck"], found["growth"]) == (2, 0.5, 2.0)
    assert found["depth"] == 1 + 2 * 4 + 1
    assert ("image", "Conv3@0", "Conv5g@0") in layer_ngrams(network(blocks))


def test_it_is_mutated_in_every_field(blocks: ModuleType) -> None:
    rng, graph, seen = random.Random(0), network(blocks), set()
    for position in range(200):
        try:
            mutant = MUTATIONS["vary"](graph, rng) if position % 2 else mutate(graph, rng)
        except GenomeError:  # an edit that gives no network is tried again by `mutate`
            continue
        assert from_json(to_json(mutant)) == mutant
        ops = {node.name: node.op.values() for node in mutant.nodes if isinstance(node.op, blocks.DepthwiseSe)}
        for node in graph.nodes:
            seen |= {name for name, value in ops.get(node.name, {}).items() if value != node.op.values()[name]}
    assert seen == {"width", "kernel", "stride", "squeeze"}
    assert [node.op.values()["width"] for node in edits.scale(graph, 2).nodes[2:4]] == [16, 32]


@pytest.mark.parametrize(
    ("value", "kind", "others"),
    [
        (4, Annotated[int, Limits(2, 8)], {3, 5}),
        (4, int, {3, 5}),
        (4, Count, {3, 5}),
        (3, Window, {1, 5}),
        (8, Width, {4, 6, 10, 12, 16}),
        (0.5, Rate, {0.25, 0.4, 0.6, 0.75}),
        ("a", Literal["a", "b", "c"], {"b", "c"}),
        (("a", "b"), tuple[Literal["a", "b"], ...], {("b", "b"), ("a", "a")}),
        (False, bool, {True}),
    ],
)
def test_the_kinds_that_are_varied(value: Any, kind: Any, others: set[Any]) -> None:
    rng = random.Random(0)
    assert {varied(value, kind, rng) for _ in range(100)} == others


@pytest.mark.parametrize(("value", "kind"), [(None, int | None), (2.0, float), ((1, 2), Extents)])
def test_other_kinds_stay_as_they_are(value: Any, kind: Any) -> None:
    with pytest.raises(EditError, match="are not varied"):
        varied(value, kind, random.Random(0))


def test_it_is_shown_and_drawn(project: Path, nas: Call) -> None:
    show = next(line for line in commands() if line[:2] == ["nas", "show"])
    code, out, _ = nas(*show[1:])
    assert (code, "DepthwiseSe(" in out) == (0, True)
    assert nas(*show[1:], "--svg", project / "drawn.svg")[0] == 0
    assert "DepthwiseSe" in (project / "drawn.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_commands_of_the_page(project: Path, nas: Call) -> None:
    few = ["--trials", "2", "--set", "recipe.epochs=1"]
    for program, verb, *options in commands():
        if program == "nas":
            code, _, err = nas(verb, *options, *(few if verb == "search" else []))
            assert code == 0, err
    assert "class DepthwiseSe(nn.Module)" in (project / "exported" / "net.py").read_text(encoding="utf-8")
    assert nas("status", "run", "--json")[0] == 0
