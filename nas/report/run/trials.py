"""The table of all trials."""

from collections.abc import Iterable
from pathlib import Path

from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import Section, section
from nas.report.html.table import sortable_cell, table
from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import clip, quantity
from nas.search.trial import TrialRecord

MAX_ROWS = 1_000


def trials_section(view: View) -> Section | None:
    """Return the table of trials; None without any."""
    if not view.run.records:
        return None
    scroller = tag("div", _trials_table(view), class_="scroller", tabindex=0, role="region",
                   aria_label="Table of trials")  # fmt: skip
    return Section(section("all", "All trials", scroller), script=Path(__file__).with_suffix(".js"))


def _trials_table(view: View) -> Markup:
    """Return the trials, best first, at most 1,000."""
    records = view.ordered()
    more = f" The first {MAX_ROWS:,} of {len(records):,}; all are in trials.csv." if len(records) > MAX_ROWS else ""
    panel = ", a number to see that network" if view.complete else ""
    also = " Finalist: the error when trained again." if view.finalists else ""
    caption = f"Trials of the search, best first.{also} Select a heading to sort by it{panel}.{more}"
    costs = dict.fromkeys(("params", "macs", "depth", "peak_bytes", *view.costs))
    again = ["finalist"] if view.finalists else []
    heads = ["trial", "state", *again, *map(view.noun, ("error", *costs)), "trained", "choices"]
    buttons = [tag("button", head, type="button") for head in heads]
    front = {record.number for record in view.front}
    rows = (_row(view, record, costs, record.number in front) for record in records[:MAX_ROWS])
    return table(caption, buttons, rows, id="trials", class_="sortable")


def _row(view: View, record: TrialRecord, costs: Iterable[str], on_front: bool) -> Iterable[Child]:
    pick = tag("button", record.number, type="button", data_trial=record.number)
    number = pick if view.complete else record.number
    mark = tag("span", " on the front", class_="badge") if on_front else None
    yield tag("th", number, mark, scope="row", data_value=record.number)
    yield sortable_cell(state_text(record), state_text(record))
    if view.finalists:
        error = final.error if (final := view.finalist(record)) else None
        yield sortable_cell(quantity("error", error), error)
    yield sortable_cell(quantity("error", record.error), record.error)
    for name in costs:
        value = value_of(name, record)
        yield sortable_cell(quantity(name, value), value)
    yield sortable_cell(quantity("seconds", record.seconds), record.seconds)
    chosen = choices_text(record)
    yield tag("td", clip(chosen, 200), class_="choices", data_value=clip(chosen, 60))


def state_text(record: TrialRecord) -> str:
    """Return the state of a trial, a failure with its reason."""
    return f"{record.state}: {clip(record.reason, 40)}" if record.reason else record.state


def choices_text(record: TrialRecord) -> str:
    """Return the choices of a trial on one line; for an edited network, the trials it was edited from."""
    if record.parents:
        return f"edited from {parents_text(record)}"
    return ", ".join(f"{clip(name, 40)} {clip(value, 40)}" for name, value in record.choices.items())


def parents_text(record: TrialRecord) -> str:
    """Return the trials that a network was edited from."""
    return " and ".join(map(str, record.parents))
