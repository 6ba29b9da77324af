"""What can be minimized and limited: one registry that feeds budgets, samplers, halving, tables, plots and messages.

Every objective is lower for a better network. One that is exact is known before training, from the graph alone, so a
budget may limit it; any other is measured by training. Adding one is one entry:

    OBJECTIVES.register(Objective("widest", "widest layer", "channels", lambda network: widest(network.graph)))
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Literal, Protocol

from nas.device.footprint import activation_ram, flash, ram
from nas.errors import BudgetError, DeviceError, LatencyError, near
from nas.genome.cost import Cost, cost
from nas.genome.graph import Graph
from nas.registry import Registry
from nas.search.flops import FLOPS
from nas.search.sizes import Limit, in_bytes

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

NO_VALUE = 1e9  # the excess of a network without a value: finite, so that it can be stored as JSON

Vector = tuple[float, ...]
"""The values of an experiment's objectives, in its order."""


class Network(Protocol):
    """What an objective is read from: a candidate, or a trial."""

    @property
    def graph(self) -> Graph: ...

    @property
    def cost(self) -> Cost: ...


@dataclass(frozen=True)
class CountedNetwork:
    """A graph with its counts, where there is neither candidate nor trial."""

    graph: Graph
    cost: Cost

    @classmethod
    def of(cls, graph: Graph) -> "CountedNetwork":
        """Return a graph with its counts."""
        return cls(graph, cost(graph))


@dataclass(frozen=True)
class Objective:
    """A quantity to be minimized.

    name: in TOML, JSON and tables. title: in a sentence. unit: behind the title on an axis, or "". of: reads the value
    off a network; of one that is measured, off a trial with scores. exact: whether it is known before training.
    form: how a value is written, as a count, bytes, a share of one, seconds or milliseconds. lower_bound, upper_bound:
    what no network can be below or above; None where there is no upper bound. modeled: whether it is predicted by a
    model that the experiment has: `Experiment.objective_entries` reads it off any network, the entry here off a trial,
    which has it recorded. obstacle: why a network has no value, which is then infinite; None where every network has
    one. Such a value is shown only where an experiment names it.
    """

    name: str
    title: str
    unit: str
    of: Callable[[Any], float]
    exact: bool = True
    form: Literal["count", "bytes", "share", "seconds", "milliseconds"] = "count"
    lower_bound: float = 0.0
    upper_bound: float | None = None
    modeled: bool = False
    obstacle: Callable[[Any], str] | None = None

    @property
    def summary(self) -> str:
        """Return a description for a list."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


OBJECTIVES: Registry[Objective] = Registry("objective")

OBJECTIVES.register(
    Objective(
        "error",
        "validation error",
        "%",
        lambda trial: trial.scores[-1].error,
        exact=False,
        form="share",
        upper_bound=1.0,
    )
)
OBJECTIVES.register(Objective("params", "parameters", "", lambda network: network.cost.params))
OBJECTIVES.register(Objective("macs", "MACs", "multiply-accumulates per image", lambda network: network.cost.macs))
OBJECTIVES.register(
    Objective("activations", "activations", "elements per image", lambda network: network.cost.activations)
)
OBJECTIVES.register(
    Objective(
        "peak_bytes", "peak memory", "bytes per image, float32", lambda network: network.cost.peak_bytes, form="bytes"
    )
)
OBJECTIVES.register(Objective("depth", "depth", "weighted layers", lambda network: network.cost.depth))


LATENCY = "latency_ms"


def _recorded_latency(trial: Any) -> float:
    found = getattr(trial, "predicted", {}).get(LATENCY)
    if found is None:
        raise LatencyError(
            f"{LATENCY} is not predicted here: nas search learns a model for its experiment; to use it elsewhere, give "
            "the experiment.toml of that run"
        )
    return float(found)


OBJECTIVES.register(
    Objective(LATENCY, "latency", "ms per image, predicted", _recorded_latency, form="milliseconds", modeled=True)
)


def _device_objective(name: str, title: str, unit: str, count: Callable[[Graph], int]) -> Objective:
    """Return the objective of what a network takes on a microcontroller; one that cannot run there has no value."""

    def value(network: Network) -> float:
        try:
            return count(network.graph)
        except DeviceError:
            return inf

    def obstacle(network: Network) -> str:
        try:
            count(network.graph)
        except DeviceError as problem:
            return str(problem)
        return ""

    return Objective(name, title, unit, value, form="bytes", obstacle=obstacle)


for _entry in (
    _device_objective("activation_ram", "RAM of activations", "bytes, int8", activation_ram),
    _device_objective("ram", "RAM", "bytes, int8, with the runtime's structures", ram),
    _device_objective("flash", "flash", "bytes of the .tflite file, int8", flash),
):
    OBJECTIVES.register(_entry)


def exact_objectives() -> list[Objective]:
    """Return the objectives that are known before training, in the order of the registry."""
    return [objective for objective in OBJECTIVES.values() if objective.exact]


@dataclass(frozen=True)
class Range:
    """An inclusive range; an end that is None is open."""

    min: Limit = None
    max: Limit = None

    def __post_init__(self) -> None:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise BudgetError(f"`min` (={self.min:,}) is above `max` (={self.max:,}): nothing can be inside")

    def excess(self, value: float) -> float:
        """Return how far outside a value is, as a share of the end it passes; at most 0 inside.

        A network without a value is outside of every range.
        """
        if not isfinite(value):
            return NO_VALUE
        over = (value - self.max) / (self.max or 1) if self.max is not None else -1.0
        under = (self.min - value) / (self.min or 1) if self.min is not None else -1.0
        return max(over, under)

    def as_dict(self) -> dict[str, int | float]:
        """Return the ends that are closed."""
        return {end: value for end, value in (("min", self.min), ("max", self.max)) if value is not None}


class Budget(Mapping[str, Range]):
    """Hard limits on what a network may cost: a range by the name of an exact objective.

    A network outside is never trained. Open ranges are dropped, but for quantities that not every network has: a range
    of one asks for a value. Raises BudgetError for a name that is not an objective, or whose value only training can
    tell.
    """

    def __init__(self, limits: Mapping[str, Range] | None = None, /, **named: Range) -> None:
        given = {**(limits or {}), **named}
        for name, limit in given.items():
            check_limit(name)
            check_whole(name, limit.min)
            check_whole(name, limit.max)
        self._limits = {
            name: limit for name, limit in given.items() if limit != Range() or OBJECTIVES[name].obstacle is not None
        }
        self._entries: dict[str, Objective] = {}

    def __getitem__(self, name: str) -> Range:
        return self._limits[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._limits)

    def __len__(self) -> int:
        return len(self._limits)

    def __hash__(self) -> int:
        return hash(tuple(self._limits.items()))

    def __repr__(self) -> str:
        return f"Budget({', '.join(f'{name}={limit}' for name, limit in self._limits.items())})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        """Let a settings model read a budget from a table of ranges, and write it as one."""
        from pydantic_core import core_schema as schemas

        ranges = schemas.no_info_before_validator_function(_with_bytes, handler.generate_schema(dict[str, Range]))
        table = schemas.no_info_after_validator_function(cls, ranges)
        return schemas.json_or_python_schema(
            json_schema=table,
            python_schema=schemas.union_schema([schemas.is_instance_schema(cls), table]),
            serialization=schemas.plain_serializer_function_ser_schema(cls.as_dict),
        )

    def with_entries(self, *entries: Objective) -> "Budget":
        """Return the same limits, kept by these objectives in place of the registered ones of their names."""
        found = Budget(self._limits)
        found._entries = self._entries | {entry.name: entry for entry in entries}
        return found

    def value(self, name: str, network: Network) -> float:
        """Return the value of a network that a limit is compared with."""
        return self._entries.get(name, OBJECTIVES[name]).of(network)

    def excess(self, network: Network) -> dict[str, float]:
        """Return the relative excess over each limit, at most 0 inside."""
        return {name: limit.excess(self.value(name, network)) for name, limit in self._limits.items()}

    def allows(self, network: Network) -> bool:
        """Return whether every limit holds."""
        return all(limit.excess(self.value(name, network)) <= 0 for name, limit in self._limits.items())

    def worst(self, network: Network) -> tuple[str, float]:
        """Return the limit that a network exceeds most, or comes closest to, and by how much; "" and -1 without any."""
        excess = self.excess(network)
        name = max(excess, key=lambda each: excess[each], default="")
        return name, excess.get(name, -1.0)

    def asking_for(self, names: Iterable[str]) -> "Budget":
        """Return a budget that also asks for a value of each of these quantities that not every network has."""
        asked = {name: Range() for name in names if name not in self._limits and OBJECTIVES[name].obstacle is not None}
        found = Budget(self._limits | asked)
        found._entries = dict(self._entries)
        return found

    def explain(self, network: Network) -> str:
        """Return that a network is outside, of which limit most, and why; "" for one inside."""
        name, excess = self.worst(network)
        if excess <= 0:
            return ""
        objective = OBJECTIVES[name]
        why = objective.obstacle(network) if objective.obstacle else ""
        said = why or f"it has {self.value(name, network):,}, which is {excess:.1%} beyond the limit"
        return f"outside the budget of {name}: {said}"

    def as_dict(self) -> dict[str, dict[str, int | float]]:
        """Return the limits as plain data."""
        return {name: limit.as_dict() for name, limit in self._limits.items()}


def check_whole(name: str, limit: float | None) -> None:
    """Raise BudgetError for a limit with a fraction of a quantity that is counted."""
    if isinstance(limit, float) and name in OBJECTIVES and OBJECTIVES[name].form in ("count", "bytes"):
        raise BudgetError(f"a limit of what is counted must be a whole number, found {limit:g}")


def _with_bytes(table: Any) -> Any:
    """Return a table of ranges as it is written, with sizes of memory ("64KB") in bytes."""
    if not isinstance(table, Mapping):
        return table
    return {
        name: {end: in_bytes(value) for end, value in limit.items()}
        if name in OBJECTIVES and OBJECTIVES[name].form == "bytes" and isinstance(limit, Mapping)
        else limit
        for name, limit in table.items()
    }


def check_limit(name: str) -> None:
    """Raise BudgetError unless a budget can limit the quantity."""
    known = [objective.name for objective in exact_objectives()]
    if name not in known:
        measured = name in OBJECTIVES
        why = "is measured by training and cannot be limited before it" if measured else "is not an objective"
        hint = "" if measured else near(name, [*known, FLOPS])
        raise BudgetError(f"budget.{name[:60]} {why}{hint}; what can be limited: {', '.join([*known, FLOPS])}")
