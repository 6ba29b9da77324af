"""Positions of the boxes of a network: rows from top to bottom, lanes side by side. No outside program.

A row is the length of the longest path from an input. A lane holds one chain of boxes: the longest path is in
the middle, other branches in the nearest lane that is free. An edge that skips rows without a box of its own is an
arc at the side: the shortcut of a residual block is one, the connections of a dense block are many.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Edge = tuple[int, int]
CLEARANCE = 0.75  # a cubic halfway down is a quarter at its ends and three quarters at its handles


@dataclass(frozen=True)
class Size:
    """The size of a box: to the left and to the right of its axis, and its height."""

    left: float
    right: float
    height: float


@dataclass(frozen=True)
class Place:
    """The position of a box: its axis and its upper edge."""

    x: float
    y: float
    size: Size

    @property
    def bottom(self) -> float:
        return self.y + self.size.height

    @property
    def middle(self) -> float:
        return self.y + self.size.height / 2


@dataclass(frozen=True)
class Layout:
    """Boxes placed, each edge as SVG path data (arcs marked), and the extent: left and right of the middle axis."""

    places: tuple[Place, ...]
    paths: tuple[str, ...]
    arcs: tuple[bool, ...]
    left: float
    right: float
    height: float


def layout(sizes: Sequence[Size], edges: Sequence[Edge], gap: tuple[float, float], fan: float = 3.0) -> Layout:
    """Place boxes given in an order in which every edge leads forward.

    `gap` is the space between lanes and between rows; `fan` how much further out an arc goes for each row it skips.
    The middle axis is x = 0 and the first row y = 0.
    """
    if not sizes:
        return Layout((), (), (), 0.0, 0.0, 0.0)
    rows = rows_of(len(sizes), edges)
    lanes = _lanes(rows, edges)
    places = _places(sizes, rows, lanes, gap)
    below = {row: max(p.bottom for p, r in zip(places, rows, strict=True) if r == row) for row in set(rows)}
    router = _Router(places, rows, lanes, below, fan)
    routed = [router.route(edge) for edge in edges]
    left = max([s.left - p.x for s, p in zip(sizes, places, strict=True)] + [router.left])
    right = max([s.right + p.x for s, p in zip(sizes, places, strict=True)] + [router.right])
    arcs = tuple(arc for _, arc in routed)
    return Layout(tuple(places), tuple(path for path, _ in routed), arcs, left, right, max(below.values()))


def rows_of(count: int, edges: Sequence[Edge]) -> list[int]:
    """Return the row of each box: the length of the longest path to it."""
    rows = [0] * count
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        rows[end] = max(rows[end], rows[start] + 1)
    return rows


def _lanes(rows: Sequence[int], edges: Sequence[Edge]) -> list[int]:
    """Return a lane for each box, 0 in the middle."""
    after: list[list[int]] = [[] for _ in rows]
    for start, end in edges:
        after[start].append(end)
    ahead = [0] * len(rows)  # boxes on the longest path down
    for box in reversed(range(len(rows))):
        ahead[box] = max((ahead[reader] + 1 for reader in after[box]), default=0)
    lanes: dict[int, int] = {}
    busy: dict[int, list[Edge]] = {}
    for first in sorted(range(len(rows)), key=lambda box: (rows[box], -ahead[box], box)):
        if first in lanes:
            continue
        chain = [first]
        while free := [r for r in after[chain[-1]] if r not in lanes and rows[r] == rows[chain[-1]] + 1]:
            chain.append(max(free, key=lambda reader: (ahead[reader], -reader)))
        joins = [rows[r] - 1 for r in after[chain[-1]]]
        span = rows[first], max(rows[chain[-1]], min(joins, default=0))
        lane = next(lane for lane in _outwards() if _is_free(busy.get(lane, []), span))
        busy.setdefault(lane, []).append(span)
        lanes |= dict.fromkeys(chain, lane)
    return [lanes[box] for box in range(len(rows))]


def _outwards() -> Iterator[int]:
    yield 0
    for lane in itertools.count(1):
        yield from (lane, -lane)


def _is_free(spans: Sequence[Edge], wanted: Edge) -> bool:
    return all(end < wanted[0] or wanted[1] < start for start, end in spans)


def _places(sizes: Sequence[Size], rows: Sequence[int], lanes: Sequence[int], gap: tuple[float, float]) -> list[Place]:
    axes = _axes(sizes, lanes, gap[0])
    heights = [max(s.height for s, r in zip(sizes, rows, strict=True) if r == row) for row in range(max(rows) + 1)]
    tops = [sum(heights[:row]) + gap[1] * row for row in range(len(heights))]
    return [
        Place(axes[lane], tops[row] + (heights[row] - size.height) / 2, size)
        for size, row, lane in zip(sizes, rows, lanes, strict=True)
    ]


def _axes(sizes: Sequence[Size], lanes: Sequence[int], gap: float) -> dict[int, float]:
    reach = {
        lane: (
            max(s.left for s, own in zip(sizes, lanes, strict=True) if own == lane),
            max(s.right for s, own in zip(sizes, lanes, strict=True) if own == lane),
        )
        for lane in set(lanes)
    }
    axes = {0: 0.0}
    for lane in range(1, max(lanes) + 1):
        axes[lane] = axes[lane - 1] + reach[lane - 1][1] + gap + reach[lane][0]
    for lane in range(-1, min(lanes) - 1, -1):
        axes[lane] = axes[lane + 1] - reach[lane + 1][0] - gap - reach[lane][1]
    return axes


class _Router:
    def __init__(
        self,
        places: Sequence[Place],
        rows: Sequence[int],
        lanes: Sequence[int],
        below: dict[int, float],
        fan: float,
    ) -> None:
        self.places, self.rows, self.lanes, self.below, self.fan = places, rows, lanes, below, fan
        self.left = self.right = 0.0

    def route(self, edge: Edge) -> tuple[str, bool]:
        """Return the path data of an edge, and whether it is an arc."""
        start, end = (self.places[box] for box in edge)
        skipped = self.rows[edge[1]] - self.rows[edge[0]] - 1
        if skipped and not self._lane_is_free(edge):
            return self._arc(edge, skipped), True
        drop = max(start.bottom, self.below[self.rows[edge[1]] - 1])
        path = f"M{start.x:g},{start.bottom:g}"
        if start.x == end.x:
            return f"{path}V{end.y:g}", False
        middle = (drop + end.y) / 2
        return f"{path}V{drop:g}C{start.x:g},{middle:g} {end.x:g},{middle:g} {end.x:g},{end.y:g}", False

    def _lane_is_free(self, edge: Edge) -> bool:
        """Return whether the lane of the start is empty below it, up to the row of the end."""
        first, last = self.rows[edge[0]], self.rows[edge[1]]
        between = (lane for row, lane in zip(self.rows, self.lanes, strict=True) if first < row < last)
        return self.lanes[edge[0]] != 0 and self.lanes[edge[0]] not in between

    def _arc(self, edge: Edge, skipped: int) -> str:
        start, end = (self.places[box] for box in edge)
        first, last = self.rows[edge[0]], self.rows[edge[1]]
        passed = [p for p, row in zip(self.places, self.rows, strict=True) if first < row < last]
        sign = 1 if max(p.x for p in passed) <= -min(p.x for p in passed) else -1
        reach = [_side(p, sign) for p in (*passed, start, end)]
        outermost = max(reach, key=lambda x: sign * x)
        away, back = _side(start, sign), _side(end, sign)
        bulge = outermost + sign * (6 + self.fan * skipped)
        handle = (bulge - (away + back) / 8) / CLEARANCE  # the cubic then peaks at `bulge`
        self.left, self.right = max(self.left, -bulge), max(self.right, bulge)
        return (
            f"M{away:g},{start.middle:g}C{handle:.4g},{start.middle:g} {handle:.4g},{end.middle:g} "
            f"{back:g},{end.middle:g}"
        )


def _side(place: Place, sign: int) -> float:
    return place.x + (place.size.right if sign > 0 else -place.size.left)
