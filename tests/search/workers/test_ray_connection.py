"""The token that every connection to Ray needs, made once however many processes begin at once."""

from pathlib import Path

import pytest

from nas.search.workers import ray_connection
from nas.search.workers.ray_connection import join_ray, make_token

pytestmark = pytest.mark.slow  # importing Ray takes seconds


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of Ray in a home where it has never run."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".ray"


def test_a_token_is_made_once_and_is_for_its_owner_only(folder: Path) -> None:
    make_token()
    (file,) = folder.iterdir()
    token = file.read_text()
    assert (file.name, len(token), file.stat().st_mode & 0o777) == ("auth_token", 64, 0o600)
    make_token()
    assert file.read_text() == token


def test_a_token_of_another_process_that_began_at_once_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / "auth_token").write_text("theirs")
    monkeypatch.setattr(Path, "exists", lambda _: False)  # as if this process had looked before the other wrote
    make_token()
    assert [file.read_text() for file in folder.iterdir()] == ["theirs"]


@pytest.mark.parametrize(("name", "value"), [("RAY_AUTH_MODE", "disabled"), ("RAY_AUTH_TOKEN", "mine")])
def test_whoever_brings_a_token_or_wants_none_gets_no_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    make_token()
    assert not folder.exists()


@pytest.mark.parametrize(("address", "files"), [(None, ["auth_token"]), ("somewhere", [])])
def test_only_a_cluster_that_is_started_here_needs_a_token(
    folder: Path, monkeypatch: pytest.MonkeyPatch, address: str | None, files: list[str]
) -> None:
    monkeypatch.setattr(ray_connection.ray, "init", lambda *_, **__: None)
    join_ray(address, 1)
    assert [file.name for file in folder.parent.rglob("*") if file.is_file()] == files


def test_a_folder_that_cannot_be_written_is_left_for_ray_to_tell(folder: Path) -> None:
    folder.write_text("a file")
    make_token()
    assert folder.read_text() == "a file"
