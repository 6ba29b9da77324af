"""The plotting library beside the pages that share it."""

import base64
import hashlib
import re
from html import unescape
from pathlib import Path

import pytest
from fake_run import rich_run, run

from nas.report import write_comparison, write_report
from nas.report.html.library import plotting_library, share_library

ROOT = Path(__file__).parents[2]
PUBLISHED = sorted((ROOT / "reports").glob("*/*.html"))


def scripts_and_policy(page: Path) -> tuple[list[str], str]:
    """Return the scripts of a page that are not data, and which scripts its policy allows."""
    text = page.read_bytes().decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    return re.findall(r"<script>(.*?)</script>", text, re.DOTALL), unescape(policy).split("; script-src ")[1]


def digests(scripts: list[str]) -> list[str]:
    return [f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'" for each in scripts]


def loaded(script: str, page: Path) -> list[Path]:
    """Return the files that a script of a page loads."""
    found = re.findall(r'^loadLibrary\("([^"]+)"\);$', script, re.MULTILINE)
    return [page.parent / url.replace("%20", " ").replace("%3A", ":") for url in found]


def test_a_copy_is_written_once_and_mended(tmp_path: Path) -> None:
    folder = tmp_path / "li b:1"
    url = share_library(folder, tmp_path / "pages" / "x" / "index.html")
    (copy,) = folder.iterdir()
    assert url == f"../../li%20b%3A1/{copy.name}"
    assert re.fullmatch(r"plotly-\d+\.\d+\.\d+\.min\.js", copy.name)
    written = copy.stat().st_mtime_ns
    assert share_library(folder, folder / "index.html") == copy.name
    assert copy.stat().st_mtime_ns == written
    copy.write_bytes(b"")
    share_library(folder, folder / "index.html")
    assert copy.read_bytes() == plotting_library().encode()


@pytest.mark.parametrize("kind", ["run", "comparison"])
def test_a_page_names_the_copy_and_its_policy_allows_no_other_script(kind: str, tmp_path: Path) -> None:
    made, page, folder = rich_run(tmp_path / "run"), tmp_path / "pages" / "page.html", tmp_path / "li b"
    if kind == "run":
        write_report(made, page, folder)
    else:
        write_comparison([made, made], page, folder)
    scripts, policy = scripts_and_policy(page)
    assert policy.split() == [*digests(scripts), "'strict-dynamic'"]
    assert len(scripts) == 1
    assert "plotly.js v" not in scripts[0]
    assert [file.resolve() for file in loaded(scripts[0], page)] == list(folder.iterdir())


def test_the_page_in_the_run_directory_can_share_it_too(tmp_path: Path) -> None:
    made = rich_run(tmp_path / "run")
    page = write_report(made, script_dir=tmp_path)
    (script,), _ = scripts_and_policy(page)
    assert [file.resolve() for file in loaded(script, page)] == [*tmp_path.glob("*.js")]


def test_a_page_without_plots_loads_nothing(tmp_path: Path) -> None:
    scripts, policy = scripts_and_policy(write_report(run(tmp_path / "run", 0), tmp_path / "page.html", tmp_path))
    assert policy.split() == digests(scripts)
    assert not loaded(scripts[0], tmp_path / "page.html")


@pytest.mark.parametrize("page", PUBLISHED, ids=lambda page: page.parent.name)
def test_published_pages_are_small_and_their_policies_hold(page: Path) -> None:
    assert page.stat().st_size < 1_000_000
    scripts, policy = scripts_and_policy(page)
    files = [file for script in scripts for file in loaded(script, page)]
    assert policy.split() == digests(scripts) + ["'strict-dynamic'"] * len(files)
    for file in files:
        assert file.read_text(encoding="utf-8").startswith(f"/**\n* plotly.js v{file.name.split('-')[1][:-7]}\n")


def test_there_are_published_pages() -> None:
    assert len(PUBLISHED) >= 2
