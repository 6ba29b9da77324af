"""The page in a browser, from disk: no error, no request, and its controls do what they say."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fake_run import evil_run, run

from nas.report import write

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
         "--net-log-capture-mode=Everything", "--virtual-time-budget=4000", "--window-size=1280,1600")  # fmt: skip
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium on the path"),
]

DRIVER = """<script>
const $1 = (path) => document.querySelector(path), said = {};
$1(".picks li:last-child button").focus();
said.picked = [$1("#panel-title").textContent, $1("#shown svg") !== null];
$1("#trials tbody tr:last-child button").click();
said.row = [$1("#panel-title").textContent, $1("#shown").textContent.includes("failed: nan")];
const every = (path) => [...document.querySelectorAll(path)];
const heads = every("#trials thead button"), column = heads.findIndex((head) => head.textContent === "MACs");
const values = () => every("#trials tbody tr").map((row) => Number(row.cells[column].dataset.value));
heads[column].click();
said.up = values();
heads[column].click();
said.down = values();
heads[2].click();
said.missing = every("#trials tbody tr").slice(-2).map((row) => row.cells[2].textContent);
$1("#abscissa").value = "params";
$1("#abscissa").dispatchEvent(new Event("change"));
said.axis = $1("#front-plot").layout.xaxis.title.text;
said.wide = document.documentElement.scrollWidth <= innerWidth;
document.body.append(Object.assign(document.createElement("pre"), { id: "said", textContent: JSON.stringify(said) }));
</script>"""


def opened(page: Path, profile: Path) -> tuple[str, str, list[str]]:
    """The document after its scripts ran, what the console said, and what the page asked the network for."""
    log = profile.with_suffix(".json")
    assert BROWSER is not None
    command = [BROWSER, *QUIET, f"--user-data-dir={profile}", f"--log-net-log={log}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    events = [event.get("params", {}) for event in json.loads(log.read_text(encoding="utf-8"))["events"]]
    # The browser's own requests for updates have no initiator.
    asked = [e["url"] for e in events if "url" in e and e.get("initiator", "not an origin") != "not an origin"]
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return done.stdout, console, asked


@pytest.mark.parametrize("kind", ["thirty", "evil", "none"])
def test_it_opens_without_an_error_or_a_request(kind: str, tmp_path: Path) -> None:
    made = {"thirty": lambda: run(tmp_path, 30), "evil": lambda: evil_run(tmp_path), "none": lambda: run(tmp_path, 0)}
    document, console, asked = opened(write(made[kind]()), tmp_path / "profile")
    assert console == ""
    assert asked == []
    if kind != "none":
        assert document.count('class="main-svg"') >= 3
        assert re.search(r'id="panel-title"[^>]*>Trial \d+<', document)


def test_a_request_and_an_error_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><img src="http://127.0.0.1:9/x"><script>missing()</script>', encoding="utf-8")
    _, console, asked = opened(page, tmp_path / "profile")
    assert "missing is not defined" in console
    assert asked == ["http://127.0.0.1:9/x"]


def test_its_controls_work(tmp_path: Path) -> None:
    made = run(tmp_path, 30)
    text = write(made).read_text(encoding="utf-8")
    page = tmp_path / "driven.html"
    relaxed = re.sub(r"script-src [^\"]*", "script-src 'unsafe-inline'", text, count=1)
    page.write_text(relaxed.replace("</body>", DRIVER + "</body>"), encoding="utf-8")
    document, console, _ = opened(page, tmp_path / "profile")
    assert console == ""
    found = re.search(r'<pre id="said">(.*?)</pre>', document)
    assert found is not None
    said = json.loads(found[1])
    assert re.fullmatch(r"Trial \d+", said["picked"][0])
    assert said["picked"][1]
    assert said["row"][0] != said["picked"][0]
    assert said["row"][1]
    macs = sorted(record.cost.macs for record in made.records)
    assert (said["up"], said["down"]) == (macs, macs[::-1])
    assert said["missing"] == ["-", "-"]
    assert said["axis"] == "parameters"
    assert said["wide"]
