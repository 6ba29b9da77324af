"""A network as a picture and as graphs of other libraries."""

from nas.report.drawing.style import STYLE
from nas.report.drawing.svg import draw
from nas.report.drawing.views import to_dot, to_networkx

__all__ = ["STYLE", "draw", "to_dot", "to_networkx"]
