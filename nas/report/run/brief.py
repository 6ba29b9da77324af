"""A short report: Markdown for a pull request or a chat."""

import re
from collections.abc import Iterable, Sequence

from nas.errors import one_line
from nas.report.run.advice import advice
from nas.report.run.front import trial_name
from nas.report.run.header import answer_text, run_title
from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import between, clip, noun, quantity
from nas.search.trial import TrialRecord

MAX_ROWS = 10


def brief(view: View) -> str:
    """Return heading, answer, the front with finalists and baselines, what to run next, and the command."""
    counts = dict.fromkeys([*view.limits, *view.costs])
    heads = [
        "network",
        view.noun("error"),
        "95 % interval",
        view.noun("test_error"),
        *(plain_markdown(noun(name)) for name in counts),
    ]
    rows = [_row(view, record, counts) for record in (*view.front[:MAX_ROWS], *view.baselines)]
    parts = [f"### {plain_markdown(run_title(view))}", plain_markdown(answer_text(view))]
    if rows:
        parts.append("\n".join([_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]))
    if len(view.front) > MAX_ROWS:
        parts.append(f"The first {MAX_ROWS} of {len(view.front)} networks on the front.")
    parts += ["What to run next:", "\n".join(f"{i}. {plain_markdown(line)}" for i, line in enumerate(advice(view), 1))]
    parts.append(f"```sh\n{clip(view.run.command, 2_000).replace('`', chr(39))}\n```")
    return "\n\n".join(parts) + "\n"


def _row(view: View, record: TrialRecord, counts: Iterable[str]) -> list[str]:
    final = next((f for f in view.finalists if f.number == record.number and not record.baseline), None)
    error, interval = (final.error, between(final.low, final.high)) if final else (record.error, "-")
    return [plain_markdown(trial_name(record)), quantity("error", error), interval,
            quantity("error", final.test_error) if final else "-",
            *[quantity(name, value_of(name, record)) for name in counts]]  # fmt: skip


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain_markdown(text: str) -> str:
    """Return text of any origin so that Markdown shows it unchanged: no markup, no mention, no link, on one line."""
    escaped = re.sub(r"([\\`*_{}\[\]<>#|~!$])", r"\\\1", one_line(text))
    return escaped.replace("@", "@\u200b").replace("://", ":\u200b//")
