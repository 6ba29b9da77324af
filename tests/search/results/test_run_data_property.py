"""Over pictures renamed, removed, added and changed after the search: the card says what training used, or nothing."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search.results.image_run import card_of, image_run, write_images
from training.image_files import encoded

from nas.errors import NasError
from nas.search.results.export_trial import export_trial
from nas.search.store.run import Run

SMALL = 6  # images of a class in a part
PARTS, NAMES = ("train", "test"), ("aardvark", "cat", "cow", "dog", "zebra")
Change = tuple[str, str, str, int, str]
changes = st.lists(
    st.tuples(
        st.sampled_from(["rename", "remove class", "add class", "remove", "change", "add", "remove part", "swap"]),
        st.sampled_from(PARTS), st.sampled_from(NAMES), st.integers(0, SMALL), st.sampled_from(NAMES),
    ),
    max_size=4,
)  # fmt: skip


def apply(root: Path, change: Change) -> None:
    """Make a change, where there is something to be changed."""
    kind, part, name, number, other = change
    folder, target = root / part / name, root / part / other
    file = folder / f"{number}.png"
    picture = encoded(np.full((6, 6, 3), 10 * number, np.uint8))
    if kind == "remove part":
        shutil.rmtree(root / part, ignore_errors=True)
    elif kind == "add class" and (root / part).is_dir() and not folder.exists():
        folder.mkdir()
        file.write_bytes(picture)
    elif not folder.is_dir():
        return
    elif kind == "remove class":
        shutil.rmtree(folder)
    elif kind == "rename" and not target.exists():
        folder.rename(target)
    elif kind == "swap" and target.is_dir() and target != folder:
        folder.rename(root / "aside")
        target.rename(folder)
        (root / "aside").rename(target)
    elif kind in ("change", "add"):
        (file if kind == "change" else folder / f"more{number}.png").write_bytes(picture)
    elif kind == "remove":
        file.unlink(missing_ok=True)


def pictures(root: Path) -> dict[str, dict[str, list[bytes]]]:
    """Return the pictures of each class of each part, in order."""
    return {
        part.name: {folder.name: [file.read_bytes() for file in sorted(folder.iterdir())]
                    for folder in sorted(part.iterdir())}
        for part in sorted(root.iterdir()) if part.name in PARTS
    }  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, str]]:
    """A run and the card of its first export."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nas.model.export.parity", lambda *_: {"source": {1: 0.0}})
        home = tmp_path_factory.mktemp("handover")
        run = image_run(home / "run", write_images(home / "pets", count=SMALL))
        export_trial(run, run.best(), home / "export", lambda _: None)
        yield run, card_of(home / "export")


def rows(card: str) -> dict[str, str]:
    return dict(line[2:-2].split(" | ", 1) for line in card.splitlines() if line.startswith("| ") and " | " in line[2:])


def check(made: tuple[Run, str], drawn: list[Change]) -> None:
    run, first = made
    (run.path / "test_readings.json").unlink(missing_ok=True)
    images = run.experiment.source.data_dir
    with tempfile.TemporaryDirectory() as scratch:
        place, folder = Path(scratch) / "pets", Path(scratch) / "export"
        shutil.copytree(images, place, ignore=shutil.ignore_patterns(".nas"))
        for change in drawn:
            apply(place, change)
        same = pictures(place) == pictures(images)
        moved = replace(run, experiment=run.experiment.model_copy(update={"data_dir": str(place)}))
        try:
            _, accuracy = export_trial(moved, run.best(), folder, lambda _: None)
        except NasError:
            assert not same
            assert not folder.exists()
            return
        now, then = rows(card_of(folder)), rows(first)
        assert now["Input"] == then["Input"]
        assert now["Output"] == then["Output"]
        assert now["Validation error"] == then["Validation error"]
        if accuracy is None:
            assert not same
            assert now["Test accuracy"] == "not measured"
            assert "cannot be read" in now["Not checked"]
        else:
            assert same
            assert now == then


@settings(max_examples=25)
@given(drawn=changes)
def test_a_card_says_what_training_used(made: tuple[Run, str], drawn: list[Change]) -> None:
    check(made, drawn)


@pytest.mark.slow
@settings(max_examples=400)
@given(drawn=changes)
def test_a_card_says_what_training_used_over_many_changes(made: tuple[Run, str], drawn: list[Change]) -> None:
    check(made, drawn)
