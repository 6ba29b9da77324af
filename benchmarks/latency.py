"""Predicted latency against measured: a model of at most 100 networks of a space, judged on others.

    OMP_NUM_THREADS=1 python -m benchmarks.latency [--space mixed] [--data cifar10] [--learn 100] [--networks 50]

The unseen networks are measured twice, after the model was learned: the median relative difference of the two tells how
quiet the machine is. A model cannot be more exact than that. Other providers are set by --set, as in the table
[latency] of an experiment: --set provider=command --set command="./measure.sh".
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np
from pydantic import TypeAdapter

from nas.device.latency.fit_model import MAX_NETWORKS, held_out_error, learn_latency
from nas.device.latency.latency_model import LatencyModel
from nas.device.latency.make_provider import make_provider
from nas.device.latency.measurement import Latency, relative_difference
from nas.device.latency.settings import LatencySettings
from nas.genome import Graph, Task, cost
from nas.search.propose.networks_to_measure import networks_to_measure
from nas.search.space import load_space

TASKS = {
    "cifar10": Task("cifar10", (3, 32, 32), 10),
    "fashion_mnist": Task("fashion_mnist", (1, 28, 28), 10),
    "digits": Task("digits", (1, 8, 8), 10),
}


def settings_of(changes: Sequence[str]) -> LatencySettings:
    """Return the settings of the provider, as `key=value` each."""
    given: dict[str, str] = dict(change.split("=", 1) for change in changes)
    return TypeAdapter(LatencySettings).validate_python(given, strict=False)


def print_table(graphs: Sequence[Graph], predicted: Sequence[float], measured: Sequence[Latency]) -> None:
    print(f"{'MACs':>12}{'predicted':>12}{'measured':>12}{'spread':>10}{'error':>8}{'outliers':>10}")
    for graph, ms, found in sorted(zip(graphs, predicted, measured, strict=True), key=lambda row: row[1]):
        error = ms / found.median_ms - 1
        counts = f"{cost(graph).macs:>12,}{ms:>12.3f}{found.median_ms:>12.3f}{found.spread_ms:>10.3f}"
        print(f"{counts}{error:>8.1%}{found.outliers:>10}")


def warm_microseconds(model: LatencyModel, graphs: Sequence[Graph]) -> float:
    """Return the processor time of a prediction of networks whose layers were seen before."""
    start = time.process_time()
    for graph in graphs:
        model.predict(graph)
    return 1e6 * (time.process_time() - start) / len(graphs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="mixed")
    parser.add_argument("--data", default="cifar10", choices=TASKS)
    parser.add_argument("--learn", type=int, default=MAX_NETWORKS, help="networks that the model is learned from")
    parser.add_argument("--networks", type=int, default=50, help="unseen networks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the table [latency]")
    asked = parser.parse_args()
    settings = settings_of(asked.set)
    graphs = networks_to_measure(load_space(asked.space), TASKS[asked.data], asked.learn + asked.networks, asked.seed)
    provider, unseen = make_provider(settings), graphs[asked.learn :]
    start = time.perf_counter()
    model = learn_latency(settings.provider, provider, graphs[: asked.learn])
    print(f"space {asked.space}, images of {asked.data}, seed {asked.seed}; {model.measured_on}")
    print(f"learned from {asked.learn} networks in {time.perf_counter() - start:.0f} s; {model.error}")
    first, second = provider.measure(*unseen), provider.measure(*unseen)
    predicted = [model.predict(graph) for graph in unseen]
    print_table(unseen, predicted, first)
    found = held_out_error(np.array(predicted), np.array([each.median_ms for each in first]))
    print(f"unseen: {found}")
    print(f"quiet: measured twice, the medians differ by {relative_difference(first, second):.1%} (median)")
    kept = [each.median_ms <= model.upper_estimate(ms) for each, ms in zip(first, predicted, strict=True)]
    print(f"measured within the prediction and its margin of {model.error.margin:.1%}: {np.mean(kept):.0%}")
    print(f"a warm prediction takes {warm_microseconds(model, unseen):.0f} us")


if __name__ == "__main__":
    main()
