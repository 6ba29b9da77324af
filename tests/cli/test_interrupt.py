"""Ctrl-C in a foreground search: once to finish, twice to abort."""

import signal

import pytest

from nas.cli.progress import stoppable


class Training:
    stopping = False

    def stop(self) -> None:
        self.stopping = True


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
