"""A network as a picture and as graphs of other libraries."""

from nas.report.network.style import STYLE
from nas.report.network.svg import draw
from nas.report.network.views import to_dot, to_networkx

__all__ = ["STYLE", "draw", "to_dot", "to_networkx"]
