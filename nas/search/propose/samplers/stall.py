"""A sampler that leads to nothing new: it proposes again what is known, or what is refused."""

from nas.genome.fingerprint import fingerprint
from nas.search.objectives import Vector
from nas.search.propose.candidate import Candidate

PATIENCE = 100  # results in a row that bring nothing, before a sampler draws uniformly


class Stall:
    """Counts the results in a row that are not of a new network: duplicates, refusals and failures."""

    def __init__(self) -> None:
        self.fruitless = 0
        self._known: set[str] = set()

    def __bool__(self) -> bool:
        return self.fruitless >= PATIENCE

    def tell(self, candidate: Candidate | None, values: Vector | None) -> bool:
        """Return whether a result is the first of its network."""
        name = None if candidate is None or values is None else fingerprint(candidate.graph)
        new = name is not None and name not in self._known
        if name is not None:
            self._known.add(name)
        self.fruitless = 0 if new else self.fruitless + 1
        return new
