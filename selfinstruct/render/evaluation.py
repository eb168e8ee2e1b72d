"""The result of ``evaluate`` as text, and in parts for the report and the card.

Shares are shown in percent and their differences in points, each with its 95 % interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rich.text import Text

from selfinstruct.analysis.evaluate import Evaluation, Gain, Interval, Outcome
from selfinstruct.render.description import join_words
from selfinstruct.render.html import render_template, style_sheet
from selfinstruct.render.score_plot import ScorePlot, score_plot
from selfinstruct.render.text import counted, format_number, pad, printable

_NAMES = {
    "seeds": "seeds",
    "nearest": "copy of the nearest row's answer",
    "majority": "most frequent answer",
    "full": "seeds and human rows",
    "full+grown": "seeds, human and grown rows",
}
_REASONS = {
    "row": "the same row",
    "context": "the same context",
    "near-duplicate": "a near-duplicate",
}


class EvaluationLine(NamedTuple):
    """A condition as a line of a table, with its differences to other conditions."""

    name: str
    rows: str
    all: str
    new: str
    gains: tuple[str, ...]


class EvaluationParts(NamedTuple):
    """An evaluation for a page: the result in a sentence, how it was measured, the table, the plot, and notes."""

    verdict: str
    setting: str
    lines: tuple[EvaluationLine, ...]
    plot: ScorePlot
    notes: tuple[str, ...]


def evaluation_parts(done: Evaluation) -> EvaluationParts:
    """Return the parts of an evaluation."""
    lines = tuple(_line(each) for each in done.outcomes)
    return EvaluationParts(verdict(done), _setting(done), lines, score_plot(done), tuple(_notes(done)))


def evaluation_svg(done: Evaluation) -> str:
    """Return the plot as an SVG file."""
    from markupsafe import Markup

    style = Markup(style_sheet("evaluation.css"))  # the package's own file
    return render_template("evaluation.svg", plot=score_plot(done), style=style) + "\n"


def evaluation_text(done: Evaluation, width: int | None) -> Text:
    """Return an evaluation as a table, with the result below it; ``width`` of a terminal is in cells."""
    parts = evaluation_parts(done)
    names = max(len(line.name) for line in parts.lines)
    scores = max(len(line.all) for line in parts.lines)
    new = max(len("new templates"), *(len(line.new) for line in parts.lines))
    text = Text(f"{printable(parts.setting)}\n\n", "dim")
    text.append(
        f"{pad('training', names)}    rows  {pad('exact answers', scores)}  {pad('new templates', new)}\n", "dim"
    )
    for line in parts.lines:
        text.append(pad(line.name, names), "bold" if line.name.startswith("seeds and grown") else "")
        text.append(f"  {line.rows:>6}  {pad(line.all, scores)}  {pad(line.new, new)}\n")
    text.append("\n")
    for line in parts.lines:
        for gain in line.gains:
            text.append(f"{line.name}: {gain}\n", "dim" if "no measurable" in gain else "")
    text.append("\n")
    for note in parts.notes:
        text.append(f"{printable(note)}\n", "dim")
    return text.append(f"{parts.verdict}\n", "bold")


def verdict(done: Evaluation) -> str:
    """Return the result in a sentence or two: what the most grown rows bring over the seeds and over digit swapping."""
    grown = done.grown
    if grown is None:
        return "No grown rows were measured."
    share = grown.scores.all
    said = [f"With {counted(grown.rows, 'row')} of seeds and grown rows: {_share(share)} exact answers"]
    said += [_gain(gain.over, gain.scores.all) for gain in grown.gains]
    words = f"{said[0]}; {join_words(said[1:])}."
    if done.gap_closed is not None:
        words += f" The grown rows close {done.gap_closed:.0%} of the gap between the seeds and the human rows."
    if (shuffled := next((each for each in done.outcomes if each.family == "shuffled"), None)) is not None:
        difference = grown.scores.all.value - shuffled.scores.all.value
        if difference <= 0:
            words += " But wrong answers teach no less, so that this measurement says nothing about these rows."
    return words


def _setting(done: Evaluation) -> str:
    asked = f"{join_words(done.fields['question'])} asks, " if done.fields["question"] else ""
    verb = "is found in" if done.task == "span" else "is predicted from"
    fields = f"{asked}{join_words(done.fields['answer'])} {verb} {join_words(done.fields['context'])}"
    return (
        f"Reader: {done.reader}. {fields}. {counted(done.rows['holdout'], 'test row')} of {done.holdout}, "
        f"{format_number(done.rows['new'])} with a template that is in no seed and no grown row. "
        f"{counted(done.trainings, 'training')} of each condition, of {counted(done.updates, 'example')} each."
    )


def _line(outcome: Outcome) -> EvaluationLine:
    new = outcome.scores.new
    return EvaluationLine(
        _name(outcome.name),
        format_number(outcome.rows),
        _share(outcome.scores.all),
        "" if new is None else _share(new),
        tuple(_gain_words(gain) for gain in outcome.gains),
    )


def _name(name: str) -> str:
    """A condition in words: what a reader was trained on."""
    family, _, times = name.partition(" ")
    if family in ("grown", "digits") and times:
        return f"seeds and {'grown rows' if family == 'grown' else 'digit swapping'}, {times}"
    return {"shuffled answers": "the same with wrong answers", "full + grown": _NAMES["full+grown"]}.get(
        name, _NAMES.get(name, name)
    )


def _gain_words(gain: Gain) -> str:
    new = "" if gain.scores.new is None else f"; new templates: {_gain(gain.over, gain.scores.new, is_short=True)}"
    return f"{_gain(gain.over, gain.scores.all)}{new}"


def _gain(over: str, difference: Interval, *, is_short: bool = False) -> str:
    """A difference in words; whatever its sign, it is no gain where 0 is in its interval."""
    bounds = f"[{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"
    other = "" if is_short else f" over {_over(over)}"
    if not difference.is_measurable:
        return f"no measurable gain{other} {bounds}"
    return f"{100 * difference.value:+.1f} points{other} {bounds}"


def _over(name: str) -> str:
    return {"seeds": "the seeds", "full": "the human rows"}.get(name, "digit swapping")


def _share(score: Interval) -> str:
    return f"{100 * score.value:.1f} % [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def _notes(done: Evaluation) -> Iterator[str]:
    for origin, counts in done.removed.items():
        total = sum(counts.values())
        reasons = join_words([f"{format_number(count)} {_REASONS.get(why, why)}" for why, count in counts.items()])
        rows = {"seeds": "seed", "grown": "grown row", "full": "human row"}.get(origin, origin)
        yield f"{counted(total, rows)} left out of training, too close to a test row: {reasons}."
    for origin, count in done.skipped.items():
        yield f"{counted(count, 'row')} of {_ORIGINS.get(origin, origin)} without a usable value left out."
    if done.rows["new"] < _few(done.rows):
        yield f"Too few test rows have a new template ({format_number(done.rows['new'])}) to score them by themselves."


_ORIGINS = {"seeds": "the seeds", "grown": "the grown rows", "full": "the human rows", "holdout": "the test file"}


def _few(rows: Mapping[str, int]) -> int:
    from selfinstruct.analysis.evaluate.measure import LEAST_TEST_ROWS

    return min(LEAST_TEST_ROWS, rows["holdout"])
