"""How a network does on each class, in words, for the card."""

from typing import TYPE_CHECKING

from nas.training.metrics import Confusion, recalls

if TYPE_CHECKING:
    from nas.training.evaluation import Evaluation

MAX_CLASSES = 20
"""Of more classes the lowest recalls are named."""
MAX_CONFUSIONS = 5


def class_rows(part: str, found: "Evaluation | None", names: tuple[str, ...] | None) -> dict[str, str]:
    """Return the recall per class and the most frequent confusions, as rows of the card; none without an evaluation."""
    if found is None:
        return {}
    rows = {f"Recall per class, {part}": recall_text(found.confusion, names)}
    if confused := most_confused(found.confusion):
        shown = "; ".join(
            f"{name_of(true, names)} as {name_of(said, names)}: {count}" for true, said, count in confused
        )
        rows[f"Most frequent confusions, {part}"] = shown
    return rows


def recall_text(confusion: Confusion, names: tuple[str, ...] | None) -> str:
    """Return `cat: 0.95, dog: 0.90` in the order of classes; of many classes the lowest, lowest first."""
    shares = recalls(confusion)
    known = [label for label in range(len(shares)) if shares[label] == shares[label]]
    chosen = known if len(known) <= MAX_CLASSES else sorted(known, key=lambda label: shares[label])[:MAX_CLASSES]
    text = ", ".join(f"{name_of(label, names)}: {shares[label]:.2f}" for label in chosen)
    return text if len(chosen) == len(known) else f"{text} (the lowest {len(chosen)} of {len(known)})"


def most_confused(confusion: Confusion, most: int = MAX_CONFUSIONS) -> list[tuple[int, int, int]]:
    """Return class, predicted class and count of the most frequent confusions, most frequent first."""
    wrong = confusion.copy()
    wrong[range(len(wrong)), range(len(wrong))] = 0
    order = (-wrong).argsort(axis=None, kind="stable")[:most]
    places = [(int(place) // len(wrong), int(place) % len(wrong)) for place in order]
    return [(true, said, int(wrong[true, said])) for true, said in places if wrong[true, said]]


def name_of(label: int, names: tuple[str, ...] | None) -> str:
    """Return the name of a class, or its number."""
    return names[label] if names and label < len(names) else str(label)
