"""The package can be imported where Python lacks what only POSIX has, as on Windows."""

import subprocess
import sys

CODE = """
import signal, sys
import torch, optuna
for name in ("fcntl", "resource"):
    sys.modules[name] = None
del signal.SIGHUP
import nas.cli.progress, nas.report, nas.search.workers.processes, nas.search.workers.worker, nas.training.device
"""


def test_every_room_is_imported_without_fcntl_resource_and_sighup() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True)
