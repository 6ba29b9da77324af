"""Proposals by outcome, and failures by reason."""

from collections import Counter

from nas.report.html.markup import Markup, join, tag
from nas.report.html.section import Section, section
from nas.report.html.table import share_row, table
from nas.report.run.view import View
from nas.report.text import clip
from nas.search.loop.halving import epochs_saved
from nas.search.trial import TrialRecord


def proposals_section(view: View) -> Section:
    """Return the proposals that were not trained, and the trials that failed, counted."""
    proposals = tag("div", tag("h3", "Proposals"), proposals_table(view), class_="scroller")
    failures = tag("div", tag("h3", "Failures"), _failures(view), class_="scroller")
    both = tag("div", proposals, failures, class_="split even")
    return Section(section("ledger", "Proposals and failures", both))


def proposals_table(view: View) -> Markup:
    """Return the proposals by outcome, and the candidates that a sampler compared before it proposed."""
    counts = dict(view.run.proposal_counts)
    compared = counts.pop("candidates", 0)
    total = counts.pop("proposed", sum(counts.values()))
    rows = [share_row(clip(name), count, compared if name.startswith("candidate, ") else total)
            for name, count in sorted(counts.items(), key=lambda item: -item[1])]  # fmt: skip
    caption = f"{total:,} proposals. Only those inside the budget and not proposed before are trained."
    if compared:
        caption += f" {compared:,} candidates were counted before proposing."
    if epochs := epochs_saved(view.run.records, view.experiment.recipe.epochs):
        caption += f" Stopping trials early saved {epochs:,} epochs."
    if foreign := view.run.foreign:
        caption += f" Passed over: {foreign:,} trials that another program made or asks for."
    return table(caption, ["outcome", "proposals", "share"], rows)


def _failures(view: View) -> Markup:
    failed = [record for record in view.run.baselines if record.state == "failed"]
    baselines = [
        tag("p", f"Baseline {clip(record.baseline, 60)} did not complete: {_reason(record)}.") for record in failed
    ]
    return join([_failed_trials(view), *baselines])


def _failed_trials(view: View) -> Markup:
    failed = Counter(_reason(record) for record in view.run.records if record.state == "failed")
    if not failed:
        return tag("p", "No trial failed.")
    rows = [share_row(reason, count, len(view.run.records)) for reason, count in failed.most_common()]
    return table("Failed trials by reason.", ["reason", "trials", "share of trials"], rows)


def _reason(record: TrialRecord) -> str:
    return record.reason.summary if record.reason else record.state
