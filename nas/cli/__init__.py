"""The command line: a file per verb or group of verbs. Data goes to stdout, messages to stderr.

init.py        init
searches.py    search, resume, status
tune.py        tune
watch.py       watch
results.py     report, export, finalists
proxies.py     proxies
doctor.py      doctor
principles.py  principles
networks.py    show, cost
diff.py        diff
catalog.py     spaces, primitives, baselines
data.py        data

app.py holds the application and the order of the verbs, options.py what verbs share, signals.py how one ends early;
plan.py prints what a search will do, progress.py what it does; export_untrained.py exports a network that no search
trained. Other rooms are imported when a verb runs, so that help is quick.
"""

import os
import signal
import sys

from nas.cli import (  # each adds its verbs
    catalog,
    data,
    diff,
    doctor,
    init,
    networks,
    principles,
    proxies,
    results,
    searches,
    tune,
    watch,
)
from nas.cli.app import EXIT_FINDINGS, EXIT_USAGE, app, info, prepare_streams
from nas.cli.signals import on_signals
from nas.errors import ExportError, NasError, is_out_of_memory
from nas.files import DISK_FULL_ERRNOS


def main() -> None:
    """Run a verb. An expected error is one message and exit code 2, or 1 for an export that failed its check.

    Memory that is not enough is an expected error: a genome may be of any size.
    """
    prepare_streams()
    try:
        _check_directory()
        with on_signals(_interrupt):
            app()
    except NasError as problem:
        info(f"nas: {problem}")
        sys.exit(EXIT_FINDINGS if isinstance(problem, ExportError) else EXIT_USAGE)
    except OSError as problem:
        info(f"nas: {_explain(problem)}")
        sys.exit(EXIT_USAGE)
    except (MemoryError, RuntimeError) as problem:  # torch raises the second
        if not is_out_of_memory(problem):
            raise
        info("nas: out of memory: the network or the study is too large for this machine")
        sys.exit(EXIT_USAGE)


def _explain(problem: OSError) -> str:
    said, name = problem.strerror or str(problem), str(problem.filename or "")[:200]
    if problem.errno in DISK_FULL_ERRNOS:
        return f"{name or 'the output'} cannot be written: {said}. Fix that and run the same command again"
    return f"{said}: {name}" if name else said


def _interrupt(number: int) -> None:
    info(f"nas: interrupted by {signal.Signals(number).name}")
    raise KeyboardInterrupt  # exit code 130


def _check_directory() -> None:
    """Raise NasError where no relative path has a meaning."""
    try:
        os.getcwd()
    except OSError as problem:
        raise NasError(f"the working directory cannot be used ({problem.strerror}); change to another one") from None


__all__ = [
    "catalog", "data", "diff", "doctor", "init", "main", "networks", "principles", "proxies", "results", "searches",
    "tune", "watch",
]  # fmt: skip
