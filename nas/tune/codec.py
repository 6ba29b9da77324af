"""A trial as plain data, for the state of a searcher: the attributes that a study keeps, and what Optuna keeps."""

import json
from typing import Any

from optuna.distributions import distribution_to_json

from nas.search.distributions import from_optuna_json, to_optuna
from nas.search.store.stored_trial import StoredTrial, to_attributes, to_result
from nas.search.trial import State, TrialRecord

STATES: dict[State, str] = {"running": "RUNNING", "complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}


def to_plain(record: TrialRecord) -> dict[str, Any]:
    """Return a trial as JSON holds it."""
    asked = {name: json.loads(distribution_to_json(to_optuna(each))) for name, each in record.distributions.items()}
    return {
        "number": record.number,
        "state": STATES[record.state],
        "attributes": to_attributes(record) | {"result": to_result(record)},
        "choices": record.choices,
        "distributions": asked,
    }


def from_plain(plain: dict[str, Any]) -> TrialRecord:
    """Return the trial of `to_plain`. Raises KeyError, TypeError, ValueError or RunError for anything else."""
    asked = {name: from_optuna_json(json.dumps(each)) for name, each in plain["distributions"].items()}
    stored = StoredTrial(plain["number"], plain["state"], plain["attributes"], plain["choices"], asked)
    return stored.record
