"""The panel that shows one network: its costs, its choices and its drawing."""

from nas.report.html.markup import Markup, join, tag
from nas.report.html.table import terms
from nas.report.network import draw
from nas.report.run.frame import used
from nas.report.run.trials import parents_text, state_text
from nas.report.run.values import values_of
from nas.report.run.view import View
from nas.report.text import clip, full_quantity, percent, quantity
from nas.search.durations import format_duration
from nas.search.trial import TrialRecord


def network_details(view: View, record: TrialRecord) -> Markup:
    """Return all that is known about a trial, as a list of terms."""
    shares = used(record, view.limits)
    final = view.finalist(record)
    values = {
        "error": view.error_of(record),
        **record.cost.as_dict(),
        **values_of(view.costs, record),
        "seconds": record.seconds,
    }
    facts = [("state", state_text(record))] if record.state != "complete" else []
    for name, value in values.items():
        share = f" ({percent(shares[name])} of the budget)" if name in shares else ""
        facts.append((view.noun(name), f"{full_quantity(name, value)}{share}"))
    if final:
        facts.insert(1, ("95 % interval", view.interval_text(record)))
        facts.insert(2, (view.noun("test_error"), quantity("error", final.test_error)))
        took = f", {format_duration(final.seconds)} together" if final.seconds else ""
        facts.append(("trained again", f"{len(final.errors)} seeds of {final.epochs} epochs{took}"))
    chosen = [(clip(name, 40), clip(value, 80)) for name, value in record.choices.items()]
    if record.parents:
        chosen = [("edited from", parents_text(record))]
    return join([terms(facts), tag("h4", "Choices") if chosen else None, terms(chosen, "pairs")])


def network_template(view: View, record: TrialRecord) -> Markup:
    """Return what the panel shows when the network is selected."""
    name = clip(record.baseline, 60) or None
    return tag(
        "template", network_details(view, record), _picture(view, record), id=f"trial-{record.number}", data_title=name
    )


def _picture(view: View, record: TrialRecord) -> Markup:
    """Return the drawing of a network; of the best the way to it, since the page has a section that shows it whole."""
    if view.best and record.number == view.best.number:
        return tag("p", tag("a", "Its drawing and its source", href="#network"))
    return tag("div", Markup(draw(record.graph, standalone=False)), class_="drawing")
