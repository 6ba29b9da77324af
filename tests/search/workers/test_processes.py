"""How local workers share graphics cards."""

import pytest

from nas.search.workers.processes import gpu_index


@pytest.mark.parametrize(
    ("share", "cards"),
    [
        (1.0, [0, 1, 2, 3, 4, 5]),
        (0.5, [0, 0, 1, 1, 2, 2]),
        (1 / 3, [0, 0, 0, 1, 1, 1]),
        (0.1, [0] * 6),
        (0.7, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_workers_are_packed_onto_cards(share: float, cards: list[int]) -> None:
    assert [gpu_index(place, share) for place in range(6)] == cards
