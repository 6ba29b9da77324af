"""Each inconsistency made on purpose: found, named, and mended when asked."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from nas.errors import RunError, printable
from nas.search.pareto import front_of
from nas.search.results.doctor import Inconsistency, find_inconsistencies
from nas.search.store.run import load_run
from nas.search.store.run_files import exclusive_lock, trial_folder


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def found(run: Path, *, fix: bool = False) -> list[Inconsistency]:
    return list(find_inconsistencies(run, fix))


def sql(run: Path, command: str) -> None:
    with closing(sqlite3.connect(run / "study.db")) as database, database:
        database.execute(command)


def front(run: Path) -> list[int]:
    kept = load_run(run)
    return [record.number for record in front_of(kept.records, kept.experiment.objectives)]


def off_the_front(run: Path) -> int:
    return next(record.number for record in load_run(run).records if record.number not in front(run))


def leave_running(run: Path) -> None:
    sql(run, f"UPDATE trials SET state = 'RUNNING' WHERE number = {off_the_front(run)}")


def leave_weights(run: Path) -> None:
    for name in (f"{off_the_front(run):06d}", "000999", "elsewhere"):
        (run / "trials" / name).mkdir(parents=True)
        (run / "trials" / name / "weights.safetensors").write_bytes(b"old")


def leave_parts(run: Path) -> None:
    kept = trial_folder(run, front(run)[0])
    for part in (run / "experiment.toml.part", kept / "weights.safetensors.part"):
        part.write_bytes(b"half")


def lose_experiment(run: Path) -> None:
    (run / "experiment.toml").unlink()


def damage_experiment(run: Path) -> None:
    (run / "experiment.toml").write_text("space = ")


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "running": (leave_running, "runs without a driver"),
    "weights": (leave_weights, "3 in trials/ that belong to no trial on the front"),
    "parts": (leave_parts, "2 files half written"),
    "no experiment": (lose_experiment, "experiment.toml cannot be read"),
    "damaged experiment": (damage_experiment, "experiment.toml is damaged"),
}


def test_a_healthy_run_has_no_findings(run: Path) -> None:
    assert found(run) == []


def test_a_network_without_choices_is_one_of_the_search(run: Path) -> None:
    """As evolution over graphs makes them."""
    sql(run, f"DELETE FROM trial_params WHERE trial_id = {front(run)[0] + 1}")
    assert not load_run(run).records[front(run)[0]].choices
    assert found(run) == []


LONGER = {"weights", "parts", "damaged experiment"}


@pytest.mark.parametrize("fault", [pytest.param(f, marks=pytest.mark.slow if f in LONGER else ()) for f in FAULTS])
def test_a_fault_is_found_and_mended(fault: str, run: Path) -> None:
    before = load_run(run)
    damage, says = FAULTS[fault]
    damage(run)
    assert says in found(run)[0].what, "not found"
    assert says in found(run)[0].what, "looking changed something"
    assert all(finding.fix for finding in found(run, fix=True) if says in finding.what)
    assert found(run) == []
    after = load_run(run)
    assert after.experiment == before.experiment
    assert [record.state for record in after.records].count("complete") >= 7


def test_a_making_cut_short_leaves_nothing(tmp_path: Path) -> None:
    for name in ("experiment.toml", "study.db.part", "study.db.part-wal"):
        (tmp_path / name).write_bytes(b"half")
    assert [finding.what for finding in found(tmp_path)] == ["the run was only half made"]
    found(tmp_path, fix=True)
    assert list(tmp_path.iterdir()) == []


def test_words_left_in_the_log_are_taken_up(run: Path) -> None:
    crashed = run.with_name("crashed")
    with closing(sqlite3.connect(run / "study.db")) as database, database:
        database.execute("UPDATE trial_user_attributes SET value_json = '1' WHERE key = 'seed'")
        database.commit()
        shutil.copytree(run, crashed)  # while a connection is open, as a crash leaves it
    assert "study.db-wal" in found(crashed, fix=True)[0].what
    assert {record.seed for record in load_run(crashed).records} == {1}
    assert found(crashed) == []


@pytest.mark.slow
def test_lost_weights_are_trained_again(run: Path) -> None:
    lost = trial_folder(run, front(run)[0])
    shutil.rmtree(lost)
    assert "without its weights" in found(run)[0].what
    found(run, fix=True)
    assert (lost / "weights.safetensors").is_file()
    assert found(run) == []


def test_a_damaged_study_is_beyond_mending(run: Path) -> None:
    content = bytearray((run / "study.db").read_bytes())
    content[8192:40_000] = b"\xff" * (40_000 - 8192)
    (run / "study.db").write_bytes(content)
    findings = found(run, fix=True)
    assert "study.db is damaged" in findings[0].what
    assert findings[0].fix is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "sql = replace(sql, 'value_json TEXT', 'value_json TEXT, ' || CAST(x'94' AS TEXT) || ' NOT NULL')",
            "NULL value",
        ),
        ("name = CAST(x'94' AS TEXT), sql = 'CREATE TABLE x('", "'utf-8' codec"),
    ],
)
def test_damage_that_is_no_text_is_one_message(change: str, said: str, run: Path) -> None:
    with closing(sqlite3.connect(run / "study.db")) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(f"UPDATE sqlite_master SET {change} WHERE name = 'trial_user_attributes'")
        database.commit()
    assert f"study.db is damaged: {said}" in found(run)[0].what


def test_a_run_in_use_is_left_alone(run: Path) -> None:
    with exclusive_lock(run), pytest.raises(RunError, match="in use by another driver"):
        found(run, fix=True)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(RunError, match="not a run directory"):
        found(tmp_path, fix=True)


@pytest.mark.parametrize("number", ["'x'", "1.5", "9e999"])
def test_a_trial_whose_number_is_none_is_one_message(number: str, run: Path) -> None:
    sql(run, f"UPDATE trials SET number = {number} WHERE number = 3")
    with pytest.raises(RunError, match=r"number of a trial is|cannot be read as a study"):
        found(run, fix=True)


def test_control_characters_are_escaped() -> None:
    assert printable("a\nb\tc\xa0", kept="") == "a\\nb\\tc\xa0"
    assert printable("a\x1b[31m\x07\n\tü") == "a\\x1b[31m\\x07\n\tü"
