"""Public sets from where they are published: whole files of the right digest, or an error and nothing."""

import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from hashlib import file_digest
from pathlib import Path
from typing import IO

from nas.errors import DataError
from nas.training.data.catalog.public_sets import PUBLISHED
from nas.training.data.catalog.published import File, PublicSet
from nas.training.data.untrusted import reading, writing

SECONDS = 30  # of silence from a server
CHUNK = 1 << 18
MAX_MEMBERS = 1_000  # of an archive; CIFAR's have eight

Progress = Callable[[str, int, int], None]
"""Hears of a file: its name, the bytes there are, the bytes there will be."""


def fetch(name: str, place: Path, progress: Progress, mirror: str | None = None) -> None:
    """Download a public set into a folder and unpack it there; goes on where an earlier attempt was cut off.

    mirror: the URL of a folder with the published archives, to be asked instead of their home. Raises DataError.
    """
    if name not in PUBLISHED:
        raise DataError(f"nothing to fetch for {name[:60]!r}. There are: {', '.join(PUBLISHED)}")
    known = PUBLISHED[name]
    if complete(known, place):
        return
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file in known.downloads:
            _obtain(known, file, place, (mirror or known.home).rstrip("/"), progress)
    except OSError as problem:
        raise DataError(f"{place}: {problem.strerror or problem}; nothing is lost: the same command goes on") from None


def complete(known: PublicSet, place: Path) -> bool:
    """Whether every file of a set is there."""
    try:
        return bool(known.files(place, "train") and known.files(place, "test"))
    except DataError:
        return False


def _obtain(known: PublicSet, file: File, place: Path, base: str, progress: Progress) -> None:
    """One download, checked and under its final name; an archive is unpacked, and kept if it was there before."""
    final = place / file.name
    given = final.is_file()
    if not given:
        _checked(
            f"{base}/{file.name}", place / f"{file.name}.part", file, progress, f"Or {known.by_hand(place)}"
        ).replace(final)
    if file.name.endswith(".tar.gz"):
        unpack(final, known, place)
        if not given:
            final.unlink()


def _checked(url: str, part: Path, file: File, progress: Progress, remedy: str) -> Path:
    download(url, part, file, progress, remedy)
    with part.open("rb") as content:
        found = file_digest(content, "sha256").hexdigest()
    if found != file.digest:
        part.unlink()
        raise DataError(f"{url} has SHA-256 {found}, the published file {file.digest}; it was discarded. Try a mirror")
    return part


def download(url: str, part: Path, file: File, progress: Progress, remedy: str) -> None:
    """Bring `part` to the file's length, from what is there of it. Raises DataError."""
    there = part.stat().st_size if part.is_file() else 0
    if there >= file.length:
        return
    try:
        with _ask(url, there) as answer:
            there = there if answer.status == http.client.PARTIAL_CONTENT else 0
            with part.open("ab" if there else "wb") as target:
                there = _copy(answer, target, there, file, progress)
    except urllib.error.HTTPError as problem:
        if problem.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()  # it has more than the server: another file
        raise DataError(f"{url}: the server says {problem.code} {problem.reason}. {remedy}") from None
    except (OSError, http.client.HTTPException, ValueError) as problem:
        said = getattr(problem, "reason", None) or problem
        raise DataError(f"{url} cannot be fetched: {said}. The same command goes on. {remedy}") from None
    if there < file.length:
        raise DataError(f"{url} was cut off at {there:,} of {file.length:,} bytes; the same command goes on")


def _ask(url: str, there: int) -> http.client.HTTPResponse:
    if not url.startswith(("http://", "https://")):
        raise ValueError("a mirror's URL begins with http:// or https://")
    request = urllib.request.Request(url, headers={"Range": f"bytes={there}-"} if there else {})
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=SECONDS)
    return answer


def _copy(answer: http.client.HTTPResponse, target: IO[bytes], there: int, file: File, progress: Progress) -> int:
    """Bytes there are after it; one more than the file's length at most, so that no server fills the disk."""
    while there <= file.length and (chunk := answer.read(min(CHUNK, file.length + 1 - there))):
        target.write(chunk)
        there += len(chunk)
        progress(file.name, min(there, file.length), file.length)
    return there


def unpack(archive: Path, known: PublicSet, place: Path) -> None:
    """A set's own files out of an archive, to names that are ours; anything else in it is passed over.

    Raises DataError when one is missing, is no plain file, or has another length; digests are checked by the reader.
    """
    wanted = {file.name: file for file in (*known.train, *known.test)}
    longest = max(file.length for file in wanted.values())
    with reading(archive, "Delete it and fetch again"), tarfile.open(archive, "r:gz") as tar:
        for number, member in enumerate(tar):
            if number >= MAX_MEMBERS or member.size > longest:
                raise ValueError(f"{member.name[:60]!r} of {member.size:,} bytes does not belong to {known.task.name}")
            file = wanted.pop(Path(member.name).name, None)
            if file is not None:
                _extract(tar, member, file, place)
    if wanted:
        raise DataError(f"{archive} does not hold {', '.join(wanted)}. Delete it and fetch again")


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, file: File, place: Path) -> None:
    content = tar.extractfile(member) if member.isreg() and member.size == file.length else None
    if content is None:
        raise ValueError(f"{member.name[:60]!r} is no plain file of {file.length:,} bytes")
    with writing(place / file.name) as target:
        shutil.copyfileobj(content, target)
