"""Tables of what benchmarks/search_quality.py measured, as Markdown.

    python -m benchmarks.quality_report runs/quality.csv [--against frontier] [--samplers tpe frontier]
        [--measure regret | finalists_regret | short_regret | missing]

For every set, the mean of each sampler after so many trainings. Then, over all sets, each at its last checkpoint:

ratio   of the sampler's mean regret to that of --against: the geometric mean over sets, from the seeds that both have
rank    among the samplers that ran on every set: the mean over sets and over the seeds that all of them have

Intervals are 95 % by bootstrap: see benchmarks/bootstrap.py. A mean below the table's own error, the standard error of
what a network is judged by, is shown as below it and counts as the own error in ratios; so does a regret in ranks. A
share of hypervolume counts from 0.01 % on.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.bootstrap import Estimate, Values, mean_estimate, rank_estimates, ratio_estimate
from benchmarks.quality_rows import CHECKPOINTS

MEASURES = {
    "regret": "regret in points",
    "finalists_regret": "regret in points, with finalists",
    "short_regret": "regret of short trainings in points",
    "missing": "missing hypervolume in percent",
}
MISSING_FLOOR = 0.01  # percent


@dataclass(frozen=True)
class SetResults:
    """A measure on one set.

    runs: one row per run with `label`, `seed`, `optimum`, `cpu_seconds` and the measure by checkpoint. floor: below it
    nothing is told apart.
    """

    name: str
    runs: pd.DataFrame
    checkpoints: list[int]
    floor: float

    @property
    def samplers(self) -> list[str]:
        """Return the labels of the samplers that ran, in their order."""
        return list(dict.fromkeys(self.runs["label"]))

    @property
    def longest(self) -> list[str]:
        """Return those with values at the last checkpoint."""
        return list(dict.fromkeys(self.runs.dropna(subset=[self.checkpoints[-1]])["label"]))

    def last(self, samplers: Sequence[str]) -> Values:
        """Return the last values, from the seeds that all these samplers have: (samplers, seeds)."""
        by_seed = self.runs.pivot_table(index="label", columns="seed", values=self.checkpoints[-1])
        return by_seed.reindex(list(samplers)).dropna(axis=1).to_numpy(float)


def read_sets(rows: pd.DataFrame, measure: str) -> list[SetResults]:
    """Return a measure from the rows of one question, set by set; without the sets where it was not taken."""
    found = []
    for name, runs in rows.groupby("set", sort=False):
        values = runs[[f"{measure}_{count}" for count in CHECKPOINTS]].set_axis(CHECKPOINTS, axis=1)
        values = values.dropna(axis=1, how="all") * (100 if measure == "missing" else 1)
        floor = MISSING_FLOOR if measure == "missing" else runs["own_error"].max()
        checkpoints = [count for count in CHECKPOINTS if count in values.columns]
        if checkpoints:
            kept = pd.concat([runs[["seed", "optimum", "cpu_seconds"]], values], axis=1)
            found.append(SetResults(str(name), kept.assign(label=labels(runs)), checkpoints, float(floor)))
    return found


def labels(runs: pd.DataFrame) -> list[str]:
    """Return samplers' names without their modules, with the trainings of those that had fewer than others."""
    longest = runs["trainings"].max()
    names = [name.rpartition(":")[2] for name in runs["sampler"]]
    trainings = runs["trainings"]
    return [name if count == longest else f"{name} of {count}" for name, count in zip(names, trainings, strict=True)]


def shown(found: Estimate, floor: float = 0.0) -> str:
    """Return a number with its interval; below the floor, the floor alone."""
    number, low, high = found
    return f"{number:.2f} [{low:.2f}, {high:.2f}]" if number >= floor else f"< {floor:.2f}"


def set_table(results: SetResults) -> Iterator[str]:
    """Yield the lines of one set's table."""
    yield f"\n{results.name}; own error {results.floor:.2f}\n"
    yield f"| sampler | seeds | {' | '.join(map(str, results.checkpoints))} | at the optimum | CPU s |"
    yield f"|---|---|{'---|' * len(results.checkpoints)}---|---|"
    for sampler in results.samplers:
        runs = results.runs[results.runs["label"] == sampler]
        columns = [runs[count].dropna().to_numpy(float) for count in results.checkpoints]
        cells = [shown(mean_estimate(values), results.floor) if values.size else "-" for values in columns]
        cells += [f"{runs['optimum'].mean():.0%}", f"{runs['cpu_seconds'].mean():.1f}"]
        yield f"| {sampler} | {len(runs)} | {' | '.join(cells)} |"


def ratio(sets: Sequence[SetResults], sampler: str, against: str) -> str:
    """Return the ratio of two samplers on the sets that have seeds of both, or "-"."""
    both = [(each.last((sampler, against)), each.floor) for each in sets if {sampler, against} <= set(each.longest)]
    both = [pair for pair in both if pair[0].size]
    return shown(ratio_estimate(*zip(*both, strict=True))) if both else "-"


def ranks(sets: Sequence[SetResults]) -> dict[str, str]:
    """Return the mean ranks of the samplers that ran to the last checkpoint of every set."""
    everywhere = [name for name in sets[0].longest if all(name in each.longest for each in sets)]
    values = [each.last(everywhere) for each in sets]
    if not everywhere or not all(each.size for each in values):
        return {}
    return dict(zip(everywhere, map(shown, rank_estimates(values, [each.floor for each in sets])), strict=True))


def summary(sets: Sequence[SetResults], against: str) -> Iterator[str]:
    """Yield the lines of the table over all sets."""
    ranked = ranks(sets)
    yield f"\nAll sets: {', '.join(each.name for each in sets)}\n"
    yield f"| sampler | sets | ratio to {against} | rank of {len(ranked)} |\n|---|---|---|---|"
    for name in dict.fromkeys(name for each in sets for name in each.samplers):
        count = sum(name in each.samplers for each in sets)
        yield f"| {name} | {count} | {ratio(sets, name, against)} | {ranked.get(name, '-')} |"


def report(frame: pd.DataFrame, measure: str, against: str) -> Iterator[str]:
    """Yield the lines of a report, question by question."""
    for (objectives, share), rows in frame.groupby(["objectives", "budget_share"], sort=False):
        sets = read_sets(rows, measure)
        if sets:
            yield f"\n## {objectives}, budget share {share:g}: {MEASURES[measure]}"
            for results in sets:
                yield from set_table(results)
            yield from summary(sets, against)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--against", default="frontier")
    parser.add_argument("--samplers", nargs="+", help="only these")
    parser.add_argument("--measure", choices=MEASURES, default="regret")
    options = parser.parse_args()
    frame = pd.read_csv(options.file)
    if options.samplers:
        frame = frame[[name.rpartition(":")[2] in options.samplers for name in frame["sampler"]]]
    print("\n".join(report(frame, options.measure, options.against)))


if __name__ == "__main__":
    main()
