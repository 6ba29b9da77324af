"""What every verb shares: the application, its options, and the two ways to speak."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

EXIT_FINDINGS, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130  # exit codes; 0 is done

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Search convolutional networks inside a budget of parameters and MACs.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
RunDir = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, such as runs/quickstart.")]


def info(text: str) -> None:
    """A message for a person."""
    print(text, file=sys.stderr)  # noqa: T201


def output(data: Any) -> None:
    """Data for whoever reads stdout."""
    print(data if isinstance(data, str) else json.dumps(data, indent=2))  # noqa: T201


def text_table(rows: list[tuple[str, ...]]) -> str:
    """Rows as aligned columns, numbers to the right; the last column is free."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    numeric = [rows[-1][i].replace(",", "").isdigit() for i in range(len(widths))]
    lines = []
    for *cells, last in rows:
        aligned = [c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, numeric, strict=True)]
        lines.append("  ".join([*aligned, last]))
    return "\n".join(lines)
