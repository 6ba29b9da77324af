"""The page of a run that is watched: made again when a trial ends, and served to those with its address only."""

import dataclasses
import re
import socket
from collections.abc import Iterator
from html import escape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fake_run import record, rich_run, run
from test_page import Reader

from nas.errors import RunError
from nas.report import write_report
from nas.report.live import page as live_page
from nas.report.live.page import LivePage
from nas.report.live.server import PageServer
from nas.report.run.page import run_page
from nas.report.run.view import View, view_of
from nas.search.results.running import LiveRun


class Watched:
    """A run that changes as the test says."""

    def __init__(self, path: Path, trials: int = 12) -> None:
        self.now = LiveRun(run(path, trials, ()), active=True)

    def __call__(self) -> LiveRun:
        return self.now

    def set(self, active: bool | None, *states: str) -> None:
        records = tuple(record(number, state=state) for number, state in enumerate(states))
        self.now = LiveRun(dataclasses.replace(self.now.run, records=records), active)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """A server of a run without trials."""
    with PageServer(LivePage(Watched(tmp_path_factory.mktemp("run")))) as server:
        yield server


def path_of(server: PageServer) -> str:
    return urlsplit(server.url).path


def port_of(server: PageServer) -> int:
    return urlsplit(server.url).port or 0


def ask(server: PageServer, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port_of(server), timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, {name.lower(): value for name, value in answer.getheaders()}


def test_the_version_is_another_when_a_trial_ends_and_only_then(watched: Watched) -> None:
    page, versions = LivePage(watched), [1]
    for active, states in [
        (True, ["running"]),
        (True, ["running", "running"]),
        (True, ["complete", "running"]),
        (True, ["complete", "pruned", "running"]),
        (True, ["complete", "pruned", "failed"]),
        (True, ["complete", "pruned", "failed"]),
        (False, ["complete", "pruned", "failed"]),
    ]:
        watched.set(active, *states)
        page.refresh()
        versions.append(page.version)
    assert versions == [1, 1, 1, 2, 3, 4, 4, 5]


def test_a_baseline_and_a_finalist_are_another_version(watched: Watched) -> None:
    watched.set(True, "complete")
    page = LivePage(watched)
    for state, version in (("running", 1), ("complete", 2)):
        known = (record(1, choices={}, baseline="lenet5", state=state),)
        watched.now = LiveRun(dataclasses.replace(watched.now.run, baselines=known), True)
        page.refresh()
        assert page.version == version
    rich_run(watched.now.run.path)  # writes finalists
    page.refresh()
    assert page.version == 3


def test_a_page_is_made_once_for_each_version(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def make(view: View, **_: object) -> str:
        made.append(len(view.complete))
        return f"page {len(made)}"

    monkeypatch.setattr(live_page, "run_page", make)
    page = LivePage(watched)
    assert [page.html(), page.html()] == ["page 1"] * 2
    watched.set(True, "running")
    page.refresh()
    assert page.html() == "page 1"
    watched.set(True, "complete")
    page.refresh()
    assert [page.html(), page.html()] == ["page 2"] * 2
    assert made == [0, 1]


@pytest.mark.parametrize(
    ("active", "ended", "note"),
    [
        (True, 0, "Running: the page is updated as trials end."),
        (True, 2, "Running: the page is updated as trials end."),
        (False, 1, "Stopped: 1 of 2 trials have ended, and no process is running this search."),
        (False, 2, "Finished: all 2 trials have ended."),
        (None, 1, "Running: the page is updated as trials end."),
        (None, 2, "Finished: all 2 trials have ended."),
    ],
)
def test_the_page_says_whether_the_search_goes_on(active: bool | None, ended: int, note: str, tmp_path: Path) -> None:
    watched = Watched(tmp_path, trials=2)
    watched.set(active, *["complete"] * ended)
    page = LivePage(watched)
    assert page.note == note
    assert note in Reader(page.html()).words


def test_readings_and_pages_take_a_tenth_of_a_core(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.1, 1.0, 1.4, 2.0, 2.1])
    page = LivePage(watched)
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    page.refresh()
    assert page.pause == 3.0
    page.html()
    assert page.pause == pytest.approx(5.0)
    page.refresh()
    assert page.pause == pytest.approx(5.0)


def test_the_page_is_the_report_and_a_script_that_asks_for_the_version(watched: Watched) -> None:
    """All else, the digests of the scripts apart, is what `nas report --out` writes."""
    watched.set(False, *["complete"] * 12)
    seen = LivePage(watched).html()
    line = '<p id="live" class="note" role="status" data-version="1">Finished: all 12 trials have ended.</p>'
    assert seen.count(line) == seen.count('fetch("version")') == 1
    requests = escape("; connect-src 'self'")
    assert f'{requests}">' in seen
    script = (Path(live_page.__file__).parent / "page.js").read_text(encoding="utf-8")
    plain = seen.replace(line, "").replace(f"{{\n{script}\n}}\n", "").replace(requests, "")
    digest = re.compile("sha256-[^&]+")
    alone = write_report(watched.now.run, watched.now.run.path / "page.html").read_text(encoding="utf-8")
    assert digest.sub("", plain) == digest.sub("", alone)
    for report in (alone, run_page(view_of(watched.now.run))):
        assert not any(text in report for text in ('id="live"', 'fetch("version")', "connect-src"))


def test_a_run_without_a_result_says_so_and_asks_too(server: PageServer) -> None:
    status, text, _ = ask(server, path_of(server))
    assert status == 200
    assert "No network has been trained yet." in text
    assert 'fetch("version")' in text


def test_the_served_page_follows_the_run(watched: Watched) -> None:
    page = LivePage(watched)
    with PageServer(page) as server:
        root = path_of(server)
        assert ask(server, root + "version")[:2] == (200, "1")
        assert 'data-version="1"' in ask(server, root)[1]
        watched.set(True, "complete", "running")
        page.refresh()
        assert ask(server, root + "version", Host=f"localhost:{port_of(server)}")[:2] == (200, "2")
        text = ask(server, root)[1]
    assert 'data-version="2"' in text
    assert "1 of 12 trials are complete" in Reader(text).words
    with pytest.raises(ConnectionError):
        ask(server, root)


@pytest.mark.parametrize("path", ["", "version"])
def test_nothing_is_kept_sent_on_framed_or_guessed(path: str, server: PageServer) -> None:
    headers = ask(server, path_of(server) + path)[2]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-type"] == f"text/{'plain' if path else 'html'}; charset=utf-8"
    policy = headers["content-security-policy"]
    assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert "access-control-allow-origin" not in headers


PATHS = ["/", "/TOKEN", "TOKEN/", "/wrong/", "/TOKEN0/", "/TOKE/", "/token/version", "/version", "/TOKEN/../TOKEN/",
         "/TOKEN/index.html", "/TOKEN/trials.csv", "/TOKEN/%2e%2e/study.db", "/TOKEN/version/", "/TOKEN/?x", "/\xe9/",
         "http://127.0.0.1/TOKEN/", "/TOKEN//etc/passwd", "/favicon.ico"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_other_address_has_a_page(path: str, server: PageServer) -> None:
    token, port = path_of(server).strip("/"), port_of(server)
    text = path.replace("TOKEN", token).replace("TOKE", token[:-1])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"GET {text} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode("latin-1"))
        answer = connection.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.0 404 ")
    assert answer.endswith("\r\n\r\nNot Found")
    assert token not in answer


@pytest.mark.parametrize("host", ["evil.example", "evil.example:PORT", "127.0.0.1", "localhost:1", "0.0.0.0:PORT",
                                  "127.0.0.1:PORT.evil.example", ""])  # fmt: skip
def test_a_name_that_leads_here_is_not_enough(host: str, server: PageServer) -> None:
    for path in (path_of(server), path_of(server) + "version", "/"):
        status, text, _ = ask(server, path, Host=host.replace("PORT", str(port_of(server))))
        assert (status, text) == (421, "Misdirected Request")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_a_run_is_only_read(method: str, server: PageServer) -> None:
    status, text, headers = ask(server, path_of(server), method)
    assert (status, headers["allow"]) == (405, "GET")
    assert text == ("" if method == "HEAD" else "Method Not Allowed")


@pytest.mark.parametrize("request_line", [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 65_532])
def test_nonsense_is_answered_and_the_next_request_too(
    request_line: bytes, server: PageServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=60) as connection:
        connection.sendall(request_line)
        assert b"<" not in connection.makefile("rb").read()
    assert ask(server, path_of(server) + "version")[:2] == (200, "1")
    assert capsys.readouterr() == ("", "")


def test_only_this_machine_is_served(server: PageServer) -> None:
    assert server.socket.getsockname() == ("127.0.0.1", port_of(server))


def test_each_server_has_an_address_of_its_own(watched: Watched) -> None:
    page = LivePage(watched)
    servers = [PageServer(page) for _ in range(3)]
    for server in servers:
        server.server_close()
    assert len({path_of(server) for server in servers}) == 3
    assert min(len(path_of(server)) for server in servers) >= 45  # 256 bits between slashes


def test_a_run_that_cannot_be_shown_is_a_message(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RunError("trial 3: its genome is damaged")

    monkeypatch.setattr(live_page, "run_page", fail)
    with PageServer(LivePage(watched)) as server:
        status, text, headers = ask(server, path_of(server))
    assert (status, text) == (503, "trial 3: its genome is damaged")
    assert headers["content-type"].startswith("text/plain")
