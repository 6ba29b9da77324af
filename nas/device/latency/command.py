"""Latency by a command of the user's: it is given a file and prints milliseconds, for any board."""

import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

from nas.device.latency.measurement import Latency
from nas.device.latency.network_files import file_writer
from nas.device.latency.run_command import run_command
from nas.device.latency.settings import LatencySettings
from nas.errors import LatencyError, one_line
from nas.genome.graph import Graph

PLACE = "{file}"


class Command:
    """A command that measures one file. Its output is one number of milliseconds per repeat and nothing else."""

    def __init__(self, settings: LatencySettings) -> None:
        try:
            self.words = shlex.split(settings.command)
        except ValueError as problem:
            raise LatencyError(f"latency.command: {problem}: {settings.command:.200}") from None
        if not self.words:
            raise LatencyError('provider "command" needs latency.command, such as command = "./measure.sh {file}"')
        self.timeout, self.suffix = settings.timeout, settings.file
        self.write = file_writer(self.suffix)

    def description(self) -> str:
        """Return the command."""
        return f"{shlex.join(self.words)} on .{self.suffix} files"

    def measure(self, *graphs: Graph) -> list[Latency]:
        """Return the latency of each network, measured one after another. Raises LatencyError."""
        return [self._measure(graph) for graph in graphs]

    def _measure(self, graph: Graph) -> Latency:
        with TemporaryDirectory() as folder:
            file = Path(folder) / f"network.{self.suffix}"
            self.write(graph, file)
            words = self.with_file(str(file))
            printed = run_command(words, self.timeout, Path.cwd())
        try:
            times = [float(word) for word in printed.split()]
            if not times or not all(0 < each < float("inf") for each in times):
                raise ValueError
        except ValueError:
            raise LatencyError(
                f"{shlex.join(words)}: printed {one_line(printed)[:100]!r}; it must print milliseconds, one number per "
                "repeat, and nothing else"
            ) from None
        return Latency.of_repeats(times)

    def with_file(self, file: str) -> list[str]:
        if any(PLACE in word for word in self.words):
            return [word.replace(PLACE, file) for word in self.words]
        return [*self.words, file]
