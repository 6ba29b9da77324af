"""The search spaces and experiments that come with the toolkit, in a checkout and in a wheel alike."""

from pathlib import Path


def resource(folder: str, name: str = "") -> Path:
    """Return a file of `search_spaces` or `experiments`: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    home = package / folder
    return (home if home.is_dir() else package.parent / folder) / name


def names(folder: str, suffix: str) -> list[str]:
    """Return the names found in a folder of resources, sorted."""
    return sorted(path.stem for path in resource(folder).glob(f"*{suffix}") if not path.stem.startswith("_"))
