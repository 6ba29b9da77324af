"""show, cost and export say what a folder of an export, or a lone "best", is."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from nas.cli.app import app
from nas.cli.networks import find_network
from nas.errors import ExperimentError
from nas.genome.baselines import baseline
from nas.genome.genome_json import to_json


def test_a_folder_of_an_export_is_read(tmp_path: Path) -> None:
    (tmp_path / "genome.json").write_text(to_json(baseline("lenet5_paper")))
    assert find_network(str(tmp_path), None, None)[0] == baseline("lenet5_paper")
    assert CliRunner().invoke(app, ["cost", str(tmp_path)]).exit_code == 0


def test_best_alone_asks_for_the_run() -> None:
    with pytest.raises(ExperimentError, match="best of which run"):
        find_network("best", None, None)
