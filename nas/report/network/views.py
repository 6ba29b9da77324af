"""A graph for other libraries: networkx for paths and isomorphism, DOT for Graphviz."""

from typing import TYPE_CHECKING, Any

from nas.genome.graph import Graph, Node
from nas.report.network.blocks import extent

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(graph: Graph) -> "nx.MultiDiGraph[str]":
    """Return nodes by name with `op` and `shape`, an edge for each input keyed by its position.

    A multigraph, because `x + x` reads one value twice and the order of inputs counts.
    """
    import networkx as nx

    view: Any = nx.MultiDiGraph()
    for node in graph.nodes:
        view.add_node(node.name, op=node.op, shape=node.shape)
    for node in graph.nodes:
        for position, i in enumerate(node.inputs):
            view.add_edge(graph.nodes[i].name, node.name, key=position)
    found: nx.MultiDiGraph[str] = view
    return found


def to_dot(graph: Graph) -> str:
    """Return Graphviz DOT. Identifiers are numbers and every text is a quoted string, so no name is read as markup."""
    lines = ["digraph network {", '  node [shape=box, style=rounded, fontname="sans-serif"];']
    lines += [f"  n{place} [label={_quoted(node)}];" for place, node in enumerate(graph.nodes)]
    for place, node in enumerate(graph.nodes):
        lines += [f"  n{i} -> n{place};" for i in node.inputs]
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(node: Node) -> str:
    text = "\n".join([node.name, str(node.op), extent(node.shape)])
    plain = "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
