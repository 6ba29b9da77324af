"""stdout and stderr of all kinds: without the letters, without a reader, without room, closed, in a strange place."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from nas.cli import main
from nas.cli.app import EXAMPLES
from nas.genome import to_json
from nas.genome.baselines import baseline

Call = Callable[..., int]


@pytest.fixture
def nas(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a verb in this process and return its exit code."""

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["nas", *map(str, arguments)])
        try:
            main()
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 0
        return 0

    return call


def ascii_stream() -> TextIOWrapper:
    return TextIOWrapper(BytesIO(), encoding="ascii", errors="strict", write_through=True)


def written(stream: TextIOWrapper) -> str:
    assert isinstance(stream.buffer, BytesIO)
    return stream.buffer.getvalue().decode("ascii")


READING: list[tuple[str, ...]] = [
    ("report", "RUN", "--format", "md"), ("status", "RUN"), ("proxies", "RUN", "--networks", "5"), ("doctor", "RUN"),
    ("show", "RUN:best"), ("show", "RUN:best", "--source"), ("show", "RUN:best", "--dot"), ("cost", "RUN:best"),
    ("diff", "RUN:0", "RUN:1"), ("spaces",), ("primitives",), ("primitives", "FcHead"), ("baselines",), ("data",),
    *[(verb, "--help") for verb in EXAMPLES],
]  # fmt: skip


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_no_letter_is_too_much_for_a_terminal(
    arguments: tuple[str, ...], finished_run: Path, nas: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = ascii_stream(), ascii_stream()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert nas(*(word.replace("RUN", str(finished_run)) for word in arguments)) == 0, written(err)
    assert written(out) or arguments[0] == "doctor"


def test_what_an_encoding_lacks_is_escaped(tmp_path: Path, nas: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = ascii_stream(), ascii_stream()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    named = to_json(baseline("lenet5_modern")).replace('"conv_unit_1"', '"3\u00d73"')
    (tmp_path / "net.json").write_text(named, encoding="utf-8")
    assert nas("show", tmp_path / "net.json") == 0
    assert r"3\xd73" in written(out)
    assert nas("search", "r\N{LATIN SMALL LETTER E WITH ACUTE}seau\udcff") == 2
    assert r"r\xe9seau\udcff" in written(err).replace("\\\\", "\\")


HOSTILE = "\x1b[31m\x07\u202ex"
MISTAKES = [
    ("status", HOSTILE), ("status", f"--{HOSTILE}"), (HOSTILE,), ("status", "a", HOSTILE), ("search", HOSTILE),
    ("report", "a", "--format", HOSTILE), ("finalists", "a", "--seeds", HOSTILE), ("search", "a", "--set", HOSTILE),
    ("data", HOSTILE), ("cost", HOSTILE), ("diff", HOSTILE, HOSTILE), ("primitives", HOSTILE),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=ascii)
def test_no_message_has_control_characters(
    mistake: tuple[str, ...], nas: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nas(*mistake) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.replace("\n", "").isprintable()


def test_a_reader_that_has_enough_is_no_error(nas: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    for name in ("stdout", "stderr"):
        with os.fdopen(os.dup(theirs), "w") as gone, monkeypatch.context() as patch:
            patch.setattr(sys, name, gone)
            assert nas("cost", "lenet5_paper") == 0
    os.close(theirs)


def test_a_full_disk_behind_stdout_is_one_message(
    nas: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with suppress(OSError), Path("/dev/full").open("w") as full:  # closing it tries once more
        monkeypatch.setattr(sys, "stdout", full)
        assert nas("spaces") == 2
        assert capsys.readouterr().err == (
            "nas: the output cannot be written: No space left on device. Fix that and run the same command again\n"
        )


@pytest.mark.parametrize(("closed", "out"), [("2>&-", "params "), (">&-", ""), (">&- 2>&-", "")])
def test_closed_streams_take_nothing(closed: str, out: str) -> None:
    """A message must not end up among the data, which is where print() sends it when there is no stderr."""
    command = f"exec {shlex.quote(sys.executable)} -m nas cost lenet5_paper {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout[:7] == out


def test_a_working_directory_that_is_gone_is_one_message(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"import os, sys; sys.path.insert(0, os.getcwd()); os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); "
    code += "sys.argv = ['nas', 'status', '../run']; from nas.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "the working directory cannot be used" in done.stderr


@pytest.mark.parametrize("changes", [{"COLUMNS": "1"}, {"COLUMNS": "0"}, {"COLUMNS": "x"}, {"NO_COLOR": "1"}, {}])
def test_the_terminal_and_the_home_do_not_matter(
    changes: dict[str, str], nas: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HOME")
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    assert nas("search", "--help") == 0
    assert nas("search") == 2
    assert nas("data") == 0
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert "\x1b" not in out + err


@pytest.mark.parametrize("problem", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_too_little_memory_is_one_message(
    problem: Exception, nas: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise problem

    monkeypatch.setattr("nas.genome.metrics.receptive_field", fail)
    assert nas("cost", "lenet5_paper") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("nas: out of memory")
