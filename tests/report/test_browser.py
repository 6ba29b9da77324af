"""The page in a browser: no error, no request from disk, and its controls do what they say."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fake_run import evil_run, rich_run, run
from PIL import Image
from test_live_page import Watched

from nas.report import write_comparison, write_report
from nas.report.live.page import LivePage
from nas.report.live.server import PageServer
from nas.report.run.view import view_of

PUBLISHED = sorted((Path(__file__).parents[2] / "reports").glob("*/*.html"))
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


HOVER = """<script>
const gd = document.querySelector("#front-plot"), trace = gd.data.find((each) => each.name === "front");
const at = trace.x.length - 1, box = gd.getBoundingClientRect(), { xaxis, yaxis, _size } = gd._fullLayout;
const place = { bubbles: true, clientX: box.left + _size.l + xaxis.d2p(trace.x[at]),
  clientY: box.top + _size.t + yaxis.d2p(trace.y[at]) };
for (const kind of ["mouseover", "mousemove"]) gd.querySelector(".nsewdrag").dispatchEvent(new MouseEvent(kind, place));
setTimeout(() => document.body.append(Object.assign(document.createElement("pre"), { id: "said",
  textContent: JSON.stringify({ number: trace.customdata[at], label: gd.querySelector(".hoverlayer").textContent,
    panel: document.querySelector("#panel-title").textContent,
    drawn: document.querySelector("#shown svg") !== null }) })), 500);
</script>"""

NARROW = """<script>
setTimeout(() => {
  const plots = [...document.querySelectorAll(".plot")].map((plot) => plot.querySelector(".main-svg") !== null);
  parent.postMessage({ inner: innerWidth, scroll: document.documentElement.scrollWidth, plots }, "*");
}, 1500);
</script>"""

FRAME = """<!doctype html><body style="margin:0"><script>
addEventListener("message", ({{ data }}) => document.body.append(Object.assign(document.createElement("pre"),
  {{ id: "said", textContent: JSON.stringify(data) }})));
</script><iframe src="{name}" style="border:0;width:390px;height:7000px"></iframe></body>"""

OPENED = """<script>
document.body.append(Object.assign(document.createElement("pre"), { id: "said", textContent: performance.now() }));
</script>"""


PRINTED = """<script>
const color = () => document.querySelector("#progress-plot").layout.font.color;
setTimeout(() => {
  const said = [color()];
  for (const event of ["beforeprint", "afterprint"]) { dispatchEvent(new Event(event)); said.push(color()); }
  document.body.append(Object.assign(document.createElement("pre"), { id: "said", textContent: JSON.stringify(said) }));
}, 1500);
</script>"""


def driven(page: Path, script: str) -> Path:
    """Write one more script at the end of a page, which its policy is made to allow."""
    text = page.read_text(encoding="utf-8")
    relaxed = re.sub(r"script-src [^\"]*", "script-src 'unsafe-inline'", text, count=1)
    page.write_text(relaxed.replace("</body>", script + "</body>"), encoding="utf-8")
    return page


def heard(document: str) -> Any:
    found = re.search(r'<pre id="said">(.*?)</pre>', document)
    assert found is not None
    return json.loads(unescape(found[1]))


def opened(page: Path | str, profile: Path, *options: str) -> tuple[str, str, list[str]]:
    """The document after its scripts ran, what the console said, and what the page asked the network for.

    page: a file, or an address.
    """
    log = profile.with_suffix(".json")
    assert BROWSER is not None
    command = [
        BROWSER,
        *QUIET,
        *options,
        f"--user-data-dir={profile}",
        f"--log-net-log={log}",
        "--dump-dom",
        page if isinstance(page, str) else page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    events = [event.get("params", {}) for event in json.loads(log.read_text(encoding="utf-8"))["events"]]
    # The browser's own requests for updates have no initiator.
    asked = [e["url"] for e in events if "url" in e and e.get("initiator", "not an origin") != "not an origin"]
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return done.stdout, console, asked


@pytest.mark.parametrize("kind", ["thirty", "rich", "evil", "none", "compared"])
def test_it_opens_without_an_error_or_a_request(kind: str, tmp_path: Path) -> None:
    makers: dict[str, Callable[[Path], Any]] = {
        "rich": rich_run,
        "evil": evil_run,
        "none": lambda path: run(path, 0),
        "compared": evil_run,
    }
    make: Callable[[Path], Any] = makers.get(kind, run)
    made = make(tmp_path)
    page = write_comparison([made, made]) if kind == "compared" else write_report(made)
    document, console, asked = opened(page, tmp_path / "profile")
    assert console == ""
    assert asked == []
    drawn = {"none": 0, "compared": 2}.get(kind, 6)
    plots = re.findall(r'<div id="[a-z]+-plot" class="plot[^>]*>(<div)?', document)
    assert plots == ["<div"] * drawn
    if kind not in ("none", "compared"):
        assert re.search(r'id="panel-title"[^>]*>Trial \d+<', document)


def test_pages_share_one_library(tmp_path: Path) -> None:
    made, folder = rich_run(tmp_path), tmp_path / "li b"
    for name in ("one", "two"):
        document, console, _ = opened(write_report(made, tmp_path / f"{name}.html", folder), tmp_path / "profile")
        assert console == ""
        assert re.findall(r'<div id="[a-z]+-plot" class="plot[^>]*>(<div)?', document) == ["<div"] * 6
    (library,) = folder.iterdir()
    library.unlink()
    document, _, _ = opened(tmp_path / "one.html", tmp_path / "profile")
    assert document.count(f"The plots need a file that is missing: li b/{library.name}") == 6


@pytest.mark.parametrize("page", PUBLISHED, ids=lambda page: page.parent.name)
def test_published_pages_open(page: Path, tmp_path: Path) -> None:
    document, console, _ = opened(page, tmp_path / "profile")
    assert console == ""
    plots = re.findall(r'<div id="[a-z]+-plot" class="plot[^>]*>(<div)?', document)
    assert plots == ["<div"] * len(plots)


def test_a_request_and_an_error_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><img src="http://127.0.0.1:9/x"><script>missing()</script>', encoding="utf-8")
    _, console, asked = opened(page, tmp_path / "profile")
    assert "missing is not defined" in console
    assert asked == ["http://127.0.0.1:9/x"]


def test_a_page_that_is_watched_is_loaded_again_when_a_trial_ends(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    page = LivePage(watched)

    def load() -> str:
        """Return the page, after which a trial ends."""
        text = page.html()
        watched.set(True, "complete")
        page.refresh()
        return text

    with PageServer(page) as server:
        path = urlsplit(server.url).path
        server.contents[path] = ("text/html", load)
        document, console, asked = opened(server.url, tmp_path / "profile")
    assert console == ""
    assert 'data-version="2"' in document
    assert "1 of 12 trials are complete" in document
    assert re.search(r'<div id="front-plot" class="plot[^>]*><div', document)
    assert set(asked) == {server.url, f"{server.url}version"}


def test_its_controls_work(tmp_path: Path) -> None:
    made = run(tmp_path, 30)
    page = driven(write_report(made, tmp_path / "page.html"), DRIVER)
    document, console, _ = opened(page, tmp_path / "profile")
    assert console == ""
    said = heard(document)
    assert re.fullmatch(r"Trial \d+", said["picked"][0])
    assert said["picked"][1]
    assert said["row"][0] != said["picked"][0]
    assert said["row"][1]
    macs = sorted(record.cost.macs for record in made.records)
    assert (said["up"], said["down"]) == (macs, macs[::-1])
    assert said["missing"] == ["-", "-"]
    assert said["axis"] == "parameters"
    assert said["wide"]


def test_pointing_at_a_network_shows_it(tmp_path: Path) -> None:
    made = rich_run(tmp_path)
    page = driven(write_report(made, tmp_path / "page.html"), HOVER)
    document, console, _ = opened(page, tmp_path / "profile")
    assert console == ""
    said = heard(document)
    last = view_of(made).front[-1]
    assert said["number"] == last.number
    assert said["panel"] == f"Trial {last.number}"
    assert said["drawn"]
    assert f"{last.error:.2%} validation error" in said["label"]


@pytest.mark.parametrize("kind", ["one", "compared"])
def test_a_phone_shows_every_plot_and_needs_no_scrolling_sideways(kind: str, tmp_path: Path) -> None:
    made, narrow = rich_run(tmp_path), tmp_path / "narrow.html"
    driven(write_report(made, narrow) if kind == "one" else write_comparison([made, made], narrow), NARROW)
    page = tmp_path / "frame.html"
    page.write_text(FRAME.format(name="narrow.html"), encoding="utf-8")
    document, _, _ = opened(page, tmp_path / "profile")
    said = heard(document)
    assert said["inner"] == 390
    assert said["scroll"] <= 390
    assert said["plots"] == [True] * (6 if kind == "one" else 2)


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_of_it_is_no_blank(dark: bool, tmp_path: Path) -> None:
    page, picture = write_report(rich_run(tmp_path), tmp_path / "page.html"), tmp_path / "picture.png"
    assert BROWSER is not None
    looks = ["--force-dark-mode"] if dark else []
    command = [BROWSER, *QUIET, *looks, f"--user-data-dir={tmp_path}/profile", f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, capture_output=True, timeout=90, check=True)
    image = Image.open(picture).convert("RGB")
    assert image.size == (1280, 1600)
    red, green, blue = image.getpixel((2, 2))  # type: ignore[misc]
    assert (max(red, green, blue) < 60) == dark
    colours = image.getcolors(maxcolors=1 << 24)
    assert colours is not None
    assert len(colours) > 500


def test_it_is_printed_in_light_colors(tmp_path: Path) -> None:
    page = driven(write_report(run(tmp_path), tmp_path / "page.html"), PRINTED)
    document, console, _ = opened(page, tmp_path / "profile", "--force-dark-mode")
    assert console == ""
    assert heard(document) == ["#e6edf3", "#1b1f24", "#e6edf3"]


def test_a_thousand_trials_open(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """The time is recorded, not judged: it is the machine's as much as the page's. The goal is two seconds."""
    page = driven(write_report(run(tmp_path, 1_000), tmp_path / "page.html"), OPENED)
    assert BROWSER is not None
    quiet = [option for option in QUIET if "virtual-time" not in option]
    command = [BROWSER, *quiet, f"--user-data-dir={tmp_path}/profile", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    seconds = heard(done.stdout) / 1_000
    record_property("seconds_until_the_front_is_drawn", seconds)
    assert seconds > 0
