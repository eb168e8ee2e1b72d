"""The result of ``evaluate`` as text, and in parts for the report and the card.

Scores are shown in percent and their differences in points, each with its 95 % interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.messages import Phrase, joined, translated
from selfinstruct.render.description import join_words
from selfinstruct.render.html import own_text, render_template
from selfinstruct.render.score_plot import ScorePlot, score_plot
from selfinstruct.render.text import counted, format_number, pad, pad_left, printable

if TYPE_CHECKING:
    from selfinstruct.analysis.evaluate import Evaluation, Interval, Outcome, Scores

_NAMES = {
    "shuffled answers": Phrase("the same with wrong answers"),
    "full": Phrase("seeds and human rows"),
    "full + grown": Phrase("seeds, human and grown rows"),
    "nearest": Phrase("answer of the nearest row"),
    "majority": Phrase("most frequent answer"),
}
_TOO_CLOSE = {
    "row": Phrase("the same row"),
    "context": Phrase("the same context"),
    "near-duplicate": Phrase("a near-duplicate"),
}
HEADINGS: tuple[str, ...] = (
    Phrase("training"),
    Phrase("rows"),
    Phrase("exact answers"),
    Phrase("over the seeds"),
    Phrase("over digit swapping"),
)


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
    title = Phrase("All {rows}", rows=counted(total, "test row"))
    tables = [_table(title, done.outcomes, lambda scores: scores.all)]
    if new < total and all(each.scores.new is not None for each in done.outcomes):
        title = Phrase("{rows} with a new template", rows=counted(new, "test row"))
        tables.append(_table(title, done.outcomes, lambda scores: scores.new or scores.all))
    return EvaluationParts(verdict(done), _setting(done), tuple(tables), score_plot(done), tuple(_notes(done)))


def evaluation_svg(done: Evaluation) -> str:
    """Return the plot as an SVG file."""
    from markupsafe import Markup

    style = Markup(own_text("evaluation.css"))  # the package's own file
    return render_template("evaluation.svg", plot=score_plot(done), style=style) + "\n"


def evaluation_text(done: Evaluation) -> Text:
    """Return an evaluation as tables, with the result below them."""
    parts = evaluation_parts(done)
    text = Text(f"{printable(translated(parts.setting))}\n", "dim")
    for table in parts.tables:
        text.append(f"\n{translated(table.title)}\n", "bold")
        cells = [tuple(map(translated, line)) for line in (HEADINGS, *table.lines)]
        widths = [max(cell_len(line[at]) for line in cells) for at in range(len(HEADINGS))]
        for at, line in enumerate(cells):
            text.append(f"  {_aligned(line, widths)}\n", "dim" if at == 0 else "")
    text.append("\n")
    for note in parts.notes:
        text.append(f"{printable(translated(note))}\n", "dim")
    return text.append(f"{translated(parts.verdict)}\n", "bold")


def verdict(done: Evaluation) -> str:
    """Return the result in words: what the most grown rows bring over the seeds and over digit swapping."""
    grown = done.grown
    if grown is None:
        return Phrase("No grown rows were measured.")
    gains = [(_over(gain.over), gain.scores.all) for gain in grown.gains]
    found = [
        Phrase("{points} points over {other} {bounds}", points=_points(gain), other=other, bounds=_bounds(gain))
        for other, gain in gains
        if gain.is_measurable
    ]
    none = [
        Phrase("over {other} {bounds}", other=other, bounds=_bounds(gain))
        for other, gain in gains
        if not gain.is_measurable
    ]
    if none:
        found.append(Phrase("no measurable gain {comparisons}", comparisons=joined(none, " or ")))
    words = [
        Phrase(
            "Trained on the seeds and {rows}, the reader gives {score} exact answers: {gains}.",
            rows=counted(grown.rows - done.rows["seeds"], "grown row"),
            score=_score(grown.scores.all),
            gains=join_words(found),
        )
    ]
    if done.gap_closed is not None:
        closed = f"{100 * done.gap_closed:.0f} %" if done.gap_closed > 0 else Phrase("none")
        words.append(
            Phrase("The grown rows close {share} of the gap between the seeds and the human rows.", share=closed)
        )
    shuffled = next((each for each in done.outcomes if each.family == "shuffled"), None)
    if shuffled is not None and shuffled.scores.all.value >= grown.scores.all.value:
        words.append(Phrase("But wrong answers teach no less, so this measurement says nothing about the rows."))
    return joined(words, " ")


def _setting(done: Evaluation) -> str:
    fields = {"answer": join_words(done.fields["answer"]), "context": join_words(done.fields["context"])}
    if done.task == "span":
        task = Phrase("{answer} is found in {context}", **fields)
    else:
        task = Phrase("{answer} is predicted from {context}", **fields)
    if done.fields["question"]:
        task = Phrase("{question} asks, {task}", question=join_words(done.fields["question"]), task=task)
    return Phrase(
        "Reader: {reader}. {task}. {rows} of {file}; the template of {new:,} is in no seed and no grown row. "
        "{trainings} of each condition, of {examples} each.",
        reader=done.reader,
        task=task,
        rows=counted(done.rows["holdout"], "test row"),
        file=done.holdout,
        new=done.rows["new"],
        trainings=counted(done.trainings, "training"),
        examples=counted(done.updates, "example"),
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
    family, _space, times = name.partition(" ")
    if family == "grown":
        return Phrase("seeds and grown rows, {times}", times=times)
    if family == "digits":
        return Phrase("seeds and digit swapping, {times}", times=times)
    return _NAMES.get(name) or (Phrase("seeds") if name == "seeds" else name)


def _over(name: str) -> Phrase:
    return {"seeds": Phrase("the seeds"), "full": Phrase("the human rows")}.get(name, Phrase("digit swapping"))


def _origin(name: str, count: int) -> str:
    """A number of rows by their origin."""
    if name == "seeds":
        return counted(count, "seed")
    if name == "grown":
        return counted(count, "grown row")
    return counted(count, "human row") if name == "full" else counted(count, "test row")


def _score(score: Interval) -> str:
    return f"{100 * score.value:.1f} % [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def _gain(difference: Interval) -> str:
    """A difference in a cell; whatever its sign, it is none where 0 is in its interval."""
    points = _points(difference) if difference.is_measurable else Phrase("none")
    return Phrase("{points} {bounds}", points=points, bounds=_bounds(difference))


def _points(difference: Interval) -> str:
    return f"{100 * difference.value:+.1f}"


def _bounds(difference: Interval) -> str:
    return f"[{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [pad(cell, width) for cell, width in zip(cells, widths, strict=True)]
    padded[1] = pad_left(cells[1], widths[1])
    return "  ".join(padded).rstrip()


def _notes(done: Evaluation) -> Iterator[str]:
    for origin, counts in done.removed.items():
        total = sum(counts.values())
        reasons = join_words(
            [
                Phrase("{reason} ({count:,})", reason=_TOO_CLOSE.get(why, why), count=count)
                for why, count in counts.items()
            ]
        )
        rows = _origin(origin, total)
        yield Phrase("{rows} left out of training, too close to a test row: {reasons}.", rows=rows, reasons=reasons)
    for origin, count in done.skipped.items():
        yield Phrase("{rows} left out, without a value in a field.", rows=_origin(origin, count))
    if (both := done.outcome("full + grown")) is not None:
        for gain in (each for each in both.gains if each.over == "full"):
            yield Phrase("Grown rows beside the human rows: {gain} points.", gain=_gain(gain.scores.all))
    if done.rows["new"] < done.rows["holdout"] and any(each.scores.new is None for each in done.outcomes):
        few = Phrase.counting(
            "Only {count:,} test row has a new template: too few to score.",
            "Only {count:,} test rows have a new template: too few to score.",
            done.rows["new"],
        )
        yield few if done.rows["new"] else Phrase("No test row has a new template.")
