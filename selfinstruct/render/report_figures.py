"""The figures of a report in words and charts: growth, similarity, shares of values, wording, checks.

Does not handle: measuring, which is ``analysis.report``; the page itself (``report``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from selfinstruct.analysis.report import Report, Shares, Similarity, Spread, Wording, Words
from selfinstruct.render.chart import Chart, Curve, chart, curve, percent
from selfinstruct.render.report_rows import cut
from selfinstruct.render.text import counted, format_number

#: Values and names in tables are cut shorter than those of rows.
_SHORT = 120


class ShareLine(NamedTuple):
    """One value with its shares in words, and as lengths of bars."""

    value: str
    seeds: str
    grown: str
    seeds_percent: float
    grown_percent: float


class ShareCard(NamedTuple):
    """The distribution of a field: a remark on how far seeds and grown rows differ, and the commonest values."""

    heading: str
    remark: str
    lines: tuple[ShareLine, ...]
    seeded: bool


class TextCard(NamedTuple):
    """The wording of a field: its lengths, its figures as (name, seeds, grown), and how its values begin."""

    name: str
    chart: Chart
    figures: tuple[tuple[str, str, str], ...]
    openings: ShareCard | None


class RuleLine(NamedTuple):
    """A check, how often it was reached and how often it refused."""

    name: str
    checked: str
    refused: str
    percent: float


def growth_curve(report: Report) -> Curve | None:
    """The growth curve of all rows; None before the first candidate."""
    growth = report.growth
    if not growth.candidates[-1]:
        return None
    label = f"{counted(growth.accepted[-1], 'row')} accepted of {counted(growth.candidates[-1], 'candidate')}"
    return curve(growth.candidates, growth.accepted, label)


def sparklines(report: Report) -> dict[str, Curve]:
    """The growth curve of each category over the candidates of all."""
    growth = report.growth
    return {
        name: curve(growth.candidates, counts, f"growth of {cut(name, _SHORT)}", limit=False)
        for name, counts in growth.categories.items()
    }


def similarity_charts(report: Report) -> Iterator[Chart]:
    """How similar the rows are to seeds, and to each other."""
    if report.to_seeds is not None:
        yield _similarity_chart(report.to_seeds, "Similarity to the seeds", "ROUGE-L F1 with the nearest seed")
    if report.to_grown.among > 1:
        among = format_number(report.to_grown.among)
        nearest = f"ROUGE-L F1 with the nearest of {among} grown rows"
        yield _similarity_chart(report.to_grown, "Similarity to each other", nearest)


def _similarity_chart(found: Similarity, title: str, caption: str) -> Chart:
    caption += f", for {counted(found.compared, 'row')}"
    if found.grown is not None:
        caption += f": median {found.grown.median:.2f}, highest {found.grown.greatest:.2f}"
    return chart(found.histogram, title, caption, caption, decimals=2)


def share_cards(report: Report) -> Iterator[ShareCard]:
    """The distributions of the categories and of the fields."""
    if len(report.summary.growing) > 1:
        yield _share_card("Category", report.category_shares)
    for name, found in report.shares.items():
        if found.values or found.grown_numbers is not None:
            yield _share_card(cut(name, _SHORT), found)


def uncommon_fields(report: Report) -> str:
    """A sentence on the fields of which no value is common, or ""."""
    names = [cut(name, _SHORT) for name, found in report.shares.items() if not found.values and not found.grown_numbers]
    if not names or not report.sample_size:
        return ""
    return f"No value of {', '.join(names)} is common in the sample."


def _share_card(heading: str, found: Shares) -> ShareCard:
    seeded = found.seed_values > 0
    parts: list[str] = [counted(found.grown_values, "different value")]
    if seeded:
        parts = [f"{format_number(found.seed_values)} in the seeds, {format_number(found.grown_values)} in grown rows"]
    if found.distance is not None:
        parts.append(f"total variation distance {found.distance:.2f}")
    if found.grown_numbers is not None:
        before = "" if found.seed_numbers is None else f", seeds {_range(found.seed_numbers)}"
        parts.append(f"numbers {_range(found.grown_numbers)}{before}")
    return ShareCard(
        heading,
        f"Values: {'; '.join(parts)}.",
        tuple(_share_line(each.value, each.seeds, each.grown) for each in found.values),
        seeded,
    )


def _share_line(value: str, seeds: float, grown: float) -> ShareLine:
    return ShareLine(cut(value, _SHORT) or "(empty)", _percent(seeds), _percent(grown), percent(seeds), percent(grown))


def _range(found: Spread) -> str:
    return f"{found.least:,.6g} to {found.greatest:,.6g}, median {found.median:,.6g}"


def text_cards(report: Report) -> Iterator[TextCard]:
    """The wording of each text field."""
    for name, found in report.wording.items():
        shown = cut(name, _SHORT)
        title = f"Length of {shown}"
        openings = tuple(_share_line(each.words, each.seeds, each.grown) for each in found.openings)
        yield TextCard(
            shown,
            chart(found.lengths, title, "characters", title),
            tuple(_word_figures(found)),
            ShareCard("Commonest first words", "", openings, found.seeds.values > 0) if openings else None,
        )


def _word_figures(found: Wording) -> Iterator[tuple[str, str, str]]:
    seeds, grown = found.seeds, found.grown
    yield ("Different values", _of(seeds), _of(grown))
    yield ("Words", format_number(seeds.words), format_number(grown.words))
    yield ("Vocabulary", format_number(seeds.vocabulary), format_number(grown.vocabulary))
    for at in range(3):
        yield (f"distinct-{at + 1}", _distinct(seeds, at), _distinct(grown, at))
    yield ("Median length", _median(seeds), _median(grown))


def _of(words: Words) -> str:
    return f"{format_number(words.different)} of {format_number(words.values)}"


def _distinct(words: Words, at: int) -> str:
    return f"{words.distinct[at]:.2f}" if words.distinct[at] else "-"


def _median(words: Words) -> str:
    return "" if words.lengths is None else f"{words.lengths.median:,.0f}"


def rule_lines(report: Report) -> Iterator[RuleLine]:
    """The stages of checking, each relation below its stage."""
    for stage in report.rules.stages:
        yield _rule_line(stage.name, stage.checked, stage.refused)
        if stage.name == "relations":
            for each in report.rules.relations:
                yield _rule_line(cut(each.name, _SHORT), each.checked, each.refused)


def _rule_line(name: str, checked: int, refused: int) -> RuleLine:
    return RuleLine(name, format_number(checked), format_number(refused), percent(refused / checked if checked else 0))


def templates_phrase(report: Report) -> str:
    """How many templates of the seeds the rows cover, or ""."""
    if report.templates is None:
        return ""
    seeds, covered, other = report.templates
    more = f"; {counted(other, 'sampled row')} of other templates" if other else ""
    return f"Of {counted(seeds, 'template')} of the seeds, {format_number(covered)} occur in the sample{more}."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share else "0 %"
