"""Where boxes stand, for any graph whose edges look forward."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nas.report.network.layout import Size, layout

sizes = st.builds(Size, st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))


@st.composite
def dags(draw: st.DrawFn) -> tuple[list[Size], list[tuple[int, int]]]:
    boxes = draw(st.lists(sizes, min_size=1, max_size=14))
    pairs = [(start, end) for end in range(len(boxes)) for start in range(end)]
    return boxes, sorted(draw(st.sets(st.sampled_from(pairs)))) if pairs else []


@given(dags())
@settings(max_examples=200, deadline=None)
def test_boxes_never_overlap_and_edges_look_down(dag: tuple[list[Size], list[tuple[int, int]]]) -> None:
    boxes, edges = dag
    plan = layout(boxes, edges, (5, 5))
    assert len(plan.paths) == len(edges)
    for start, end in edges:
        assert plan.places[start].bottom <= plan.places[end].y
    for i, a in enumerate(plan.places):
        assert a.x - a.size.left >= -plan.left
        assert a.x + a.size.right <= plan.right
        assert 0 <= a.y <= a.bottom <= plan.height
        for b in plan.places[:i]:
            apart = a.x + a.size.right <= b.x - b.size.left or b.x + b.size.right <= a.x - a.size.left
            assert apart or a.bottom <= b.y or b.bottom <= a.y


def test_the_longest_path_stands_in_the_middle_and_a_skip_is_an_arc() -> None:
    plan = layout([Size(5, 5, 10)] * 5, [(0, 1), (1, 2), (2, 4), (0, 3), (3, 4), (0, 4)], (5, 5))
    assert [place.x for place in plan.places] == [0, 0, 0, 15, 0]
    assert plan.arcs == (False, False, False, False, False, True)


def test_nothing_takes_no_room() -> None:
    assert layout([], [], (5, 5)).height == 0
