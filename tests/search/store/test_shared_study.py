"""Several drivers on one PostgreSQL study: each trial once, none lost with a driver."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from postgresql import server
from search import idle

from nas.errors import RunError
from nas.search.experiment_file import read_experiment
from nas.search.loop.search import Search
from nas.search.store.create import create
from nas.search.store.lease import shared
from nas.search.store.run import load_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TRIALS = 30


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    with server() as found:
        yield found


def question(folder: Path, name: str) -> Path:
    text = f'space = "mixed"\ndata = "digits"\nsampler = "random"\ntrials = {TRIALS}\n[recipe]\nepochs = 1\n'
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def start(file: Path, run: Path, url: str) -> "subprocess.Popen[str]":
    command = [sys.executable, idle.__file__, str(file), str(run), url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def hear(driver: "subprocess.Popen[str]", ended: int) -> None:
    assert driver.stdout is not None
    for _ in range(ended):
        driver.stdout.readline()


def finished(driver: "subprocess.Popen[str]") -> bool:
    """Wait for its end, reading what it says lest it waits for that."""
    driver.communicate(timeout=250)
    return driver.returncode == 0


def test_one_of_two_drivers_is_killed(tmp_path: Path, url: str) -> None:
    """No fingerprint twice, no trial lost, none left running, and the total reached by the driver that lives."""
    file = question(tmp_path, "two")
    with start(file, tmp_path / "one", url) as one, start(file, tmp_path / "other", url) as other:
        hear(one, 10)
        one.kill()
        before = {record.number: record for record in load_run(tmp_path / "one").records}
        assert finished(other)

    records = load_run(tmp_path / "other").records
    assert [record.number for record in records] == list(range(TRIALS))
    assert {record.state for record in records} == {"complete"}
    assert len({record.fingerprint for record in records}) == TRIALS
    kept = [record for record in before.values() if record.state == "complete"]
    assert len(kept) >= 10
    assert all(records[record.number] == record for record in kept)


def test_a_driver_that_is_stopped_holds_nobody_up(tmp_path: Path, url: str) -> None:
    """SIGSTOP is no death: others leave alone what the stopped one trains, and what it was given is trained once.

    Stopped while others wait for it, it is given up by the server, and says so when it wakes.
    """
    file = question(tmp_path, "stopped")
    with start(file, tmp_path / "one", url) as one, start(file, tmp_path / "other", url) as other:
        hear(one, 5)
        one.send_signal(signal.SIGSTOP)
        assert finished(other)
        one.send_signal(signal.SIGCONT)
        finished(one)
    with start(file, tmp_path / "one", url) as last:
        assert finished(last)
    records = load_run(tmp_path / "one").records
    assert len(records) == TRIALS
    assert {record.state for record in records} == {"complete"}
    assert len({record.fingerprint for record in records}) == TRIALS


def test_another_question_under_the_same_name_is_refused(tmp_path: Path, url: str) -> None:
    asked = read_experiment(question(tmp_path, "same"), {"storage": url})
    create(tmp_path / "one", asked, "nas").close()
    with pytest.raises(RunError, match="seed was 0, is now 1"):
        create(tmp_path / "two", asked.model_copy(update={"seed": 1}), "nas")
    assert [file.name for file in (tmp_path / "two").iterdir()] == ["driver.lock"]


def test_a_driver_that_joins_is_told_what_the_first_was(finished_run: Path, tmp_path: Path, url: str) -> None:
    old = shutil.copytree(finished_run, tmp_path / "old")
    asked = read_experiment(question(tmp_path, "started"), {"storage": url, "start": str(old)})
    with closing(create(tmp_path / "one", asked, "nas")) as first:
        told = first.earlier()
    shutil.rmtree(old)
    with closing(create(tmp_path / "two", asked, "nas")) as second:
        assert second.earlier() == told
    assert len(told) == 8


def test_a_lost_server_is_a_message(tmp_path: Path, url: str) -> None:
    import psycopg

    asked = read_experiment(question(tmp_path, "lost"), {"storage": url})
    events = Search(create(tmp_path / "run", asked, "nas"), idle.idle).events()
    next(events)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with pytest.raises(RunError, match=r"lost|cannot be written"):
        for _ in events:
            pass
    for _ in Search(create(tmp_path / "run", asked, "nas"), idle.idle).events():
        pass
    assert {record.state for record in load_run(tmp_path / "run").records} == {"complete"}


def test_a_lease_is_seen_while_it_is_held(url: str) -> None:
    with shared(url, "x") as mine:
        with shared(url, "x") as other:
            assert mine.is_alive(other.owner)
        end = time.monotonic() + 20
        while mine.is_alive(other.owner):  # the server needs a moment to see that a connection is closed
            assert time.monotonic() < end
            time.sleep(0.02)
