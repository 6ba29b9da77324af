"""The application: its verbs in the order of use, its exit codes and its two streams."""

import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

from nas.errors import printable

EXIT_FINDINGS, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130  # 0 means success

EXAMPLES = {
    "init": "nas init pets --data photos",
    "search": "nas search quickstart --max-params 40k --trials 20",
    "resume": "nas resume runs/quickstart --trials 60",
    "tune": "nas tune quickstart --workers 2",
    "status": "nas status runs/quickstart",
    "watch": "nas watch runs/quickstart --open",
    "report": "nas report runs/quickstart",
    "export": "nas export runs/quickstart --trial best --out exports/digits",
    "finalists": "nas finalists runs/quickstart --seeds 5 --top 3",
    "proxies": "nas proxies runs/quickstart",
    "doctor": "nas doctor runs/quickstart --fix",
    "principles": "nas principles principles_small --dry-run",
    "show": "nas show mixed --seed 3 --layers",
    "cost": "nas cost resnet50 --json",
    "diff": "nas diff vgg_A vgg_B",
    "spaces": "nas spaces",
    "primitives": "nas primitives BasicBlock",
    "baselines": "nas baselines --json",
    "data": "nas data cifar10",
}
"""The verbs in the order of use, each with the example at the end of its help."""


OTHER_VERBS = {
    "run": "search", "train": "search", "start": "search", "continue": "resume", "restart": "resume",
    "progress": "status", "live": "watch", "serve": "watch", "dashboard": "watch", "plot": "report", "draw": "show",
    "view": "show", "flops": "cost", "params": "cost", "compare": "diff", "download": "data", "fetch": "data",
    "models": "baselines", "ops": "primitives",
}  # fmt: skip
"""Our verb by the name that other tools give one."""


def _hint(problem: Any, verb: str) -> str:
    """Return the remedy for an option that a search does not have, and for a setting without --set."""
    if verb != "search":
        return ""
    if (name := getattr(problem, "option_name", None)) and "No such option" in problem.message:
        from nas.search.explain_setting import find_setting

        setting = find_setting(name.lstrip("-"))
        return f". It is a setting: write --set {setting}=VALUE" if setting else ""
    unexpected = "unexpected extra argument" in problem.message
    return ". A setting is changed with --set, such as --set recipe.epochs=20" if unexpected else ""


@contextmanager
def _printable_messages(verb: str = "") -> Iterator[None]:
    """Escape the control characters in the message of a usage error."""
    try:
        yield
    except Exception as problem:
        if isinstance(message := getattr(problem, "message", None), str):  # the parser's, of whatever package
            problem.message = printable(message + _hint(problem, verb), kept="")  # type: ignore[attr-defined]
        raise


class VerbsInOrder(TyperGroup):
    """The verbs as `EXAMPLES` orders them."""

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        """Return the context of a command line. Raises usage errors whose messages are printable."""
        with _printable_messages():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Run the verb and return what it returns. Raises usage errors whose messages are printable."""
        with _printable_messages(next(iter(ctx._protected_args), "")):
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb of a command line. Raises a usage error with the verb that is meant."""
        if args[0] in OTHER_VERBS:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {OTHER_VERBS[args[0]]!r}?")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the verbs in the order of use."""
        return sorted(self.commands, key=list(EXAMPLES).index)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a verb, its example at the end of its help."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            command.epilog = f"Example: {EXAMPLES[cmd_name]}"
        return command


app = typer.Typer(
    cls=VerbsInOrder,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        output(f"nas {version('nas-convnets')}")
        raise typer.Exit


@app.callback()
def _application(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Search for convolutional networks within a budget of parameters and MACs."""


def info(text: str) -> None:
    """Print a message to stderr."""
    _write(printable(text), sys.stderr)


def output(data: Any) -> None:
    """Print data to stdout: text as it is, all else as JSON. Raises OSError when it cannot be written."""
    _write(printable(data) if isinstance(data, str) else json.dumps(data, indent=2), sys.stdout)


def _write(text: str, stream: TextIO) -> None:
    """Print text: the one place where it reaches a terminal. For a reader that is gone the rest is dropped."""
    try:
        print(text, file=stream, flush=True)
    except OSError as problem:
        if problem.errno not in (errno.EPIPE, errno.EIO):  # `nas spaces | head`; a terminal that was closed
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def prepare_streams() -> None:
    """Make stdout and stderr take any text: what the encoding lacks is escaped, and a closed stream takes nothing."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # for the life of the process
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def text_table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as aligned columns, one line each, numbers to the right; the last column has any width."""
    rows = [tuple([printable(cell, kept="") for cell in row]) for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    numeric = [rows[-1][i].replace(",", "").isdigit() for i in range(len(widths))]
    lines = []
    for *cells, last in rows:
        aligned = [c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, numeric, strict=True)]
        lines.append("  ".join([*aligned, last]).rstrip())
    return "\n".join(lines)
