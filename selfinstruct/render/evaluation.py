"""The result of ``evaluate`` as text, and in parts for the report and the card.

Scores are shown in percent and their differences in points, each with its 95 % interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from selfinstruct.render.description import join_words
from selfinstruct.render.html import render_template, style_sheet
from selfinstruct.render.score_plot import ScorePlot, score_plot
from selfinstruct.render.text import counted, format_number, pad, printable

if TYPE_CHECKING:
    from selfinstruct.analysis.evaluate import Evaluation, Interval, Outcome, Scores

_NAMES = {
    "shuffled answers": "the same with wrong answers",
    "full": "seeds and human rows",
    "full + grown": "seeds, human and grown rows",
    "nearest": "answer of the nearest row",
    "majority": "most frequent answer",
}
_TOO_CLOSE = {"row": "the same row", "context": "the same context", "near-duplicate": "a near-duplicate"}
_ORIGINS = {"seeds": "seed", "grown": "grown row", "full": "human row", "holdout": "test row"}
HEADINGS = ("training", "rows", "exact answers", "over the seeds", "over digit swapping")


class EvaluationLine(NamedTuple):
    """A condition as a line of a table, in the order of ``HEADINGS``."""

    name: str
    rows: str
    score: str
    over_seeds: str
    over_digits: str


class EvaluationTable(NamedTuple):
    """The conditions on some of the test rows."""

    title: str
    lines: tuple[EvaluationLine, ...]


class EvaluationParts(NamedTuple):
    """An evaluation for a page: the result in a sentence, how it was measured, tables, a plot, and notes."""

    verdict: str
    setting: str
    tables: tuple[EvaluationTable, ...]
    plot: ScorePlot
    notes: tuple[str, ...]


def evaluation_parts(done: Evaluation) -> EvaluationParts:
    """Return the parts of an evaluation."""
    total, new = done.rows["holdout"], done.rows["new"]
    tables = [_table(f"All {counted(total, 'test row')}", done.outcomes, lambda scores: scores.all)]
    if new < total and all(each.scores.new is not None for each in done.outcomes):
        title = f"{counted(new, 'test row')} with a new template"
        tables.append(_table(title, done.outcomes, lambda scores: scores.new or scores.all))
    return EvaluationParts(verdict(done), _setting(done), tuple(tables), score_plot(done), tuple(_notes(done)))


def evaluation_svg(done: Evaluation) -> str:
    """Return the plot as an SVG file."""
    from markupsafe import Markup

    style = Markup(style_sheet("evaluation.css"))  # the package's own file
    return render_template("evaluation.svg", plot=score_plot(done), style=style) + "\n"


def evaluation_text(done: Evaluation) -> Text:
    """Return an evaluation as tables, with the result below them."""
    parts = evaluation_parts(done)
    text = Text(f"{printable(parts.setting)}\n", "dim")
    for table in parts.tables:
        text.append(f"\n{table.title}\n", "bold")
        cells = [HEADINGS, *table.lines]
        widths = [max(len(line[at]) for line in cells) for at in range(len(HEADINGS))]
        for at, line in enumerate(cells):
            text.append(f"  {_aligned(line, widths)}\n", "dim" if at == 0 else "")
    text.append("\n")
    for note in parts.notes:
        text.append(f"{printable(note)}\n", "dim")
    return text.append(f"{parts.verdict}\n", "bold")


def verdict(done: Evaluation) -> str:
    """Return the result in words: what the most grown rows bring over the seeds and over digit swapping."""
    grown = done.grown
    if grown is None:
        return "No grown rows were measured."
    gains = [(_over(gain.over), gain.scores.all) for gain in grown.gains]
    found = [f"{_points(gain)} points over {other} {_bounds(gain)}" for other, gain in gains if gain.is_measurable]
    none = [f"over {other} {_bounds(gain)}" for other, gain in gains if not gain.is_measurable]
    if none:
        found.append(f"no measurable gain {' or '.join(none)}")
    words = (
        f"Trained on the seeds and {counted(grown.rows - done.rows['seeds'], 'grown row')}, the reader gives "
        f"{_score(grown.scores.all)} exact answers: {join_words(found)}."
    )
    if done.gap_closed is not None:
        closed = f"{100 * done.gap_closed:.0f} %" if done.gap_closed > 0 else "none"
        words += f" The grown rows close {closed} of the gap between the seeds and the human rows."
    shuffled = next((each for each in done.outcomes if each.family == "shuffled"), None)
    if shuffled is not None and shuffled.scores.all.value >= grown.scores.all.value:
        words += " But wrong answers teach no less, so this measurement says nothing about the rows."
    return words


def _setting(done: Evaluation) -> str:
    asked = f"{join_words(done.fields['question'])} asks, " if done.fields["question"] else ""
    verb = "is found in" if done.task == "span" else "is predicted from"
    fields = f"{asked}{join_words(done.fields['answer'])} {verb} {join_words(done.fields['context'])}"
    return (
        f"Reader: {done.reader}. {fields}. {counted(done.rows['holdout'], 'test row')} of {done.holdout}; the template "
        f"of {format_number(done.rows['new'])} is in no seed and no grown row. {counted(done.trainings, 'training')} "
        f"of each condition, of {counted(done.updates, 'example')} each."
    )


def _table(title: str, outcomes: Sequence[Outcome], chosen: Callable[[Scores], Interval]) -> EvaluationTable:
    return EvaluationTable(title, tuple(_line(each, chosen) for each in outcomes))


def _line(outcome: Outcome, chosen: Callable[[Scores], Interval]) -> EvaluationLine:
    over = {gain.over.partition(" ")[0]: _gain(chosen(gain.scores)) for gain in outcome.gains}
    score = _score(chosen(outcome.scores))
    rows = format_number(outcome.rows)
    return EvaluationLine(_name(outcome.name), rows, score, over.get("seeds", ""), over.get("digits", ""))


def _name(name: str) -> str:
    """A condition in words: what a reader was trained on."""
    family, _, times = name.partition(" ")
    added = {"grown": "grown rows", "digits": "digit swapping"}.get(family)
    return f"seeds and {added}, {times}" if added is not None else _NAMES.get(name, name)


def _over(name: str) -> str:
    return {"seeds": "the seeds", "full": "the human rows"}.get(name, "digit swapping")


def _score(score: Interval) -> str:
    return f"{100 * score.value:.1f} % [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def _gain(difference: Interval) -> str:
    """A difference in a cell; whatever its sign, it is none where 0 is in its interval."""
    return f"{_points(difference) if difference.is_measurable else 'none'} {_bounds(difference)}"


def _points(difference: Interval) -> str:
    return f"{100 * difference.value:+.1f}"


def _bounds(difference: Interval) -> str:
    return f"[{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [pad(cell, width) for cell, width in zip(cells, widths, strict=True)]
    padded[1] = cells[1].rjust(widths[1])
    return "  ".join(padded).rstrip()


def _notes(done: Evaluation) -> Iterator[str]:
    for origin, counts in done.removed.items():
        total = sum(counts.values())
        reasons = join_words([f"{_TOO_CLOSE.get(why, why)} ({format_number(count)})" for why, count in counts.items()])
        rows = counted(total, _ORIGINS.get(origin, origin))
        yield f"{rows} left out of training, too close to a test row: {reasons}."
    for origin, count in done.skipped.items():
        yield f"{counted(count, _ORIGINS.get(origin, origin))} left out, without a value in a field."
    if (both := done.outcome("full + grown")) is not None:
        for gain in (each for each in both.gains if each.over == "full"):
            yield f"Grown rows beside the human rows: {_gain(gain.scores.all)} points."
    if done.rows["new"] < done.rows["holdout"] and any(each.scores.new is None for each in done.outcomes):
        few = f"Only {counted(done.rows['new'], 'test row has', 'test rows have')} a new template: too few to score."
        yield few if done.rows["new"] else "No test row has a new template."
