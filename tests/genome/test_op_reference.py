"""The hyperparameters of ops as documentation: each has a meaning, and the values it tells are those that are taken."""

from dataclasses import fields

import pytest

from nas.genome import OPS, Op
from nas.genome.field_meanings import MEANINGS
from nas.genome.graph import checks
from nas.genome.op_reference import hyperparameters

BUNDLED = {name: op for name, op in OPS.items() if op.__module__.startswith("nas.")}


@pytest.mark.parametrize("op", BUNDLED.values(), ids=BUNDLED)
def test_every_field_has_a_meaning(op: type[Op]) -> None:
    missing = [each.name for each in hyperparameters(op) if not each.meaning]
    assert not missing, f"add to nas/genome/field_meanings.py what {missing} of {op.__name__} means"


def test_every_meaning_is_of_a_field() -> None:
    own = {f"{name}.{spec.name}" for name, op in BUNDLED.items() for spec in fields(op)}
    common = {field.partition(".")[2] for field in own if field not in MEANINGS}
    assert set(MEANINGS) <= own | common


@pytest.mark.parametrize("op", BUNDLED.values(), ids=BUNDLED)
def test_the_values_are_those_that_are_taken(op: type[Op]) -> None:
    for each in hyperparameters(op):
        check = checks(op)[each.name]
        if not each.required and each.default is not None:
            assert check(each.default) == each.default
        if each.type.startswith(("int", "float")) and each.min is not None and each.max is not None:
            assert (check(each.min), check(each.max)) == (each.min, each.max)
            for outside in (each.min - 1, each.max + 1):
                with pytest.raises(ValueError, match=r"from|one of"):
                    check(outside)
        elif each.choices and not each.type.startswith("tuple"):
            assert [check(choice) for choice in each.choices] == list(each.choices)
            with pytest.raises(ValueError, match="one of"):
                check("no such choice")


def test_the_spelling_of_types() -> None:
    found = {each.name: str(each) for each in hyperparameters(OPS["Cell"])}
    assert found["width"] == "width: int, required, 1 to 65,536"
    assert found["edges"].startswith("edges: tuple[tuple[int, int], ...], default ((0, 1), ")
    assert found["ops"].startswith("ops: tuple[str, ...], default ('conv3x3', 'conv3x3'), one of 'conv1x1', ")
    (epsilon,) = hyperparameters(OPS["BatchNorm"])
    assert str(epsilon) == "epsilon: float, default 1e-05, 1e-12 to 1e+06"
    (padding,) = (each for each in hyperparameters(OPS["Conv"]) if each.name == "padding")
    assert str(padding) == "padding: int | tuple[int, int] | None, default None, 0 to 64"
    assert padding.meaning.endswith("half the kernel; a pair is (rows, columns)")
