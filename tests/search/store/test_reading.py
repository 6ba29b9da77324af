"""A study is read from its file as Optuna reads it, also where nothing can be written."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nas.errors import RunError
from nas.search.store.run import load_run
from nas.search.store.storage import connect
from nas.search.store.stored_trial import StoredTrial
from nas.search.store.study import open_run
from nas.search.store.study_file import open_study_file

DISTRIBUTIONS = {
    "int": (optuna.distributions.IntDistribution(1, 9, step=2), st.sampled_from([1, 3, 9])),
    "float": (optuna.distributions.FloatDistribution(0.0, 1.0), st.floats(0, 1)),
    "steps": (optuna.distributions.FloatDistribution(0.0, 1.2, step=0.6), st.sampled_from([0.0, 0.6, 1.2])),
    "list": (optuna.distributions.CategoricalDistribution(["a", 2, None, 0.5]), st.sampled_from(["a", 2, None, 0.5])),
}
STATES = [optuna.trial.TrialState.RUNNING, optuna.trial.TrialState.FAIL, optuna.trial.TrialState.WAITING]
ATTRIBUTES = st.dictionaries(
    st.text(min_size=1, max_size=5), st.none() | st.text(max_size=9) | st.integers(-(10**9), 10**9), max_size=4
)


def as_read(trial: StoredTrial) -> tuple[object, ...]:
    made = trial.__dict__
    kinds = {name: str(kind) for name, kind in made["_distributions"].items()}
    return trial.number, trial.state, made["_attributes"], made["_choices"], sorted(kinds)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_is_read_as_optuna_reads_it(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("study") / "study.db"
    made = optuna.create_study(study_name="search", storage=f"sqlite:///{file}")
    facts = data.draw(ATTRIBUTES)
    for key, value in facts.items():
        made.set_user_attr(key, value)
    for _ in range(data.draw(st.integers(0, 4))):
        names = data.draw(st.sets(st.sampled_from(sorted(DISTRIBUTIONS))))
        made.add_trial(
            optuna.trial.create_trial(
                state=data.draw(st.sampled_from(STATES)),
                params={name: data.draw(DISTRIBUTIONS[name][1]) for name in names},
                distributions={name: DISTRIBUTIONS[name][0] for name in names},
                user_attrs=data.draw(ATTRIBUTES),
            )
        )
    with closing(connect(file, None, "")) as storage, open_study_file(file) as read:
        assert read.facts() == storage.facts() == facts
        assert [as_read(each) for each in read.trials()] == [as_read(each) for each in storage.trials()]


def test_a_finished_run_is_read_alike(finished_run: Path) -> None:
    with closing(open_run(finished_run)) as study:
        assert study.records() == load_run(finished_run).records
        distributions = [record.distributions for record in study.records()]
    assert distributions == [record.distributions for record in load_run(finished_run).records]


@pytest.fixture
def read_only(finished_run: Path, tmp_path: Path) -> Iterator[Path]:
    """A run on a mount that is read only, made by a driver that left changes in its write-ahead log."""
    kept, mount = tmp_path / "kept", tmp_path / "mount"
    shutil.copytree(finished_run, kept / "run")
    mount.mkdir()
    bound = subprocess.run(["mount", "--bind", kept, mount], capture_output=True, check=False).returncode == 0
    try:
        if not bound or subprocess.run(["mount", "-o", "remount,ro,bind", mount], check=False).returncode:
            pytest.skip("mounting is not permitted here")
        yield mount / "run"
    finally:
        if bound:
            subprocess.run(["umount", "--lazy", mount], check=True)


@pytest.mark.slow
def test_a_run_on_a_read_only_mount_is_read(
    read_only: Path, tmp_path: Path, nas: Callable[..., tuple[int, str, str]]
) -> None:
    assert not os.access(read_only, os.W_OK)
    for arguments in (
        ("status", read_only),
        ("show", f"{read_only}:best"),
        ("cost", f"{read_only}:0"),
        ("report", read_only, "--out", tmp_path / "page.html"),
        ("report", read_only, "--format", "md"),
        ("export", read_only, "--out", tmp_path / "export"),
    ):
        code, _, err = nas(*arguments)
        assert code == 0, (arguments, err)
    assert "this reading of the test split is not recorded" in err
    for arguments in (("report", read_only), ("export", read_only), ("resume", read_only), ("finalists", read_only)):
        code, _, err = nas(*arguments)
        assert code == 2
        assert "Read-only" in err
        assert "Traceback" not in err


def test_changes_beside_a_file_that_cannot_be_written_are_read(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    with closing(open_run(run)) as study:
        study.storage.set_fact("late", 1)
        (tmp_path / "copy").mkdir()
        for name in ("study.db", "study.db-wal", "experiment.toml"):
            shutil.copyfile(run / name, tmp_path / "copy" / name)
    monkeypatch.setattr(os, "access", lambda *_: False)
    files = sorted(os.listdir(tmp_path / "copy"))
    with open_study_file(tmp_path / "copy" / "study.db") as read:
        assert read.facts()["late"] == 1
    assert sorted(os.listdir(tmp_path / "copy")) == files
    with open_study_file(run / "study.db") as read, suppress(RunError):
        assert read.facts()["late"] == 1, "without changes beside it, the file itself is read"


def test_a_study_on_a_full_disk_is_read(finished_run: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        for name in ("study.db", "experiment.toml"):
            shutil.copyfile(finished_run / name, disk / name)
        with suppress(OSError), (disk / "ballast").open("wb") as file:
            while file.write(b"0" * 4096):
                file.flush()
        assert len(load_run(disk).records) == len(load_run(finished_run).records)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
