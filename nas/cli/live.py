"""A search as a person watches it: a live table in a terminal, a line a trial elsewhere."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nas.search.loop.search import Search, SearchEvent
from nas.search.pareto import front_of
from nas.search.store.log import line
from nas.search.trial import TrialRecord


class Board:
    """What has happened so far, and how to show it."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.names = search.study.experiment.objectives
        records = search.study.records()
        self.over = sum(record.state != "running" for record in records)
        self.begun_at, self.already = time.monotonic(), self.over
        self.complete = [record for record in records if record.error is not None]
        self.front = front_of(self.complete, self.names)
        self.running: dict[int, TrialRecord] = {}

    def hear(self, event: SearchEvent) -> None:
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
        return min(self.complete, key=lambda record: (record.error, record.cost.macs), default=None)

    def eta(self) -> str:
        done = self.over - self.already
        left = self.search.study.experiment.trials - self.over
        if not done or left <= 0:
            return "-"
        seconds = int((time.monotonic() - self.begun_at) / done * left)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def summary(self) -> str:
        best = self.best()
        found = f"best error {best.error:.4f} (trial {best.number})" if best else "no result yet"
        total = self.search.study.experiment.trials
        return f"{self.over}/{total} trials, ETA {self.eta()}, {found}, front {len(self.front)}"

    def table(self) -> Table:
        rows = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("trial", "epoch", "error", "params", "MACs", "state"):
            rows.add_column(column, justify="left" if column == "state" else "right")
        shown = [*self.front[-6:], *self.running.values()]
        for record in sorted(shown, key=lambda record: record.number):
            rows.add_row(*_cells(record))
        return rows

    def __rich__(self) -> Group:
        stopping = "stopping after the running trials; Ctrl-C again abandons them"
        head = stopping if self.search.stopping else "Ctrl-C: finish the running trials"
        return Group(self.table(), Text(self.summary(), style="bold"), Text(head, style="dim"))


def _cells(record: TrialRecord) -> list[Text]:
    last = record.scores[-1] if record.scores else None
    state = "training" if record.state == "running" else "on the front"
    cells = (
        record.number, last.epoch if last else 0, f"{last.error:.4f}" if last else "-",
        f"{record.cost.params:,}", f"{record.cost.macs:,}", state,
    )  # fmt: skip
    return [Text(str(cell)) for cell in cells]


class Stoppable(Protocol):
    """What trains in the foreground."""

    stopping: bool

    def stop(self) -> None:
        """Let what runs come to its end."""
        ...


@contextmanager
def stoppable(running: Stoppable, say: Callable[[str], None]) -> Iterator[None]:
    """Ctrl-C or SIGTERM once lets it finish what runs; the second raises KeyboardInterrupt."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if running.stopping:
            raise KeyboardInterrupt
        running.stop()
        say("finishing what runs; once more to abandon it")

    handlers = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def watch(search: Search, say: Callable[[str], None]) -> bool:
    """Drive a search to its end and show it on stderr; False when it was interrupted.

    The first Ctrl-C lets the running trials finish, the second abandons them: they are trained again at resume.
    """
    console = Console(stderr=True)
    board = Board(search)
    try:
        if console.is_terminal:
            with stoppable(search, lambda _: None), Live(board, console=console, refresh_per_second=4, transient=True):
                _pull(search, board, lambda _: None)
            console.print(board.table())
        else:
            with stoppable(search, say):
                _pull(search, board, say)
    except KeyboardInterrupt:
        return False
    say(board.summary())
    return not search.stopping


def _pull(search: Search, board: Board, say: Callable[[str], None]) -> None:
    for event in search.events():
        board.hear(event)
        if event.kind == "ended":
            say(f"{line(event.record)} | {board.summary()}")
