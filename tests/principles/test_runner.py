"""Which networks are trained, how often, and what a resumed run does; the training itself is simulated."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.api import load
from nas.errors import ExperimentError, RunError
from nas.genome.genome_json import from_json
from nas.principles.claims import principle_registry
from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Arm, Principle, better
from nas.principles.judging.plan import Plan
from nas.principles.judging.study_results import read_results
from nas.principles.study_file import Design, PrincipleStudy, read_study
from nas.principles.training import runner as runners
from nas.principles.training.changes import recorded_changes
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
    design = {"side": 8, "width": (8, 12), "shallow": (8,), "deep": (14,), "settings": 2, "keys": KEYS}
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


def train(study: PrincipleStudy, path: Path, fake: Fake) -> Iterator[runners.TrainingStep]:
    plan = Plan(study)
    return Runner(begin_study(plan, path, "nas principles mine"), plan, lambda _: fake).steps()


def test_each_network_is_trained_once_per_setting_and_a_resumed_run_trains_nothing(tmp_path: Path) -> None:
    study, fake = make_study(tmp_path), Fake()
    steps = list(train(study, tmp_path / "run", fake))
    trained = Counter((job.genome, job.seed) for job in fake.jobs)
    assert set(trained.values()) == {1}
    assert len(trained) == len(steps) == len(Plan(study).trainings)
    assert 8 <= len(trained) <= 10  # the pairs are an arm of both claims, where both are matched in the same draw
    assert (steps[-1].left, steps[0].seconds_left > 0) == (0, True)
    found = read_results(tmp_path / "run")
    assert all(verdict.complete for verdict in found.verdicts)
    assert not list((tmp_path / "run").rglob("weights.safetensors"))
    again = Fake()
    assert list(train(study, tmp_path / "run", again)) == again.jobs == []


def test_every_setting_has_its_own_images_and_its_own_base(tmp_path: Path) -> None:
    study, fake = make_study(tmp_path, settings=6, keys=("h01",)), Fake()
    list(train(study, tmp_path / "run", fake))
    divisions = {job.seed: job.data.division for job in fake.jobs}
    assert len(set(divisions.values())) == 6
    settings = [study.setting(index) for index in range(6)]
    assert len({(each.width, each.growth, each.repeats) for each in settings}) == 6
    assert [study.setting(index) for index in range(6)] == settings
    assert study.setting(0, attempt=1) != settings[0]


def test_data_sets_take_turns(tmp_path: Path) -> None:
    study = make_study(tmp_path, images=("digits", "cifar10"))
    assert [study.source(index).name for index in range(4)] == ["digits", "cifar10"] * 2
    assert [study.setting(index).task.input[0] for index in range(2)] == [1, 3]


def test_an_arm_may_change_the_recipe(tmp_path: Path) -> None:
    """Two arms of one network are two trainings, told apart when the run is resumed."""
    smooth = {"smooth": Arm(pairs, {"label_smoothing": 0.2}), "plain": Arm(pairs)}
    made = Principle("z01", "Smoothing helps.", "no paper", "difference", smooth, (better("smooth", "plain", 1.0),))
    principle_registry().register(made)
    try:
        study, fake = make_study(tmp_path, keys=("z01",)), Fake()
        list(train(study, tmp_path / "run", fake))
        assert sorted(job.recipe.label_smoothing for job in fake.jobs) == [0.1, 0.1, 0.2, 0.2]
        assert len({job.genome for job in fake.jobs}) == 2
        again = Fake()
        assert list(train(study, tmp_path / "run", again)) == []
        assert all(verdict.complete for verdict in read_results(tmp_path / "run").verdicts)
    finally:
        principle_registry().unregister("z01")


def test_runs_of_one_design_add_up_and_others_do_not(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    list(train(make_study(tmp_path, keys=("h01",)), one, Fake()))
    list(train(make_study(tmp_path, keys=("h17",)), other, Fake()))
    both = read_results(one, other)
    assert [verdict.principle.key for verdict in both.verdicts] == ["h01", "h17"]
    assert all(verdict.complete for verdict in both.verdicts)
    alone = read_results(one).verdicts[0].findings[0].estimate
    assert both.verdicts[0].findings[0].estimate.mean == alone.mean
    assert (both.path, both.others) == (one, (other,))
    third = tmp_path / "third"
    list(train(make_study(tmp_path, keys=("h17",), worth=0.7), third, Fake()))
    with pytest.raises(ExperimentError, match=r"differ in their table \[principles\]"):
        read_results(one, third)


def test_a_changed_plan_is_in_the_log(tmp_path: Path) -> None:
    run = tmp_path / "run"
    list(train(make_study(tmp_path), run, Fake()))
    assert recorded_changes(run) == []
    list(train(make_study(tmp_path, settings=3, worth=0.4), run, Fake()))
    changes = recorded_changes(run)
    assert len(changes) == 2
    assert re.search(r"plan changed after \d+ trainings: settings from 2 to 3", changes[0])
    assert changes[1].endswith("worth from 2.0 to 0.4")


def test_abandoned_or_lost_trainings_are_repeated_and_a_diverged_one_is_a_result(tmp_path: Path) -> None:
    study, path = make_study(tmp_path, keys=("h01",)), tmp_path / "run"
    first = train(study, path, Fake())
    next(first)
    first.close()
    second, third = Fake(["killed", "nan"]), Fake()
    more = list(train(study, path, second))
    assert sorted(step.record.number for step in more) == [1, 2, 3]
    assert [job.data.division for job in second.jobs] == [0, 1, 1]
    list(train(study, path, third))
    assert [job.genome for job in third.jobs] == [second.jobs[0].genome]
    rows = read_results(path).by_principle["h01"].values()
    errors = [result.error for row in rows for result in row if result]
    assert sorted(errors) == pytest.approx([30.0, 30.0, 30.1, 90.0])


@pytest.mark.slow
def test_a_run_stops_when_every_training_fails(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="5 of 5 trials failed with an error, the last: details"):
        list(train(make_study(tmp_path, keys=("h01",), settings=6), tmp_path / "run", Fake(["error"] * 12)))


def test_a_full_disk_ends_the_run_and_nothing_is_lost(tmp_path: Path) -> None:
    study, path, fake = make_study(tmp_path, keys=("h01",)), tmp_path / "run", Fake(["", "disk"])
    with pytest.raises(RunError, match=r"no room for the weights of trial 1 .*continue with: nas resume"):
        list(train(study, path, fake))
    assert len(list(train(study, path, Fake()))) == 3


def test_at_the_time_limit_what_runs_is_finished_and_the_rest_is_for_a_resume(tmp_path: Path) -> None:
    study, path = make_study(tmp_path, keys=("h01",)), tmp_path / "run"
    plan = Plan(study)
    runner = Runner(begin_study(plan, path, "nas principles mine"), plan, lambda _: Fake())
    for _ in runner.steps():
        runner.clock.limit = 0.0  # as when the time has passed
    first = read_results(path).records
    assert runner.out_of_time
    assert 0 < len(first) < 4
    longer = Runner(begin_study(plan, path, "nas principles mine"), plan, lambda _: Fake())
    assert len(list(longer.steps())) == 4 - len(first)
    assert not longer.out_of_time


def test_the_path_of_the_page_is_the_last_line_of_stdout_and_not_in_json(tmp_path: Path, nas: Call) -> None:
    run = tmp_path / "run"
    list(train(make_study(tmp_path, keys=("h01",)), run, Fake()))
    for arguments in ([], ["--json"]):
        code, out, err = nas("principles", run, *arguments)
        assert code == 0
        assert (err if arguments else out).splitlines()[-1] == f"{run}/report/principles.html"
    assert [row["verdict"] for row in json.loads(out)] == ["too small"]


@pytest.mark.slow
def test_a_small_study_of_digits_from_the_command_to_the_page(tmp_path: Path, nas: Call) -> None:
    text = resource("experiments", "principles_small.toml").read_text(encoding="utf-8")
    file = tmp_path / "tiny.toml"
    file.write_text(text.replace('"cifar10"', '"digits"').replace("train_images = 10_000", "train_images = 300"))
    settings = ["recipe.epochs=2", "recipe.flip=false", "principles.settings=3", "principles.images=[]",
                'principles.keys=["a00", "h10"]', "principles.deep=[14]", "principles.side=8"]  # fmt: skip
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


def test_a_study_is_not_taken_for_a_search(tmp_path: Path, nas: Call) -> None:
    """Its trainings are on several sets of images: the lowest of their errors is of the easiest set."""
    path = tmp_path / "run"
    plan = Plan(make_study(tmp_path))
    list(train(plan.study, path, Fake()))
    for verb in ("report", "finalists", "export", "proxies", "watch"):
        code, out, said = nas(verb, path)
        assert (code, out) == (2, ""), verb
        assert f"compared in pairs only; its page: nas principles {path}" in said
    assert nas("show", f"{path}:best")[0] == nas("export", f"{path}:0")[0] == 2
    assert nas("show", f"{path}:0")[0] == 0
    assert "best" not in nas("status", path)[1]
    study = load(path)
    assert len(study.trials) == len(plan.trainings)
    assert repr(study).endswith(" trials complete>")
    assert study._repr_html_().startswith("<p>run")
    for refused in (study.best, study.front, study.report):
        with pytest.raises(RunError, match="compared in pairs only"):
            refused()
