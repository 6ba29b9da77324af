"""A trial that was never trained, with a made-up error: what the contracts of samplers and objectives read."""

from nas.search.propose.candidate import Candidate
from nas.search.trial import TrialRecord
from nas.training.score import Score


def untrained_trial(number: int, network: Candidate, error: float | None) -> TrialRecord:
    """Return a trial that ended with an error after one epoch, or that failed where the error is None."""
    return TrialRecord.of(
        network.graph,
        seed=number,
        number=number,
        choices=network.choices,
        scores=() if error is None else (Score(1, error, loss=error, seconds=1.0, train_loss=error),),
        state="failed" if error is None else "complete",
        distributions=network.distributions,
    )
