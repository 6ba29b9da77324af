"""Downloads from a local server: complete and of the right digest, or one DataError and no file."""

import gzip
import io
import re
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from training.image_files import cifar_bytes, put, tiny_cifar, tiny_mnist

from nas.errors import DataError
from nas.training.data import Source, load_data, load_test
from nas.training.data.catalog.fetch import fetch

PROGRESS: list[tuple[str, int, int]] = []


def record(*step: object) -> None:
    PROGRESS.append(step)  # type: ignore[arg-type]


class Server:
    """Files by name; says what it was asked. cut: bytes of an answer's body before the line goes dead."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.asked, self.cut, self.status, self.ranges = files, [], None, None, True  # type: ignore[var-annotated]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name, wanted = request.path.rpartition("/")[2], request.headers.get("Range")
        self.asked.append((name, wanted))
        if self.status or name not in self.files:
            request.send_error(self.status or 404)
            return
        content, begin = self.files[name], 0
        if wanted and self.ranges:
            begin = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])  # type: ignore[index]
            if begin >= len(content):
                request.send_error(416)
                return
        request.send_response(206 if begin else 200)
        request.send_header("Content-Length", str(len(content) - begin))
        request.end_headers()
        request.wfile.write(content[begin:] if self.cut is None else content[begin : begin + self.cut])
        request.close_connection = True


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[tuple[str, Server]]:
    server = Server(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/sets/", server
        finally:
            listening.shutdown()
            thread.join()


def packed(members: Mapping[str, bytes | None], kind: bytes = tarfile.SYMTYPE) -> bytes:
    """A .tar.gz; None as content makes a member of `kind` that points outside."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = kind, "/etc/passwd"
            else:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content) if content else None)
    return buffer.getvalue()


FILES = {"data_batch_1.bin": cifar_bytes(40), "data_batch_2.bin": cifar_bytes(20, seed=1),
         "test_batch.bin": cifar_bytes(20, seed=2)}  # fmt: skip
INSIDE = {f"cifar-10-batches-bin/{name}": content for name, content in FILES.items()}
ARCHIVE = "cifar-10-binary.tar.gz"


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.rglob("*") if path.is_file()) if place.exists() else []


def fetched(monkeypatch: pytest.MonkeyPatch, place: Path, archive: bytes, **settings: object) -> list[tuple[str, str]]:
    """Fetch `cifar10` from a server that has this archive; what it was asked."""
    tiny_cifar(monkeypatch, archive)
    with served({ARCHIVE: archive} | settings.pop("files", {})) as (url, server):  # type: ignore[operator]
        for name, value in settings.items():
            setattr(server, name, value)
        try:
            fetch("cifar10", place, record, url)
        finally:
            assert not [name for name in names(place) if name.endswith(".bin.part")]
        return server.asked


def test_an_archive_is_fetched_unpacked_and_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = packed({"cifar-10-batches-bin/readme.html": b"hello", **INSIDE})
    PROGRESS.clear()
    place = tmp_path / "data" / "cifar10"
    assert fetched(monkeypatch, place, archive) == [(ARCHIVE, None)]
    assert names(place) == sorted(FILES)
    assert PROGRESS[-1] == (ARCHIVE, len(archive), len(archive))
    assert len(load_data(Source("cifar10", str(place))).train.labels) == 54
    assert len(load_test(Source("cifar10", str(place))).labels) == 20
    assert fetched(monkeypatch, place, archive) == []  # everything is there


def test_files_are_fetched_one_by_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in tiny_mnist(monkeypatch).items()}
    with served(files) as (url, server):
        fetch("mnist", tmp_path, record, url)
        assert [name for name, _ in server.asked] == list(files)
    assert names(tmp_path) == sorted(files)
    assert len(load_data(Source("mnist", str(tmp_path))).train.labels) == 36


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_is_resumed(ranges: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = packed(INSIDE)
    with pytest.raises(DataError, match=r"cut off at 5,000 of [\d,]+ bytes; the same command resumes the download"):
        fetched(monkeypatch, tmp_path, archive, cut=5000)
    assert names(tmp_path) == [f"{ARCHIVE}.part"]
    assert fetched(monkeypatch, tmp_path, archive, ranges=ranges) == [(ARCHIVE, "bytes=5000-")]
    assert names(tmp_path) == sorted(FILES)


def test_a_wrong_digest_is_refused_and_discarded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = packed(INSIDE)
    other = archive[:100] + bytes([archive[100] ^ 1]) + archive[101:]
    for wrong in (other, archive + b"more", archive * 3):
        with pytest.raises(DataError, match=r"has SHA-256 .* it was discarded"):
            fetched(monkeypatch, tmp_path, archive, files={ARCHIVE: wrong})
        assert names(tmp_path) == []


def test_a_remainder_that_is_too_long_is_discarded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = packed(INSIDE)
    put(tmp_path, {f"{ARCHIVE}.part": archive[:900]})
    with pytest.raises(DataError, match="the server answers 416"):
        fetched(monkeypatch, tmp_path, archive, files={ARCHIVE: archive[:800]})
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_server_error_says_how_to_do_without(status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=rf"the server answers {status} .* get cifar-10-binary\.tar\.gz from .* put the"
    ):
        fetched(monkeypatch, tmp_path, packed(INSIDE), status=status)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("archive", "match"),
    [
        (packed(INSIDE)[:-3000], "cannot be read"),
        (b"no archive", "cannot be read"),
        (packed({"cifar-10-batches-bin/test_batch.bin": FILES["test_batch.bin"]}), "does not hold data_batch_1.bin"),
        (packed({**INSIDE, "x/data_batch_1.bin": None}), None),
        (packed({"data_batch_1.bin": None, **INSIDE}), "not a plain file of 122,920 bytes"),
        (packed({"data_batch_1.bin": None, **INSIDE}, tarfile.LNKTYPE), "not a plain file"),
        (packed({"data_batch_1.bin": None, **INSIDE}, tarfile.DIRTYPE), "not a plain file"),
        (packed({**INSIDE, "cifar-10-batches-bin/test_batch.bin": b"short"}), "not a plain file of 61,460 bytes"),
        (packed({"bomb.bin": bytes(50_000_000), **INSIDE}), "'bomb.bin' of 50,000,000 bytes does not belong"),
        (packed({f"{i}": b"" for i in range(1001)} | INSIDE), "does not belong"),
    ],
    ids=lambda value: "bytes" if isinstance(value, bytes) else str(value)[:20],
)
def test_archives_are_not_trusted(
    archive: bytes, match: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = tmp_path / "inner"
    if match is None:
        fetched(monkeypatch, place, archive)
    else:
        with pytest.raises(DataError, match=re.escape(match)):
            fetched(monkeypatch, place, archive)
    assert set(names(tmp_path)) <= {*FILES, ARCHIVE}
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink()]


def test_no_path_leads_out_of_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outside = {"../../evil.bin": b"x", "/tmp/../evil.bin": b"x", "../test_batch.bin": FILES["test_batch.bin"]}
    inside = {name: content for name, content in INSIDE.items() if "test" not in name}
    fetched(monkeypatch, tmp_path / "a" / "b", packed({**outside, **inside}))
    assert names(tmp_path) == sorted(FILES)
    assert all(path.parent == tmp_path / "a" / "b" for path in tmp_path.rglob("*.bin"))


def test_an_archive_brought_by_hand_is_unpacked_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = packed(INSIDE)
    put(tmp_path, {ARCHIVE: archive})
    assert fetched(monkeypatch, tmp_path, archive) == []
    assert names(tmp_path) == sorted([*FILES, ARCHIVE])


@pytest.mark.parametrize("mirror", ["http://127.0.0.1:9/", "file:///etc/", "nonsense", "http://[", "http://a b/"])
def test_an_invalid_mirror(mirror: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny_cifar(monkeypatch, b"x")
    with pytest.raises(DataError, match="cannot be fetched"):
        fetch("cifar10", tmp_path, record, mirror)
    assert names(tmp_path) == []


def test_invalid_places_and_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny_cifar(monkeypatch, b"x")
    with pytest.raises(DataError, match="nothing to fetch for 'digits'"):
        fetch("digits", tmp_path, record)
    put(tmp_path, {"file": b""})
    with pytest.raises(DataError, match="file"):
        fetch("cifar10", tmp_path / "file" / "inner", record)
