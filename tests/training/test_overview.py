"""What the start of a search says of its images."""

from collections.abc import Callable
from pathlib import Path

import pytest
from training.image_files import cycled, encoded, folder_files, npz_bytes, pixels, put

from nas.training.data import Source, overview


def unequal(place: Path) -> Source:
    """Classes of 40 and 10 images of two sizes, some of them gray, with files of other kinds."""
    files = {f"train/cats/{i}.png": encoded(pixels(6 + i % 3, 6, 3, seed=i)) for i in range(40)}
    files |= {f"train/dogs/sub/{i}.jpg": encoded(pixels(6, 6, seed=i), "JPEG") for i in range(10)}
    files |= {f"test/{c}/{i}.png": encoded(pixels(6, 6, 3, seed=i)) for c in ("cats", "dogs") for i in range(4)}
    files |= {"README.txt": b"", "train/cats/a.gif": b"", "train/cats/b.gif": b"", ".DS_Store": b""}
    return Source("folder", str(put(place, files)), image_size=6)


def test_a_folder_is_told_by_part_class_and_size(tmp_path: Path) -> None:
    source = unequal(tmp_path)
    for lines in (overview(source), overview(source)):  # read, and from the cache
        assert max(map(len, lines)) <= max(80, len(str(tmp_path)) + 4)
        assert " ".join(line.strip() for line in lines) == (
            f"58 images of 3 x 6 x 6 from {tmp_path} 2 classes: cats, dogs "
            "train 45 (9 to 36 per class), validation 5 (1 to 4), test 8 (4) "
            "of the images: 26 unlike the most frequent size (6 x 6 to 6 x 8 pixels), 10 gray "
            "skipped: 2 .gif, 1 .txt, 1 hidden or a system's"
        )


def balanced(place: Path) -> Source:
    return Source("folder", str(put(place, folder_files(10))))


def arrays(place: Path) -> Source:
    return Source("npz", str(put(place, {"a.npz": npz_bytes(images=pixels(60, 5, 4), labels=cycled(60, 3))})))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            balanced,
            ["2 classes: cats, dogs", "train 12 (6 per class), validation 4 (2), test 4 (2)"],
        ),
        (arrays, ["3 classes", "train 36 (12 per class), validation 12 (4), test 12 (4)"]),
        (lambda _: Source("digits"), ["1,438 images of 1 x 8 x 8", "10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"]),
    ],
)
def test_nothing_is_said_where_there_is_nothing_to_say(
    make: Callable[[Path], Source], said: list[str], tmp_path: Path
) -> None:
    lines = [line.strip() for line in overview(make(tmp_path))]
    assert set(said) <= set(lines)
    assert not [line for line in lines if line.startswith(("unbalanced", "of the images", "skipped"))]
