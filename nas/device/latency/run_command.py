"""A command run without a shell, within a time limit; what fails is one message."""

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nas.errors import LatencyError, one_line

MAX_SAID = 300  # characters of its stderr in a message


def run_command(words: Sequence[str], timeout: float, folder: Path) -> str:
    """Return what a command prints, run in a folder.

    Raises LatencyError with the command and the end of its stderr when it cannot be started, fails, or takes longer
    than `timeout` seconds.
    """
    shown = shlex.join(words)
    try:
        done = subprocess.run(
            words, cwd=folder, timeout=timeout, capture_output=True, text=True, errors="replace",
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as problem:
        raise LatencyError(f"{shown}: longer than {timeout:g} s{_said(problem.stderr)}") from None
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or problem
        raise LatencyError(f"{shown}: cannot be started: {why}") from None
    if done.returncode:
        raise LatencyError(f"{shown}: exit code {done.returncode}{_said(done.stderr)}")
    return done.stdout


def _said(stderr: str | bytes | None) -> str:
    text = stderr.decode(errors="replace") if isinstance(stderr, bytes) else stderr or ""
    said = one_line(text)
    return f"; stderr: {said[-MAX_SAID:]}" if said else ""
