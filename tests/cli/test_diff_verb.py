"""nas diff: the sentences and the costs, for a person and for a program."""

import json

import pytest
from typer.testing import CliRunner

from nas.cli.app import app
from nas.cli.diff import relative_change


def test_two_networks_of_a_family() -> None:
    done = CliRunner().invoke(app, ["diff", "vgg_A", "vgg_B"])
    assert done.exit_code == 0
    assert "- conv_stack_1 and conv_stack_2 (ConvStack): depth 1 becomes 2\n" in done.stdout
    rows = {
        line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith(("params", "macs"))
    }
    assert rows["params"] == ["132,863,336", "133,047,848", "+0.1", "%"]
    assert rows["macs"][-2:] == ["+48.6", "%"]


def test_one_network() -> None:
    done = CliRunner().invoke(app, ["diff", "vgg_A", "vgg_A", "--json"])
    told = json.loads(done.stdout)
    assert told["differences"] == []
    assert told["a"] == told["b"]
    assert "The networks are the same." in CliRunner().invoke(app, ["diff", "vgg_A", "vgg_A"]).stdout


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [(5, 5, "the same"), (100, 136, "+36.0 %"), (100, 50, "-50.0 %"), (10, 25, "x 2.5"), (0, 3, "more")],
)
def test_a_change_in_words(before: int, after: int, said: str) -> None:
    assert relative_change(before, after) == said
