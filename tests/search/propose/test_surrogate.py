"""The model of the error: what it learns, where it is sure, and what it takes for alike."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import GapHead, Stem
from nas.genome.primitives.cells import nasbench201
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.samplers.encoding import MISSING, Encoder, Rows
from nas.search.propose.samplers.kernel import Kernel
from nas.search.propose.samplers.surrogate import Surrogate, targets

TASK = Task("digits", (1, 8, 8), 10)
KINDS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


def cell(trial: Trial, task: Task) -> Graph:
    a, b, c, d, e, f = (trial.suggest_categorical(f"edge{i}", KINDS) for i in range(6))
    arch = f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"
    return Graph.of(GapHead(task.classes)(nasbench201(arch, 8)(Stem(8)(task.image()))))


def drawn(count: int, seed: int = 0) -> list[Candidate]:
    rng = random.Random(seed)
    return [make_candidate(cell, TASK, GuidedTrial(rng)) for _ in range(count)]


def chosen(*edges: str) -> Candidate:
    return make_candidate(cell, TASK, GuidedTrial(random.Random(0), {f"edge{i}": edge for i, edge in enumerate(edges)}))


def error(one: Candidate) -> float:
    """Less with every 3x3 convolution, and where a smaller one follows one."""
    return 0.5 / (1 + one.ngrams.get(("Conv3@0",), 0)) + 0.1 / (1 + one.ngrams.get(("Conv3@0", "Conv1@0"), 0))


def encoded(*groups: list[Candidate]) -> list[Rows]:
    encoder = Encoder()
    codes = [[encoder.encode(one) for one in group] for group in groups]
    return [encoder.rows(group) for group in codes]


def test_it_learns_what_makes_networks_good() -> None:
    known, unseen = drawn(60), drawn(60, seed=1)
    learnt, asked = encoded(known, unseen)
    mean, spread = Surrogate(learnt, targets([error(one) for one in known])).predict(asked)
    assert spearmanr(mean, [error(one) for one in unseen])[0] > 0.7
    assert (spread > 0).all()


def test_it_is_surer_at_trained_networks_and_at_fantasies() -> None:
    known, unseen = drawn(30), drawn(10, seed=1)
    learnt, asked = encoded(known, unseen)
    model = Surrogate(learnt, targets([error(one) for one in known]))
    before, unsure = model.predict(asked)
    _, sure = model.predict(learnt)
    assert sure.mean() < unsure.mean()
    assert model.training_mean() == pytest.approx(model.predict(learnt)[0], abs=1e-6)
    model.add_fantasies(asked)
    after, believed = model.predict(asked)
    assert (believed < unsure).all()
    assert after == pytest.approx(before, abs=0.1)


def test_networks_that_compute_alike_are_alike_whatever_their_choices() -> None:
    one = chosen("nor_conv_3x3", "none", "nor_conv_1x1", "none", "none", "skip_connect")
    same = chosen("nor_conv_3x3", "none", "none", "none", "nor_conv_1x1", "none")
    other = chosen("nor_conv_1x1", "none", "none", "none", "nor_conv_3x3", "none")
    (rows,) = encoded([one, same, other, *drawn(10)])
    choices, _, _, layers, _ = Kernel(rows).parts(rows, rows)
    assert layers[0, 1] == pytest.approx(1, abs=1e-6)
    assert layers[0, 2] < 0.9
    assert choices[0, 1] < 0.5


def test_what_comes_up_later_is_missing_in_those_before_and_left_out_of_rows_like_theirs() -> None:
    encoder = Encoder()
    bare = encoder.encode(replace(chosen(*["none"] * 3, "skip_connect", "none", "none"), choices={}, distributions={}))
    before = encoder.rows([bare])
    rich = encoder.encode(chosen(*KINDS, "nor_conv_3x3"))
    after = encoder.rows([bare, rich])
    assert after.choices[0].tolist() == [MISSING] * 6
    assert after.ngrams.shape[1] > before.ngrams.shape[1]
    assert after.ngrams[0, : before.ngrams.shape[1]].tolist() == before.ngrams[0].tolist()
    cut = encoder.rows([rich], before)
    assert (cut.choices.shape, cut.ngrams.shape) == ((1, 0), before.ngrams.shape)


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=30))
def test_targets_keep_the_order_and_tame_the_worst(errors: list[float]) -> None:
    scaled = targets(errors)
    assert np.isfinite(scaled).all()
    assert (np.diff(scaled[np.argsort(errors)]) >= -1e-9).all()
    assert targets([*errors, 2.0]).max() <= len(errors) + 1


def made_rows(rng: np.random.Generator, count: int, columns: int, fixed: float) -> Rows:
    """Return rows of random positions, some missing; a share `fixed` of all columns does not vary."""
    choices = rng.integers(0, 5, (count, columns)) / 4.0
    choices[rng.random((count, columns)) < 0.1] = MISSING
    counts, ngrams = rng.normal(10, 3, (count, 4)), np.log1p(rng.poisson(1.0, (count, 12)))
    for each in (choices, counts, ngrams):
        each[:, rng.random(each.shape[1]) < fixed] = 1.7
    return Rows(choices, tuple((rng.random(columns) < 0.5).tolist()), counts, ngrams)


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(0, 12), st.sampled_from([0.0, 0.5, 1.0]))
def test_every_part_of_the_kernel_is_positive_semidefinite(seed: int, count: int, columns: int, fixed: float) -> None:
    rows = made_rows(np.random.default_rng(seed), count, columns, fixed)
    kernel = Kernel(rows)
    parts = kernel.parts(rows, rows)
    assert np.isfinite(parts).all()
    assert np.linalg.eigvalsh(parts).min() > -1e-6
    assert np.diagonal(parts, axis1=1, axis2=2) == pytest.approx(kernel.diagonal(rows), abs=1e-6)
    if fixed == 1.0:
        assert not parts.any()


@given(st.integers(0, 10_000), st.integers(1, 25), st.sampled_from(["varied", "equal", "zero or one"]))
def test_the_posterior_is_finite_whatever_it_is_told(seed: int, count: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    learnt, asked = made_rows(rng, count, 5, 0.3), made_rows(rng, 7, 5, 0.3)
    asked = replace(asked, ordered=learnt.ordered)
    errors = {"varied": rng.random(count), "equal": np.full(count, 0.5), "zero or one": rng.integers(0, 2, count)}
    model = Surrogate(learnt, targets(errors[kind].tolist()), rng.choice([1.0, 4.0], count))
    model.add_fantasies(asked)
    mean, spread = model.predict(asked)
    assert np.isfinite(mean).all()
    assert (np.isfinite(spread) & (spread > 0)).all()
    assert sum(setting.share for setting in model.settings) == pytest.approx(1)
