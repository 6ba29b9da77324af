"""The bounds of a claim, and its value in each setting: where it holds, and where not."""

from collections.abc import Sequence
from statistics import mean

from nas.genome.cost import cost
from nas.principles.claims.principle import UNITS
from nas.principles.claims.setting import Setting
from nas.principles.judging.plan import MatchedArms
from nas.principles.judging.study_results import StudyResults
from nas.principles.judging.verdict import Finding, Verdict
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.table import table
from nas.report.principles.badges import badge, bound_word, style_of
from nas.report.principles.plots import AxisScale, Mark, axis_scale, interval_row
from nas.report.principles.scale import data_name, data_names, drawn_settings, image_side
from nas.report.principles.sentences import METRICS, amount, signed, span

ROW_HEIGHT = 18  # pixels


def findings_table(results: StudyResults, verdict: Verdict) -> Markup:
    """Return the comparisons that the claim is based on, over all settings and by data set."""
    names = data_names(results.study)
    by_data = names if len(names) > 1 else []
    rows = [[tag("td", f"{each.bound.name} ({METRICS[each.bound.metric]})", class_="wrap"),
             f"above {amount(each.threshold, each.bound)}", span(each.estimate, each.bound),
             signed(each.estimate.sd, each.bound).lstrip("+"), *_shares(each),
             *(_mean_on(results, each, name) for name in by_data), badge(bound_word(verdict, each))]
            for each in verdict.findings]  # fmt: skip
    caption = ("Comparisons, one network minus another; the claim needs all of them. Deviation: standard, over "
               "settings, chance included."
               + (" The last columns but one are means by data set, with the number of settings." if by_data else "")
               )  # fmt: skip
    heads = ["comparison", "claimed", "mean and interval", "deviation", "settings above", "below 0", *by_data, "word"]
    return table(caption, heads, rows)


def _shares(finding: Finding) -> tuple[str, str]:
    """Return in how many settings a contrast is above its threshold, and below zero."""
    values = known_values(finding)
    above, below = sum(value > finding.threshold for value in values), sum(value < 0 for value in values)
    return f"{above} of {len(values)}", f"{below} of {len(values)}"


def known_values(finding: Finding) -> list[float]:
    """Return the values of a contrast in the settings that have one."""
    return [value for value in finding.values if value is not None]


def _mean_on(results: StudyResults, finding: Finding, name: str) -> str:
    values = [value for index, value in enumerate(finding.values)
              if value is not None and data_name(results.study, index) == name]  # fmt: skip
    return f"{signed(mean(values), finding.bound)} ({len(values)})" if values else "-"


def settings_table(results: StudyResults, verdict: Verdict) -> Markup:
    """Return the value of each contrast in each setting, the best for the claim first, with the setting in words."""
    findings, key = verdict.findings, verdict.principle.key
    drawn, arms = drawn_settings(results, key), results.plan.arms[key]
    axes = [axis_scale([each.threshold, *known_values(each)]) for each in findings]
    order = sorted(range(len(drawn)), key=lambda index: _rank(findings[0].values[index]))
    rows = [[str(index), *_value_cells(verdict, axes, index),
             tag("td", setting_text(data_name(results.study, index), drawn[index]), class_="wrap"),
             _depths(arms[index])] for index in order]  # fmt: skip
    caption = ("The value in each setting, the best for the claim first. Lines: zero, and dashed what the claim must "
               "exceed. Depth: weighted layers of the arms, in the order of their table.")  # fmt: skip
    names = [cell for each in findings for cell in (f"{each.bound.name}, {UNITS[each.bound.metric]}", "")]
    return table(caption, ["setting", *names, "images and network", "depth"], rows, class_="settings")


def setting_text(data: str, setting: Setting) -> str:
    """Return a setting in words."""
    repeats = f"{setting.repeats} repeat{'s' * (setting.repeats != 1)}"
    return f"{data}, {image_side(setting)} pixels, width {setting.width}, growth {setting.growth:.2f}, {repeats}"


def _rank(value: float | None) -> float:
    return float("inf") if value is None else -value


def _depths(arms: MatchedArms) -> str:
    depths = [cost(graph).depth for graph in arms.graphs.values()]
    return ", ".join(map(str, depths if len(set(depths)) > 1 else depths[:1]))


def _value_cells(verdict: Verdict, axes: Sequence[AxisScale], index: int) -> list[Child]:
    """Return the value of each contrast in a setting, as a number and as a dot."""
    cells: list[Child] = []
    for finding, axis in zip(verdict.findings, axes, strict=True):
        value = finding.values[index]
        if value is None:
            cells += ["-", ""]
            continue
        text = signed(value, finding.bound)
        dot = interval_row(
            Mark(finding.threshold, value), axis, style_of(bound_word(verdict, finding)), text, ROW_HEIGHT
        )
        cells += [text, tag("td", dot, class_="dots")]
    return cells
