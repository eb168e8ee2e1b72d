"""The seeds' own questions about other lines of their templates."""

from __future__ import annotations

import pytest

from selfinstruct.mining.question_frames import QuestionFrames

SEED = ("What stage was the task 28.0 completed in?", "29.0", "Finished task 28.0 in stage 29.0 (TID 1348)")


def test_values_of_the_line_replace_those_of_the_seed() -> None:
    """In the question and in the answer."""
    frames = QuestionFrames([SEED])
    assert frames.ask("Finished task 3.0 in stage 14.0 (TID 77)") == [
        ("What stage was the task 3.0 completed in?", "14.0")
    ]


def test_a_constant_answer_stays() -> None:
    """Such as a negation."""
    frames = QuestionFrames([("Is p7 found?", "not", "Part p7 not found")])
    assert frames.ask("Part p31 not found") == [("Is p31 found?", "not")]


@pytest.mark.parametrize(
    "line",
    [
        "Finished task 3.0 in stage 14.0 (TID 77). Done",
        "Started task 3.0 in stage 14.0 (TID 77)",
        "Finished task 3.0 in stage 3.0 (TID 77)",
        "",
    ],
)
def test_lines_of_another_template_and_ambiguous_ones_are_not_asked_about(line: str) -> None:
    """In the third line the answer is first found at another place, and is part of the question."""
    assert QuestionFrames([SEED]).ask(line) == []


@pytest.mark.parametrize(
    "seed",
    [
        ("Is p9 found?", "not", "Part p7 not found"),
        ("Is p7 found?", "no", "Part p7 not found"),
        ("Is p7 like p7?", "7", "Part p7 is like p7"),
    ],
)
def test_questions_that_the_line_does_not_explain_have_no_frame(seed: tuple[str, str, str]) -> None:
    """A word with digits that the line lacks or has twice; an answer that is a part of a word."""
    assert QuestionFrames([seed]).ask(seed[2]) == []


def test_chinese_questions_are_asked_of_chinese_lines() -> None:
    """As English ones are."""
    frames = QuestionFrames([("设备 3 的温度是多少？", "41", "设备 3 温度 41 度")])
    assert frames.ask("设备 9 温度 38 度") == [("设备 9 的温度是多少？", "38")]
