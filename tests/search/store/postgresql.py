"""A PostgreSQL server for a test, of Debian's package: in a folder of its own, on a socket, gone with the test."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def server() -> Iterator[str]:
    """The URL of a database that trusts whoever reaches its socket. Skips the test where none can be started."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(programs[-1]) if programs else shutil.which("initdb")
    if found is None:
        pytest.skip("PostgreSQL is not installed: no initdb")
    user = None
    if os.geteuid() == 0:  # it refuses to run as root
        user = next(
            (name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()}), None
        )
        if user is None:
            pytest.skip("PostgreSQL does not run as root, and there is no other user")
    place = Path(tempfile.mkdtemp(prefix="nas-pg-"))
    try:
        if user:
            os.chown(place, pwd.getpwnam(user).pw_uid, -1)
        made = subprocess.run(
            [found, "-D", place / "data", "-U", "nas", "-A", "trust", "-N", "--no-locale", "-E", "UTF8"],
            user=user, cwd=place, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"PostgreSQL cannot be set up here: {made.stderr[-200:]}")
        options: list[str | Path] = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", place]
        command = [Path(found).with_name("postgres"), "-D", place / "data", *options]
        running = subprocess.Popen(command, user=user, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            url = f"postgresql://nas@/postgres?host={place}"
            _wait(url, running)
            yield url
        finally:
            running.send_signal(signal.SIGINT)  # a fast end: it does not wait for clients
            running.wait(20)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _wait(url: str, running: "subprocess.Popen[bytes]") -> None:
    import psycopg

    for _ in range(300):
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            assert running.poll() is None, "the server ended"
            time.sleep(0.1)
    raise AssertionError("the server does not answer")
