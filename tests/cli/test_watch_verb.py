"""`nas watch`: the address, what the search is doing, and how it ends."""

import shutil
import signal
import socket
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nas.search.results.running import LiveRun
from nas.search.store.run import load_run
from nas.search.store.run_files import exclusive_lock

Call = Callable[..., tuple[int, str, str]]


def visit(url: str) -> str:
    address = urlsplit(url)
    connection = HTTPConnection(address.netloc, timeout=60)
    connection.request("GET", address.path)
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read().decode()


def test_it_serves_until_ctrl_c_and_says_when_the_search_ends(
    finished_run: Path, nas: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, opened = list[str](), list[str]()
    states = iter([True, True, False])
    monkeypatch.setattr(
        "nas.search.results.running.read_live_run", lambda path, space: LiveRun(load_run(path), next(states))
    )
    monkeypatch.setattr("webbrowser.open", opened.append)

    def pause(_seconds: float) -> None:
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)
        seen.append(visit(opened[0]))

    monkeypatch.setattr("time.sleep", pause)
    code, out, err = nas("watch", finished_run, "--open")
    assert (code, out) == (0, f"{opened[0]}\n")
    assert err.splitlines() == [
        "Report, to open in a browser; Ctrl-C ends it:",
        "Running: the page is updated as trials end.",
        "Finished: all 8 trials have ended.",
        "the page is no longer served; a running search continues",
    ]
    assert all("8 of 8 trials are complete" in page for page in seen)
    assert not (finished_run / "report").exists()


def test_a_driver_that_works_on_a_run_is_seen(finished_run: Path, tmp_path: Path) -> None:
    from nas.search.results.running import read_live_run

    run = shutil.copytree(finished_run, tmp_path / "run")
    assert (read_live_run(run).active, read_live_run(run).ended) == (False, 8)
    with exclusive_lock(run):
        assert read_live_run(run).searching


def test_a_path_that_is_no_run_is_the_usual_message(nas: Call, tmp_path: Path) -> None:
    code, out, err = nas("watch", tmp_path)
    assert (code, out) == (2, "")
    assert err == f"nas: {tmp_path} is not a run directory: it has no study.db\n"


def test_a_port_in_use_is_a_message(nas: Call, finished_run: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = nas("watch", finished_run, "--port", port)
    assert (code, out) == (2, "")
    assert err == f"nas: port {port} cannot be used (Address already in use); choose another --port, or none\n"
