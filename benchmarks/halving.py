"""Epochs trained and seconds of a search with successive halving: the quickstart's networks, drawn at random.

    python -m benchmarks.halving [--trials 40] [--epochs 9] [--halving 3] [--objectives error macs] [--seed 0]

All epochs count, whatever became of them. Seconds are from the first trial begun to the last recorded. `python
benchmarks/halving.py` with another checkout on PYTHONPATH measures that one.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from nas.search.experiment_file import load_experiment
from nas.search.loop.halving import epochs_saved
from nas.search.loop.search import Search
from nas.search.store.create import create
from nas.search.store.run import load_run


def main() -> None:
    """Print a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--halving", type=int, default=3)
    parser.add_argument("--objectives", nargs="+", default=["error", "macs"])
    parser.add_argument("--executor", default="local")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    changes = {"sampler": "random", "workers": 2, "recipe.epochs": options.epochs, **vars(options)}
    changes.pop("epochs")
    with tempfile.TemporaryDirectory() as folder:
        study = create(Path(folder) / "run", load_experiment("quickstart", changes), "benchmark")
        told, begun = Counter[str](), 0.0
        for event in Search(study).events():
            begun = begun or time.perf_counter()
            told[event.kind] += 1
        seconds = time.perf_counter() - begun
        records = load_run(Path(folder) / "run").records
    stopped = Counter(len(record.scores) for record in records if record.state == "pruned")
    saved, promoted = epochs_saved(records, options.epochs), sum(record.repeated > 0 for record in records)
    print(
        f"{told['scored']} epochs of {options.trials * options.epochs} in {seconds:.1f} s; {stopped.total()} stopped, "
        f"after epoch: {dict(sorted(stopped.items()))}; promoted: {promoted}; epochs saved: {saved}"
    )


if __name__ == "__main__":
    main()
