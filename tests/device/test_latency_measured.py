"""Latency as it is measured: repeats and outliers, this machine's runtimes, commands, settings."""

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.micro_runtime import load
from nas.device.footprint import footprint
from nas.device.latency.command import Command
from nas.device.latency.int8_file import int8_bytes
from nas.device.latency.make_provider import make_provider
from nas.device.latency.measurement import Latency, LatencyProvider, relative_difference
from nas.device.latency.providers import PROVIDERS
from nas.device.latency.runners import onnx_bytes, onnx_runner, torch_runner
from nas.device.latency.settings import LatencySettings, Runtime
from nas.device.latency.this_machine import ThisMachine
from nas.errors import DeviceError, ExperimentError, LatencyError
from nas.genome import Graph
from nas.genome.activations import Gelu
from nas.genome.baselines import baseline
from nas.genome.layers import Conv
from nas.genome.primitives import GapHead, Stem
from nas.genome.task import Task

TASK = Task("digits", (1, 8, 8), 10)
SMALL = Graph.of(GapHead(10)(Stem(8)(TASK.image())))
STEM = Stem(8)(TASK.image())
AUXILIARY = Graph.of(GapHead(10)(Conv(8, 3)(STEM)), GapHead(10)(STEM))
OTHER = Graph.of(GapHead(10)(Conv(16, 3)(Stem(8)(TASK.image()))))


@given(st.lists(st.floats(1e-3, 1e4), min_size=1, max_size=40))
def test_repeats_are_kept_or_said_to_be_outliers(times: list[float]) -> None:
    found = Latency.of_repeats(times)
    assert found.repeats + found.outliers == len(times)
    assert found.repeats >= (len(times) + 1) // 2
    assert min(times) <= found.median_ms <= np.median(times) * (1 + 1e-12)
    assert 0 <= found.spread_ms <= max(times) - min(times)


def test_a_slow_repeat_is_discarded() -> None:
    assert Latency.of_repeats([1.0, 1.1, 1.2, 1.3, 50.0]) == Latency(1.15, pytest.approx(0.15), 4, 1)  # type: ignore[arg-type]
    assert str(Latency(1.15, 0.25, 4, 1)) == "1.150 ms (spread 0.250, 4 repeats, 1 discarded)"
    assert Latency.of_repeats([2.0, 4.0]) == Latency(3.0, 0.0, 2)
    with pytest.raises(ValueError, match="at least one repeat"):
        Latency.of_repeats([])


def test_the_difference_of_two_measurements_is_relative() -> None:
    first = [Latency(each, 0.0, 1) for each in (1.0, 2.0, 4.0)]
    second = [Latency(each, 0.0, 1) for each in (1.1, 1.0, 4.0)]
    assert relative_difference(first, first) == 0.0
    assert relative_difference(first, second) == relative_difference(second, first) == pytest.approx(0.1)


@pytest.mark.parametrize("graph", [SMALL, baseline("lenet5_paper"), AUXILIARY], ids=["small", "lenet5", "aux"])
def test_both_runtimes_run_the_network_itself(graph: Graph) -> None:
    pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    scores = torch_runner(graph)()
    torch.manual_seed(0)
    others = onnx_runner(graph)()
    assert isinstance(scores, torch.Tensor)
    assert isinstance(others, list)
    np.testing.assert_allclose(scores.numpy(), others[0], atol=1e-5)


@pytest.mark.parametrize("runtime", ["torch", "onnxruntime"])
def test_this_machine_keeps_the_contract(runtime: Runtime) -> None:
    pytest.importorskip(runtime)
    provider = make_provider(LatencySettings(runtime=runtime, repeats=6))
    threads = torch.get_num_threads()
    found = provider.measure(SMALL, OTHER, SMALL)
    assert torch.get_num_threads() == threads
    assert [each.repeats + each.outliers for each in found] == [6, 6, 6]
    assert all(each.median_ms > 0 and each.spread_ms >= 0 for each in found)
    assert f"one thread, {runtime} " in provider.description()
    assert relative_difference(found, found) == 0


def test_a_missing_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(LatencyError, match=r'pip install "nas-convnets\[onnx\]"'):
        ThisMachine(LatencySettings(runtime="onnxruntime"))


def command(program: str, **settings: float | str) -> LatencyProvider:
    """A command that runs a program in Python; the file is its argument."""
    words = shlex.join([sys.executable, "-c", program])
    return make_provider(LatencySettings(provider="command", command=words, **settings))  # type: ignore[arg-type]


def test_a_command_is_given_the_file() -> None:
    pytest.importorskip("onnx")
    sizes = command("import os, sys; print(os.path.getsize(sys.argv[1]))").measure(SMALL, OTHER)
    assert sizes == [Latency(float(len(onnx_bytes(each))), 0.0, 1) for each in (SMALL, OTHER)]
    pytest.importorskip("flatbuffers")
    (integers,) = command("import os, sys; print(os.path.getsize(sys.argv[1]))", file="tflite").measure(SMALL)
    assert integers == Latency(float(footprint(SMALL).flash), 0.0, 1)
    placed = Command(LatencySettings(provider="command", command="wc -c --files0-from={file}"))
    assert placed.with_file("net.onnx") == ["wc", "-c", "--files0-from=net.onnx"]
    (repeated,) = command("print(1.0, 1.1, 1.2, 1.3, 50)").measure(SMALL)
    assert repeated == Latency.of_repeats([1.0, 1.1, 1.2, 1.3, 50.0])


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("import sys; sys.exit('no board')", r"exit code 1; stderr: no board$"),
        ("print('3 ms')", r"printed '3 ms'; it must print milliseconds"),
        ("print(-1)", "it must print milliseconds"),
        ("print('nan')", "it must print milliseconds"),
        ("", r"printed ''; it must print milliseconds"),
        ("import time; time.sleep(60)", r"longer than 0\.5 s"),
    ],
)
def test_a_command_that_fails_is_one_message(program: str, says: str) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(LatencyError, match=says) as raised:
        command(program, timeout=0.5 if "sleep" in program else 60.0).measure(SMALL)
    assert sys.executable in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_the_runtime_loads_the_file_of_integers() -> None:
    pytest.importorskip("flatbuffers")
    pytest.importorskip("tflite_micro")
    interpreter = load(int8_bytes(AUXILIARY), footprint(AUXILIARY).ram)
    interpreter.set_input(np.zeros((1, 8, 8, 1), np.int8), 0)
    interpreter.invoke()
    assert interpreter.get_output(0).size == TASK.classes


def test_a_file_that_cannot_be_written_names_the_layer_or_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="Gelu"):
        int8_bytes(Graph.of(GapHead(10)(Gelu()(STEM))))
    monkeypatch.setattr("nas.device.latency.int8_file.find_spec", lambda _: None)
    with pytest.raises(LatencyError, match=r'pip install "nas-convnets\[tflite\]"'):
        int8_bytes(SMALL)


def test_a_command_is_never_given_to_a_shell(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    there = tmp_path / "made"
    settings = LatencySettings(provider="command", command=f"echo 1; touch {shlex.quote(str(there))} #")
    with pytest.raises(LatencyError, match="it must print milliseconds"):
        make_provider(settings).measure(SMALL)
    assert not there.exists()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"provider": "command"}, "needs latency.command"),
        ({"provider": "command", "command": "'"}, "No closing quotation"),
        ({"provider": "command", "command": "no-such-program-anywhere"}, "cannot be started: No such file"),
        ({"provider": "command", "command": "x", "file": "hex"}, r"no file \.hex can be written here; there are: onnx"),
    ],
)
def test_a_command_that_cannot_be_run_is_refused(settings: dict[str, str], says: str) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(LatencyError, match=says):
        make_provider(LatencySettings(**settings)).measure(SMALL)  # type: ignore[arg-type]


def test_an_unknown_provider_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="no latency provider 'this-machin'; did you mean 'this-machine'"):
        LatencySettings(provider="this-machin")
    with pytest.raises(ExperimentError, match=r"my_board\.py:Lamp' is code that a file names"):
        make_provider(LatencySettings(provider="my_board.py:Lamp"))
    assert list(PROVIDERS) == ["this-machine", "command", "vela"]
