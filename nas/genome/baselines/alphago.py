"""The policy network of AlphaGo (Silver et al. 2016)."""

from nas.genome.graph import Graph
from nas.genome.primitives.board import BoardHead, BoardTrunk
from nas.genome.task import Task


def policy(task: Task, width: int = 192) -> Graph:
    """Thirteen convolutions on the 19 x 19 board; one class per point."""
    return Graph.of(BoardHead()(BoardTrunk(width)(task.image())))


NETWORKS = {"alphago_sl_policy_192": policy}
