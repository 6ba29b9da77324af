"""The command line: verbs over the rooms. Data goes to stdout, all else to stderr; heavy rooms are imported late.

networks.py   spaces, primitives, baselines, show, cost
difference.py diff
searches.py   search, resume, status
results.py    report, export, finalists
data.py       data
doctor.py     doctor
proxies.py    proxies
principles.py principles

foresight.py and live.py tell what a search is about to do, and does; finish.py and untrained.py hand networks over.
"""

import os
import sys

from nas.cli import data, difference, doctor, networks, principles, proxies, results, searches  # each adds its verbs
from nas.cli.app import EXIT_FINDINGS, EXIT_INTERRUPTED, EXIT_USAGE, app, info
from nas.errors import ExportError, NasError


def main() -> None:
    """Run a verb; every expected error is one message and exit code 2."""
    try:
        app()
    except NasError as problem:
        info(f"nas: {problem}")
        sys.exit(EXIT_FINDINGS if isinstance(problem, ExportError) else EXIT_USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `nas spaces | head` is no error
    except OSError as problem:
        info(f"nas: {problem.strerror or problem}{(problem.filename and f': {str(problem.filename)[:200]}') or ''}")
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


__all__ = ["data", "difference", "doctor", "main", "networks", "principles", "proxies", "results", "searches"]
