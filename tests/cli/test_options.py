"""Every option of every verb changes the result or is refused: a new one needs an entry here."""

import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import nas.cli
from nas.cli.app import EXAMPLES, app
from nas.cli.options import home
from nas.errors import quoted
from nas.search.experiment_file import load_experiment, read_experiment

COMMANDS: Any = get_command(app)

REFUSED: list[tuple[str, ...]] = [
    ("cost", "lenet5_paper", "--data", "digits"),
    ("cost", "lenet5_paper", "--seed", "0"),
    ("cost", "lenet5_paper", "--json", "--nodes"),
    ("cost", "lenet5_paper", "--json", "--layers"),
    ("cost", "lenet5_paper", "--latency", "--target", "cortex-m4-64k"),
    ("show", "lenet5_paper", "--data", "digits"),
    ("show", "lenet5_paper", "--seed", "0"),
    ("show", "lenet5_paper", "--json", "--svg", "F.svg"),
    ("show", "lenet5_paper", "--source", "--dot"),
    ("show", "lenet5_paper", "--source", "--json"),
    ("diff", "vgg_A", "vgg_B", "--seed", "0"),
    ("diff", "vgg_A", "vgg_B", "--data", "digits"),
    ("export", "lenet5_paper", "--trial", "3"),
    ("export", "RUN", "--seed", "0"),
    ("export", "lenet5_paper", "--format", "pt2", "--opset", "20"),
    ("export", "lenet5_paper", "--data-dir", "pets"),
    ("export", "RUN", "--format", "onnx", "--qat", "2"),
    ("export", "RUN:1", "--trial", "1"),
    ("report", "RUN", "--space", "mine.py"),
    ("report", "RUN", "--format", "md", "--script-dir", "pages"),
    ("resume", "RUN", "--space", "mine.py"),
    ("watch", "RUN", "--space", "mine.py"),
    ("finalists", "RUN", "--space", "mine.py"),
    ("export", "RUN", "--space", "mine.py"),
    ("spaces", "--data", "digits"),
    ("data", "--mirror", "http://localhost"),
    ("data", "mnist", "--json"),
    ("principles", "principles_small", "--dry-run", "--json"),
    ("principles", "principles_small", "--dry-run", "--evidence", "RUN"),
    ("search", "quickstart", "--executor", "local", "--address", "head:1"),
    ("search", "quickstart", "--max-flops", "3M", "--max-macs", "1M"),
    ("search", "quickstart", "--min-flops", "3k", "--max-macs", "1M"),
    ("tune", "quickstart", "--max-flops", "3M", "--max-macs", "1M"),
]
"""Options that do not apply to the arguments, and pairs that exclude each other."""

ALWAYS = {
    "init": "data",
    "search": "dry_run changes data max_params max_macs max_flops min_flops max_latency max_ram max_flash target "
    "trials time_limit workers seed device sampler start baselines executor storage out",
    "resume": "time_limit trials workers executor address data_dir",
    "tune": "changes data max_params max_macs max_flops min_flops max_ram max_flash trials "
    "time_limit workers seed device sampler start address storage_path resume out",
    "status": "as_json watch",
    "watch": "port open_",
    "report": "format_ out",
    "export": "out format_ variant",
    "finalists": "seeds top epochs all_images teacher baselines as_json data_dir",
    "proxies": "networks as_json data_dir",
    "doctor": "fix",
    "principles": "time_limit changes out",
    "show": "layers",
    "cost": "",
    "diff": "as_json",
    "spaces": "as_json",
    "primitives": "as_json",
    "baselines": "as_json",
    "data": "",
}
"""By verb, the options that change the result whatever the other arguments are."""


def call(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["nas", *arguments])
    with pytest.raises(SystemExit) as ended:
        nas.cli.main()
    return ended.value.code


@pytest.mark.parametrize("verb", EXAMPLES)
def test_every_option_has_an_entry(verb: str) -> None:
    options = {each.name: each.opts for each in COMMANDS.commands[verb].params if each.param_type_name == "option"}
    refused = {word for case in REFUSED if case[0] == verb for word in case}
    partly = {name for name, words in options.items() if refused & set(words)}
    assert partly | set(ALWAYS[verb].split()) == set(options)


@pytest.mark.parametrize("case", REFUSED, ids=" ".join)
def test_an_option_that_does_not_apply_is_refused(
    case: tuple[str, ...], finished_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert call(tuple(word.replace("RUN", str(finished_run)) for word in case), monkeypatch) == 2
    out, err = capsys.readouterr()
    assert (out, "cannot be used here: " in err) == ("", True), err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["html", "md"])
def test_a_report_is_written_where_it_is_asked_for(
    form: str, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page"
    before = sorted(finished_run.rglob("*"))
    assert call(("report", str(finished_run), "--format", form, "--out", str(page)), monkeypatch) == 0
    assert capsys.readouterr().out == f"{page}\n"
    text = page.read_text(encoding="utf-8")
    assert text.startswith({"html": "<!doctype html>", "md": "### "}[form])
    assert "trials.csv" not in text
    assert sorted(finished_run.rglob("*")) == before
    assert list(tmp_path.iterdir()) == [page]


def test_a_mark_of_byte_order_is_no_part_of_an_experiment(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('space = "mixed"\ndata = "digits"\n', encoding="utf-8-sig")
    assert read_experiment(file).space == "mixed"


def test_a_name_is_never_too_long_for_a_directory(tmp_path: Path) -> None:
    name = "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 100
    path = home(load_experiment("quickstart", {"name": name}))
    (tmp_path / path).mkdir(parents=True)
    assert path.name == name[:66]


def test_a_path_in_a_remedy_can_be_pasted() -> None:
    assert quoted(Path("my runs/a")) == "'my runs/a'"
    for file in Path(nas.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for verb in EXAMPLES:
            for name in ("path", "where", "self.path", "run.path"):
                bare = f"nas {verb} {{{name}}}"
                assert bare not in text or "path = quoted(" in text, f"{file}: {bare} is not quoted"
