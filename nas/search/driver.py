"""The search: propose, train, record, until the total is reached."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from nas.genome.cost import cost
from nas.genome.identity import fingerprint
from nas.genome.text import to_json
from nas.search.arm import fit
from nas.search.experiment import Experiment
from nas.search.halving import Halving
from nas.search.local import Workers
from nas.search.propose import Proposal, Proposer
from nas.search.space import load
from nas.search.study import Record, State, Study, folder, owned, row
from nas.training.data import task
from nas.training.recipe import Recipe
from nas.training.score import Score


@dataclass(frozen=True)
class Event:
    """Something to show: a trial `started`, `scored` an epoch, or `ended`."""

    kind: str
    record: Record


class Search:
    """A search over one study. Pull `events` to make it go; `stop` lets the running trials finish."""

    def __init__(self, study: Study) -> None:
        self.study, self.stopping, self.exhausted = study, False, False
        self.fault = ""  # why the run stopped itself
        self._halving: Halving | None = None
        self._ended: list[str] = []  # reasons
        self.running: dict[int, Record] = {}
        self._proposals: dict[int, Proposal] = {}
        self._arm: list[str] = []  # baselines not begun yet

    def stop(self) -> None:
        """Start no more trials."""
        self.stopping = True

    def events(self) -> Iterator[Event]:
        """Run to the total, yielding what happens.

        Trials that an earlier driver left running are trained first, under their own numbers: nothing is lost, and
        nothing but what was in flight is trained twice. Raises RunError when another driver holds the run.
        """
        experiment = self.study.experiment
        with owned(self.study.path):
            records = self.study.records()
            left = [record for record in records if record.state == "running"]
            proposer = Proposer(
                experiment, load(experiment.space), task(experiment.source), self.study.trials(), records,
                Counter(self.study.ledger()),
            )  # fmt: skip
            self._keep = [record for record in records if record.error is not None]
            known = self.study.baselines()
            left += [record for record in known if record.state == "running"]
            trained = {record.baseline.split(",")[0] for record in known}
            self._arm = [name for name in experiment.baselines if name not in trained]
            if experiment.halving:
                self._halving = Halving(experiment.objectives, experiment.recipe.epochs, experiment.halving, records)
            if not left and not self._arm and len(records) >= experiment.trials:
                return
            with closing(Workers(min(experiment.workers, max(1, experiment.trials)))) as workers:
                yield from self._loop(workers, proposer, left, len(records))

    def _loop(self, workers: Workers, proposer: Proposer, left: list[Record], begun: int) -> Iterator[Event]:
        while True:
            while workers.idle() and not self.stopping:
                if left:
                    record = left.pop(0)
                elif begun < self.study.experiment.trials and not self.exhausted and (new := self._propose(proposer)):
                    record, begun = new, begun + 1
                elif self._arm:
                    record = self._baseline(self._arm.pop(0))
                else:
                    break
                self.running[record.number] = record
                workers.submit(self._job(record))
                yield Event("started", record)
            if not self.running:
                return
            for event in workers.events(0.25):
                heard = self._hear(event, proposer)
                if heard.kind == "scored" and self._outdone(heard.record):
                    workers.stop(heard.record.number)
                yield heard

    def _outdone(self, record: Record) -> bool:
        """Whether successive halving gives a running trial up; known networks are always trained to the end."""
        return self._halving is not None and not record.baseline and self._halving.stops(record)

    def _propose(self, proposer: Proposer) -> Record | None:
        proposal = proposer.ask()
        if proposal is None:
            self.exhausted = True
            return None
        seed = self.study.experiment.seed * 1_000_003 + len(self.study.trials())
        facts = row(proposal.graph, proposal.fingerprint, seed, proposer.ledger)
        number = self.study.begin(proposal.choices, proposal.distributions, facts)
        self._proposals[number] = proposal
        return Record(number, proposal.choices, proposal.graph, proposal.fingerprint, proposal.cost, seed)

    def _baseline(self, name: str) -> Record:
        """A known network, recorded beside the search's trials: same recipe, and the seed of a trial of the search."""
        experiment = self.study.experiment
        fitted = fit(name, task(experiment.source), experiment.budget)
        seed = experiment.seed * 1_000_003 + experiment.baselines.index(name)
        code = fingerprint(fitted.graph)
        facts = row(fitted.graph, code, seed, self.study.ledger()) | {"baseline": fitted.label}
        number = self.study.begin({}, {}, facts)
        return Record(number, {}, fitted.graph, code, cost(fitted.graph), seed, baseline=fitted.label)

    def _job(self, record: Record) -> dict[str, object]:
        experiment = self.study.experiment
        weights = folder(self.study.path, record.number) / "weights.safetensors"
        return job(experiment, experiment.recipe, record, record.number, record.seed, weights)

    def _hear(self, event: dict[str, object], proposer: Proposer) -> Event:
        number = event["number"]
        assert isinstance(number, int)
        record = self.running[number]
        if event["kind"] == "score":
            score = Score(**event["score"])  # type: ignore[arg-type]
            record = replace(record, scores=(*record.scores, score), seconds=score.seconds)
            self.running[number] = record
            return Event("scored", record)
        reason = str(event["reason"])
        state: State = "complete" if not reason else "pruned" if reason == "stopped" else "failed"
        record = replace(record, state=state, reason=reason, detail=str(event["detail"]))
        self.study.end(record)
        del self.running[number]
        if proposal := self._proposals.pop(number, None):
            proposer.tell(proposal, record.known_error)
        self._keep_front(record)
        self._check_health(reason, str(event["detail"]))
        return Event("ended", record)

    def _check_health(self, reason: str, detail: str) -> None:
        """A run in which most trials crash has a fault of its own: stop and say so."""
        self._ended.append(reason)
        errors = self._ended.count("error")
        if len(self._ended) >= 10 and 2 * errors > len(self._ended):
            self.stop()
            self.fault = f"{errors} of {len(self._ended)} trials failed with an error, the last: {detail}"

    def _keep_front(self, record: Record) -> None:
        """Weights stay for the trials on the front; those that fall off it can be trained again from their seed."""
        if record.error is None or record.baseline:
            return
        names = self.study.experiment.objectives
        self._keep.append(record)
        front = front_of(self._keep, names)
        for fallen in (r for r in self._keep if r not in front):
            shutil.rmtree(folder(self.study.path, fallen.number), ignore_errors=True)
        self._keep = front


def job(
    experiment: Experiment, recipe: Recipe, record: Record, number: int, seed: int, weights: Path
) -> dict[str, object]:
    """What a worker needs to train one network."""
    return {
        "number": number,
        "genome": to_json(record.graph),
        "data": asdict(experiment.source),
        "recipe": asdict(recipe),
        "seed": seed,
        "device": experiment.device,
        "timeout": experiment.timeout,
        "memory_gb": experiment.memory_gb,
        "weights": str(weights),
    }


def front_of(records: list[Record], names: tuple[str, ...]) -> list[Record]:
    """The complete trials that no other beats in every objective; of equals, the first."""
    points = [(record, values) for record in records if (values := record.objectives(names)) is not None]
    front: list[Record] = []
    for record, mine in points:
        beaten = any(
            all(a <= b for a, b in zip(other, mine, strict=True)) and (other != mine or r.number < record.number)
            for r, other in points
            if r is not record
        )
        if not beaten:
            front.append(record)
    return front
