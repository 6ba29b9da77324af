"""Files from somebody else: what SECURITY.md promises of run directories and experiments, tried."""

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search.idle import InProcess

from nas.errors import ExperimentError, NasError, RunError
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment, read_experiment, to_toml, validate_experiment
from nas.search.loop.search import Search
from nas.search.results.doctor import find_inconsistencies
from nas.search.results.finalist_files import load_finalists
from nas.search.store.create import create
from nas.search.store.readings import load_readings
from nas.search.store.run import Run, load_run
from nas.search.store.study import open_run

QUICK = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
LONG = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy to be tampered with."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def link(name: str) -> Callable[[Path, Path], None]:
    """Put a link to elsewhere in the place of a file or folder."""

    def tamper(run: Path, elsewhere: Path) -> None:
        place = run / name
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(elsewhere)

    return tamper


def pipe(run: Path, elsewhere: Path) -> None:
    (run / "experiment.toml").unlink()
    os.mkfifo(run / "experiment.toml")


def second_name(run: Path, elsewhere: Path) -> None:
    (elsewhere / "diary.txt").touch()
    os.link(elsewhere / "diary.txt", run / "log.txt.part")


def oversized(run: Path, elsewhere: Path) -> None:
    with (run / "log.txt").open("ab") as file:
        file.truncate(2**40)


def endless(run: Path, elsewhere: Path) -> None:
    sql(run, "ALTER TABLE trials RENAME TO hidden")
    sql(run, "CREATE VIEW trials AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n")


def sql(run: Path, command: str, *values: object) -> None:
    with closing(sqlite3.connect(run / "study.db")) as database, database:
        database.execute(command, values)


TRICKS: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "study is a link": (link("study.db"), "'study.db' is a link"),
    "trials is a link": (link("trials"), "'trials' is a link"),
    "report is a link": (link("report"), "'report' is a link"),
    "a log that leads elsewhere": (link("log.txt"), "'log.txt' is a link"),
    "a link deep down": (link("trials/000099"), "'trials/000099' is a link"),
    "a part that leads elsewhere": (link("experiment.toml.part"), "is a link"),
    "a lock that leads elsewhere": (link("driver.lock"), "is a link"),
    "a pipe that never ends": (pipe, "is not a regular file"),
    "a second name of another file": (second_name, "has a second name"),
    "a terabyte": (oversized, "more than"),
    "a view without end": (endless, "views or triggers"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_run_cannot_lead_out_of_its_folder(trick: str, run: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    tamper, says = TRICKS[trick]
    tamper(run, elsewhere)
    before = sorted(elsewhere.iterdir())
    with pytest.raises(RunError, match=says):
        load_run(run)
    with pytest.raises(RunError, match=says):
        next(Search(open_run(run)).events())
    assert sorted(elsewhere.iterdir()) == before


def test_names_in_a_study_name_no_files(run: Path, tmp_path: Path) -> None:
    """A trial's folder comes from its number; what a study says of itself stays text."""
    sql(run, "UPDATE trial_user_attributes SET value_json = ? WHERE key = 'fingerprint'", '"../../elsewhere"')
    sql(run, "UPDATE study_user_attributes SET value_json = ? WHERE key = 'command'", '"$(touch elsewhere); `id`"')
    found = load_run(run)
    assert found.records[0].fingerprint == "../../elsewhere"
    assert found.weights(found.records[0]) == run / "trials" / "000000" / "weights.safetensors"


DAMAGE = {
    "genome": ['"x"', "1", "null", "[]", '{"format": "nas-genome/1"}'],
    "result": ["[]", '"x"', '{"scores": 3}', '{"scores": [{"epoch": "a"}]}', '{"seconds": "long"}'],
    "seed": ['"x"', "[]", "null", "1e999"],
    "ledger": ["3", '{"trained": "x"}', "[]"],
    "fingerprint": ["\x00", "", "{", "tru"],
}


@pytest.mark.parametrize(
    "key", [pytest.param(key, marks=() if key == "ledger" else pytest.mark.slow) for key in DAMAGE]
)
def test_a_damaged_trial_is_one_message(key: str, run: Path) -> None:
    for value in DAMAGE[key]:
        sql(run, "UPDATE trial_user_attributes SET value_json = ? WHERE key = ?", value, key)
        with pytest.raises(RunError, match=r"damaged|cannot be read"):
            _ = [record.graph for record in load_run(run).records]


def read(run: Path) -> Run | None:
    """What is read of a run that may be damaged; any error but ours is a failure."""
    with suppress(NasError):
        return load_run(run)
    return None


def patched(source: Path, patches: list[tuple[int, bytes]]) -> None:
    """Read a run whose study has other bytes in places."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(source, Path(folder) / "run"))
        content = bytearray((copy / "study.db").read_bytes())
        for place, new in patches:
            start = place % len(content)
            content[start : start + len(new)] = new
        (copy / "study.db").write_bytes(content)
        read(copy)


PATCHES = st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=64)), min_size=1, max_size=8)


@QUICK
@given(patches=PATCHES)
def test_a_study_with_other_bytes(finished_run: Path, patches: list[tuple[int, bytes]]) -> None:
    patched(finished_run, patches)


@pytest.mark.slow
@LONG
@given(patches=PATCHES)
def test_a_study_with_other_bytes_at_length(finished_run: Path, patches: list[tuple[int, bytes]]) -> None:
    patched(finished_run, patches)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KEYS = sorted({*Experiment.model_fields, "budget", "recipe"})


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_any_experiment_is_read_or_refused(changes: dict[str, Any]) -> None:
    asked = {"name": "x", "space": "mixed", "data": "digits"} | changes
    with suppress(NasError):
        assert isinstance(validate_experiment(asked, "x.toml"), Experiment)


@given(st.integers(0, 2000), st.text(max_size=12), st.integers(0, 40))
def test_any_experiment_file_is_read_or_refused(place: int, new: str, cut: int) -> None:
    text = to_toml(load_experiment("quickstart"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.toml"
        start = place % len(text)
        file.write_text(text[:start] + new + text[start + cut :], encoding="utf-8", errors="replace")
        with suppress(ExperimentError):
            read_experiment(file)


FINALIST = {"number": 0, "errors": [0.5], "low": 0.4, "high": 0.6, "seed": 1, "test_error": 0.5, "epochs": 1}
ROWS: list[object] = [
    "x", [[]], [None], "[" * 50_000, [FINALIST | {"number": "0"}], [FINALIST | {"errors": []}],
    [FINALIST | {"high": [0.6]}], [FINALIST | {"low": float("nan")}], [FINALIST | {"test_error": -1}],
    [FINALIST | {"weights": "../../x-0.safetensors"}], [FINALIST | {"weights": 1}], [FINALIST | {"\x1b": 1}],
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(ROWS)))
def test_damaged_rows_beside_a_study_are_one_message(place: int, tmp_path: Path) -> None:
    """Whatever the list of finalists says, nothing of it is used before it is checked."""
    text = ROWS[place] if isinstance(ROWS[place], str) else json.dumps(ROWS[place])
    (tmp_path / "finalists").mkdir()
    for file in (tmp_path / "finalists" / "finalists.json", tmp_path / "test_readings.json"):
        file.write_text(str(text))
    for load in (load_finalists, load_readings):
        with pytest.raises(RunError, match="is damaged") as problem:
            load(tmp_path)
        assert len(str(problem.value).splitlines()) == 1


def test_rows_as_they_are_written_are_read(tmp_path: Path) -> None:
    (tmp_path / "finalists").mkdir()
    (tmp_path / "finalists" / "finalists.json").write_text(json.dumps([FINALIST]))
    assert load_finalists(tmp_path)[0].errors == (0.5,)
    assert not load_finalists(tmp_path / "elsewhere")
    assert not load_readings(tmp_path)


@pytest.mark.parametrize("table", ["trials", "trial_params"])
def test_a_study_without_primary_keys_is_one_message(table: str, run: Path) -> None:
    with closing(sqlite3.connect(run / "study.db")) as database, database:
        database.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
        database.execute(f"DROP TABLE {table}")
        database.execute(f"ALTER TABLE loose RENAME TO {table}")
    with closing(open_run(run)) as study:
        longer = study.experiment.model_copy(update={"trials": 10, "workers": 1})
    with pytest.raises(RunError, match="damaged"):
        list(Search(create(run, longer, "nas resume"), lambda _: InProcess()).events())


def test_counts_that_are_not_of_the_genome_are_refused_where_it_is_read(run: Path) -> None:
    with closing(sqlite3.connect(run / "study.db")) as database, database:
        text = "UPDATE trial_user_attributes SET value_json = ? WHERE key = 'cost'"
        counts = {"params": "1", "macs": "1", "flops": "2", "activations": "1", "peak_bytes": "1", "depth": "1"}
        database.execute(text, (json.dumps(counts),))
    with pytest.raises(RunError, match="its genome has"):
        _ = load_run(run).records[0].graph
    assert any("its genome has" in each.what for each in find_inconsistencies(run, fix=False))
