"""Every error a user can meet, one tree.

NasError
├── GenomeError       not a network: a graph, an op's hyperparameter, a genome file
│   ├── ShapeError    an op applied to shapes it cannot take
│   └── EditError     a change that does not leave a network for the same task
├── BudgetError       a budget that is malformed or that nothing in the space meets
├── ExperimentError   an experiment file, or a name it refers to, that is wrong
├── DataError         a data set that is missing or damaged
├── TrainingError     a trainer, or its state, that does not keep to the contract
├── LatencyError      a latency that cannot be measured, or a damaged model of latency
├── RunError          a run directory that is missing, in use, or inconsistent
├── DeviceError       a network that the runtime of a device cannot run
└── ExportError       an export that failed its parity check

A message says what is wrong, where, and what to do about it. The command line prints it and exits with 2.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from shlex import quote


class NasError(Exception):
    """Root of every error raised on purpose."""


class GenomeError(NasError):
    """A graph, a hyperparameter or a genome file that does not describe a network."""


class ShapeError(GenomeError):
    """An op applied to shapes it cannot take."""


class EditError(GenomeError):
    """A change to a network that does not leave a network for the same task."""


class BudgetError(NasError):
    """A budget that is malformed, or that no network of the space meets."""


class ExperimentError(NasError):
    """An experiment that is malformed or names something unknown."""


class DataError(NasError):
    """A data set that is missing, damaged, or not what its name says."""


class TrainingError(NasError):
    """A trainer that does not keep to the contract, or a state that is not of the training it is loaded into."""


class LatencyError(NasError):
    """A latency that cannot be measured, or a model of latency that is damaged."""


class RunError(NasError):
    """A run directory that is missing, in use by another driver, or inconsistent."""


class DeviceError(NasError):
    """A network with an operation that the runtime of a device does not have."""


class ExportError(NasError):
    """An exported network that does not agree with the trained one."""


def printable(text: str, kept: str = "\n\t") -> str:
    """Return text of any origin with control characters escaped, as \\x1b, but not those in `kept`."""
    if text.isprintable():
        return text
    kept += "\xa0\u200b"  # spaces that do not break, and none where a line may break
    return "".join([c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text])


def one_line(text: object) -> str:
    """Return text of any origin on one line: each run of whitespace as a space, other control characters escaped."""
    return printable(" ".join(str(text).split()))


def is_out_of_memory(problem: BaseException) -> bool:
    """Return whether an exception, Python's or torch's, says that there is no more memory."""
    said = str(problem).lower()
    return isinstance(problem, MemoryError) or "out of memory" in said or "can't allocate memory" in said


def quoted(path: object) -> str:
    """Return a path as an argument of a command in a remedy."""
    return quote(str(path))


def near(name: str, known: Iterable[str], shown: Callable[[str], str] = str) -> str:
    """Return the end of a message on an unknown name: the nearest known one, as `shown` writes it, if one is near."""
    found = get_close_matches(name, list(known), 1)
    return f"; did you mean {shown(found[0])!r}?" if found else ""
