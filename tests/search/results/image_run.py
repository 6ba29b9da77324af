"""A run of one trained trial on a folder of tiny images, made without a search."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from training.image_files import encoded

from nas.genome import Graph, Task
from nas.genome import primitives as p
from nas.search.experiment_file import validate_experiment
from nas.search.store.create import create
from nas.search.store.run import Run, load_run
from nas.search.store.run_files import trial_weights
from nas.search.trial import TrialRecord
from nas.search.workers.job import Job, Progress
from nas.search.workers.worker import train_job

SIDE = 6
SHADES = {"cat": 40, "dog": 150}


def write_images(root: Path, test: bool = True, count: int = 12, names: tuple[str, ...] = ("cat", "dog")) -> Path:
    """Write images of classes that differ in brightness, in train/ and, if asked, in test/; return the folder."""
    for part in ("train", "test") if test else ("train",):
        for label, name in enumerate(names):
            folder = root / part / name
            folder.mkdir(parents=True)
            dice = np.random.default_rng([label, part == "test"])
            for i in range(count):
                pixels = dice.integers(0, 60, (SIDE, SIDE, 3), np.uint8) + np.uint8(list(SHADES.values())[label % 2])
                (folder / f"{i}.png").write_bytes(encoded(pixels))
    return root


def image_run(path: Path, images: Path, keep: bool = True, **changes: Any) -> Run:
    """Make a run in which trial 0 was trained for an epoch, its weights kept or not."""
    settings = {"name": "mine", "space": "mixed", "data": "folder", "data_dir": str(images), "trials": 1,
                "recipe": {"epochs": 1, "batch": 8}} | changes  # fmt: skip
    experiment = validate_experiment(settings, "here")
    study = create(path, experiment, "nas search mine")
    graph = Graph.of(p.GapHead(2)(p.Stem(4)(Task("", (3, SIDE, SIDE), 2).image())))
    record = TrialRecord.of(graph, 3, 0)
    with study.held():
        study.begin(record)
        weights = trial_weights(path, 0)
        scores = [e.score for e in train_job(Job.for_trial(experiment, record, weights)) if isinstance(e, Progress)]
        study.end(replace(record, state="complete", scores=tuple(scores)))
    if not keep:
        weights.unlink()
    return load_run(path)


def card_of(folder: Path) -> str:
    """Return the card of an export."""
    return (folder / "README.md").read_text(encoding="utf-8")
