"""Which networks are trained, how often, and what a resumed run does; the training itself is simulated."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.errors import RunError
from nas.genome.genome_json import from_json
from nas.principles.judging.misclassified import load_misclassified
from nas.principles.judging.plan import Plan
from nas.principles.judging.study_results import read_results
from nas.principles.study_file import Design, PrincipleStudy, read_study
from nas.principles.training import runner as runners
from nas.principles.training.runner import Runner, begin_study
from nas.resources import resource
from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.training.score import Score

Call = Callable[..., tuple[int, str, str]]
KEYS = ("h01", "h17")  # five arms, one of them in both


def make_study(tmp_path: Path, **changes: Any) -> PrincipleStudy:
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\ndata = "digits"\n[recipe]\nepochs = 2\n', encoding="utf-8")
    design = {"side": 8, "width": 8, "interim_seeds": (2, 3), "population": 0, "keys": KEYS, "error_sd": 1.0}
    return replace(read_study(file), design=Design(**(design | changes)))


class Fake:
    """An executor that simulates training: errors by the network's kernels, or reasons of failure.

    Like those of a cluster, its workers are available after the first call of `events`.
    """

    def __init__(self, reasons: list[str] | None = None, gain: float = 0.0) -> None:
        self.jobs: list[Job] = []
        self.reasons, self.gain = list(reasons or []), gain
        self._events: list[Event] = []
        self._ready = False

    def idle(self) -> bool:
        return self._ready and not self._events

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        number, reason = job.number, Reason(self.reasons.pop(0) if self.reasons else "")
        large = "5" in {str(getattr(node.op, "kernel", "")) for node in from_json(job.genome).nodes}
        error = 0.3 + self.gain * large + 0.001 * (job.seed % 3)
        for epoch in (1, 2) if not reason else ():
            self._events.append(Progress(number, Score(epoch, error, 1.0, 0.1, 1.0)))
        self._events.append(Outcome(number, reason, "details"))
        Path(job.weights).parent.mkdir(parents=True, exist_ok=True)
        Path(job.weights).touch()

    def stop(self, number: int) -> None: ...

    def proceed(self, number: int) -> None: ...

    def events(self, seconds: float) -> list[Event]:
        events, self._events, self._ready = self._events, [], True
        return events

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _no_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "find_misclassified", lambda *_: np.arange(50) % 3 == 0)


def train(study: PrincipleStudy, path: Path, fake: Fake) -> Iterator[runners.TrainingStep]:
    return Runner(begin_study(study, path, "nas principles mine"), study, lambda _: fake).steps()


def test_each_network_and_seed_is_trained_once_and_a_resumed_run_trains_nothing(tmp_path: Path) -> None:
    study, fake = make_study(tmp_path, interim_seeds=(2,)), Fake()
    steps = list(train(study, tmp_path / "run", fake))
    trained = Counter((job.genome, job.seed) for job in fake.jobs)
    assert set(trained.values()) == {1}
    assert len(trained) == 4 * 2 == len(steps) == len(Plan(study).all_trainings())
    assert (steps[-1].left, steps[0].seconds_left > 0) == (0, True)
    found = read_results(tmp_path / "run")
    assert found.by_principle["h01"]["two 3x3"] == found.by_principle["h17"]["average"]
    assert not list((tmp_path / "run").rglob("weights.safetensors"))
    assert (load_misclassified(tmp_path / "run", 3) == (np.arange(50) % 3 == 0)).all()
    again = Fake()
    assert list(train(study, tmp_path / "run", again)) == again.jobs == []


def test_a_decided_claim_is_not_trained_further(tmp_path: Path) -> None:
    fake = Fake(gain=0.2)
    list(train(make_study(tmp_path, keys=("h01",), interim_seeds=(3, 9)), tmp_path / "run", fake))
    assert len(fake.jobs) == 2 * 3
    (verdict,) = read_results(tmp_path / "run").verdicts
    assert (verdict.outcome, verdict.analysis.planned) == ("supported", 3)


def test_abandoned_or_lost_trainings_are_repeated_and_a_diverged_one_is_a_result(tmp_path: Path) -> None:
    study, path = make_study(tmp_path, keys=("h01",), interim_seeds=(2,)), tmp_path / "run"
    first = train(study, path, Fake())
    next(first)
    first.close()
    second, third = Fake(["killed", "nan"]), Fake()
    more = list(train(study, path, second))
    assert sorted(step.record.number for step in more) == [1, 2, 3]
    list(train(study, path, third))
    assert [job.genome for job in third.jobs] == [second.jobs[0].genome]
    rows = read_results(path).by_principle["h01"].values()
    errors = [result and result.error for row in rows for result in row]
    assert sorted(errors) == pytest.approx([30.0, 30.0, 30.1, 90.0])


@pytest.mark.slow
def test_a_run_stops_when_every_training_fails(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="5 of 5 trials failed with an error, the last: details"):
        list(train(make_study(tmp_path, keys=("h01",)), tmp_path / "run", Fake(["error"] * 12)))


def test_a_full_disk_ends_the_run_and_nothing_is_lost(tmp_path: Path) -> None:
    study, path, fake = make_study(tmp_path, keys=("h01",), interim_seeds=(2,)), tmp_path / "run", Fake(["", "disk"])
    with pytest.raises(RunError, match=r"no room for the weights of trial 1 .*continue with: nas resume"):
        list(train(study, path, fake))
    assert len(list(train(study, path, Fake()))) == 3


def test_at_the_time_limit_what_runs_is_finished_and_the_rest_is_for_a_resume(tmp_path: Path) -> None:
    study, path = make_study(tmp_path, keys=("h01",), interim_seeds=(2,)), tmp_path / "run"
    runner = Runner(begin_study(study, path, "nas principles mine"), study, lambda _: Fake())
    for _ in runner.steps():
        runner.clock.limit = 0.0  # as when the time has passed
    first = read_results(path).records
    assert runner.out_of_time
    assert 0 < len(first) < 4
    longer = Runner(begin_study(study, path, "nas principles mine"), study, lambda _: Fake())
    assert len(list(longer.steps())) == 4 - len(first)
    assert not longer.out_of_time


def test_the_path_of_the_page_is_the_last_line_of_stdout_and_not_in_json(tmp_path: Path, nas: Call) -> None:
    run = tmp_path / "run"
    list(train(make_study(tmp_path, keys=("h01",), interim_seeds=(2,)), run, Fake()))
    for arguments in ([], ["--json"]):
        code, out, err = nas("principles", run, *arguments)
        assert code == 0
        assert (err if arguments else out).splitlines()[-1] == f"{run}/report/principles.html"
    assert [row["verdict"] for row in json.loads(out)] == ["refuted"]


def test_the_arms_of_the_control_have_different_seeds(tmp_path: Path) -> None:
    plan = Plan(make_study(tmp_path, keys=("a00",)))
    (control,) = plan.study.principles
    seeds = {arm: {plan.arm_key(control, arm, index)[1] for index in range(6)} for arm in control.arms}
    assert not seeds["a network"] & seeds["the same again"]
    assert len(plan.all_trainings()) == 12


def test_populations_follow_the_first_analysis(tmp_path: Path) -> None:
    plan = Plan(make_study(tmp_path, population=2))
    assert [each.key for each in plan.populations] == ["p01", "p17"]
    first = [training.purpose[0] for training in reversed(plan.all_trainings().values())]
    assert first.index("p") < len(first)
    assert {training.key[1] for training in plan.population_trainings()} == {plan.seed(0), plan.seed(1)}


@pytest.mark.slow
def test_a_small_study_of_digits_from_the_command_to_the_page(tmp_path: Path, nas: Call) -> None:
    text = resource("experiments", "principles_small.toml").read_text(encoding="utf-8")
    file = tmp_path / "tiny.toml"
    file.write_text(text.replace('"cifar10"', '"digits"').replace("train_images = 3000", "train_images = 300"))
    settings = ["recipe.epochs=2", "recipe.flip=false", "principles.interim_seeds=[2, 3]", "principles.population=5",
                'principles.keys=["a00", "h10"]', "principles.deep=14", "principles.side=8", "validation=0.2"
                ]  # fmt: skip
    command = ["principles", str(file), "--out", str(tmp_path / "run"), "--json"]
    command += [part for setting in settings for part in ("--set", setting)]
    first = subprocess.run([sys.executable, "-m", "nas", *command], capture_output=True, text=True, check=True)
    assert nas(*command)[:2] == (0, first.stdout)
    assert [row["key"] for row in json.loads(first.stdout)] == ["a00", "h10"]
    code, out, err = nas("resume", tmp_path / "run", "--workers", "1")
    assert code == 0
    assert first.stderr.splitlines()[-1] == out.splitlines()[-1] == f"{tmp_path}/run/report/principles.html"
    assert " of " not in err  # nothing was left to train
    assert {"a00", "h10"} <= set(out.split())
    assert (tmp_path / "run" / "report" / "principles.html").stat().st_size < 500_000
    found = read_results(tmp_path / "run")
    for record in found.records.values():
        bits = load_misclassified(tmp_path / "run", record.number)
        assert bits is not None
        assert bits.mean() == pytest.approx(record.error)
    assert len(found.comparisons) == 1
