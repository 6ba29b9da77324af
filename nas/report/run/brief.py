"""The report in brief: Markdown for a pull request or a chat."""

import re
from collections.abc import Iterable, Sequence

from nas.report.run.advice import advice
from nas.report.run.answer import question, said
from nas.report.run.view import View
from nas.report.text import NAMES, between, clip, quantity
from nas.search.trial import TrialRecord

MAX_ROWS = 10


def brief(view: View) -> str:
    """Question, answer, the front with finalists and baselines, what to run next, and the command."""
    counts = dict.fromkeys([*view.limits, "params", "macs"])
    heads = ["network", "validation error", "95 % interval", "test error", *(NAMES[name] for name in counts)]
    rows = [_row(view, record, counts) for record in (*view.front[:MAX_ROWS], *view.baselines)]
    parts = [f"### {plain(question(view))}", plain(said(view))]
    if rows:
        parts.append("\n".join([_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]))
    if len(view.front) > MAX_ROWS:
        parts.append(f"The first {MAX_ROWS} of {len(view.front)} networks on the front.")
    parts += ["What to run next:", "\n".join(f"{i}. {plain(line)}" for i, line in enumerate(advice(view), 1))]
    parts.append(f"```sh\n{clip(view.run.command, 2_000).replace('`', chr(39))}\n```")
    return "\n\n".join(parts) + "\n"


def _row(view: View, record: TrialRecord, counts: Iterable[str]) -> list[str]:
    again = next((f for f in view.finalists if f.number == record.number and not record.baseline), None)
    error, spread = (again.error, between(again.low, again.high)) if again else (record.error, "-")
    name = plain(clip(record.baseline, 60)) or f"trial {record.number}"
    return [name, quantity("error", error), spread, quantity("error", again.test_error) if again else "-",
            *[quantity(name, getattr(record.cost, name)) for name in counts]]  # fmt: skip


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain(text: str) -> str:
    """Text of any origin that Markdown shows as it is: no markup, no mention, no link."""
    escaped = re.sub(r"([\\`*_{}\[\]<>#|~!$])", r"\\\1", text)
    return escaped.replace("@", "@\u200b").replace("://", ":\u200b//")
