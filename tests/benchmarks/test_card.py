"""Measures of a graphics card: the parts in their small form on the CPU, and what a failing part does."""

import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks.card import PARTS, Part, PartResult, main, result_lines
from benchmarks.card_graphs import StaticStep, new_loop
from benchmarks.card_setting import Measure, Setting, Skipped, find_images
from benchmarks.card_training import answers, disagreement, too_large
from nas.genome import Graph
from nas.genome.cost import cost
from nas.genome.primitives import BasicBlock, GapHead, Stem
from nas.training.data import Source, load_data, task

DIGITS = Source("digits", train_images=256)
NETWORK = Graph.of(GapHead(10)(BasicBlock(16, 2)(Stem(8)(task("digits").image()))))


def good(setting: Setting) -> Iterator[Measure]:
    yield Measure("images", 1.0, minimum=1.0)


def below_its_goal(setting: Setting) -> Iterator[Measure]:
    yield Measure("images", 0.5, minimum=1.0)


def raising(setting: Setting) -> Iterator[Measure]:
    yield Measure("images", 1.0)
    raise RuntimeError("no more\nimages")


def dying(setting: Setting) -> Iterator[Measure]:
    yield from ()
    os._exit(3)


def endless(setting: Setting) -> Iterator[Measure]:
    while True:
        time.sleep(1)
        yield from ()


def elsewhere(setting: Setting) -> Iterator[Measure]:
    yield from ()
    raise Skipped("not here")


def results(folder: Path) -> list[dict[str, object]]:
    (file,) = folder.glob("*/card.json")
    parts: list[dict[str, object]] = json.loads(file.read_text())["parts"]
    return parts


@pytest.mark.slow
def test_a_part_that_fails_is_reported_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured = (raising, dying, endless, below_its_goal, elsewhere, good)
    parts = [Part(each.__name__, 1 if each is endless else 300, each) for each in measured]
    assert main(["--small", "--device", "cpu", "--out", str(tmp_path)], parts) == 1
    states = {str(each["name"]): each["state"] for each in results(tmp_path)}
    assert states == {
        "raising": "failed", "dying": "failed", "endless": "out of time", "below_its_goal": "missed",
        "elsewhere": "skipped", "good": "ok",
    }  # fmt: skip
    assert results(tmp_path)[0]["detail"] == "RuntimeError: no more images"
    assert results(tmp_path)[0]["measures"]
    printed = capsys.readouterr().out
    assert "RuntimeError: no more images" in printed
    assert "MISSED" in printed


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_parts_run_on_a_cpu_in_their_small_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--small", "--device", "cpu", "--out", str(tmp_path)]) == 0, capsys.readouterr()
    states = {str(each["name"]): each["state"] for each in results(tmp_path)}
    assert states == {part.name: "skipped" if part.name == "graphs" else "ok" for part in PARTS}
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines[:-1])  # the last is a path


def test_the_parts_take_nine_minutes_together() -> None:
    assert sum(part.seconds for part in PARTS) <= 9 * 60


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a card")
@pytest.mark.parametrize("arguments", [["--device", "cuda", "--small"], []])
def test_without_a_card_only_the_small_form_begins(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--out", str(tmp_path / "card")])
    assert ended.value.code == 2
    assert "--small" in capsys.readouterr().err
    assert not (tmp_path / "card").exists()


def test_a_line_has_at_most_80_columns() -> None:
    measure = Measure("x" * 90, 123_456_789.0, "images per second", minimum=1e-9)
    lines = result_lines(PartResult("principles", "out of time", 1234.5, 1234.5, (measure,), "why " * 200))
    assert max(map(len, lines)) <= 80
    assert len(lines) == 6


def test_a_bound_is_met_or_missed() -> None:
    assert Measure("a", 3.0, minimum=3.0, maximum=3.0).is_met
    assert not Measure("a", 2.9, minimum=3.0).is_met
    assert not Measure("a", 1.1, maximum=1.0).is_met
    assert not Measure("a", math.nan, maximum=1.0).is_met


def test_a_static_step_computes_what_the_trainer_computes() -> None:
    torch.set_num_threads(1)
    ours, batch = new_loop(NETWORK, DIGITS, "cpu")
    theirs, _ = new_loop(NETWORK, DIGITS, "cpu")
    initial = {name: value.clone() for name, value in theirs.network.state_dict().items()}
    step = StaticStep(ours, batch)
    for turn in range(3):
        images, labels = batch[0].roll(turn, 0), batch[1].roll(turn, 0)
        step.load(images, labels)
        assert float(step.compute()) == pytest.approx(float(theirs.step(images, labels)), rel=1e-5)
    for name, value in theirs.network.state_dict().items():
        torch.testing.assert_close(ours.network.state_dict()[name], value, rtol=1e-4, atol=1e-6)
        assert not torch.equal(value, initial[name])


def test_answers_depend_on_the_network_and_not_on_the_call() -> None:
    first, second = answers(NETWORK, DIGITS, "cpu"), answers(NETWORK, DIGITS, "cpu")
    assert [disagreement(a, b) for a, b in zip(first, second, strict=True)] == [0.0, 0.0, 0.0]
    assert disagreement(first[0], first[2]) > 1e-2  # one step changes the logits by more than the tolerance
    assert disagreement(torch.tensor([1.0, -4.0]), torch.tensor([1.0, -3.9])) == pytest.approx(0.025)


@pytest.mark.parametrize(("gibibytes", "images"), [(1, 256), (16, 2048), (80, 2048), (141, 2048)])
def test_a_network_too_large_takes_twice_the_memory_in_tensors_that_kernels_can_count(
    gibibytes: int, images: int
) -> None:
    memory, image_task = gibibytes * 2**30, task("cifar10")
    graph = too_large(image_task, images, memory)
    pixels = image_task.input[1] * image_task.input[2]
    widest = max(node.shape[0] for node in graph.nodes)
    assert images * pixels * widest <= 2**30
    convolutions = 2 * images * cost(graph).activations  # bytes in bfloat16; after each, the ReLU keeps as much again
    assert 0.95 * memory <= convolutions <= 1.05 * memory


def test_generated_images_can_be_loaded(tmp_path: Path) -> None:
    source, said = find_images(tmp_path, small=True)
    data = load_data(source)
    assert data.task.input == (3, 32, 32)
    assert data.task.classes == 10
    assert len(data.train.labels) == 360
    assert "generated" in said
