"""The example scripts, each run as a user does: in an empty folder, within two minutes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
MAX_SECONDS = 120  # on two quiet cores; a busy machine gets four times that
WRITTEN = {
    "asha.py": {"tune"},
    "optuna_study.py": {"net.py", "study.db"},
    "own_space_flops.py": {"runs", "tune"},
    "own_trainable.py": {"tune"},
    "pbt.py": {"tune"},
}
"""By script, the files that it leaves in its folder."""
KILLED = {"own_trainable.py"}  # which tests/tune runs, kills and continues


def test_every_example_has_an_entry() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(WRITTEN)


@pytest.mark.parametrize("name", WRITTEN)
def test_an_example_is_short(name: str) -> None:
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert 15 <= sum(bool(line.strip()) and not line.startswith(('"""', "#")) for line in lines) <= 30


@pytest.mark.slow
@pytest.mark.timeout(600, func_only=True)
@pytest.mark.usefixtures("one_ray")
@pytest.mark.parametrize("name", sorted(WRITTEN.keys() - KILLED))
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)], cwd=tmp_path, capture_output=True, text=True, timeout=4 * MAX_SECONDS,
        env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "error 0." in done.stdout
    assert WRITTEN[name] <= {path.name for path in tmp_path.iterdir()}
