"""The progress of a search: a live table in a terminal, a line per trial elsewhere."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nas.cli.signals import on_signals
from nas.search.loop.search import Search, SearchEvent
from nas.search.pareto import front_of
from nas.search.store.log import line
from nas.search.trial import TrialRecord

FINISHING = "Finishing running trials; Ctrl-C again to abort"


class ProgressBoard:
    """Counts the events of a search, and shows them as a table and a summary."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.names = search.study.experiment.objectives
        records = search.study.records()
        self.over = sum(record.state != "running" for record in records)
        self.begun_at, self.already = time.monotonic(), self.over
        self.complete = [record for record in records if record.error is not None]
        self.front = front_of(self.complete, self.names)
        self.running: dict[int, TrialRecord] = {}

    def update(self, event: SearchEvent) -> None:
        """Count an event."""
        record = event.record
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
        """Return the expected time left, h:mm:ss, or "-" while it is unknown."""
        done = self.over - self.already
        left = self.search.study.experiment.trials - self.over
        if not done or left <= 0:
            return "-"
        seconds = int((time.monotonic() - self.begun_at) / done * left)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def summary(self) -> str:
        """Return the progress in one line."""
        best = self.best()
        found = f"best error {best.error:.4f} (trial {best.number})" if best else "no result yet"
        total = self.search.study.experiment.trials
        return f"{self.over}/{total} trials, ETA {self.eta()}, {found}, front {len(self.front)}"

    def table(self) -> Table:
        """Return a row per network of the front and per running trial."""
        rows = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("trial", "epoch", "error", "params", "MACs", "state"):
            rows.add_column(column, justify="left" if column == "state" else "right")
        shown = [*self.front[-6:], *self.running.values()]
        for record in sorted(shown, key=lambda record: record.number):
            rows.add_row(*_cells(record))
        return rows

    def __rich__(self) -> Group:
        hint = FINISHING if self.search.stopping else "Ctrl-C: finish the running trials, then stop"
        return Group(self.table(), Text(self.summary(), style="bold"), Text(hint, style="dim"))


def _cells(record: TrialRecord) -> list[Text]:
    last = record.scores[-1] if record.scores else None
    state = "training" if record.state == "running" else "on the front"
    cells = (
        record.number, last.epoch if last else 0, f"{last.error:.4f}" if last else "-",
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
        elif number != signal.SIGHUP:
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
    for event in search.events():
        board.update(event)
        if event.kind == "ended":
            log(f"{line(event.record)} | {board.summary()}")
