"""A search on a cluster of two nodes of which one dies in mid-trial; tells which trial was lost. FOLDER"""

import os
import sys
from pathlib import Path

from nas.search.experiment_file import load_experiment
from nas.search.loop.search import Search
from nas.search.store.create import create

QUICK = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500, "health_check_failure_threshold": 3}


def main(folder: Path) -> None:
    """Search."""
    from nas.search.workers import ray_cluster as cluster

    assert cluster
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": QUICK}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    victim, _ = nodes.add_node(num_cpus=1), nodes.add_node(num_cpus=1)
    os.environ["RAY_ADDRESS"] = nodes.address
    changes = {"sampler": "random", "trials": 2, "recipe.epochs": 12, "executor": "ray"}
    question = load_experiment("quickstart", changes)
    begun, removed = set[int](), False
    for event in Search(create(folder / "run", question, "nas")).events():
        begun |= {event.record.number} if event.kind == "started" else set()
        if event.kind == "scored" and len(begun) == 2 and not removed:
            nodes.remove_node(victim, allow_graceful=False)
            removed = True
        if event.kind == "lost":
            sys.stdout.write(f"lost {event.record.number}\n")
    nodes.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
