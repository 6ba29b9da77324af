"""Numbers as the report writes them."""

import pytest

from nas.report.text import axis_title, clip, percent, quantity, short


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (7, "7"), (999, "999"), (999.6, "1 k"), (1_500, "1.5 k"), (48_211, "48.2 k"), (999_600, "1 M"),
     (3_858_925_568, "3.86 G"), (10**15, "1,000 T"), (0.125, "0.125")],
)  # fmt: skip
def test_three_digits_and_a_letter(value: float, said: str) -> None:
    assert short(value) == said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("error", 0.0193, "1.93 %"), ("error", None, "-"), ("error", float("nan"), "-"), ("peak_bytes", 512, "512 B"),
     ("peak_bytes", 61_440, "61.4 kB"), ("seconds", 12.34, "12.3 s"), ("seconds", 7_200, "120 min"),
     ("macs", 10, "10")],
)  # fmt: skip
def test_quantities_carry_their_unit(name: str, value: float | None, said: str) -> None:
    assert quantity(name, value) == said


def test_a_small_share_is_never_nothing() -> None:
    assert [percent(share) for share in (0.0, 0.001, 0.01, 1.0)] == ["0 %", "<1 %", "1 %", "100 %"]


def test_text_is_cut_to_one_line() -> None:
    assert clip("a\n b\tc") == "a b c"
    assert clip("\x1b[31m\u202e") == r"\x1b[31m\u202e"
    assert len(clip("x" * 500, 80)) == 80
    assert axis_title("macs") == "MACs (multiply-accumulates per image)"
    assert axis_title("params") == "parameters"
