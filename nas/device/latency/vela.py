"""Latency on Arm Ethos-U, as the compiler ethos-u-vela estimates it: cycles, the same every time.

Arm calls the numbers estimates. They are those of the summary that `vela` writes beside the compiled network.
"""

import csv
import re
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from sys import executable
from tempfile import TemporaryDirectory

from nas.device.latency.measurement import Latency
from nas.device.latency.network_files import FileWriter, file_writer
from nas.device.latency.run_command import run_command
from nas.device.latency.settings import LatencySettings
from nas.errors import LatencyError
from nas.genome.graph import Graph

PACKAGE = "ethos-u-vela"
CYCLES, CLOCK = "cycles_total", "core_clock"  # columns of the summary; the clock in Hz


class Vela:
    """The compiler for Arm Ethos-U. write: how an int8 .tflite file of a network is written."""

    def __init__(self, settings: LatencySettings, write: FileWriter | None = None) -> None:
        if find_spec("ethosu") is None:
            raise LatencyError(f'provider "vela" needs {PACKAGE}: pip install "nas-convnets[vela]"')
        self.accelerator, self.timeout = settings.accelerator, settings.timeout
        self.write = write or file_writer("tflite")

    def description(self) -> str:
        """Return the accelerator and the version of the compiler."""
        return f"{self.accelerator}, estimated by {PACKAGE} {version(PACKAGE)}"

    def measure(self, *graphs: Graph) -> list[Latency]:
        """Return the latency of each network: one repeat, without spread. Raises LatencyError."""
        return [Latency(self._milliseconds(graph), 0.0, 1) for graph in graphs]

    def _milliseconds(self, graph: Graph) -> float:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "network.tflite"
            self.write(graph, file)
            return summary_ms(vela_summary(file, self.accelerator, self.timeout))


def vela_summary(file: Path, accelerator: str, timeout: float) -> dict[str, str]:
    """Return the summary of a compiled .tflite file by column, written beside the file. Raises LatencyError."""
    folder = file.parent
    words = [executable, "-m", "ethosu.vela", str(file), "--accelerator-config", accelerator]
    printed = run_command([*words, "--output-dir", str(folder)], timeout, folder)
    on_cpu = re.search(r"CPU operators = ([0-9]+)", printed)
    if on_cpu and int(on_cpu[1]):
        raise LatencyError(f"{on_cpu[1]} operators of {file.name} run on the CPU, whose time vela does not estimate")
    found = sorted(folder.glob(f"{file.stem}_summary_*.csv"))
    if len(found) != 1:
        raise LatencyError(f"vela wrote {len(found)} summaries of {file.name}, not one")
    with found[0].open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    if len(rows) != 1:
        raise LatencyError(f"vela's summary {found[0].name} has {len(rows)} rows, not one")
    return rows[0]


def summary_ms(summary: Mapping[str, str]) -> float:
    """Return the milliseconds per image of a summary. Raises LatencyError where a column is missing or no number."""
    try:
        milliseconds = 1e3 * float(summary[CYCLES]) / float(summary[CLOCK])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        raise LatencyError(f"vela's summary has no number of {CYCLES} and {CLOCK}") from None
    if not (isfinite(milliseconds) and milliseconds > 0):
        raise LatencyError(f"vela's summary tells {milliseconds:g} ms; nothing of the network runs on Ethos-U")
    return milliseconds
