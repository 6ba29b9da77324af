"""Latency as a limit and an objective: kept with the model's error in hand, recorded, and measured on the front."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from device.made_latency import MadeLatency
from search.idle import InProcess
from typer.testing import CliRunner

from nas.cli.app import app
from nas.device.latency.fit_model import learn_latency
from nas.device.latency.settings import LatencySettings
from nas.errors import BudgetError, ExperimentError, LatencyError, RunError
from nas.genome import Task
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment, read_experiment, to_toml
from nas.search.loop.latency import with_latency
from nas.search.loop.search import Search
from nas.search.objectives import LATENCY, OBJECTIVES, Budget, CountedNetwork, Range
from nas.search.propose.candidate import make_candidate, sample_network
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.fit_budget import BudgetFitter
from nas.search.propose.networks_to_measure import networks_to_measure
from nas.search.results.front_latency import FILE, load_front_latency, measure_front
from nas.search.space import load_space
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.testing.objectives import check_objective
from nas.user_code import trust

TASK = Task("digits", (1, 8, 8), 10)
SPACE = load_space("mixed")
LIMIT = 0.45  # milliseconds; about half of the networks take longer
PROVIDER = "device.made_latency:MadeLatency"
MODEL = learn_latency("made", MadeLatency(noise=0.1), networks_to_measure(SPACE, TASK, 60, seed=0))
GRAPHS = [sample_network(SPACE, TASK, seed) for seed in range(1000, 1100)]


def limited(limit: float = LIMIT, **changes: object) -> Experiment:
    settings = {"latency.provider": PROVIDER, "budget.latency_ms.max": limit, "objectives": ["error", LATENCY]}
    trust(PROVIDER)
    return load_experiment("quickstart", {"recipe.epochs": 1, "trials": 6, "workers": 1, **settings, **changes})


def test_a_limit_is_kept_with_the_error_of_the_model_in_hand() -> None:
    experiment = limited().with_latency_model(MODEL)
    budget = Budget(latency_ms=experiment.budget[LATENCY]).with_entries()
    allowed = [experiment.budget.excess(CountedNetwork.of(graph))[LATENCY] <= 0 for graph in GRAPHS]
    assert allowed == [MODEL.predict(graph) <= LIMIT / (1 + MODEL.error.margin) for graph in GRAPHS]
    assert 0 < sum(allowed) < sum(MODEL.predict(graph) <= LIMIT for graph in GRAPHS) < 100
    true = [latency.median_ms for latency in MadeLatency().measure(*GRAPHS)]
    kept = [ms <= LIMIT for ms, inside in zip(true, allowed, strict=True) if inside]
    assert sum(kept) >= 0.9 * len(kept)
    with pytest.raises(LatencyError, match="nas search learns a model"):
        budget.allows(CountedNetwork.of(GRAPHS[0]))


def test_the_objective_is_the_prediction_of_any_network() -> None:
    error, latency = limited().with_latency_model(MODEL).objective_entries
    assert (error, latency.name, latency.exact) == (OBJECTIVES["error"], LATENCY, True)
    assert [latency.of(CountedNetwork.of(graph)) for graph in GRAPHS] == [MODEL.predict(graph) for graph in GRAPHS]
    check_objective(latency)


def test_an_experiment_keeps_its_model(tmp_path: Path) -> None:
    experiment = limited().with_latency_model(MODEL)
    file = tmp_path / "experiment.toml"
    file.write_text(to_toml(experiment), encoding="utf-8")
    again = read_experiment(file)
    assert again == experiment
    assert again.latency_model == MODEL
    network = CountedNetwork.of(GRAPHS[0])
    assert again.budget.excess(network) == experiment.budget.excess(network)
    assert again.budget.excess(network)[LATENCY] == pytest.approx(
        MODEL.upper_estimate(MODEL.predict(GRAPHS[0])) / LIMIT - 1
    )


def test_networks_are_moved_below_a_limit_of_less_than_a_millisecond() -> None:
    budget = limited().with_latency_model(MODEL).budget
    only = Budget({LATENCY: budget[LATENCY]}).with_entries(
        replace(OBJECTIVES[LATENCY], of=lambda network: budget.value(LATENCY, network))
    )
    fitter, rng = BudgetFitter(SPACE, TASK, only, 0), random.Random(0)
    drawn = [make_candidate(SPACE, TASK, GuidedTrial(rng)) for _ in range(30)]
    outside = [each for each in drawn if not only.allows(each)]
    moved = [found for each in outside if (found := fitter.fit(each))]
    assert len(outside) > 5
    assert len(moved) > len(outside) / 2
    assert all(only.allows(each) for each in moved)
    assert max(only.value(LATENCY, each) for each in moved) > 0.9 * LIMIT


def test_a_search_records_what_was_predicted_and_the_front_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "run"
    experiment = with_latency(limited(), path, networks=30)
    model = experiment.latency_model
    assert model is not None
    assert (model.provider, model.measured_on, model.error.networks) == (PROVIDER, "made", 30)
    study = create(path, experiment, "a test")
    for _ in Search(study, lambda _: InProcess()).events():
        pass
    run = load_run(path)
    assert len(run.records) == 6
    assert [record.predicted for record in run.records] == [
        {LATENCY: model.predict(record.graph)} for record in run.records
    ]
    assert all(experiment.budget.allows(record) for record in run.records)
    assert run.records[0].vector((LATENCY,)) == (model.predict(run.records[0].graph),)
    found = measure_front(path, experiment, run.records)
    assert found.repeatability == 0
    assert [row.measured for row in found.rows] == pytest.approx([row.predicted for row in found.rows], rel=1e-6)
    assert load_front_latency(path) == found.rows
    (path / FILE).write_text('[{"number": -1}]', encoding="utf-8")
    with pytest.raises(RunError, match=r"latency\.json is damaged"):
        load_front_latency(path)


def test_the_same_search_goes_on_with_the_model_of_its_run(tmp_path: Path) -> None:
    """With a command that cannot be started nothing can be measured."""
    path = tmp_path / "run"
    first = with_latency(limited(), path, networks=30)
    create(path, first, "a test").close()
    assert with_latency(limited(), path) == first
    settings = LatencySettings(provider="command", command="no-such-program-anywhere")
    broken = limited().model_copy(update={"latency": settings})
    assert with_latency(broken, path).latency_model == first.latency_model
    with pytest.raises(LatencyError, match="cannot be started"):
        with_latency(broken, tmp_path / "other", networks=20)
    plain = load_experiment("quickstart")
    assert with_latency(plain, path) is plain


def test_too_few_networks_inside_the_other_limits_are_no_model() -> None:
    with pytest.raises(LatencyError, match=r"2,000 draws gave 0 different networks inside the budget, not 20"):
        networks_to_measure(SPACE, TASK, 20, 0, Budget(params=Range(max=1)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[budget]\nparams.max = 1.5", "line 4: `budget.params.max`: .* whole number, found 1.5"),
        ('[budget]\nlatency_ms.max = "fast"', "line 4: `budget.latency_ms.max`: 'fast' is not a size"),
        ("[budget]\nlatency.max = 5", "line 3: unknown key 'latency' in .budget.: .*did you mean 'latency_ms'"),
        ('[latency]\nprovidr = "vela"', "line 4: unknown key 'providr' in .latency.; did you mean 'provider'"),
        ('[latency]\nprovider = "velo"', "line 4: `latency.provider`: no latency provider 'velo'; did you mean 'vela'"),
        ("[latency]\nrepeats = 0", "line 4: `latency.repeats`: Input should be greater"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'space = "mixed"\ndata = "digits"\n{text}\n', encoding="utf-8")
    with pytest.raises(ExperimentError, match=says):
        read_experiment(file)


def test_a_limit_may_have_a_fraction_where_nothing_is_counted() -> None:
    assert limited(2.5).budget[LATENCY] == Range(max=2.5)
    assert load_experiment("quickstart", {"budget.latency_ms.max": "2.5"}).budget[LATENCY] == Range(max=2.5)
    assert Budget(latency_ms=Range(max=5)).as_dict() == {LATENCY: {"max": 5}}
    assert LatencySettings().provider == "this-machine"
    with pytest.raises(BudgetError, match=r"whole number, found 1\.5"):
        Budget(depth=Range(min=1.5))


@pytest.mark.slow
def test_a_command_of_a_run_directory_is_not_run_by_resume(tmp_path: Path) -> None:
    path, there = tmp_path / "run", tmp_path / "made"
    settings = LatencySettings(provider="command", command=f"touch {there}", model=MODEL)
    changes = {"latency": settings, "trials": 1}
    experiment = limited().model_copy(update=changes).with_latency_model(MODEL)
    create(path, experiment, "a test").close()
    done = CliRunner().invoke(app, ["resume", str(path)])
    assert done.exit_code == 0, done.output
    assert [record.state for record in load_run(path).records] == ["complete"]
    assert not there.exists()
