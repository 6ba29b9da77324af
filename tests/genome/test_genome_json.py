"""A genome survives JSON; anything else is refused with one message, before it expands."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import clear_caches, random_network

from nas.errors import GenomeError
from nas.genome import OPS, Graph, Task, cost, fingerprint, from_json, lower, to_json
from nas.genome.graph import place_op
from nas.genome.primitives import Concat, Conv, GapHead, Linear, Relu, Stem

HEAD = '{"format": "nas-genome/1", "nodes": ['


def genome(*rows: str, outputs: str = '["last"]') -> str:
    first = '{"name": "input", "op": "Input", "extents": [3, 32, 32]}'
    return HEAD + ",\n".join([first, *rows]) + f'], "outputs": {outputs}}}'


def row(name: str, op: str, inputs: list[str], **fields: Any) -> str:
    return json.dumps({"name": name, "op": op, "inputs": inputs, **fields})


RELU = row("last", "Relu", ["input"])
seeds = st.integers(0, 2**32)


@given(seeds)
def test_every_network_reads_back_equal(seed: int) -> None:
    graph = random_network(seed)
    again = from_json(to_json(graph))
    assert again == graph
    assert to_json(again) == to_json(graph)
    assert (cost(again), fingerprint(again)) == (cost(graph), fingerprint(graph))


@given(seeds)
def test_a_network_written_out_reads_back_equal(seed: int) -> None:
    graph = lower(random_network(seed))
    assert from_json(to_json(graph)) == graph


def test_auxiliary_heads_and_given_names_survive() -> None:
    x = Stem(8)(Task("t", (1, 8, 8), 3).image(), name="the stem: Ω")
    graph = Graph.of(GapHead(3)(Relu()(x)), GapHead(3)(x, name="aux"))
    again = from_json(to_json(graph))
    assert again == graph
    assert [again.nodes[i].name for i in again.outputs] == ["gap_head_1", "aux"]


BAD = {
    "empty": ("", "line 1, column 1: not JSON"),
    "a number": ("3", "expected an object, found int"),
    "deep": ("[" * 100_000, "nested too deeply"),
    "deep objects": ('{"a":' * 100_000, "nested too deeply"),
    "deep field": (genome(row("last", "Relu", ["input"])).replace('"Relu"', "[" * 900 + "]" * 900), "is not an op"),
    "long": (" " * 1_000_001, "at most 1,000,000"),
    "a long integer": (genome(row("last", "Conv", ["input"], width=7, kernel=3)).replace("7", "9" * 5_000), "digits"),
    "a huge integer": (genome(row("last", "Conv", ["input"], width=10**4_000, kernel=3)), "from 1 to 65,536"),
    "a negative integer": (genome(row("last", "Conv", ["input"], width=-1, kernel=3)), "from 1 to 65,536"),
    "true": (genome(row("last", "Conv", ["input"], width=True, kernel=3)), "`width` (=True)"),
    "nan": (genome(row("last", "Dropout", ["input"], rate=float("nan"))), "NaN is not allowed"),
    "infinite": (genome(row("last", "Dropout", ["input"], rate=0.5)).replace("0.5", "1e999"), "from 0.0 to 1.0"),
    "two keys": (genome('{"name": "last", "name": "b", "op": "Relu", "inputs": ["input"]}'), "appears twice"),
    "many keys": ("{" + ",".join(f'"{i}":0' for i in range(80_000)) + "}", "the key 'format' is missing"),
    "two names": (genome(RELU, RELU), "taken by an earlier node"),
    "an escape in a name": (genome(row("\x1b[31m", "Relu", ["input"]), RELU), "printable"),
    "half a character": (genome(row("\ud800", "Relu", ["input"]), RELU), "printable"),
    "a name inside a block": (
        genome(row("a", "Stem", ["input"], width=4), row("a.conv_1", "Relu", ["a"]), row("last", "Relu", ["a.conv_1"])),
        "belongs to a layer inside a block",
    ),
    "an unknown op": (genome(row("last", "Repeat", ["input"])), "'Repeat' is not an op"),
    "a private op": (genome(row("last", "__class__", ["input"])), "is not an op"),
    "an unknown field": (genome(row("last", "Relu", ["input"], __class__=1)), "Relu has no field '__class__'"),
    "a missing field": (genome(row("last", "Conv", ["input"], kernel=3)), "Conv needs width"),
    "a cycle": (genome(row("a", "Relu", ["last"]), row("last", "Relu", ["a"])), "'last' is not an earlier node"),
    "itself": (genome(row("last", "Relu", ["last"])), "'last' is not an earlier node"),
    "no input": (genome(row("last", "Relu", [])), "expected a list of names"),
    "an unhashable input": (genome('{"name": "last", "op": "Relu", "inputs": [["input"]]}'), "is not an earlier node"),
    "two inputs for one": (genome(row("last", "Relu", ["input", "input"])), "takes 1 inputs, not 2"),
    "two inputs for a block": (genome(row("last", "ConvStack", ["input", "input"], width=4)), "takes 1 inputs, not 2"),
    "one input for two": (genome(row("last", "Concat", ["input"])), "takes two or more inputs, not 1"),
    "a second image": (genome(row("b", "Input", [], extents=[3, 32, 32]), RELU), "must be an Input"),
    "no image": (HEAD + RELU + "," + RELU + '], "outputs": ["last"]}', "must be an Input"),
    "a flat image": (genome(RELU).replace("[3, 32, 32]", "[32, 32]"), "must be (channels, height, width)"),
    "no layer": (genome(outputs='["input"]'), "expected a list of 2 to"),
    "nothing done": (genome(RELU, outputs='["input"]'), "the Input is not a head"),
    "one head twice": (genome(RELU, outputs='["last", "last"]'), "each head must be named once"),
    "a misfit": (genome(row("last", "Linear", ["input"], width=4)), "needs features"),
    "10^12 parameters": (
        genome(
            row("flat", "Flatten", ["input"]),
            row("a", "Linear", ["flat"], width=65_536),
            *(row(f"a{i}", "Linear", [f"a{i - 1}" if i else "a"], width=65_536) for i in range(300)),
        ),
        "parameters; at most 100,000,000,000 are allowed",
    ),
    "10^39 nodes": (
        genome(
            row("x0", "DenseBlock", ["input"], growth=8, depth=256),
            *(row(f"x{i}", "DenseBlock", [f"x{i - 1}"], growth=8, depth=256) for i in range(1, 24)),
        ),
        "at most 5,000 are allowed",
    ),
    "the longest block": (
        genome(row("last", "MlpConv", ["input"], width=4, hidden=list(range(1, 4_097)), norm=True)),
        "more than 5,000 layers",
    ),
    "10^39 channels": (
        genome(row("x0", "Relu", ["input"]), *(row(f"x{i}", "Concat", [f"x{i - 1}"] * 8) for i in range(1, 45))),
        "elements in one tensor",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_genome_is_refused_with_one_message(name: str) -> None:
    text, expected = BAD[name]
    with pytest.raises(GenomeError) as caught:
        from_json(text)
    message = str(caught.value)
    assert expected in message
    assert len(message) < 700
    assert message.isprintable()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_genome_is_refused_before_it_expands(name: str) -> None:
    clear_caches()
    with pytest.raises(GenomeError):
        from_json(BAD[name][0])
    counts = place_op.cache_info()
    assert counts.hits + counts.misses < 30_000  # ops placed, for at most 5,000 layers and one block that has more


def changed(rng: random.Random, value: Any) -> Any:
    """One place of a JSON document replaced, removed, doubled or moved."""
    odd: list[Any] = [
        None,
        True,
        -1,
        0,
        1,
        7,
        65_536,
        10**30,
        0.5,
        1e308,
        "",
        "input",
        "Concat",
        [],
        {},
        [[[]]],
        "x" * 300,
    ]
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {
            **value,
            (rng.choice(["op", "width", "name"]) if rng.random() < 0.05 else key): changed(rng, value[key]),
        }
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        kind = rng.random()
        if kind < 0.1:
            return value[:place] + value[place + 1 :]
        if kind < 0.2:
            return [*value, value[place]]
        if kind < 0.3:
            return rng.sample(value, len(value))
        return [*value[:place], changed(rng, value[place]), *value[place + 1 :]]
    return rng.choice([*odd, *OPS]) if rng.random() < 0.7 else value


@given(seeds, st.integers(1, 6))
@settings(max_examples=300)
def test_a_damaged_genome_is_a_network_or_an_error(seed: int, changes: int) -> None:
    rng = random.Random(seed)
    data = json.loads(to_json(random_network(seed % 200)))
    for _ in range(changes):
        data = changed(rng, data)
    reads_or_refuses(json.dumps(data))


@given(seeds, st.integers(1, 4))
def test_damaged_text_is_a_network_or_an_error(seed: int, changes: int) -> None:
    rng = random.Random(seed)
    text = to_json(random_network(seed % 200))
    for _ in range(changes):
        start = rng.randrange(len(text))
        text = text[:start] + rng.choice(["", "9", "[", "}", '"', "\\u0000", "null"]) + text[start + rng.randrange(3) :]
    reads_or_refuses(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
names = st.sampled_from(["input", "a", "b"]) | json_values
rows = st.fixed_dictionaries(
    {"name": names, "op": st.sampled_from([*OPS, "?"]) | json_values},
    optional={key: names | st.lists(names) for key in ("inputs", "extents", "width", "depth", "kernel", "stride")},
)
documents = st.fixed_dictionaries(
    {"format": st.just("nas-genome/1"), "nodes": st.lists(rows, max_size=5), "outputs": st.lists(names, max_size=3)}
)


@given(json_values | documents | st.text())
def test_any_json_is_a_network_or_an_error(data: Any) -> None:
    reads_or_refuses(data if isinstance(data, str) else json.dumps(data))


def reads_or_refuses(text: str) -> None:
    try:
        graph = from_json(text)
    except GenomeError as problem:
        assert str(problem).isprintable()  # noqa: PT017
        return
    assert from_json(to_json(graph)) == graph
    assert cost(graph, auxiliary=True) == cost(lower(graph), auxiliary=True)
    assert len(fingerprint(graph)) == 32


def test_reading_does_not_depend_on_what_was_read_before() -> None:
    text, _ = BAD["10^39 nodes"]
    for count in (2, 3, 24):
        refused = set()
        for _ in range(2):
            rows = [r for r in text.split("\n") if "DenseBlock" in r][:count]
            try:
                from_json(
                    "\n".join(text.split("\n")[:1] + rows).removesuffix(",") + f'], "outputs": ["x{count - 1}"]}}'
                )
                refused.add(False)
            except GenomeError as problem:
                refused.add("5,000" in str(problem))
        assert len(refused) == 1


def test_a_wide_concat_is_allowed() -> None:
    x = Conv(65_536, 1)(Task("t", (1, 2, 2), 3).image())
    graph = Graph.of(Linear(2)(OPS["GlobalPool"]()(Concat()(*[x] * 100))))
    assert from_json(to_json(graph)) == graph
