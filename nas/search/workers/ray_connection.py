"""The connection to Ray: to a running cluster, or to one that is started on this machine."""

import logging
import os
import secrets
import signal
import socket
import threading
from contextlib import suppress
from math import ceil
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from nas.errors import RunError
from nas.search.workers.processes import signals_blocked

# Before Ray is imported: require a token, send no usage statistics, leave CUDA_VISIBLE_DEVICES alone.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray as ray


def join_ray(address: str | None, cpus: float) -> None:
    """Connect to a cluster, or start one on this machine with room for all workers. Raises RunError."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    own: dict[str, Any] = {} if address else {"include_dashboard": False, "num_cpus": ceil(cpus)}
    handler = signal.getsignal(signal.SIGTERM)  # Ray installs its own, which ends a driver at once
    try:
        _check_reachable(address)
        if not address:
            make_token()
        with signals_blocked({signal.SIGHUP}):  # a cluster started here must finish what runs
            ray.init(address or "local", namespace="nas", **quiet, **own)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler or signal.SIG_DFL)
    except (ray.exceptions.RayError, OSError, ValueError, RuntimeError) as problem:
        where = f"no Ray cluster at {address}" if address else "Ray cannot be started"
        raise RunError(f"{where}: {(str(problem).strip().splitlines() or [repr(problem)])[0]:.200}") from None


def _check_reachable(address: str | None) -> None:
    """Raise OSError where nothing listens: Ray itself would try for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and "://" not in host:
        socket.create_connection((host, int(port)), 10).close()


def make_token() -> None:
    """Write this person's token for Ray where there is none, so that processes which start at once share one.

    Ray itself writes a token over one that another process has just written, and this process is then refused by every
    cluster that it starts. Where no token can be written, Ray says why.
    """
    named = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    token = Path.home() / ".ray" / "auth_token"
    if named or os.environ["RAY_AUTH_MODE"] != "token" or token.exists():
        return
    with suppress(OSError):  # FileExistsError, too: another process was first
        token.parent.mkdir(exist_ok=True)
        with NamedTemporaryFile("w", dir=token.parent, prefix=f"{token.name}.") as part:  # for its owner only
            part.write(secrets.token_hex(32))
            part.flush()
            os.link(part.name, token)
