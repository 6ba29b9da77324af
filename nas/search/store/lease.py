"""Who may propose, and whose trials run: alone in a run directory, or with other drivers on one PostgreSQL study.

A driver's lease is an advisory lock that its connection holds on the server. The server frees it when the driver dies,
and keeps it while the driver is only slow or stopped. Only a driver that is stopped inside an exclusive section (a few
milliseconds, in which the others wait) loses its lease; it sees that when it continues.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Protocol

from nas.errors import RunError

KEEPALIVE_SECONDS = 60  # of silence after which the server probes a connection, up to 3 times
SECTION_SECONDS = 60  # after which the server drops a driver that is stopped inside an exclusive section


class Lease(Protocol):
    """Coordination with the other drivers of a study."""

    owner: int

    def is_alive(self, owner: int) -> bool:
        """Return whether the driver of that number still holds its lease."""
        ...

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other drivers from proposing, claiming and recording. Raises RunError when the lease is lost."""
        ...


class Alone:
    """The lease of a driver that holds the run directory: there is no other."""

    owner = 0

    def is_alive(self, owner: int) -> bool:
        return False

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        yield


class Shared:
    """The lease of one of several drivers of a study on a PostgreSQL server."""

    def __init__(self, connection: Any, study: str) -> None:
        self._connection, self._study = connection, number_of(study)
        self.owner = secrets.randbits(62)
        self._ask("SELECT pg_advisory_lock(%s)", self.owner)
        self._dead: set[int] = set()

    def is_alive(self, owner: int) -> bool:
        if owner not in self._dead and self._ask("SELECT pg_try_advisory_lock(%s)", owner):
            self._ask("SELECT pg_advisory_unlock(%s)", owner)
            self._dead.add(owner)
        return owner not in self._dead

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with _still_held(), self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (self._study,))
            yield

    def _ask(self, query: str, argument: int) -> Any:
        with _still_held():
            return self._connection.execute(query, (argument,)).fetchone()[0]


@contextmanager
def _still_held() -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as problem:
        raise RunError(f"the lease on the shared study is lost: {_first(problem)}; continue with: nas resume") from None


def number_of(study: str) -> int:
    """Return the number of a study's lock, the same in every driver."""
    return int.from_bytes(sha256(f"nas study {study}".encode()).digest()[:8], signed=True)


@contextmanager
def shared(url: str, study: str) -> Iterator[Shared]:
    """Hold one driver's lease until the block ends or the driver dies. Raises RunError when no server answers."""
    psycopg = driver()
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=60)
    except (psycopg.Error, UnicodeError, ValueError) as problem:
        raise RunError(f"no connection to a PostgreSQL server at `storage` (={url}): {_first(problem)}") from None
    with connection:
        for setting, value in (("idle", KEEPALIVE_SECONDS), ("interval", KEEPALIVE_SECONDS), ("count", 3)):
            connection.execute(f"SET tcp_keepalives_{setting} = {value}")
        connection.execute(f"SET idle_in_transaction_session_timeout = '{SECTION_SECONDS}s'")
        yield Shared(connection, study)


def driver() -> Any:
    """Return psycopg, an optional dependency. Raises RunError where it is missing."""
    try:
        import psycopg
    except ImportError:
        raise RunError("`storage` needs psycopg; install it with: pip install 'nas-convnets[postgres]'") from None
    return psycopg


def _first(problem: Exception) -> str:
    return " ".join(str(problem).split())[:200]
