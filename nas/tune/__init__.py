"""Ray Tune, as its users know it, over the networks of an experiment: a Searcher, a Trainable, a Tuner.

    tuner = nas.tune.tuner("experiment.toml")
    results = tuner.fit()
    run = nas.tune.keep(results, "experiment.toml", "runs/mine")

Every part may be used alone: our `Searcher` with a trainable of your own, our `trainable` under a scheduler of your
own. Ray is left as you set it up.
"""

from nas.tune.results import keep, network
from nas.tune.sampling import sample
from nas.tune.searcher import Searcher
from nas.tune.trainable import trainable
from nas.tune.tuner import tuner

__all__ = ["Searcher", "keep", "network", "sample", "trainable", "tuner"]
