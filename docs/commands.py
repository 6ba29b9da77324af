"""Writes docs/commands.md from the command line itself.

    python docs/commands.py

`tests/cli/test_commands_page.py` holds the page against this file.
"""

import re
from pathlib import Path
from typing import Any

from typer.main import get_command

import nas.cli  # noqa: F401  # registers the verbs
from nas.cli.app import EXAMPLES, app

PAGE = Path(__file__).with_suffix(".md")
HEAD = """# Commands

Every verb of `nas` in the order of use, as `nas VERB --help` prints it. `python docs/commands.py` writes this page.

Data goes to stdout, messages to stderr. Exit codes: 0 success, 1 findings (of `nas doctor`, or an export that failed
its check), 2 wrong usage or input, 130 interrupted.
"""


def render() -> str:
    """Return the page."""
    group: Any = get_command(app)
    return "\n".join([HEAD, *(_section(name, group.get_command(None, name)) for name in EXAMPLES)])


def _section(name: str, command: Any) -> str:
    """Return what is written about one verb."""
    context = command.make_context(f"nas {name}", [], resilient_parsing=True)
    records = [parameter.get_help_record(context) for parameter in command.params]
    rows = [f"| `{_cell(names)}` | {_cell(text)} |" for names, text in filter(None, records)]
    usage = re.sub("[{}]", "", " ".join([f"nas {name}", *command.collect_usage_pieces(context)]))
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", command.help.strip())
    table = ["| argument or option | |", "|---|---|", *rows]
    return "\n".join([f"## nas {name}", "", text, "", "```sh", f"# {usage}", EXAMPLES[name], "```", "", *table, ""])


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
