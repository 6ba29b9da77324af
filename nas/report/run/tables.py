"""The tables of the page, each with a caption and headings that name their columns."""

from collections import Counter
from collections.abc import Iterable, Sequence

from nas.report.html.markup import Child, Markup, join, tag
from nas.report.run.frame import used
from nas.report.run.view import View
from nas.report.text import NAMES, between, clip, percent, quantity
from nas.search.loop.halving import epochs_saved
from nas.search.trial import TrialRecord

MAX_ROWS = 1_000
REASONS = {
    "nan": "nan: the loss was no longer a number",
    "oom": "oom: the worker ran out of memory",
    "timeout": "timeout: the trial took too long",
    "killed": "killed: the worker was stopped from outside",
    "error": "error: the training raised one",
}
_COUNTS = ("params", "macs", "depth", "peak_bytes")


def table(caption: Child, heads: Sequence[Child], rows: Iterable[Iterable[Child]], **attributes: str) -> Markup:
    """A table whose first cell in each row heads it."""
    body = [tag("tr", [cell if _is_cell(cell) else tag("td", cell) for cell in row]) for row in rows]
    head = tag("tr", [tag("th", each, scope="col") for each in heads])
    return tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body), **attributes)


def _is_cell(cell: Child) -> bool:
    return isinstance(cell, Markup) and cell.startswith(("<td", "<th"))


def cell(shown: Child, value: float | str | None) -> Markup:
    """A cell that sorts by `value`; missing ones sort last."""
    return tag("td", shown, data_value="" if value is None else str(value))


def trials(view: View) -> Markup:
    """The trials, best first, at most 1,000."""
    records = view.ordered()
    shown = records[:MAX_ROWS]
    more = f" The first {MAX_ROWS:,} of {len(records):,}; all are in trials.csv." if len(records) > MAX_ROWS else ""
    see = ", a number to see that network" if view.complete else ""
    caption = f"Trials, best first. Choose a heading to sort by it{see}.{more}"
    heads = ["trial", "state", *(NAMES[name] for name in ("error", *_COUNTS)), "trained", "choices"]
    buttons = [tag("button", head, type="button") for head in heads]
    front = {record.number for record in view.front}
    rows = (_trial(record, record.number in front, bool(view.complete)) for record in shown)
    return table(caption, buttons, rows, id="trials", class_="sortable")


def _trial(record: TrialRecord, on_front: bool, panel: bool) -> Iterable[Child]:
    number = tag("button", record.number, type="button", data_trial=record.number) if panel else record.number
    mark = tag("span", " on the front", class_="badge") if on_front else None
    yield tag("th", number, mark, scope="row", data_value=record.number)
    yield cell(state(record), state(record))
    yield cell(quantity("error", record.error), record.error)
    for name in _COUNTS:
        yield cell(quantity(name, getattr(record.cost, name)), getattr(record.cost, name))
    yield cell(quantity("seconds", record.seconds), record.seconds)
    yield tag("td", clip(choices(record), 200), class_="choices", data_value=clip(choices(record), 60))


def state(record: TrialRecord) -> str:
    """How a trial stands, a failure with its reason."""
    return f"{record.state}: {clip(record.reason, 40)}" if record.reason else record.state


def choices(record: TrialRecord) -> str:
    """The choices of a trial on one line; of one without, the trials it was made of."""
    if record.parents:
        return "edited from " + " and ".join(map(str, record.parents))
    return ", ".join(f"{clip(name, 40)} {clip(value, 40)}" for name, value in record.choices.items())


def details(view: View, record: TrialRecord) -> Markup:
    """Everything known of one trial, as a list of terms."""
    shares = used(record, view.experiment.budget)
    counts: list[tuple[str, float | None]] = [
        ("error", record.error),
        *record.cost.as_dict().items(),
        ("seconds", record.seconds),
    ]
    facts: list[tuple[str, Child]] = []
    for name, value in counts:
        share = f" ({percent(shares[name])} of the budget)" if name in shares else ""
        exact = quantity(name, value) if name in ("error", "seconds", "peak_bytes") else f"{value:,}"
        facts.append((NAMES[name], f"{exact}{share}"))
    chosen = [(clip(name, 40), clip(value, 80)) for name, value in record.choices.items()]
    if record.parents:
        chosen = [("edited from", " and ".join(map(str, record.parents)))]
    state_ = [("state", state(record))] if record.state != "complete" else []
    return join([terms([*state_, *facts]), tag("h4", "Choices") if chosen else None, terms(chosen, "pairs")])


def terms(pairs: Sequence[tuple[Child, Child]], style: str = "terms") -> Markup:
    """Names and values: in two columns as "terms", one after another as "pairs"."""
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs]
    return tag("dl", rows, class_=style) if rows else Markup()


def known(view: View) -> Markup | None:
    """The best network beside the baselines and the finalists, where there are any."""
    if not (view.baselines or view.finalists) or view.best is None:
        return None
    again = {finalist.number: finalist for finalist in view.finalists}
    numbers = {record.number: record for record in view.complete}
    shown = [numbers[number] for number in again] or [view.best]
    rows = []
    for record in (*shown, *view.baselines):
        number = tag("button", clip(record.baseline, 60) or f"trial {record.number}", type="button",
                     data_trial=record.number)  # fmt: skip
        seeds = again.get(record.number)
        rows.append([tag("th", number, scope="row"), quantity("error", seeds.error if seeds else record.error),
                     between(seeds.low, seeds.high) if seeds else "-",
                     quantity("error", seeds.test_error) if seeds else "-",
                     *[quantity(name, getattr(record.cost, name)) for name in ("params", "macs")]])  # fmt: skip
    caption = ("In the search each network was trained once, by one recipe, baselines too; finalists were trained "
               "again from several seeds: the mean and its interval.")  # fmt: skip
    heads = ["network", "validation error", "95 % interval", "test error", "parameters", "MACs"]
    return tag("div", table(caption, heads, rows), class_="scroller")


def ledger(view: View) -> Markup:
    """What became of the proposals, and of the candidates a sampler weighed before it proposed."""
    counts = dict(view.run.proposal_counts)
    weighed = counts.pop("candidates", 0)
    total = counts.pop("proposed", sum(counts.values()))
    whole = {name: weighed if name.startswith("candidate, ") else total for name in counts}
    rows = [[tag("th", clip(name), scope="row"), f"{n:,}", percent(n / whole[name]) if whole[name] else "-"]
            for name, n in sorted(counts.items(), key=lambda item: -item[1])]  # fmt: skip
    caption = f"{total:,} proposals. Only those inside the budget and not met before are trained."
    if weighed:
        caption += f" {weighed:,} candidates were counted to choose among."
    if epochs := epochs_saved(view.run.records, view.run.experiment.recipe.epochs):
        caption += f" Stopping trials early saved {epochs:,} epochs."
    return table(caption, ["outcome", "proposals", "share"], rows)


def failures(view: View) -> Markup:
    """Trials that did not end well, by reason, and the baselines among them by name."""
    lost = [record for record in view.run.baselines if record.state == "failed"]
    known = [tag("p", f"Baseline {clip(record.baseline, 60)} did not complete: {_reason(record)}.") for record in lost]
    return join([_failed_trials(view), *known])


def _reason(record: TrialRecord) -> str:
    return REASONS.get(record.reason, clip(record.reason, 60)) or record.state


def _failed_trials(view: View) -> Markup:
    failed = [record for record in view.run.records if record.state in ("failed", "pruned")]
    if not failed:
        return tag("p", "No trial failed.")
    counted = Counter(map(_reason, failed))
    share = len(view.run.records)
    rows = [[tag("th", reason, scope="row"), f"{n:,}", percent(n / share)] for reason, n in counted.most_common()]
    return table("Trials that did not complete, by reason.", ["reason", "trials", "share of trials"], rows)
