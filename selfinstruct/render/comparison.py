"""The comparison of two runs: as text for a terminal, and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from selfinstruct._version import __version__
from selfinstruct.analysis.report import Comparison, Line
from selfinstruct.journal import GrownRow
from selfinstruct.recipe import Recipe
from selfinstruct.render.html import digest, markup, own_text, render_template
from selfinstruct.render.report_rows import Sample, cut, sample
from selfinstruct.render.text import format_money, pad, pad_left, printable, shorten

#: Rows of each run that the page shows, characters of a name in a table, and cells of one on a terminal.
_ROWS, _NAME, _CELLS = 5, 120, 44


class ShownLine(NamedTuple):
    """A line of a table, in words."""

    name: str
    first: str
    second: str
    change: str


class ShownSection(NamedTuple):
    """A table of figures under its title."""

    title: str
    lines: tuple[ShownLine, ...]


def comparison_text(found: Comparison, names: Sequence[str], width: int | None) -> Text:
    """The figures of two runs as tables; ``names`` are those of the runs on the command line."""
    sections = _shown(found)
    lines = [line for section in sections for line in section.lines]
    columns = [max(map(cell_len, ("first", *(line[at] for line in lines)))) for at in (1, 2, 3)]
    text = Text()
    for order, name in zip(("first", "second"), names, strict=True):
        text.append(f"{pad(order, 8)}{shorten(printable(name), width)}\n")
    for section in sections:
        text.append(f"\n{pad(shorten(printable(section.title), _CELLS + 2), _CELLS + 2)}", "bold")
        heads = [pad_left(name, most) for name, most in zip(("first", "second", "change"), columns, strict=True)]
        text.append(f"  {'  '.join(heads)}\n", "dim")
        for line in section.lines:
            values = [pad_left(value, most) for value, most in zip(line[1:], columns, strict=True)]
            text.append(f"  {pad(shorten(printable(line.name), _CELLS), _CELLS)}  {'  '.join(values).rstrip()}\n")
    return text


def comparison_page(found: Comparison, names: Sequence[str], recipes: Sequence[Recipe]) -> str:
    """The figures of two runs as a page that needs no other file, with some rows of each."""
    style = own_text("report.css")
    runs = [
        (name, tuple(_samples(report.rows, recipe)))
        for name, report, recipe in zip(names, (found.first, found.second), recipes, strict=True)
    ]
    page = render_template(
        "comparison.html",
        style=markup(style),
        style_digest=digest(style),
        version=__version__,
        names=tuple(names),
        sections=_shown(found),
        runs=tuple(runs),
    )
    return f"{page}\n"


def _samples(rows: Sequence[GrownRow], recipe: Recipe) -> Sequence[Sample]:
    return [sample(grown, recipe) for grown in rows[:_ROWS]]


def _shown(found: Comparison) -> list[ShownSection]:
    return [
        ShownSection(
            f"{section.title}: {cut(section.subject, _NAME)}" if section.subject else section.title,
            tuple(_line(line) for line in section.lines),
        )
        for section in found.sections
    ]


def _line(line: Line) -> ShownLine:
    change = line.change
    sign = "+" if change is not None and change > 0 else ""
    words = "" if change is None else "0" if not change else f"{sign}{_change(change, line.unit)}"
    return ShownLine(
        cut(line.name, _NAME) or "(empty)", _value(line.first, line.unit), _value(line.second, line.unit), words
    )


def _change(value: float, unit: str) -> str:
    """A difference in words; that of two shares in percentage points."""
    return f"{100 * value:.1f} pp" if unit == "share" else _value(value, unit)


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "money":
        return f"-{format_money(-value)}" if value < 0 else format_money(value)
    return f"{value:,.0f}" if unit == "count" else f"{value:,.1f}" if unit == "seconds" else f"{value:,.3f}"
