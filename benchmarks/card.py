"""All that is promised of a graphics card, measured by one command in at most nine minutes.

    python -m benchmarks.card [--device cuda] [--minutes 9] [--out runs/card]
    python -m benchmarks.card --small      every part on few images, also without a card, except CUDA graphs

Whether CPU and card agree; images per second of ResNet-20, and of 24 networks of `mixed` by one process and by packed
workers, with a goal of three times as many; the step as a CUDA graph; the memory after a trial that has too little; a
search of three minutes; two principles at full size. Each part is a process of its own that is ended when its share of
the time is over; one that fails does not stop the others. Figures are printed and written into OUT/TIME/card.json.
Images are CIFAR-10 where its files are (`nas data cifar10`), otherwise generated: nothing is downloaded. Exit code 1
when a part failed or missed a goal.
"""

import argparse
import json
import multiprocessing
import os
import platform
import signal
import sys
import textwrap
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", GOMP_SPINCOUNT="0")  # as a search does for its workers

import torch

from benchmarks.card_graphs import graphs
from benchmarks.card_runs import principles, search
from benchmarks.card_setting import Measure, Setting, Skipped, find_images, format_measure
from benchmarks.card_training import agreement, memory, mixed, resnet20
from nas.errors import one_line

State = Literal["ok", "missed", "failed", "skipped", "out of time"]
MINUTES = 9.0
SMALL_MINUTES = 60.0  # a guard against a hang only: a CPU may be busy with other work


@dataclass(frozen=True)
class Part:
    """What is measured, and its share of nine minutes."""

    name: str
    seconds: float
    measure: Callable[[Setting], Iterator[Measure]]


PARTS = (
    Part("agreement", 25, agreement),
    Part("resnet20", 30, resnet20),
    Part("mixed", 110, mixed),
    Part("graphs", 50, graphs),
    Part("memory", 20, memory),
    Part("search", 215, search),
    Part("principles", 90, principles),
)


@dataclass(frozen=True)
class End:
    """How a part ended, and why."""

    state: State
    detail: str = ""


@dataclass(frozen=True)
class PartResult:
    """What a part measured, as far as it came."""

    name: str
    state: State
    seconds: float
    limit: float
    measures: tuple[Measure, ...]
    detail: str = ""


def run_part(part: Part, setting: Setting) -> PartResult:
    """Measure a part in a process of its own, which is ended with all that it started when its time is over."""
    context, start = multiprocessing.get_context("spawn"), time.perf_counter()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=send_measures, args=(theirs, part.measure, setting))
    process.start()
    theirs.close()
    assert process.pid
    measures: list[Measure] = []
    try:
        end = receive(ours, measures, start + setting.seconds)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()
    if end.state == "ok" and not all(measure.is_met for measure in measures):
        end = End("missed")
    return PartResult(part.name, end.state, time.perf_counter() - start, setting.seconds, tuple(measures), end.detail)


def receive(pipe: Connection, measures: list[Measure], deadline: float) -> End:
    """Add what a part measures to `measures` until it ends, and return how it ended."""
    while pipe.poll(max(0.0, deadline - time.perf_counter())):
        try:
            message = pipe.recv()
        except EOFError:
            return End("failed", "its process died")
        if isinstance(message, End):
            return message
        measures.append(message)
    return End("out of time")


def send_measures(pipe: Connection, measure: Callable[[Setting], Iterator[Measure]], setting: Setting) -> None:
    """Measure, in the process of a part, and send each figure and then the end; a traceback goes to stderr."""
    os.setsid()  # the whole group is ended with the part
    try:
        for each in measure(setting):
            pipe.send(each)
        pipe.send(End("ok"))
    except Skipped as reason:
        pipe.send(End("skipped", str(reason)))
    except Exception as problem:  # noqa: BLE001  (whatever it is, the other parts go on)
        traceback.print_exc()
        pipe.send(End("failed", one_line(f"{type(problem).__name__}: {problem}")))


def run_parts(parts: Sequence[Part], setting: Setting, minutes: float) -> Iterator[PartResult]:
    """Yield the result of each part, given its share of the minutes."""
    for part in parts:
        folder = setting.out / part.name
        folder.mkdir()
        yield run_part(part, replace(setting, out=folder, seconds=part.seconds * minutes / MINUTES))


def result_lines(result: PartResult) -> list[str]:
    """Return the lines of the table for a part, of at most 80 columns."""
    head = f"{result.name:12} {result.state:12} {result.seconds:6.1f} s of {result.limit:.0f}"
    detail = textwrap.wrap(result.detail, 76, initial_indent="    ", subsequent_indent="    ", max_lines=4)
    return [head, *map(format_measure, result.measures), *detail]


def machine(setting: Setting, images: str) -> dict[str, Any]:
    """Return what the figures depend on."""
    card = torch.cuda.get_device_name() if setting.has_card else f"none: a CPU, {platform.machine()}"
    return {
        "card": card, "cores": os.cpu_count(), "torch": torch.__version__, "cuda": torch.version.cuda, "images": images,
        "small": setting.small,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None, parts: Sequence[Part] = PARTS) -> int:
    """Measure, print the table and write the figures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), help="by default cuda where torch finds a card")
    parser.add_argument("--small", action="store_true", help="few images: to see that it works")
    parser.add_argument(
        "--minutes", type=float, help=f"at most, for all parts together: {MINUTES:g}, or {SMALL_MINUTES:g} with --small"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/card"))
    parser.add_argument("--parts", nargs="+", choices=[part.name for part in parts], help="only these")
    options = parser.parse_args(arguments)
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no graphics card here; --small --device cpu runs every part without one")
    if device == "cpu" and not options.small:
        parser.error("without a graphics card only --small ends in time")
    out = options.out.absolute() / time.strftime("%Y%m%d-%H%M%S")
    out.mkdir(parents=True)
    source, images = find_images(out, options.small)
    minutes = options.minutes or (SMALL_MINUTES if options.small else MINUTES)
    setting = Setting(device, options.small, source, out)
    facts = machine(setting, images)
    for name, value in facts.items():
        print(f"{name}: {value}"[:80])
    results = []
    chosen = [part for part in parts if not options.parts or part.name in options.parts]
    for result in run_parts(chosen, setting, minutes):
        results.append(result)
        print("\n".join(result_lines(result)), flush=True)
        text = json.dumps({**facts, "parts": [asdict(each) for each in results]}, indent=1)
        (out / "card.json").write_text(text, encoding="utf-8")
    print(out / "card.json")
    return 0 if all(result.state in ("ok", "skipped") for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
