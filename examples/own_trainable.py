"""Training code of one's own with our search algorithm. Run it again after a kill: it goes on, and repeats nothing."""

import os

import torch
from ray import tune
from sklearn.datasets import load_digits

import nas
import nas.tune
from nas.genome import from_json


def train(config):
    images, labels = map(torch.tensor, load_digits(return_X_y=True))
    images, loss = images.float().view(-1, 1, 8, 8) / 16, torch.nn.CrossEntropyLoss()
    net = nas.module(from_json(config["network"]["genome"]), training=True)
    optimizer = torch.optim.Adam(net.parameters(), config["rate"])
    for _ in range(3):
        for batch in torch.randperm(1400).split(64):
            optimizer.zero_grad()
            loss(net.train()(images[batch]), labels[batch]).backward()
            optimizer.step()
        wrong = net.eval()(images[1400:]).argmax(1) != labels[1400:]
        tune.report({"error": wrong.float().mean().item()})


if __name__ == "__main__":
    experiment = nas.Experiment(space="mixed", data="digits", budget={"params": {"max": "50k"}})
    settings = tune.TuneConfig(search_alg=nas.tune.Searcher(experiment), num_samples=8, max_concurrent_trials=2)
    run, path = tune.RunConfig(name="own", storage_path=os.path.abspath("tune")), os.path.abspath("tune/own")
    if tune.Tuner.can_restore(path):  # asked before a new Tuner is made, which would replace what is there
        tuner = tune.Tuner.restore(path, train, resume_unfinished=True)
    else:
        tuner = tune.Tuner(train, param_space={"rate": 0.003}, tune_config=settings, run_config=run)
    table = tuner.fit().get_dataframe()
    different = table["config/network/fingerprint"].nunique()
    print(f"error {table['error'].min():.4f}, {len(table)} networks, {different} different")
