"""Things that are chosen by name: samplers, executors, data readers, objectives, and those of a user's own.

An entry describes itself: its name, and a summary for whoever lists the registry. Adding one is one `register`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from nas.errors import ExperimentError, near
from nas.user_code import is_outside, is_trusted, load_attribute


class Entry(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...


@dataclass(frozen=True)
class Plugin:
    """An entry that is imported when it is used: target is the `module:Name` or `file.py:Name` of what it makes."""

    name: str
    summary: str
    target: str

    def load(self) -> Any:
        """Return what the target names, importing its module. Raises ExperimentError."""
        return load_attribute(self.target)


def outside_plugin(name: str, value: Any) -> Plugin:
    """Return the entry of something of a user's own."""
    return Plugin(name, " ".join((value.__doc__ or "").split("\n\n")[0].split()), name)


T = TypeVar("T", bound=Entry)


class Registry(Mapping[str, T]):
    """Entries by name, in the order in which they were registered.

    kind: what an entry is, for messages ("sampler"). wrap: makes an entry of what a user's `module:Name` or
    `file.py:Name` holds, given that name; without it only registered names are known. former: names of today by the
    names they had before.
    """

    def __init__(
        self, kind: str, wrap: Callable[[str, Any], T] | None = None, former: Mapping[str, str] | None = None
    ) -> None:
        self.kind, self._wrap, self._former = kind, wrap, dict(former or {})
        self._entries: dict[str, T] = {}

    def register(self, entry: T) -> T:
        """Add an entry and return it. Raises ExperimentError for a name that is taken."""
        if entry.name in self._entries:
            raise ExperimentError(f"a {self.kind} named {entry.name!r} is registered already")
        self._entries[entry.name] = entry
        return entry

    def unregister(self, name: str) -> None:
        """Remove an entry, as a test does that added one."""
        del self._entries[name]

    def current_name(self, name: str) -> str:
        """Return the name of today for a former one; any other name as it is."""
        return self._former.get(name, name)

    def check(self, name: str) -> str:
        """Return the current name, without importing anything.

        A name with a colon is somebody's own and is only looked up by `find`. Raises ExperimentError for a name that
        is neither registered nor of that form, with the nearest.
        """
        name = self.current_name(name)
        if name in self._entries or (self._wrap and is_outside(name)):
            return name
        meant = near(name.lower().removesuffix(self.kind), self._entries) or "."  # Optuna's TPESampler is our tpe
        raise ExperimentError(f"no {self.kind} {name[:60]!r}{meant} There are: {', '.join(self._entries)}")

    def check_trusted(self, name: str) -> str:
        """Return the current name, without importing anything.

        Raises ExperimentError as `check` does, and for a user's own that was not trusted in this process: see `trust`.
        """
        name = self.check(name)
        if name not in self._entries and not is_trusted(name):
            raise ExperimentError(
                f"the {self.kind} {name!r} is code that a file names. It is imported only for whoever names it: "
                "continue with nas search EXPERIMENT.toml --out RUN, or call nas.user_code.trust"
            )
        return name

    def find(self, name: str) -> T:
        """Return the entry of a name, importing the module or reading the file of one that is a user's own.

        Raises ExperimentError, also for a user's own that is not trusted.
        """
        name = self.check_trusted(name)
        if name in self._entries:
            return self._entries[name]
        assert self._wrap is not None
        return self._wrap(name, load_attribute(name))

    def __getitem__(self, name: str) -> T:
        return self._entries[self.current_name(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
