"""Kinds of search spaces that are made from a seed: of widths only, conditional, of huge ranges, and others.

A kind is a function of a generator and a number of choices, which returns what a trial is asked: a function from a
trial to layers, applied one after another.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from nas.errors import GenomeError
from nas.genome import Graph, Task, Trial
from nas.genome.graph import Op
from nas.genome.primitives import ConvUnit, GapHead, MaxPool, Stem
from nas.genome.trial import Space

Layers = Callable[[Trial], list[Op]]
WIDTH = 16
LISTS: tuple[tuple[Any, ...], ...] = (
    (8, 16, 24, 32, 48, 64),
    ("conv", "pointwise", "tanh"),
    (True, False),
    (0.5, 1.0, 2.0),
    ((1, 1), (3, 3), (1, 5)),
    (24,),
)
NUMBERS: tuple[Callable[[Trial, str], float], ...] = (
    lambda trial, name: trial.suggest_int(name, 4, 40),
    lambda trial, name: trial.suggest_int(name, 8, 64, step=8),
    lambda trial, name: trial.suggest_int(name, 1, 200, log=True),
    lambda trial, name: WIDTH * trial.suggest_float(name, 0.25, 2.0),
    lambda trial, name: WIDTH * trial.suggest_float(name, 0.25, 2.0, step=0.25),
    lambda trial, name: WIDTH * trial.suggest_float(name, 0.01, 4.0, log=True),
    lambda trial, name: WIDTH * 2 ** trial.suggest_float(name, -1.0, 1.0, step=0.5),
    lambda trial, name: WIDTH + trial.suggest_int(name, -8, 8),
    lambda trial, name: trial.suggest_categorical(name, [12, 24, 36]),
)
HUGE: tuple[Callable[[Trial, str], float], ...] = (
    lambda trial, name: trial.suggest_int(name, 1, 10**9) / 10**9,
    lambda trial, name: trial.suggest_int(name, 1, 10**15, log=True) / 10**15,
    lambda trial, name: trial.suggest_float(name, 0.0, 1.0, step=1e-12),
    lambda trial, name: trial.suggest_float(name, -1e300, 1e300) / 2e300 + 0.5,
    lambda trial, name: trial.suggest_float(name, 1e-300, 1.0, log=True),
)


def _widths(_: Random, count: int) -> Layers:
    """Return equal layers everywhere, which differ in their widths."""
    return lambda trial: [ConvUnit(trial.suggest_int(f"w{i}", 8, 64, step=8)) for i in range(count)]


def _lists(rng: Random, count: int) -> Layers:
    """Return layers whose every choice is one of a list: of numbers, names, switches or tuples."""
    options = [rng.choice(LISTS) for _ in range(count)]
    return lambda trial: [_layer(trial.suggest_categorical(f"c{i}", each)) for i, each in enumerate(options)]


def _numbers(rng: Random, count: int) -> Layers:
    """Return layers whose widths come of whole numbers, floats, steps, logarithms and lists, mixed."""
    asked = [rng.choice(NUMBERS) for _ in range(count)]
    return lambda trial: [ConvUnit(max(1, round(ask(trial, f"n{i}")))) for i, ask in enumerate(asked)]


def _conditional(rng: Random, count: int) -> Layers:
    """Return layers that exist only after an answer, each in a range that depends on the width before it.

    In half of the spaces the first layer left out is the last.
    """
    ends = rng.random() < 0.5

    def layers(trial: Trial) -> list[Op]:
        found, width = list[Op](), WIDTH
        for i in range(count):
            if trial.suggest_categorical(f"on{i}", [True, False]):
                width = trial.suggest_int(f"w{i}", max(1, width // 2), 2 * width)
                found.append(ConvUnit(min(width, 128), trial.suggest_categorical(f"kernel{i}", [1, 3])))
            elif ends:
                break
        return found

    return layers


def _single(_: Random, count: int) -> Layers:
    """Return one network: every range and list has one value."""

    def layers(trial: Trial) -> list[Op]:
        factor = trial.suggest_float("factor", 1.0, 1.0) * trial.suggest_categorical("scale", [2])
        return [ConvUnit(round(factor * trial.suggest_int(f"w{i}", 8, 8))) for i in range(count)]

    return layers


def _refused(rng: Random, count: int) -> Layers:
    """Return layers of which most combinations are not a network."""
    every = 8 if count < 3 else 32
    rest = rng.randrange(8)

    def layers(trial: Trial) -> list[Op]:
        answers = [trial.suggest_int(f"w{i}", 1, 8) for i in range(count)]
        if sum(answer * (i + 1) for i, answer in enumerate(answers)) % every != rest:
            raise GenomeError("these choices make no network")
        return [ConvUnit(4 * answer) for answer in answers]

    return layers


def _without_effect(rng: Random, count: int) -> Layers:
    """Return choices that change nothing; in half of the spaces a last one does."""
    asked, widths = [rng.choice(NUMBERS) for _ in range(count - 1)], rng.choice(([WIDTH], [8, 16, 24]))

    def layers(trial: Trial) -> list[Op]:
        for i, ask in enumerate(asked):
            ask(trial, f"n{i}")
        return [ConvUnit(trial.suggest_categorical("width", widths))]

    return layers


def _huge(rng: Random, count: int) -> Layers:
    """Return layers whose widths come of ranges too large to be written out; many answers lead to one network."""
    asked = [rng.choice(HUGE) for _ in range(count)]
    return lambda trial: [ConvUnit(8 + round(56 * ask(trial, f"h{i}"))) for i, ask in enumerate(asked)]


SPACE_KINDS: dict[str, Callable[[Random, int], Layers]] = {
    "widths": _widths,
    "lists": _lists,
    "numbers": _numbers,
    "conditional": _conditional,
    "single": _single,
    "refused": _refused,
    "without effect": _without_effect,
    "huge": _huge,
}


def make_space(layers: Layers) -> Space:
    """Return a space: a stem, the layers with two poolings among them, and a head."""

    def space(trial: Trial, task: Task) -> Graph:
        found = layers(trial)
        value = Stem(WIDTH)(task.image())
        for i, layer in enumerate(found):
            if i in (len(found) // 3, 2 * len(found) // 3):
                value = MaxPool(2, 2)(value)
            value = layer(value)
        return Graph.of(GapHead(task.classes)(value))

    return space


def _layer(answer: Any) -> Op:
    """Return the layer that an answer from a list stands for."""
    if isinstance(answer, bool):
        return ConvUnit(WIDTH, norm=answer)
    if isinstance(answer, tuple):
        return ConvUnit(WIDTH, answer)
    if isinstance(answer, str):
        return ConvUnit(WIDTH, 1 if answer == "pointwise" else 3, activation="tanh" if answer == "tanh" else "relu")
    return ConvUnit(round(WIDTH * answer) if isinstance(answer, float) else answer)
