"""What is trained, how often, and what a continued run finds; the training itself is made up."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.errors import RunError
from nas.genome.genome_json import from_json
from nas.principles.study_file import Design, PrincipleStudy, read_study
from nas.principles.training import runner as runners
from nas.principles.training.misclassified import kept
from nas.principles.training.plan import Plan
from nas.principles.training.reading import read_reading as reading
from nas.principles.training.runner import Runner, begin
from nas.resources import resource
from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.training.score import Score

KEYS = ("h01", "h17")  # five arms, one of them in both


def family(tmp_path: Path, **changes: Any) -> PrincipleStudy:
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\ndata = "digits"\n[recipe]\nepochs = 2\n', encoding="utf-8")
    design = {"side": 8, "width": 8, "looks": (2, 3), "population": 0, "keys": KEYS, "sd": 1.0}
    return replace(read_study(file), design=Design(**(design | changes)))


class Fake:
    """An executor that has trained before it is asked: errors by the network's kernels, or reasons of failure.

    Like a cluster's, its workers are there once it was listened to.
    """

    def __init__(self, reasons: list[str] | None = None, gain: float = 0.0) -> None:
        self.jobs: list[Job] = []
        self.reasons, self.gain = list(reasons or []), gain
        self._heard: list[Event] = []
        self._there = False

    def idle(self) -> bool:
        return self._there and not self._heard

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        number, reason = job.number, Reason(self.reasons.pop(0) if self.reasons else "")
        large = "5" in {str(getattr(node.op, "kernel", "")) for node in from_json(job.genome).nodes}
        error = 0.3 + self.gain * large + 0.001 * (job.seed % 3)
        for epoch in (1, 2) if not reason else ():
            self._heard.append(Progress(number, Score(epoch, error, 1.0, 0.1, 1.0)))
        self._heard.append(Outcome(number, reason, "said"))
        Path(job.weights).parent.mkdir(parents=True, exist_ok=True)
        Path(job.weights).touch()

    def stop(self, number: int) -> None: ...

    def events(self, seconds: float) -> list[Event]:
        heard, self._heard, self._there = self._heard, [], True
        return heard

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "wrong", lambda *_: np.arange(50) % 3 == 0)


def train(family: PrincipleStudy, path: Path, fake: Fake) -> Iterator[runners.Step]:
    return Runner(begin(family, path, "nas principles mine"), family, lambda _: fake).steps()


def test_each_network_and_seed_is_trained_once_and_a_continued_run_trains_nothing(tmp_path: Path) -> None:
    asked, fake = family(tmp_path, looks=(2,)), Fake()
    steps = list(train(asked, tmp_path / "run", fake))
    trained = Counter((job.genome, job.seed) for job in fake.jobs)
    assert set(trained.values()) == {1}
    assert len(trained) == 4 * 2 == len(steps) == len(Plan(asked).all())
    assert (steps[-1].left, steps[0].seconds_left > 0) == (0, True)
    found = reading(tmp_path / "run")
    assert found.by_principle["h01"]["two 3x3"] == found.by_principle["h17"]["average"]
    assert not list((tmp_path / "run").rglob("weights.safetensors"))
    assert (kept(tmp_path / "run", 3) == (np.arange(50) % 3 == 0)).all()
    again = Fake()
    assert list(train(asked, tmp_path / "run", again)) == again.jobs == []


def test_what_a_look_decides_is_not_trained_further(tmp_path: Path) -> None:
    fake = Fake(gain=0.2)
    list(train(family(tmp_path, keys=("h01",), looks=(3, 9)), tmp_path / "run", fake))
    assert len(fake.jobs) == 2 * 3
    (verdict,) = reading(tmp_path / "run").verdicts
    assert (verdict.word, verdict.look.asked) == ("supported", 3)


def test_what_was_abandoned_or_lost_is_trained_and_what_diverged_is_a_result(tmp_path: Path) -> None:
    asked, path = family(tmp_path, keys=("h01",), looks=(2,)), tmp_path / "run"
    first = train(asked, path, Fake())
    next(first)
    first.close()
    second, third = Fake(["killed", "nan"]), Fake()
    more = list(train(asked, path, second))
    assert sorted(step.record.number for step in more) == [1, 2, 3]
    list(train(asked, path, third))
    assert [job.genome for job in third.jobs] == [second.jobs[0].genome]
    errors = [result and result.error for results in reading(path).by_principle["h01"].values() for result in results]
    assert sorted(errors) == pytest.approx([30.0, 30.0, 30.1, 90.0])


@pytest.mark.slow
def test_where_nothing_succeeds_the_run_stops(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the first 5 trainings failed, the last with: said"):
        list(train(family(tmp_path, keys=("h01",)), tmp_path / "run", Fake(["error"] * 12)))


def test_a_full_disk_ends_the_run_and_nothing_is_lost(tmp_path: Path) -> None:
    asked, path, fake = family(tmp_path, keys=("h01",), looks=(2,)), tmp_path / "run", Fake(["", "disk"])
    with pytest.raises(RunError, match=r"no room for the weights of trial 1 .*go on with: nas resume"):
        list(train(asked, path, fake))
    assert len(list(train(asked, path, Fake()))) == 3


def test_the_control_has_seeds_of_its_own(tmp_path: Path) -> None:
    plan = Plan(family(tmp_path, keys=("a00",)))
    (control,) = plan.family.principles
    seeds = {arm: {plan.key(control, arm, place)[1] for place in range(6)} for arm in control.arms}
    assert not seeds["a network"] & seeds["the same again"]
    assert len(plan.all()) == 12


def test_populations_follow_the_first_look(tmp_path: Path) -> None:
    plan = Plan(family(tmp_path, population=2))
    assert [each.key for each in plan.populations] == ["p01", "p17"]
    first = [training.purpose[0] for training in reversed(plan.all().values())]
    assert first.index("p") < len(first)
    assert {training.key[1] for training in plan.draws()} == {plan.seed(0), plan.seed(1)}


@pytest.mark.slow
def test_a_small_study_of_digits_from_the_command_to_the_page(tmp_path: Path) -> None:
    import json
    import subprocess
    import sys

    text = resource("experiments", "principles_small.toml").read_text(encoding="utf-8")
    study = tmp_path / "tiny.toml"
    study.write_text(text.replace('"cifar10"', '"digits"').replace("train_images = 3000", "train_images = 300"))
    settings = ["recipe.epochs=2", "recipe.flip=false", "principles.looks=[2, 3]", 'principles.keys=["a00", "h10"]',
                "principles.population=5", "principles.deep=14", "principles.side=8", "validation=0.2"]  # fmt: skip
    command = [sys.executable, "-m", "nas", "principles", str(study), "--out", str(tmp_path / "run"), "--json"]
    command += [part for setting in settings for part in ("--set", setting)]
    told = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(2)]
    assert told[0].stdout == told[1].stdout
    assert [row["key"] for row in json.loads(told[0].stdout)] == ["a00", "h10"]
    resume = [sys.executable, "-m", "nas", "resume", str(tmp_path / "run"), "--workers", "1"]
    again = subprocess.run(resume, capture_output=True, text=True, check=True)
    assert " of " not in again.stderr  # nothing was left to train
    assert {"a00", "h10"} <= set(again.stdout.split())
    assert (tmp_path / "run" / "report" / "principles.html").stat().st_size < 500_000
    found = reading(tmp_path / "run")
    for record in found.records.values():
        bits = kept(tmp_path / "run", record.number)
        assert bits is not None
        assert bits.mean() == pytest.approx(record.error)
    assert len(found.comparisons) == 1
