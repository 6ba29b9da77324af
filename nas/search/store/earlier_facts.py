"""What a study records of the earlier runs that it was started from: all that the sampler is told of them."""

import json

from pydantic import TypeAdapter

from nas.search.propose.earlier import EarlierTrial
from nas.search.trial import Attributes

EarlierTrials = tuple[EarlierTrial, ...]
_TRIALS = TypeAdapter(EarlierTrials)


def to_earlier_facts(trials: EarlierTrials) -> Attributes:
    """Return trials of earlier runs as facts of a study; none without trials."""
    return {"earlier": _TRIALS.dump_python(trials, mode="json", exclude_defaults=True)} if trials else {}


def earlier_of(facts: Attributes) -> EarlierTrials:
    """Return the trials that facts of a study hold. Raises ValueError when they are damaged."""
    return _TRIALS.validate_json(json.dumps(facts.get("earlier", [])))
