"""What was read of a data set, in a few lines: parts and classes, what its files were like, and what was skipped."""

from collections import Counter
from collections.abc import Sequence
from textwrap import TextWrapper

import numpy as np

from nas.training.data.listing import counted
from nas.training.data.loading import find_reader, load_data, load_parts
from nas.training.data.source import Source
from nas.training.data.split import Labels

WIDTH = 80
FOLDED = TextWrapper(
    WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
)
SHOWN = 10  # class names


def overview(source: Source) -> list[str]:
    """Return what there is to say of the images of a search, in lines of at most 80 columns. Raises DataError."""
    reader, data_dir = find_reader(source), source.data_dir
    data, parts, names = load_data(source), load_parts(source), reader.class_names(data_dir)
    labels = {"train": data.train.labels, "validation": data.validation.labels}
    if "test" in parts:
        labels["test"] = parts["test"].split.labels
    notes = sum((Counter(parts[part].split.notes) for part in reader.parts(data_dir) if part in parts), Counter[str]())
    skipped: Counter[str] = reader.skipped(data_dir) if hasattr(reader, "skipped") else Counter()
    lines = [
        f"{sum(map(len, labels.values())):,} images of {' x '.join(map(str, data.task.input))}"
        f"{f' from {data_dir}' if reader.own else ''}",
        f"{data.task.classes} classes{_listed(names)}",
        ", ".join(f"{part} {_counts(each, ' per class' * (part == 'train'))}" for part, each in labels.items()),
        f"of the images: {counted(notes)}" if notes else "",
        f"skipped: {counted(skipped)}" if skipped else "",
    ]
    return [row for line in lines for row in FOLDED.wrap(line)]


def _listed(names: Sequence[str]) -> str:
    return f": {', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''}" if names else ""


def _counts(labels: Labels, what: str) -> str:
    """Return "900 (100 to 500 per class)"."""
    counts = np.bincount(labels)
    least, most = counts.min(), counts.max()
    return f"{len(labels):,} ({least:,}{f' to {most:,}' if most > least else ''}{what})"
