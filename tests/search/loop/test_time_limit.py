"""A time limit holds for a whole search: over resumes and drivers, and nothing that runs is lost at it."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from search import idle
from typer.testing import CliRunner

from nas.cli.app import app
from nas.cli.progress import ProgressBoard
from nas.search.experiment_file import load_experiment
from nas.search.loop.search import Search
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.search.store.study import Study, open_run


def begin(path: Path, **changes: Any) -> Study:
    """The study of a search that may take an hour."""
    settings = {"sampler": "random", "recipe.epochs": 1, "trials": 6, "workers": 1, "time_limit": "1h"}
    return create(path, load_experiment("quickstart", settings | changes), "nas")


def used(path: Path) -> float:
    seconds = load_run(path).seconds_used
    assert seconds is not None
    return seconds


def test_trials_that_run_at_the_limit_are_finished_and_the_rest_is_for_a_resume(tmp_path: Path) -> None:
    search = Search(begin(tmp_path / "run"), lambda _: idle.InProcess())
    for event in search.events():
        if event.record.number == 2:
            search.clock.limit = 0.0  # as when an hour has passed
    records = load_run(tmp_path / "run").records
    assert [record.state for record in records] == ["complete"] * 3
    assert (search.out_of_time, search.stopping) == (True, False)
    assert 0 < used(tmp_path / "run") < 3600

    again = Search(open_run(tmp_path / "run"), lambda _: idle.InProcess())
    for _ in again.events():
        pass
    assert not again.out_of_time
    after = load_run(tmp_path / "run").records
    assert after[:3] == records
    assert [record.state for record in after] == ["complete"] * 6


def test_time_is_counted_over_resumes(tmp_path: Path) -> None:
    begin(tmp_path / "run").add_seconds(3601.0)
    search = Search(open_run(tmp_path / "run"), lambda _: idle.InProcess())
    assert list(search.events()) == []
    assert search.out_of_time
    assert load_run(tmp_path / "run").records == ()  # nothing was begun
    assert ProgressBoard(search).eta() == "0:00:00"
    search = Search(begin(tmp_path / "run", time_limit="2h"), lambda _: idle.InProcess())
    assert len([event for event in search.events() if event.kind == "ended"]) == 6
    assert used(tmp_path / "run") > 3601


def test_a_limit_reached_after_the_last_trial_ended_nothing(tmp_path: Path) -> None:
    search = Search(begin(tmp_path / "run"), lambda _: idle.InProcess())
    for event in search.events():
        if event.kind == "ended" and event.record.number == 5:
            search.clock.limit = 0.0
    assert not search.out_of_time


def test_two_drivers_at_a_time_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1e9
    monkeypatch.setattr("time.time", lambda: now)
    begin(tmp_path / "run").close()
    with closing(open_run(tmp_path / "run")) as one, closing(open_run(tmp_path / "run")) as other:
        assert one.add_seconds(10) == 10
        now += 5
        assert other.add_seconds(15) == 15
        now += 5
        assert one.add_seconds(10) == 20
        now += 1000  # nobody worked
        assert one.add_seconds(10) == 30
        now -= 500  # a clock that was set back
        assert other.add_seconds(10) == 30
        now += 5
        assert one.add_seconds(5) == 35


@pytest.mark.parametrize("kept", [None, "1h", 3, {"seconds": "x"}, {"seconds": 10**400}, {"seconds": -1}, {}])
def test_time_that_is_not_recorded_is_counted_from_now(tmp_path: Path, kept: object) -> None:
    with closing(begin(tmp_path / "run")) as study:
        if kept is not None:
            study.storage.set_fact("time_used", kept)
        assert study.seconds_used() is None
        assert study.add_seconds(5) == 5


@pytest.fixture
def out_of_time(tmp_path: Path) -> Path:
    """A search that has used its hour, with nothing to show."""
    with closing(begin(tmp_path / "my run")) as study:
        study.add_seconds(3600.0)
    return tmp_path / "my run"


def test_a_run_out_of_time_says_how_to_extend_it(out_of_time: Path) -> None:
    extend = f"the time limit of 1h is reached; extend it with: nas resume '{out_of_time}' --time-limit 2h"
    resumed = CliRunner().invoke(app, ["resume", str(out_of_time)])
    assert resumed.exit_code == 0
    assert extend in resumed.stderr
    assert "Done" not in resumed.stderr
    status = CliRunner().invoke(app, ["status", str(out_of_time)])
    assert "time: 1h of 1h\n" in status.stdout
    assert extend in status.stdout
    assert '"time_limit": 3600.0' in CliRunner().invoke(app, ["status", str(out_of_time), "--json"]).stdout
    refused = CliRunner().invoke(app, ["resume", str(out_of_time), "--time-limit", "soon"])
    assert "'soon' is not a length of time" in str(refused.exception)
