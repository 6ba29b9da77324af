"""A table of trainings as a Parquet file, and its card in Markdown."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from benchmarks.table_plan import TablePlan
from benchmarks.training_store import Training, TrainingKey
from nas.files import atomic_file, atomic_write
from nas.genome import fingerprint
from nas.search.propose.candidate import Candidate
from nas.training.data import READERS, load_data

CARD = """# {name}

    {command}

{rows} trainings of {networks} of the {total} networks of the space `{space}`: {per_seed}. Each is trained as a search
trains it, for {epochs} epochs on {train:,} images of {data}, with {validation:,} others for validation.
One row is one training, in the order in which they were made: all networks from the first seed, shuffled, then all from
the next, so that the first rows are a fair sample of the space.

| column | meaning |
|---|---|
| {choices} | choices of the space; empty where a network has no such choice |
| `fingerprint` | of what the network computes |
| `params`, `macs`, `depth` | exact counts per image |
| `seed` | of the initial weights, and of the order and augmentation of the images |
| `error_1` to `error_{epochs}` | share of the validation images that are misclassified after each epoch |
| `test_error` | the same of the test images, after the last epoch: to judge a search by, never to search by |
| `seconds` | of wall time, with validation, on one core that other work may share |
| `torch` | version |

| | smallest | median | largest |
|---|---|---|---|
{spreads}

{noise}

## Settings

Of images and recipe, what differs from the toolkit's defaults.

```json
{settings}
```
"""
SPREADS = {"params": "{:,.0f}", "macs": "{:,.0f}", "depth": "{:.0f}", "test_error": "{:.4f}", "seconds": "{:.1f}"}


def table_frame(plan: TablePlan, trainings: Mapping[TrainingKey, Training]) -> pd.DataFrame:
    """Return one row per training, in the plan's order. A training that diverged has no errors from there on."""
    keys = [(network, (fingerprint(network.graph), seed)) for network, seed in plan.pairs]
    rows = [_row(network, trainings[key]) for network, key in keys if key in trainings]
    frame = pd.DataFrame(rows, columns=_columns(plan))
    whole = [name for name in choice_names(plan) if _is_whole(plan, name)]
    return frame.astype(dict.fromkeys(whole, "Int64"))  # which may lack values


def _is_whole(plan: TablePlan, choice: str) -> bool:
    return all(type(network.choices.get(choice, 0)) is int for network in plan.networks)


def _columns(plan: TablePlan) -> list[str]:
    curve = [f"error_{epoch}" for epoch in range(1, plan.recipe.epochs + 1)]
    return [
        *choice_names(plan), "fingerprint", "params", "macs", "depth", "seed", *curve, "test_error", "seconds", "torch",
    ]  # fmt: skip


def choice_names(plan: TablePlan) -> list[str]:
    """Return the names of the space's choices, sorted."""
    return sorted({name for network in plan.networks for name in network.choices})


def _row(network: Candidate, training: Training) -> dict[str, object]:
    cost, curve = network.cost, training.errors
    return {
        **network.choices,
        "fingerprint": training.fingerprint,
        "params": cost.params,
        "macs": cost.macs,
        "depth": cost.depth,
        "seed": training.seed,
        **{f"error_{epoch}": error for epoch, error in enumerate(curve, 1)},
        "test_error": training.test_error,
        "seconds": round(training.seconds, 2),
        "torch": training.torch,
    }


def write_table(out: Path, plan: TablePlan, trainings: Mapping[TrainingKey, Training], command: str) -> pd.DataFrame:
    """Write FILE.parquet and FILE.md, and return the rows. Raises OSError, naming the file."""
    frame = table_frame(plan, trainings)
    with atomic_file(out) as file:
        frame.to_parquet(file, index=False, compression="zstd")
    atomic_write(out.with_suffix(".md"), card(out.stem, plan, frame, command))
    return frame


def card(name: str, plan: TablePlan, frame: pd.DataFrame, command: str) -> str:
    """Return what is in the table, in Markdown."""
    data, last = load_data(plan.source), f"error_{plan.recipe.epochs}"
    counts = [f"{(frame['seed'] == seed).sum()} from seed {seed}" for seed in plan.seeds]
    return CARD.format(
        name=name,
        command=command,
        rows=len(frame),
        networks=frame["fingerprint"].nunique(),
        total=len(plan.networks),
        space=plan.space,
        per_seed=", ".join(counts),
        train=len(data.train.labels),
        validation=len(data.validation.labels),
        data=READERS.find(plan.source.name).summary,
        epochs=plan.recipe.epochs,
        choices=", ".join(f"`{choice}`" for choice in choice_names(plan)),
        spreads="\n".join(_spread(frame, column, form) for column, form in ({last: "{:.4f}"} | SPREADS).items()),
        noise=_noise(frame, last),
        settings=json.dumps(json.loads(plan.settings), indent=1),
    )


def _spread(frame: pd.DataFrame, column: str, form: str) -> str:
    values = frame[column].astype(float)
    return f"| `{column}` | {' | '.join(map(form.format, (values.min(), values.median(), values.max())))} |"


def _noise(frame: pd.DataFrame, column: str) -> str:
    """Return the standard deviation of one training, from the networks that were trained from several seeds."""
    variances = frame.groupby("fingerprint")[column].var().dropna()
    if variances.empty:
        return "No network was trained from two seeds."
    deviation = 100 * float(variances.mean()) ** 0.5
    return f"Standard deviation of `{column}` between seeds: {deviation:.2f} points, from {len(variances)} networks."
