"""Words of a verdict, marked by color."""

from nas.principles.judging.verdict import Finding, Verdict
from nas.report.html.markup import Markup, tag


def style_of(word: str) -> str:
    """Return the class of a word in the page's style."""
    return word.replace(" ", "-")


def badge(word: str) -> Markup:
    """Return a word in a frame of its color."""
    return tag("span", word, class_=f"verdict {style_of(word)}")


def outcome_word(verdict: Verdict) -> str:
    """Return the outcome of a claim; of a control, whether its interval has the known effect in it."""
    if verdict.principle.control is None:
        return verdict.outcome
    if not verdict.complete:
        return "undecided"
    return "covered" if verdict.covers else "not covered"


def bound_word(verdict: Verdict, finding: Finding) -> str:
    """Return the word of a bound; of a control, whether its interval has the known effect in it."""
    return finding.word if verdict.principle.control is None else outcome_word(verdict)


def verdict_badge(verdict: Verdict) -> Markup:
    """Return the outcome of a claim or of a control."""
    return badge(outcome_word(verdict))
