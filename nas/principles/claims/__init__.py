"""The principles, one page a family; a page is read because it exists, and what it names PRINCIPLES is tested."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from nas.errors import ExperimentError
from nas.principles.claims.principle import Principle


@cache
def principles() -> dict[str, Principle]:
    """Every principle by its key, in the order of keys. Two of one key are a mistake of the pages."""
    found = [principle for page in sorted(info.name for info in iter_modules(__path__))
             for principle in getattr(import_module(f"{__name__}.{page}"), "PRINCIPLES", ())]  # fmt: skip
    by_key = {principle.key: principle for principle in sorted(found, key=lambda principle: principle.key)}
    if len(by_key) < len(found):
        raise TypeError("two principles have one key; keys must be distinct")
    return by_key


def chosen(keys: tuple[str, ...]) -> list[Principle]:
    """The principles named, or all of them. Raises ExperimentError for one that there is not."""
    known = principles()
    if unknown := [key for key in keys if key not in known]:
        raise ExperimentError(f"no principle {unknown[0]!r}. There are: {', '.join(known)}")
    return [known[key] for key in keys or known]
