"""A search end to end: within budget, resumable after anything, repeating nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from replay import FixedTrial

from nas.errors import BudgetError, GenomeError, RunError
from nas.genome import Graph, Task, Trial, fingerprint
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment
from nas.search.loop.queue import TrialQueue
from nas.search.loop.search import Search
from nas.search.pareto import front_of
from nas.search.propose.preflight import preflight
from nas.search.propose.proposer import Proposer
from nas.search.space import load_space
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.search.store.run_files import exclusive_lock
from nas.search.store.study import Study, open_run
from nas.training.data import task


def question(**changes: object) -> Experiment:
    return load_experiment("quickstart", {"recipe.epochs": 2, **changes})


def test_every_trained_trial_is_inside_and_new(finished_run: Path) -> None:
    run = load_run(finished_run)
    assert [record.state for record in run.records] == ["complete"] * 8
    assert all(run.experiment.budget.allows(record) for record in run.records)
    assert len({record.fingerprint for record in run.records}) == 8
    assert run.proposal_counts["trained"] == 8
    assert run.proposal_counts["proposed"] >= sum(
        n for outcome, n in run.proposal_counts.items() if outcome != "proposed"
    )


def test_choices_replay_to_the_recorded_network(finished_run: Path) -> None:
    run = load_run(finished_run)
    for record in run.records:
        again = load_space(run.experiment.space)(FixedTrial(record.choices), run.task)
        assert fingerprint(again) == record.fingerprint


def test_weights_are_kept_for_the_front_only(finished_run: Path) -> None:
    run = load_run(finished_run)
    front = front_of(list(run.records), run.experiment.objectives)
    kept = {record.number for record in run.records if run.weights(record).is_file()}
    assert kept == {record.number for record in front}


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2"])
def test_samplers_propose_inside_without_repeating(sampler: str) -> None:
    asked = question(sampler=sampler, trials=30)
    proposer = Proposer(asked, load_space(asked.space), task(asked.data))
    seen = set()
    for _ in range(30):
        proposal = proposer.ask()
        assert proposal is not None
        assert asked.budget.allows(proposal)
        seen.add(proposal.fingerprint)
        proposer.tell(proposal, 1 / (1 + proposal.cost.params))
    assert len(seen) == 30
    assert proposer.proposal_counts["trained"] == 30


def test_an_exhausted_space_ends_the_asking() -> None:
    asked = question(sampler="random", **{"budget.params.max": 8000, "budget.macs.max": 90_000})
    proposer = Proposer(asked, load_space(asked.space), task(asked.data), patience=50)
    proposals = []
    while proposal := proposer.ask():
        proposals.append(proposal.fingerprint)
        proposer.tell(proposal, 0.5)
    assert len(set(proposals)) == len(proposals) < 200


def test_a_budget_nothing_meets_says_what_binds() -> None:
    asked = question(**{"budget.params.max": 100})
    with pytest.raises(BudgetError, match=r"The limit that binds is params: at most 100 asked, [\d,]+ found"):
        preflight(asked, load_space(asked.space), task(asked.data))
    asked = question(**{"budget.depth.min": 900})
    with pytest.raises(BudgetError, match="The limit that binds is depth: at least 900 asked"):
        preflight(asked, load_space(asked.space), task(asked.data), draws=20)


def test_what_makes_no_network_is_no_draw() -> None:
    def picky(trial: Trial, asked: Task) -> Graph:
        if trial.suggest_int("at least", 0, 3):
            raise GenomeError("only the lowest")
        return load_space("mixed")(trial, asked)

    seen = preflight(question(), picky, task("digits"), draws=80)
    assert seen.drawn == len(seen.networks) < 40
    assert seen.inside == sum(map(question().budget.allows, seen.networks))


def test_two_drivers_cannot_own_one_run(finished_run: Path) -> None:
    before = (finished_run / "experiment.toml").read_text()
    with exclusive_lock(finished_run):
        with pytest.raises(RunError, match="in use by another driver"), exclusive_lock(finished_run):
            pass
        with pytest.raises(RunError, match="in use by another driver"):
            create(finished_run, question(trials=999, sampler="random", **{"recipe.epochs": 1}), "nas")
    assert (finished_run / "experiment.toml").read_text() == before


def test_a_place_that_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        create(tmp_path / "file" / "run", question(), "nas")


def test_a_run_lies_where_it_was_asked_for(tmp_path: Path) -> None:
    name = "a{b}?c=d&e%41#f"  # each means something in the address of a database
    create(tmp_path / name, question(), "nas").close()
    assert load_run(tmp_path / name).records == ()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_two_drivers_count_into_one_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Study, "orphans", lambda *_: iter(()))  # as where the other driver lives
    asked = question(sampler="random", trials=10)
    studies = [create(tmp_path / "run", asked, "nas"), open_run(tmp_path / "run")]
    drivers = [TrialQueue(study, []) for study in studies]
    for turn in range(10):
        assert drivers[turn % 2].next()
    ledger = load_run(tmp_path / "run").proposal_counts
    assert ledger["trained"] == 10
    assert ledger["proposed"] == sum(driver._proposer.proposal_counts["proposed"] for driver in drivers)


def test_another_question_is_refused_with_the_difference(finished_run: Path) -> None:
    with pytest.raises(RunError, match="seed was 0, is now 1"):
        create(finished_run, question(seed=1, sampler="random", **{"recipe.epochs": 1}), "nas")
    with pytest.raises(RunError, match=r"experiment \(recipe.epochs was 1, is now 2\)"):
        create(finished_run, question(sampler="random"), "nas")


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(RunError, match="does not hold a run"):
        create(tmp_path, question(), "nas")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_whose_making_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    for name in ("experiment.toml", "study.db.part", "study.db.part-wal"):
        (tmp_path / name).write_bytes(b"half")
    create(tmp_path, question(), "nas")
    assert load_run(tmp_path).records == ()
    assert not any("part" in path.name for path in tmp_path.iterdir())


def test_a_study_appears_whole(tmp_path: Path) -> None:
    """A reader that looks while the run is made finds no run or a whole one, and never disturbs the maker."""
    seen: list[str] = []

    def look() -> None:
        while "run" not in seen:
            try:
                seen.append("run" if load_run(tmp_path / "run").command == "nas" else "half")
            except RunError as problem:
                seen.append(str(problem))
                time.sleep(0.001)

    reader = threading.Thread(target=look)
    reader.start()
    create(tmp_path / "run", question(), "nas")
    reader.join()
    assert set(seen) <= {"run", f"{tmp_path / 'run'} is not a run directory: it has no study.db"}


def test_killed_driver_resumes_to_the_total(tmp_path: Path) -> None:
    """SIGKILL in mid-search: nothing left running, nothing lost, nothing repeated, the total reached."""
    path = tmp_path / "run"
    command = [sys.executable, "-m", "nas", "search", "quickstart", "--out", str(path), "--set", "recipe.epochs=4"]
    command += ["--trials", "4", "--workers", "1", "--set", "sampler=random"]
    driver = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_for(lambda: count(path, "complete") >= 1 and stopped_in_mid_trial(driver, path), driver)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    before = load_run(path).records
    assert any(record.state == "running" for record in before)

    for _ in Search(open_run(path)).events():
        pass
    after = load_run(path).records
    assert [record.state for record in after] == ["complete"] * 4
    assert len({record.fingerprint for record in after}) == 4
    for record in before:
        assert after[record.number].choices == record.choices
        assert record.state == "running" or after[record.number] == record


def stopped_in_mid_trial(driver: "subprocess.Popen[Any]", path: Path) -> bool:
    driver.send_signal(signal.SIGSTOP)
    if count(path, "running") == 1:
        return True
    driver.send_signal(signal.SIGCONT)
    return False


def count(path: Path, state: str) -> int:
    try:
        return sum(record.state == state for record in load_run(path).records)
    except RunError:
        return 0


def wait_for(condition: Callable[[], bool], driver: "subprocess.Popen[Any]", seconds: float = 200) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert driver.poll() is None, f"the driver ended with exit code {driver.returncode}"
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.mark.slow
def test_interrupt_finishes_the_running_trials_and_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "run"
    command = [sys.executable, "-m", "nas", "search", "quickstart", "--out", str(path), "--set", "recipe.epochs=3"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: count(path, "complete") >= 1, driver)
    driver.send_signal(signal.SIGINT)
    said = driver.communicate(timeout=100)[1]
    assert driver.returncode == 130
    assert f"nas resume {path}" in said
    states = [record.state for record in load_run(path).records]
    assert set(states) == {"complete"}
    assert len(states) < 40


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_its_trial_failed(tmp_path: Path) -> None:
    long = {"recipe.epochs": 10}  # so that no trial is over before it is known to have begun
    search = Search(create(tmp_path / "run", question(trials=3, sampler="random", **long), "nas"))
    killed = None
    for event in search.events():
        if event.kind == "scored" and killed is None:
            killed = event.record.number
            os.kill(children()[0], signal.SIGKILL)
    records = load_run(tmp_path / "run").records
    assert sorted(record.state for record in records) == ["complete"] * 2 + ["failed"]
    assert [record.reason for record in records if record.state == "failed"] == ["killed"]


def children() -> list[int]:
    import multiprocessing

    return [process.pid for process in multiprocessing.active_children() if process.pid]
