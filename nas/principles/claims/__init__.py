"""The principles, one file per topic. Every file of this folder is imported and its PRINCIPLES are registered.

A principle of your own: `principle_registry().register(Principle(...))`.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from nas.principles.claims.principle import Principle
from nas.registry import Registry


@cache
def principle_registry() -> Registry[Principle]:
    """Return the registry of principles. Raises ExperimentError when two files define one key."""
    registry: Registry[Principle] = Registry("principle")
    for name in sorted(info.name for info in iter_modules(__path__)):
        for principle in getattr(import_module(f"{__name__}.{name}"), "PRINCIPLES", ()):
            registry.register(principle)
    return registry


def principles() -> dict[str, Principle]:
    """Return every principle by its key, in the order of keys."""
    return dict(sorted(principle_registry().items()))


def select_principles(keys: tuple[str, ...]) -> list[Principle]:
    """Return the principles with these keys, or all of them. Raises ExperimentError for an unknown key."""
    return [principle_registry().find(key) for key in keys] if keys else list(principles().values())
