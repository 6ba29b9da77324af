"""The pages against the code: commands, public names, settings, links, and the examples for contributors."""

import importlib.util
import re
from pathlib import Path

import pytest

import nas
from nas.cli.app import EXAMPLES
from nas.search.experiment import Experiment

ROOT = Path(__file__).parent.parent
PAGES = sorted(page for folder in ("", "docs", "reports") for page in (ROOT / folder).glob("*.md"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_page_of_commands_is_current() -> None:
    spec = importlib.util.spec_from_file_location("commands", ROOT / "docs" / "commands.py")
    assert spec is not None
    assert spec.loader is not None
    commands = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(commands)
    assert read("docs/commands.md") == commands.render(), "run: python docs/commands.py"


def test_what_is_public_is_what_the_page_of_stability_lists() -> None:
    listed = read("docs/stability.md").partition("## What is public")[2].partition("\n## ")[0]
    python, verbs, keys, _ = (re.findall(r"`([A-Za-z_]+)`", part) for part in listed.split("\n- ")[1:])
    assert sorted(python) == sorted(nas.__all__)
    assert verbs == list(EXAMPLES)
    assert sorted(keys) == sorted(Experiment.model_fields)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(#[^)]*)?\)", page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor[1:] in [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings]


def test_the_index_has_a_line_for_every_page() -> None:
    linked = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\((.*?)\)", read("docs/index.md"))}
    notebooks = set((ROOT / "docs").glob("*.ipynb"))
    assert linked == {page for page in PAGES if page.name != "index.md"} | notebooks


def test_the_glossary_is_sorted() -> None:
    words = re.findall(r"^\| (\w[\w ]*) \|", read("GLOSSARY.md"), re.MULTILINE)[1:]
    assert words == sorted(words, key=str.lower)


@pytest.mark.parametrize(
    "block", re.findall(r"^```python\n(.*?)^```", read("CONTRIBUTING.md"), re.MULTILINE | re.DOTALL)
)
def test_examples_for_contributors_are_python(block: str) -> None:
    compile(block, "CONTRIBUTING.md", "exec")
