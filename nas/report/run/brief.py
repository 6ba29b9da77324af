"""A short report: Markdown for a pull request or a chat."""

import re
from collections.abc import Iterable, Iterator, Sequence

from nas.errors import one_line
from nas.report.run.advice import advice
from nas.report.run.front import trial_name
from nas.report.run.header import answer_text, error_note, run_title, trial_export_command
from nas.report.run.progress import learned
from nas.report.run.recommend import recommend
from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import clip, full_quantity, listed, noun, quantity
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
    parts = [f"### {plain_markdown(run_title(view))}", plain_markdown(answer_text(view)), *_taken(view)]
    if rows:
        parts.append("\n".join([_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]))
    if len(view.front) > MAX_ROWS:
        parts.append(f"The first {MAX_ROWS} of {len(view.front)} networks on the front.")
    parts += [plain_markdown(learned(view))] if view.progress else []
    parts += ["What to run next:", "\n".join(f"{i}. {plain_markdown(line)}" for i, line in enumerate(advice(view), 1))]
    parts.append(_shell([view.run.command]))
    return "\n\n".join(parts) + "\n"


def _taken(view: View) -> Iterator[str]:
    """Yield the networks to take as a list, and the commands that export them."""
    found = recommend(view)
    if found is None:
        return
    lines = [f"- Trial {each.record.number}: {quantity('error', each.error)} ({error_note(view, each)}), "
             f"{listed([f'{full_quantity(name, value_of(name, each.record))} {noun(name)}' for name in view.costs])}"
             for each in found.taken]  # fmt: skip
    yield "\n".join(f"- {plain_markdown(line[2:])}" for line in lines)
    yield _shell(trial_export_command(view, each) for each in found.taken)


def _shell(commands: Iterable[str]) -> str:
    """Return commands as a block that no text in them can close."""
    lines = [clip(command, 2_000).replace("`", chr(39)) for command in commands]
    return "\n".join(["```sh", *lines, "```"])


def _row(view: View, record: TrialRecord, counts: Iterable[str]) -> list[str]:
    final = view.finalist(record)
    return [plain_markdown(trial_name(record)), quantity("error", view.error_of(record)), view.interval_text(record),
            quantity("error", final.test_error) if final else "-",
            *[quantity(name, value_of(name, record)) for name in counts]]  # fmt: skip


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain_markdown(text: str) -> str:
    """Return text of any origin so that Markdown shows it unchanged: no markup, no mention, no link, on one line."""
    escaped = re.sub(r"([\\`*_{}\[\]<>#|~!$])", r"\\\1", one_line(text))
    return escaped.replace("@", "@\u200b").replace("://", ":\u200b//")
