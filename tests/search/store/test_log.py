"""What a run leaves to be watched with."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from disk import fill

from nas.search.store.create import create
from nas.search.store.log import line, log
from nas.search.store.run import load_run
from nas.search.store.trackers.tensorboard import TensorboardCurves
from nas.search.trial import Reason


def test_the_log_has_a_line_a_trial(finished_run: Path) -> None:
    lines = (finished_run / "log.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(int(re.findall(r"trial +(\d+) ", line)[0]) for line in lines) == list(range(8))
    for found, record in zip(sorted(lines, key=lambda line: line[26:]), load_run(finished_run).records, strict=True):
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d  trial", found)
        assert found.endswith(line(record).split("  ", 1)[1])


def test_a_study_keeps_what_the_log_was_told(finished_run: Path, tmp_path: Path) -> None:
    run = load_run(finished_run)
    told = replace(
        run.records[0], choices={}, distributions={}, seconds=0.1501
    )  # rounded to 0.150 first, it would be read as 0.1
    study = create(tmp_path / "run", run.experiment, "nas")
    assert study.begin(told) == told.number
    study.end(told)
    (kept,) = load_run(tmp_path / "run").records
    assert (kept, line(kept)) == (told, line(told))


def test_a_failure_stays_on_its_line(finished_run: Path, tmp_path: Path) -> None:
    record = load_run(finished_run).records[0]
    failed = replace(record, state="failed", reason=Reason.ERROR, detail="one\ntwo\r\n" + "x" * 10_000)
    log(tmp_path, failed)
    text = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert "failed: error one two x" in text
    assert len(text) < 400


def test_what_finds_no_room_is_not_half_written(finished_run: Path, small_disk: Path) -> None:
    record, curves = load_run(finished_run).records[3], TensorboardCurves(small_disk, "small")

    writers: tuple[Callable[[], None], ...] = (lambda: log(small_disk, record), lambda: curves.scored(record))
    for write in writers:
        before = set(small_disk.rglob("*.*"))
        write()
        (file,) = set(small_disk.rglob("*.*")) - before
        ballast, whole = fill(small_disk), [file.read_bytes()]
        with pytest.raises(OSError, match=f"No space left on device: '{file}'"):  # noqa: PT012  # which one is unknown
            for _ in range(100):  # until its last page is full
                write()
                whole.append(file.read_bytes())
        assert file.read_bytes() == whole[-1]
        ballast.unlink()


@pytest.mark.slow
def test_tensorboard_gets_an_event_file_a_trial(finished_run: Path, tmp_path: Path) -> None:
    record = load_run(finished_run).records[3]
    curves = TensorboardCurves(tmp_path, "small")
    curves.scored(record)
    curves.ended(record)
    curves.scored(replace(record, number=4))
    folders = sorted((tmp_path / "tensorboard").iterdir())
    assert [folder.name for folder in folders] == ["000003", "000004"]
    for folder in folders:
        (file,) = folder.iterdir()
        assert b"train_loss" in file.read_bytes()
