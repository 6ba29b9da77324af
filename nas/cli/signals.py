"""The signals that end a verb: Ctrl-C, SIGTERM, and SIGHUP, which a terminal sends when it is closed."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
SIGNALS = (signal.SIGINT, signal.SIGTERM, *([HANGUP] if HANGUP else []))


@contextmanager
def on_signals(act: Callable[[int], None]) -> Iterator[None]:
    """Call `act` with the number of each signal that comes meanwhile; `nohup` keeps its promise."""
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == HANGUP:
            _leave(terminals)
        act(number)

    numbers = [each for each in SIGNALS if each != HANGUP or signal.getsignal(each) is not signal.SIG_IGN]
    handlers = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def quiet_interrupt() -> AbstractContextManager[None]:
    """Return a context in which Ctrl-C raises KeyboardInterrupt and prints nothing."""

    def interrupt(_number: int) -> None:
        raise KeyboardInterrupt

    return on_signals(interrupt)


def _leave(terminals: list[int]) -> None:
    """Let what is still written to a terminal that was closed go nowhere: each write would be an OSError."""
    for number in terminals:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
