"""Lengths of time as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import ExperimentError
from nas.search.durations import format_duration, parse_duration
from nas.search.experiment_file import load_experiment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h", 7200), ("90m", 5400), ("45s", 45), ("1h30m", 5400), ("1h 30m", 5400), ("1.5h", 5400), ("1d", 86_400),
     ("90", 90), ("0.5", 0.5), ("2H", 7200)],
)  # fmt: skip
def test_what_people_write_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert load_experiment("quickstart", {"time_limit": text, "timeout": text}).time_limit == seconds


@pytest.mark.parametrize("text", ["", "h", "0", "0s", "-1h", "2 hours", "30m1h", "1e3", "inf", "1h30", "9" * 400])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="is not a length of time; write 2h, 90m"):
        parse_duration(text)
    with pytest.raises(ExperimentError, match="--set time_limit: `time_limit`: "):
        load_experiment("quickstart", {"time_limit": text})


@pytest.mark.parametrize("value", [0, -1, True, float("inf"), float("nan"), ["2h"]])
def test_a_number_must_be_a_length_too(value: object) -> None:
    for key in ("time_limit", "timeout"):
        with pytest.raises(ExperimentError, match=f"`{key}`: "):
            load_experiment("quickstart", {key: value})


@given(st.integers(1, 10**7))
def test_what_is_printed_can_be_given_again(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds
