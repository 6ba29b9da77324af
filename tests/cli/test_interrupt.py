"""Ctrl-C, SIGTERM and a closed terminal in a foreground search: once to finish, twice to abort."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nas.cli import main
from nas.cli.progress import stoppable
from nas.cli.signals import SIGNALS, on_signals
from nas.search.results.doctor import find_inconsistencies
from nas.search.store.run import load_run


class Training:
    stopping = False

    def stop(self) -> None:
        self.stopping = True


@pytest.fixture(autouse=True)
def _not_ignored() -> Iterator[None]:
    """Handle a closed terminal, also where these tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_aborts(number: signal.Signals) -> None:
    training, messages, before = Training(), list[str](), signal.getsignal(number)
    with stoppable(training, messages.append):
        signal.raise_signal(number)
        assert training.stopping
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert messages == ["Finishing running trials; Ctrl-C again to abort"]
    assert signal.getsignal(number) == before


def test_a_terminal_that_closes_says_it_more_than_once() -> None:
    training, messages = Training(), list[str]()
    with stoppable(training, messages.append):
        for _ in range(3):
            signal.raise_signal(signal.SIGHUP)
        assert training.stopping
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert len(messages) == 1
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_nohup_keeps_its_promise() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with on_signals(lambda number: pytest.fail(f"signal {number}")):
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_every_other_verb_ends_with_a_word(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it has half written is removed on the way out, as after an error."""
    monkeypatch.setattr(sys, "argv", ["nas", "spaces"])
    monkeypatch.setattr("nas.search.space.space_summary", lambda _: signal.raise_signal(number))
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().err) == (130, f"nas: interrupted by {number.name}\n")


@pytest.mark.slow
def test_a_search_outlives_its_terminal_until_its_trials_are_finished(tmp_path: Path) -> None:
    """The live table, the workers and the driver: all lose the terminal at once."""
    path = tmp_path / "run"
    ours, theirs = os.openpty()
    code = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    code += "os.execv(sys.executable, [sys.executable, '-m', 'nas', *sys.argv[1:]])"
    command = [sys.executable, "-c", code, "search", "quickstart", "--out", str(path), "--set", "recipe.epochs=3"]
    driver = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = b""
    while b"on the front" not in shown:
        shown += os.read(ours, 65_536)
    os.close(ours)
    assert driver.wait(200) == 130
    states = [record.state for record in load_run(path).records]
    assert set(states) == {"complete"}
    assert len(states) < 40
    assert list(find_inconsistencies(path, fix=False)) == []
