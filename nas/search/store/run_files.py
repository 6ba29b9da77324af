"""The files of a run directory: written whole or not at all, by one driver, and never through a link."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from nas.errors import RunError, near, quoted
from nas.resources import names

LOCK_SECONDS = 0.25  # in which a lock must become free
MAX_BYTES = 8 * 2**30  # of one file; a study of 100,000 trials has about 1 GB
BEGUN = {
    "experiment.toml",
    "study.db.part",
    "study.db.part-wal",
    "study.db.part-shm",
    "driver.lock",
}
"""What a driver that died while it made the run may have left."""


def trial_folder(path: Path, number: int) -> Path:
    """Return a trial's own directory; its name comes from the number alone."""
    return path / "trials" / f"{number:06d}"


def is_beginning(name: str) -> bool:
    """Return whether a driver that died while it made the run may have left a file of this name."""
    return name in BEGUN or bool(re.fullmatch(r"experiment\.toml(\.\d+)?\.part", name))


def trial_weights(path: Path, number: int) -> Path:
    """Return where a trial's weights lie, if they are kept."""
    return trial_folder(path, number) / "weights.safetensors"


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the run for one driver. The kernel frees the lock when the driver dies, however it dies."""
    from filelock import FileLock, Timeout

    path.mkdir(parents=True, exist_ok=True)
    check_contained(path)
    lock = FileLock(path / "driver.lock", fallback_to_soft=False)  # which nobody would free after a kill
    try:
        lock.acquire(LOCK_SECONDS)  # a status query holds it for a moment
    except Timeout:
        raise RunError(f"{path} is in use by another driver; watch it with: nas status {quoted(path)}") from None
    try:
        yield
    finally:
        lock.release()


def is_locked(path: Path) -> bool | None:
    """Return whether a driver of this machine holds the run; None where this user may not see it."""
    from filelock import FileLock, Timeout

    file = path / "driver.lock"
    if not file.is_file():
        return False
    if not os.access(file, os.W_OK):
        return None
    try:
        with FileLock(file, fallback_to_soft=False).acquire(
            LOCK_SECONDS / 4, poll_interval=0.01
        ):  # another query holds it for a moment
            return False
    except Timeout:
        return True
    except OSError:
        return None


def not_a_run(path: Path) -> RunError:
    """Return the error for a path that is no run directory, with the command or the run that is meant."""
    hint = ""
    if (path.parent / "study.db").is_file():
        hint = f"; the run is {path.parent}"
    elif path.suffix == ".toml" or f"{path}" in names("experiments", ".toml"):
        kept = Path("runs") / path.stem
        hint = f"; it is an experiment: search with nas search {quoted(path)}"
        hint = f"; did you mean {str(kept)!r}?" if (kept / "study.db").is_file() else hint
    elif near_run := _near_run(path, path.parent) or _near_run(path, Path("runs")):
        hint = near_run
    elif inside := known_runs(path):
        hint = f"; there are runs in it, such as {path / inside[0]}"
    return RunError(f"{path} is not a run directory: it has no study.db{hint}")


def _near_run(path: Path, folder: Path) -> str:
    """Return the end of the message: another run in the folder of nearly this name, if there is one."""
    others = [name for name in known_runs(folder) if folder / name != path]  # it may appear while we look
    return near(path.name, others, lambda name: str(folder / name))


def known_runs(folder: Path) -> list[str]:
    """Return the names of the runs in a folder, the first thousand of what it holds."""
    with suppress(OSError):
        return sorted(each.name for each in islice(folder.iterdir(), 1000) if (each / "study.db").is_file())
    return []


def check_contained(path: Path) -> None:
    """Refuse a directory in which reading or writing could lead elsewhere, block for ever, or fill the memory.

    Raises RunError at a link, a device, a pipe, a second name of a file, or a file beyond MAX_BYTES.
    """
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            try:
                found = os.lstat(os.path.join(folder, name))
            except FileNotFoundError:
                continue  # a driver works here while others look
            if problem := _fault(found):
                place = os.path.relpath(os.path.join(folder, name), path)
                raise RunError(f"{path}: {place[:100]!r} {problem}; a run directory has files of its own only")


def _fault(found: os.stat_result) -> str:
    if stat.S_ISDIR(found.st_mode):
        return ""
    if not stat.S_ISREG(found.st_mode):
        return "is a link" if stat.S_ISLNK(found.st_mode) else "is not a regular file"
    if found.st_nlink > 1:
        return "has a second name elsewhere, as after `cp -al`, and would change there too (copy the run with `cp -r`)"
    return f"has {found.st_size:,} bytes, more than {MAX_BYTES:,}" if found.st_size > MAX_BYTES else ""
