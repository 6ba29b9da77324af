"""Training code of one's own with our search algorithm. Run it again after a kill: it goes on, and repeats nothing."""

import os

import torch
from ray import tune
from sklearn.datasets import load_digits

import nas
import nas.tune
from nas.genome import from_json


def train(config):
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target)
    net = nas.module(from_json(config["network"]["genome"]))
    optimizer = torch.optim.Adam(net.parameters(), config["rate"])
    for _ in range(3):
        for batch in torch.randperm(1400).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net.train()(images[batch]), labels[batch]).backward()
            optimizer.step()
        wrong = net.eval()(images[1400:]).argmax(1) != labels[1400:]
        tune.report({"error": float(wrong.float().mean())})


if __name__ == "__main__":
    experiment = nas.Experiment(space="mixed", data="digits", budget={"params": {"max": "50k"}})
    path = os.path.abspath("tune/own")
    settings = tune.TuneConfig(search_alg=nas.tune.Searcher(experiment), num_samples=12, max_concurrent_trials=2)
    run = tune.RunConfig(name="own", storage_path=os.path.dirname(path), verbose=1)
    fresh = tune.Tuner(train, param_space={"rate": 0.003}, tune_config=settings, run_config=run)
    is_begun = tune.Tuner.can_restore(path)
    results = (tune.Tuner.restore(path, train, resume_unfinished=True) if is_begun else fresh).fit()
    names = {each.config["network"]["fingerprint"] for each in results}
    best = results.get_best_result("error", "min")
    print(f"error {best.metrics['error']:.4f}, {len(results)} networks, {len(names)} different")
