"""What is said and drawn about an evaluation."""

from __future__ import annotations

import io
import itertools
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.console import Console

from selfinstruct.analysis.evaluate import Evaluation, Gain, Interval, Outcome, Scores
from selfinstruct.cli.progress import show_trainings
from selfinstruct.render.evaluation import evaluation_svg, evaluation_text, verdict
from selfinstruct.render.score_plot import score_plot


def scores(value: float, width: float = 0.1) -> Scores:
    """A score with an interval around it."""
    return Scores(Interval(value, value - width / 2, value + width / 2), None)


def evaluation(
    *, grown: float = 0.7, full: float | None = None, shuffled: float = 0.1, removed: Mapping[str, int] | None = None
) -> Evaluation:
    """An evaluation of 12 seeds that score 0.5, as digit swapping does."""

    def outcome(name: str, family: str, rows: int, value: float, *over: tuple[str, float]) -> Outcome:
        gains = tuple(Gain(other, scores(value - base)) for other, base in over)
        return Outcome(name, family, rows, scores(value), gains)

    seeds = ("seeds", 0.5)
    outcomes = [
        outcome("seeds", "seeds", 12, 0.5),
        outcome("digits 100x", "digits", 1212, 0.5, seeds),
        outcome("grown 1x", "grown", 24, 0.5, seeds),
        outcome("grown 100x", "grown", 1212, grown, seeds, ("digits 100x", 0.5)),
        outcome("shuffled answers", "shuffled", 1212, shuffled, seeds),
    ]
    if full is not None:
        outcomes.append(outcome("full", "full", 250, full, seeds))
        outcomes.append(outcome("full + grown", "full+grown", 1450, full, seeds, ("full", full)))
    return Evaluation(
        task="span",
        fields={"question": ["Q"], "answer": ["A"], "context": ["C"]},
        reader="a reader",
        holdout="test.jsonl",
        updates=2000,
        trainings=5,
        seed=0,
        rows={"seeds": 12, "grown": 1200, "full": 0, "holdout": 60, "new": 3},
        removed={"grown": dict(removed)} if removed else {},
        skipped={"holdout": 1},
        outcomes=tuple(outcomes),
    )


@pytest.mark.parametrize(
    ("grown", "words"),
    [
        (0.7, "+20.0 points over the seeds [+15.0, +25.0] and +20.0 points over digit swapping [+15.0, +25.0]."),
        (0.52, "no measurable gain over the seeds [-3.0, +7.0] or over digit swapping [-3.0, +7.0]."),
        (0.3, "-20.0 points over the seeds [-25.0, -15.0] and -20.0 points over digit swapping"),
    ],
)
def test_a_difference_is_a_gain_only_if_its_interval_excludes_0(grown: float, words: str) -> None:
    """The most grown rows are judged, against the seeds and against digit swapping."""
    said = verdict(evaluation(grown=grown))
    assert said.startswith(f"Trained on the seeds and 1,200 grown rows, the reader gives {100 * grown:.1f} % [")
    assert words in said


def test_the_gap_to_the_human_rows_is_said_where_there_is_one() -> None:
    """Half of the gap, none of it, or no word where the human rows bring nothing."""
    assert "close 50 % of the gap" in verdict(evaluation(grown=0.7, full=0.9))
    assert "close none of the gap" in verdict(evaluation(grown=0.4, full=0.9))
    assert "gap" not in verdict(evaluation(full=0.5))
    assert "gap" not in verdict(evaluation())


def test_a_measurement_that_wrong_answers_do_not_spoil_is_called_void() -> None:
    """If shuffled answers teach as much, the figures say nothing about the rows."""
    assert "says nothing about the rows" in verdict(evaluation(shuffled=0.7))
    assert "says nothing" not in verdict(evaluation())


def test_the_text_counts_what_was_left_out() -> None:
    """Leaks by reason, rows without a value, and too few new templates to score."""
    said = evaluation_text(evaluation(removed={"row": 1, "context": 2}, full=0.9)).plain
    assert (
        "3 grown rows left out of training, too close to a test row: the same row (1) and the same context (2)." in said
    )
    assert "1 test row left out, without a value in a field." in said
    assert "Only 3 test rows have a new template: too few to score." in said
    assert "Grown rows beside the human rows: none [-5.0, +5.0] points." in said


def test_the_plot_is_valid_and_its_points_are_in_order() -> None:
    """More rows are further right, a higher score further up; labels have room; the file is well-formed XML."""
    plot = score_plot(evaluation(full=0.9))
    grown, digits, full = plot.lines
    assert [line.kind for line in plot.lines] == ["grown", "digits", "full"]
    assert all(one.x < other.x for one, other in itertools.pairwise(grown.marks))
    assert full.marks[0].y < grown.marks[-1].y < digits.marks[-1].y
    assert plot.left == grown.marks[0].x and grown.marks[-1].x == plot.right
    assert all(other.at - one.at >= 40 for one, other in itertools.pairwise(plot.columns))
    assert len({line.name_y for line in plot.lines}) == 3
    assert plot.columns[-1].words == "1,212"
    root = ElementTree.fromstring(evaluation_svg(evaluation(full=0.9)))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_names_of_equal_lines_do_not_cover_each_other() -> None:
    """Lines that end in one place have their names below each other."""
    plot = score_plot(evaluation(grown=0.5))
    places = sorted(line.name_y for line in plot.lines)
    assert places[1] - places[0] >= 14


def test_progress_of_trainings_is_a_line_every_few_seconds_outside_a_terminal() -> None:
    """The line has how many trainings are done, and how long the rest takes."""
    now, shown = 0.0, io.StringIO()
    with show_trainings(Console(file=shown), clock=lambda: now) as watch:
        for second, done, name in ((1.0, 0, "seeds"), (11.0, 5, "grown 10x"), (12.0, 6, "grown 10x")):
            now = second
            watch(done, 50, name)
    assert shown.getvalue() == "5 of 50 trainings done · about 1 min 39 s left · grown 10x\n"


def test_progress_of_trainings_is_live_on_a_terminal() -> None:
    """The last line is shown and cleared."""
    shown = io.StringIO()
    with show_trainings(Console(file=shown, force_terminal=True, width=80), clock=lambda: 0.0) as watch:
        watch(1, 50, "seeds")
    assert "1 of 50 trainings done" in shown.getvalue()


def test_a_test_without_new_templates_is_said_to_have_none() -> None:
    """Zero is no small number of rows."""
    done = evaluation()
    rows = {**done.rows, "new": 0}
    assert "No test row has a new template." in evaluation_text(replace(done, rows=rows)).plain
