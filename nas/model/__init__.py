"""A graph as Python source and as a torch module."""

from nas.model.module import module
from nas.model.source import source

__all__ = ["module", "source"]
