"""A Tuner on a cluster of two nodes of which one dies in mid-trial. FOLDER"""

import sys
import threading
import time
from pathlib import Path
from typing import Any

EPOCHS = 20
QUICK = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500, "health_check_failure_threshold": 3}


def kill_in_mid_trial(nodes: Any, victim: Any, folder: Path) -> None:
    """Remove a node once both trials have reported three epochs."""
    while True:
        files = list(folder.glob("tune/tune/network_*/result.json"))
        if len(files) == 2 and min(len(file.read_text().splitlines()) for file in files) >= 3:
            nodes.remove_node(victim, allow_graceful=False)
            return
        time.sleep(0.1)


def main(folder: Path) -> None:
    """Search."""
    import ray
    from ray.cluster_utils import Cluster

    import nas.tune
    from nas.search.experiment_file import load_experiment

    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": QUICK}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    victim, _ = nodes.add_node(num_cpus=1), nodes.add_node(num_cpus=1)
    ray.init(nodes.address, log_to_driver=False)
    threading.Thread(target=kill_in_mid_trial, args=(nodes, victim, folder), daemon=True).start()
    experiment = load_experiment("quickstart", {"sampler": "random", "trials": 2, "recipe.epochs": EPOCHS})
    results = nas.tune.tuner(experiment, storage_path=folder / "tune", name="tune").fit()
    nas.tune.keep(results, experiment, folder / "run")
    ray.shutdown()
    nodes.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
