"""What a network is on a microcontroller, as tables in the manner of the cards of ST's models."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nas.cli.app import info, output, text_table
from nas.cli.options import refuse_options
from nas.device.boards import Board, find_board
from nas.device.footprint import constant_bytes, footprint
from nas.device.latency.make_provider import make_provider
from nas.device.latency.measurement import Latency
from nas.device.latency.settings import LatencySettings
from nas.device.memory_profile import memory_profile
from nas.errors import DeviceError
from nas.genome.graph import Graph
from nas.search.store.study_view import run_experiment
from nas.user_code import trust

HEAD = "8-bit integers, TensorFlow Lite Micro"
REMARKS = {
    "activation_ram": "tensors, exact",
    "runtime_ram": "structures, at most",
    "ram": "the arena: both",
    "weights": "with biases",
    "flash": "the file, exact",
}


def find_target(what: str, target: str | None) -> Board | None:
    """Return the board of --target, or else that of the run in RUN:TRIAL. Raises NasError."""
    if target is not None:
        return find_board(target, Path.cwd())
    run, colon, _ = what.rpartition(":")
    return run_experiment(Path(run)).target if colon and Path(run).is_dir() else None


def measure_latency(graph: Graph, target: str | None) -> Latency:
    """Return the latency of a network on this machine, or as a board says, and print on what. Raises NasError."""
    settings = LatencySettings()
    if target is not None:
        settings = find_board(target, Path.cwd()).latency
        if settings.provider == "command":
            refuse_options(f"a command of yours measures on {target}, and an experiment names it", latency=True)
        trust(settings.provider)
    provider = make_provider(settings)
    info(f"latency: {provider.description()}")
    return provider.measure(graph)[0]


def device_counts(graph: Graph) -> dict[str, int]:
    """Return the bytes of a network on a microcontroller by name, those of its parts before each sum.

    Raises DeviceError, which names the layer, where the runtime lacks an operation.
    """
    counted = footprint(graph)
    return {
        "activation_ram": counted.activation_ram,
        "runtime_ram": counted.ram - counted.activation_ram,
        "ram": counted.ram,
        "weights": constant_bytes(graph),
        "flash": counted.flash,
    }


def device_facts(graph: Graph, board: Board | None, latency: Latency | None) -> dict[str, Any]:
    """Return counts, what is left of a board, and latency as plain data.

    A network that cannot run there has None for each count, and fits no board; why is printed.
    """
    counts = _counts_or_reason(graph)
    left = _left(counts, board) if counts and board else {}
    fits = {"target": board.name, "fits": bool(left) and min(left.values()) >= 0, "left": left} if board else {}
    times = {"latency_ms": latency.median_ms, "latency_spread_ms": latency.spread_ms} if latency else {}
    return {**(counts or dict.fromkeys(REMARKS)), **fits, **times}


def print_device_tables(graph: Graph, board: Board | None, layerwise: bool) -> None:
    """Print what a network takes on a microcontroller and what is left, or that it cannot run there, and why."""
    counts = _counts_or_reason(graph)
    if not counts:
        return
    output(f"\n{HEAD}\n{text_table(device_table(counts, board))}")
    if board:
        info(fit_message(counts, board))
    for table in memory_tables(graph) if layerwise else ():
        output("\n" + text_table(table))


def _counts_or_reason(graph: Graph) -> dict[str, int]:
    try:
        return device_counts(graph)
    except DeviceError as problem:
        info(f"no RAM and flash of a microcontroller: {problem}")
        return {}


def _left(counts: Mapping[str, int], board: Board) -> dict[str, int]:
    """Return the bytes that a network leaves of a board; below 0 where it lacks some."""
    return {name: limit - counts[name] for name, limit in board.limits.items()}


def device_table(counts: Mapping[str, int], board: Board | None) -> list[tuple[str, ...]]:
    """Return a row per count under a header: bytes, KiB, what a board has and what is left of it, a remark."""
    left = _left(counts, board) if board else {}
    rows = [["", "bytes", "KiB", *(["board", "left"] if board else []), ""]]
    for name, count in counts.items():
        on_board = [f"{board.limits[name]:,}", f"{left[name]:,}"] if board and name in left else ["", ""]
        rows.append([name, f"{count:,}", f"{count / 1024:,.1f}", *(on_board if board else []), REMARKS[name]])
    return _right_aligned(rows)


def fit_message(counts: Mapping[str, int], board: Board) -> str:
    """Return whether a network fits a board, and how much is left or missing."""
    left = _left(counts, board)
    missing = ", ".join([f"{-bytes_left:,} bytes of {name}" for name, bytes_left in left.items() if bytes_left < 0])
    if missing:
        return f"does not fit {board.name} ({board.title}): {missing} are missing"
    return f"fits {board.name} ({board.title}): {left['ram']:,} bytes of ram and {left['flash']:,} of flash are left"


def memory_tables(graph: Graph) -> Iterator[list[tuple[str, ...]]]:
    """Yield two tables: a row per operation with the bytes of its tensors in memory, and the tensors at the peak.

    Raises DeviceError as `device_counts`.
    """
    profile = memory_profile(graph)
    peak = profile.steps[profile.peak]
    steps = [["layer", "bytes in memory", "operation"]]
    for number, step in enumerate(profile.steps):
        remark = ", the peak" if number == profile.peak else ""
        steps.append([step.layer, f"{step.size:,}", step.code + remark])
    yield _right_aligned(steps)
    tensors = [["in memory at the peak", "from byte", "bytes", "shape"]]
    tensors += [[each.layer, f"{each.place.offset:,}", f"{each.place.size:,}", each.extent] for each in peak.tensors]
    if gaps := profile.arena - peak.size:
        tensors.append(["gaps", "", f"{gaps:,}", ""])
    yield _right_aligned(tensors)


def _right_aligned(rows: list[list[str]]) -> list[tuple[str, ...]]:
    """Return rows with all columns but the first and the last set to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [(row[0], *[row[i].rjust(widths[i]) for i in range(1, len(row) - 1)], row[-1]) for row in rows]
