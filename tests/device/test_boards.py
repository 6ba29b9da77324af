"""Boards: the bundled ones, a file of one's own, and what is wrong in one, with its line."""

from dataclasses import asdict
from pathlib import Path

import pytest

from nas.device.boards import BUNDLED, Board, as_board, find_board, read_boards
from nas.errors import ExperimentError

GOOD = """# a board of ours
[lamp]
title = "A lamp"
ram = 40_000
flash = 100_000
runtime = "tflite-micro"
provider = "command"

[camera]
title = "A camera with an NPU"
ram = 4_000_000
flash = 8_000_000
runtime = "tflite-micro"
provider = "vela"
accelerator = "ethos-u55-256"
"""


def test_the_bundled_boards_say_their_ram_by_name() -> None:
    boards = read_boards()
    assert len(boards) >= 5
    for name, board in boards.items():
        assert board.ram == 1024 * int(name.rpartition("-")[2].removesuffix("k"))
        assert board.flash % 2**16 == 0
        assert board.ram < board.flash
    assert find_board("cortex-m4-64k", Path("nowhere")).limits == {"ram": 65_536, "flash": 262_144}


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    lamp = find_board("mine.toml:lamp", tmp_path)
    assert lamp == Board("lamp", "A lamp", 40_000, 100_000, "tflite-micro", "command")
    assert lamp == find_board(f"{tmp_path}/mine.toml:lamp", Path("elsewhere"))
    assert lamp.latency.provider == "command"
    camera = find_board("mine.toml:camera", tmp_path).latency
    assert (camera.provider, camera.accelerator, camera.file) == ("vela", "ethos-u55-256", "tflite")
    assert as_board(asdict(lamp)) == lamp
    assert as_board(asdict(lamp) | {"ram": "40k"}) is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "ram = 40_000",
            'ram = "40k"',
            r"line 4: `ram`: .* found '40k'; write a whole number of bytes",
        ),
        ("ram = 40_000", "ram = 0", "line 4: `ram`: .* greater than or equal to 1, found 0"),
        ("flash = 8_000_000", "flsh = 8_000_000", "line 12: unknown key 'flsh'; did you mean 'flash'"),
        ("flash = 8_000_000", "colour = 1", "line 12: unknown key 'colour'; known: title, ram, flash"),
        ("flash = 8_000_000\n", "", "line 9: the key 'flash' is missing"),
        ('"vela"', '"vella"', "line 14: `provider`: no latency provider 'vella'; did you mean 'vela'"),
        ('"ethos-u55-256"', '"u55"', "line 15: `accelerator`: String should match"),
        ("ram = 40_000", 'name = "light"', "line 4: a board is named by its table; remove `name`"),
        ("# a board of ours", "lamps = 3", "line 1: 'lamps' is not a table"),
        ('title = "A lamp"', "title = A lamp", r"not TOML: .*line 3"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ExperimentError, match=says) as raised:
        read_boards(file)
    assert str(raised.value).startswith(str(file))


def test_what_is_not_a_file_of_boards(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="No such file"):
        find_board("none.toml:lamp", tmp_path)
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * 100_001)
    with pytest.raises(ExperimentError, match="larger than 100,000 bytes"):
        read_boards(large)
    large.write_bytes(b"\xff")
    with pytest.raises(ExperimentError, match="not TOML"):
        read_boards(large)


def test_an_unknown_board_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"no board 'cortex-m4-65k'; did you mean 'cortex-m4-64k'.*my_boards"):
        find_board("cortex-m4-65k", tmp_path)
    with pytest.raises(ExperimentError, match=r"no board 'lanp' in .*mine\.toml; did you mean 'lamp'"):
        find_board("mine.toml:lanp", tmp_path)
    assert BUNDLED.is_file()
