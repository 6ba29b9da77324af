"""The progress of a search: a live table in a terminal, a line per trial elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, inf
from pathlib import Path
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nas.cli.signals import HANGUP, on_signals
from nas.errors import quoted
from nas.search.durations import format_duration
from nas.search.loop.search import Search, SearchEvent
from nas.search.pareto import front_of
from nas.search.results.running import TrialProgress
from nas.search.store.log import line
from nas.search.trial import TrialRecord
from nas.training.metrics import METRICS

FINISHING = "Finishing running trials; Ctrl-C again to abort"
TIME_UP = "Time limit reached: finishing running trials"


def time_limit_message(limit: float | None, used: float, path: Path) -> str:
    """Return that a run reached its time limit, and the command that gives it as much again. limit, used: seconds."""
    longer = format_duration(60 * ceil((used + (limit or 0.0)) / 60))
    extend = f"nas resume {quoted(path)} --time-limit {longer}"
    return f"the time limit of {format_duration(limit or 0.0)} is reached; extend it with: {extend}"


class ProgressBoard:
    """Counts the events of a search, and shows them as a table and a summary."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.names = search.study.experiment.objectives
        self.metric = METRICS[search.study.experiment.metric].title
        records = search.study.records()
        self.over = sum(record.state != "running" for record in records)
        self.begun_at, self.already = time.monotonic(), self.over
        self.complete = [record for record in records if record.error is not None]
        self.front = front_of(self.complete, self.names)
        self.running: dict[int, TrialRecord] = {}
        self.begun: dict[int, float] = {}  # when each began, as of `time.time`

    def update(self, event: SearchEvent) -> None:
        """Count an event."""
        record = event.record
        if event.kind == "started":
            self.begun[record.number] = time.time()
        if event.kind in ("started", "scored"):
            self.running[record.number] = record
            return
        self.running.pop(record.number, None)
        if record.baseline or event.kind in ("lost", "waiting"):
            return
        self.over += 1
        if record.error is not None:
            self.complete.append(record)
            self.front = front_of([*self.front, record], self.names)

    def best(self) -> TrialRecord | None:
        """Return the complete trial of lowest error, then of fewest MACs."""
        return min(self.complete, key=lambda record: (record.error, record.cost.macs), default=None)

    def eta(self) -> str:
        """Return the expected time left, at most that of the limit, h:mm:ss, or "-" while it is unknown."""
        done = self.over - self.already
        left = self.search.study.experiment.trials - self.over
        expected = (time.monotonic() - self.begun_at) / done * left if done else inf
        until = min(expected, self.search.clock.seconds_left)
        if left <= 0 or until == inf:
            return "-"
        seconds = int(until)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def summary(self) -> str:
        """Return the progress in one line."""
        best = self.best()
        found = f"best {self.metric} {best.error:.4f} (trial {best.number})" if best else "no result yet"
        total = self.search.study.experiment.trials
        return f"{self.over}/{total} trials, ETA {self.eta()}, {found}, front {len(self.front)}"

    def table(self) -> Table:
        """Return a row per network of the front and per running trial."""
        rows = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("trial", "epoch", "elapsed", "ETA", "error", "params", "MACs", "state"):
            rows.add_column(column, justify="left" if column == "state" else "right")
        shown = [*self.front[-6:], *self.running.values()]
        for record in sorted(shown, key=lambda record: record.number):
            rows.add_row(*_cells(record, self.search.study.experiment.recipe.epochs, self.begun.get(record.number)))
        return rows

    def __rich__(self) -> Group:
        hint = FINISHING if self.search.stopping else "Ctrl-C: finish the running trials, then stop"
        if self.search.out_of_time and not self.search.stopping:
            hint = TIME_UP
        return Group(self.table(), Text(self.summary(), style="bold"), Text(hint, style="dim"))


def _cells(record: TrialRecord, epochs: int, begun: float | None) -> list[Text]:
    """Return a row of the table. begun: when a running trial began, as of `time.time`."""
    last = record.scores[-1] if record.scores else None
    running = record.state == "running"
    progress = TrialProgress.of(record, epochs, begun) if running else None
    elapsed, eta = (progress.elapsed, progress.eta) if progress else (format_duration(record.seconds), "-")
    state = "training" if running else "on the front"
    cells = (
        record.number, f"{last.epoch if last else 0}/{epochs}", elapsed, eta, f"{last.error:.4f}" if last else "-",
        f"{record.cost.params:,}", f"{record.cost.macs:,}", state,
    )  # fmt: skip
    return [Text(str(cell)) for cell in cells]


class Stoppable(Protocol):
    """Something that trains in the foreground."""

    stopping: bool

    def stop(self) -> None:
        """Start nothing more, and let running trials finish."""
        ...


@contextmanager
def stoppable(running: Stoppable, log: Callable[[str], None]) -> Iterator[None]:
    """Finish running trials at the first Ctrl-C, SIGTERM or SIGHUP; raise KeyboardInterrupt at the second.

    A second SIGHUP is none: one terminal that is closed may send several.
    """

    def interrupt(number: int) -> None:
        if not running.stopping:
            running.stop()
            log(FINISHING)
        elif number != HANGUP:
            raise KeyboardInterrupt

    with on_signals(interrupt):
        yield


def watch(search: Search, log: Callable[[str], None]) -> bool:
    """Run a search to its end and show its progress on stderr; return False when it was interrupted.

    The first Ctrl-C lets running trials finish, the second aborts them: `nas resume` trains them again.
    """
    console = Console(stderr=True)
    board = ProgressBoard(search)
    try:
        if console.is_terminal:
            with stoppable(search, lambda _: None), Live(board, console=console, refresh_per_second=4, transient=True):
                _pull(search, board, lambda _: None)
            console.print(board.table())
        else:
            with stoppable(search, log):
                _pull(search, board, log)
    except KeyboardInterrupt:
        return False
    log(board.summary())
    return not search.stopping


def _pull(search: Search, board: ProgressBoard, log: Callable[[str], None]) -> None:
    told = False
    for event in search.events():
        board.update(event)
        if search.out_of_time and not told:
            log(TIME_UP)
            told = True
        if event.kind == "ended":
            log(f"{line(event.record)} | {board.summary()}")
