"""A second call carries out only what the file lacks."""

from pathlib import Path

from benchmarks.resumed_rows import carried_out, read_rows


def doubled(asked: dict[str, int]) -> dict[str, object]:
    return {"twice": 2 * asked["number"]}


def test_a_second_call_carries_out_what_is_missing(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "rows.csv"
    assert read_rows(out).empty
    first = list(carried_out(out, [{"number": 1, "kind": "a"}], doubled, 1))
    assert first == [{"number": 1, "kind": "a", "twice": 2}]
    again = list(carried_out(out, [{"number": number, "kind": "a"} for number in (1, 2)], doubled, 1))
    assert [row["number"] for row in again] == [2]
    assert read_rows(out)["twice"].tolist() == [2, 4]
