"""Every sampler on made spaces: no crash, nothing twice or outside, no end before the space is exhausted."""

import random
import re

import pytest

from nas.errors import ExperimentError
from nas.genome.fingerprint import fingerprint
from nas.search.objectives import Budget, Range, Vector  # noqa: F401  (of a repr)
from nas.search.propose.candidate import Candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.samplers.base import SamplerSetup, SamplerTrial
from nas.search.propose.samplers.random import RandomSampler
from nas.search.registries import SAMPLERS
from nas.testing.enumeration import enumerate_choices, enumerate_space
from nas.testing.space_checks import check_made_space
from nas.testing.space_kinds import SPACE_KINDS
from nas.testing.spaces import ERRORS, TASK, MadeSpace, made_space

QUICK = [name for name in SAMPLERS if name != "gp"]
BROKEN_BEFORE = [("random", 12), ("random", 27), ("evolution", 65), ("evolution", 161), ("nsga2", 37),
                 ("frontier", 4), ("frontier", 17)]  # fmt: skip
"""Samplers with the seed of a space on which `python -m benchmarks.many_spaces` found a fault that is mended."""


@pytest.mark.parametrize("kind", SPACE_KINDS)
@pytest.mark.parametrize("sampler", QUICK)
def test_a_sampler_on_a_few_spaces_of_a_kind(sampler: str, kind: str) -> None:
    for seed in range(3):
        check_made_space(sampler, made_space(seed, kind), trials=12)


@pytest.mark.parametrize(("sampler", "seed"), BROKEN_BEFORE)
def test_a_sampler_on_a_space_that_it_broke_on_before(sampler: str, seed: int) -> None:
    check_made_space(sampler, made_space(seed))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 25, 5))
@pytest.mark.parametrize("sampler", QUICK)
def test_a_sampler_on_many_spaces(sampler: str, first: int) -> None:
    for seed in range(1_000 + first, 1_005 + first):
        check_made_space(sampler, made_space(seed))


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPACE_KINDS)
def test_optunas_gaussian_process_on_a_space_of_each_kind(kind: str) -> None:
    check_made_space("gp", made_space(0, kind), trials=12)


def test_a_space_is_the_same_for_the_same_seed_and_its_repr_makes_it_again() -> None:
    for seed in range(10):
        made = made_space(seed)
        first, again = made.draw(random.Random(0)), made_space(seed).draw(random.Random(0))
        assert (first and first.graph) == (again and again.graph)
        assert made == made_space(seed) == eval(repr(made))


def test_spaces_have_every_kind_and_setting() -> None:
    made = [made_space(seed) for seed in range(100)]
    assert {each.kind for each in made} == set(SPACE_KINDS)
    assert {each.error for each in made} == set(ERRORS)
    assert {len(each.objectives) for each in made} == {1, 2, 3}
    assert {each.workers for each in made} == set(range(1, 9))
    assert {bool(each.budget) for each in made} == {each.fit for each in made} == {True, False}
    assert min(each.choices for each in made) == 1
    assert max(each.choices for each in made) > 35


@pytest.mark.parametrize("kind", SPACE_KINDS)
def test_a_kind_of_space_makes_networks_with_an_error(kind: str) -> None:
    made = made_space(3, kind)
    networks = [each for seed in range(200) if (each := made.draw(random.Random(seed)))]
    assert networks
    assert all(0 <= made.true_error(each) < 1 for each in networks)
    different = len({fingerprint(each.graph) for each in networks})
    assert different == 1 if kind == "single" else different > 1 or kind == "without effect"


@pytest.mark.parametrize("error", ERRORS)
def test_a_training_measures_the_same_each_time_and_fails_as_often_as_asked(error: str) -> None:
    made = MadeSpace(1, "widths", 20, ("error",), Budget(), error=error, noise=0.01, failing=0.3)
    drawn = [made.draw(random.Random(seed)) for seed in range(300)]
    told = [made.told_error(each) for each in drawn if each]
    assert told == [made.told_error(each) for each in drawn if each]
    assert 0.2 < told.count(None) / 300 < 0.4
    known = [each for each in told if each is not None]
    assert all(0 <= each <= 1 for each in known)
    few = {"constant": 1, "0 or 1": 2, "ties": 11}
    assert len(set(known)) <= few.get(error, 300)


def test_an_earlier_run_has_failed_and_repeated_trials_and_a_network_without_choices() -> None:
    made = next(each for seed in range(99) if (each := made_space(seed, "widths")).earlier == 12)
    history = made.history()
    assert {record.state for record in history} == {"complete", "failed"}
    assert len({record.fingerprint for record in history}) < len(history)
    assert not history[-1].choices


def test_an_enumeration_is_of_every_combination_and_is_not_written_out() -> None:
    made = MadeSpace(0, "widths", 2, ("error",), Budget())
    assert len({fingerprint(each.graph) for each in enumerate_space(made.space, TASK)}) == 64
    huge = enumerate_space(MadeSpace(0, "huge", 9, ("error",), made.budget).space, TASK)
    assert all(next(huge) for _ in range(50))
    few = MadeSpace(0, "refused", 2, ("error",), made.budget)
    found = list(enumerate_choices(few.space, TASK))
    assert len(found) == 64
    assert None in found


class Broken(RandomSampler):
    """A sampler that draws uniformly until it breaks."""

    def __init__(self, setup: SamplerSetup) -> None:
        super().__init__(setup)
        self.asked = 0

    def ask(self) -> GuidedTrial:
        self.asked += 1
        return GuidedTrial(self.rng, {"w0": 8}) if self.asked > 5 else super().ask()


class Raising(Broken):
    """A sampler that raises when it was told a few results."""

    def tell(self, trial: SamplerTrial | None, candidate: Candidate | None, values: Vector | None) -> None:
        if self.asked > 5:
            raise ExperimentError("no more")


def test_what_a_sampler_breaks_is_told_with_the_space() -> None:
    made = MadeSpace(0, "widths", 1, ("error",), Budget())
    check_made_space(RandomSampler, made)
    for sampler, said in ((Broken, "the search ended, but"), (Raising, "ExperimentError: no more")):
        with pytest.raises(AssertionError, match=rf"^{re.escape(repr(made))}.*{said}"):
            check_made_space(sampler, made)
