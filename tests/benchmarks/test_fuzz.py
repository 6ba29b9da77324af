"""The short form of benchmarks/fuzz.py."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.fuzz import Ending, control_characters, faults
from benchmarks.mutations import changed, genome

ROOT = Path(__file__).parents[2]


def test_broken_promises_are_seen(tmp_path: Path) -> None:
    for code, out, err in ((70, "", ""), (-14, "", ""), (0, "\x1b[31m", ""), (2, "", "a\rb"), (0, "NaN", "")):
        assert len(list(faults(("status", "RUN", "--json"), Ending(code, out or "{}", err, 0), tmp_path))) >= 1
    assert not list(faults(("status", "RUN"), Ending(2, "", "nas: a\nb\t\xa0\xe9\n", 0), tmp_path))


def test_bidirectional_and_separating_characters_are_control_characters() -> None:
    assert control_characters("a\u202eb\u2028c\x85\n") == r"\x85\u2028\u202e"


def test_the_same_seed_makes_the_same_damage() -> None:
    found = [(changed(rng, {"a": [1, "x"]}), genome(rng, "{}")) for rng in (random.Random(4), random.Random(4))]
    assert repr(found[0]) == repr(found[1])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_damaged_and_hostile_studies_end_in_a_message() -> None:
    amount = ["--databases", "15", "--genomes", "50", "--measured", "1", "--seed", "7"]
    command = [sys.executable, "-m", "benchmarks.fuzz", *amount]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
