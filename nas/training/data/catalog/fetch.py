"""Download public sets: each file is complete and has the published digest, or an error is raised and nothing kept."""

import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from hashlib import file_digest
from pathlib import Path
from typing import IO

from nas.errors import DataError, near
from nas.files import atomic_file
from nas.training.data.catalog.public_set import DataFile, PublicSet
from nas.training.data.catalog.public_sets import PUBLIC_SETS
from nas.training.data.untrusted import raise_data_error

TIMEOUT = 30  # seconds without an answer from a server
CHUNK = 1 << 18
MAX_MEMBERS = 1_000  # of an archive; CIFAR's have eight

OnProgress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes received, and its length."""


def fetch(name: str, folder: Path, progress: OnProgress, mirror: str | None = None) -> None:
    """Download a public set into a folder and unpack it there; resume an attempt that was interrupted.

    mirror: the URL of a folder with the published archives, used instead of their home. Raises DataError.
    """
    if name not in PUBLIC_SETS:
        raise DataError(
            f"nothing to fetch for {name[:60]!r}{near(name, PUBLIC_SETS) or '.'} There are: {', '.join(PUBLIC_SETS)}"
        )
    public_set = PUBLIC_SETS[name]
    if is_complete(public_set, folder):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in public_set.downloads:
            _fetch_file(public_set, file, folder, (mirror or public_set.home).rstrip("/"), progress)
    except OSError as problem:
        raise DataError(f"{folder}: {problem.strerror or problem}; the same command resumes the download") from None


def is_complete(public_set: PublicSet, folder: Path) -> bool:
    """Return whether every file of a set is present."""
    try:
        return bool(public_set.files(folder, "train") and public_set.files(folder, "test"))
    except DataError:
        return False


def _fetch_file(public_set: PublicSet, file: DataFile, folder: Path, base: str, progress: OnProgress) -> None:
    """Download one file and check it; unpack an archive, and keep it only if it was there before."""
    final = folder / file.name
    was_present = final.is_file()
    if not was_present:
        part, remedy = folder / f"{file.name}.part", f"Or {public_set.manual_remedy(folder)}"
        _download_checked(f"{base}/{file.name}", part, file, progress, remedy).replace(final)
    if file.name.endswith(".tar.gz"):
        unpack(final, public_set, folder)
        if not was_present:
            final.unlink()


def _download_checked(url: str, part: Path, file: DataFile, progress: OnProgress, remedy: str) -> Path:
    download(url, part, file, progress, remedy)
    with part.open("rb") as content:
        digest = file_digest(content, "sha256").hexdigest()
    if digest != file.digest:
        part.unlink()
        raise DataError(f"{url} has SHA-256 {digest}, the published file {file.digest}; it was discarded. Try a mirror")
    return part


def download(url: str, part: Path, file: DataFile, progress: OnProgress, remedy: str) -> None:
    """Download the rest of a file into `part`, which holds its beginning. Raises DataError."""
    received = part.stat().st_size if part.is_file() else 0
    if received >= file.length:
        return
    try:
        with _request(url, received) as answer:
            received = received if answer.status == http.client.PARTIAL_CONTENT else 0
            with part.open("ab" if received else "wb") as target:
                received = _copy(answer, target, received, file, progress)
    except urllib.error.HTTPError as problem:
        if problem.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()  # it is longer than the server's file: another file
        raise DataError(f"{url}: the server answers {problem.code} {problem.reason}. {remedy}") from None
    except (OSError, http.client.HTTPException, ValueError) as problem:
        reason = getattr(problem, "reason", None) or problem
        raise DataError(f"{url} cannot be fetched: {reason}. The same command resumes the download. {remedy}") from None
    if received < file.length:
        raise DataError(
            f"{url} was cut off at {received:,} of {file.length:,} bytes; the same command resumes the download"
        )


def _request(url: str, received: int) -> http.client.HTTPResponse:
    if not url.startswith(("http://", "https://")):
        raise ValueError("a mirror's URL begins with http:// or https://")
    request = urllib.request.Request(url, headers={"Range": f"bytes={received}-"} if received else {})
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)
    return answer


def _copy(
    answer: http.client.HTTPResponse, target: IO[bytes], received: int, file: DataFile, progress: OnProgress
) -> int:
    """Append the answer and return the bytes received: at most one beyond the file's length, to protect the disk."""
    while received <= file.length and (chunk := answer.read(min(CHUNK, file.length + 1 - received))):
        target.write(chunk)
        received += len(chunk)
        progress(file.name, min(received, file.length), file.length)
    return received


def unpack(archive: Path, public_set: PublicSet, folder: Path) -> None:
    """Extract a set's files from an archive to fixed names, and ignore anything else in it.

    Raises DataError when one is missing, is not a plain file, or has another length; the reader checks digests.
    """
    missing = {file.name: file for file in (*public_set.train, *public_set.test)}
    max_length = max(file.length for file in missing.values())
    with raise_data_error(archive, "Delete it and fetch again"), tarfile.open(archive, "r:gz") as tar:
        for number, member in enumerate(tar):
            if number >= MAX_MEMBERS or member.size > max_length:
                raise ValueError(f"{member.name[:60]!r} of {member.size:,} bytes does not belong to {public_set.name}")
            file = missing.pop(Path(member.name).name, None)
            if file is not None:
                _extract(tar, member, file, folder)
    if missing:
        raise DataError(f"{archive} does not hold {', '.join(missing)}. Delete it and fetch again")


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, file: DataFile, folder: Path) -> None:
    content = tar.extractfile(member) if member.isreg() and member.size == file.length else None
    if content is None:
        raise ValueError(f"{member.name[:60]!r} is not a plain file of {file.length:,} bytes")
    with atomic_file(folder / file.name) as target:
        shutil.copyfileobj(content, target)
