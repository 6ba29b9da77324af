"""The page on building blocks of one's own: its files are written to a folder and its commands run."""

import inspect
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import pytest

from nas.errors import EditError, GenomeError, ShapeError
from nas.genome import OPS, Graph, Shape, Task, from_json, to_json
from nas.genome.edit import edits, mutate
from nas.genome.edit.mutate import MUTATIONS, varied
from nas.genome.graph import own_blocks
from nas.genome.hyperparameters import Count, Extents, Limits, Rate, Width, Window
from nas.genome.layer_ngrams import layer_ngrams
from nas.genome.metrics import measure
from nas.genome.op_kinds import Layer
from nas.genome.primitives import GapHead, Stem
from nas.search.propose.choices import GuidedTrial
from nas.search.space import load_space
from nas.testing.ops import check_op, check_op_counts, check_op_forms
from nas.user_code import absolute, load_attribute

Call = Callable[..., tuple[int, str, str]]
PAGE = Path(__file__).parent.parent / "docs" / "extending.md"
BLOCKS = ("Mish", "MixConv")
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
    load_attribute(absolute("blocks.py:MixConv", project))
    return sys.modules[f"nas_user_{project.resolve()}/blocks.py"]


def commands() -> list[list[str]]:
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.split() for line in block.splitlines()]


def network(blocks: ModuleType) -> Graph:
    x = blocks.MixConv(16, 8, stride=2)(blocks.MixConv(8, 4, (3, 5, 7))(Stem(8)(TASK.image())))
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
    assert {op.__name__ for op in own_blocks(graph)} == {"MixConv"}
    check_op_counts(graph)
    check_op_forms(graph)


def test_a_layer_of_two_inputs() -> None:
    @dataclass(frozen=True)
    class Maximum(Layer):
        """The larger of two images, as in maxout (Goodfellow et al. 2013; torch.maximum)."""

        forward = "torch.maximum({0}, {1})"
        arity = 2

        def shape(self, *inputs: Shape) -> Shape:
            if inputs[0] != inputs[1]:
                raise self.shape_error("the shapes must be equal", *inputs)
            return inputs[0]

    try:
        check_op(Maximum(), (4, 6, 6), inputs=2)
        with pytest.raises(ShapeError, match=r"Maximum\(\) on \(4, 8, 8\), \(4, 1, 2\): the shapes must be equal"):
            Maximum()(Task("x", (4, 8, 8), 2).image(), Task("x", (4, 1, 2), 2).image())
    finally:
        del OPS["Maximum"]


def test_metrics_follow_the_largest_kernel(blocks: ModuleType) -> None:
    found = measure(network(blocks))
    assert found["receptive_field"] == 1 + 2 + 6 + 4
    assert (found["stages"], found["bottleneck"], found["growth"]) == (2, 0.25, 1.0)  # expanded before the stride
    assert found["depth"] == 1 + 2 * 3 + 1
    assert ("Conv3@0", "Conv1@0", "Conv7g@0") in layer_ngrams(network(blocks))


def test_it_is_mutated_in_every_field(blocks: ModuleType) -> None:
    rng, graph, seen = random.Random(0), network(blocks), set()
    for position in range(200):
        try:
            mutant = MUTATIONS["vary"](graph, rng) if position % 2 else mutate(graph, rng)
        except GenomeError:  # an edit that gives no network is tried again by `mutate`
            continue
        assert from_json(to_json(mutant)) == mutant
        ops = {node.name: node.op.values() for node in mutant.nodes if isinstance(node.op, blocks.MixConv)}
        for node in graph.nodes:
            seen |= {name for name, value in ops.get(node.name, {}).items() if value != node.op.values()[name]}
    assert seen == {"width", "part", "kernels", "stride"}
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
    assert (code, "MixConv(" in out) == (0, True)
    assert nas(*show[1:], "--svg", project / "drawn.svg")[0] == 0
    assert "MixConv" in (project / "drawn.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_commands_of_the_page(project: Path, nas: Call) -> None:
    few = ["--trials", "2", "--set", "recipe.epochs=1"]
    for program, verb, *options in commands():
        if program == "nas":
            code, _, err = nas(verb, *options, *(few if verb == "search" else []))
            assert code == 0, err
    assert "class MixConv(nn.Module)" in (project / "exported" / "net.py").read_text(encoding="utf-8")
    assert nas("status", "run", "--json")[0] == 0
