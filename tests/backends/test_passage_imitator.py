"""The imitator for rows about passages: the order of the questions about a passage, and its replies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.backends import PassageImitator, PassageQuestions
from selfinstruct.mining.question_frames import QuestionFrames
from selfinstruct.records import Batch, Request


@dataclass(frozen=True)
class Composed:
    """A composed question."""

    text: str
    answer: str
    start: int
    kind: str = "slot"
    weight: float = 1.0


class Double:
    """An asker with given questions about each text."""

    def __init__(self, *of_texts: Sequence[Composed]) -> None:
        self._of_texts = of_texts

    def questions(self, index: int) -> Sequence[Composed]:
        """The questions about one text."""
        return self._of_texts[index]


LINE = "disk 7 failed after 90 hours"
ABOUT = [
    Composed("Which disk failed?", "7", 5),
    Composed("What failed?", "disk 7", 0),
    Composed("What is the disk?", "7", 5),
    Composed("After how many hours?", "90", 20, kind="how-many"),
]


def questions(weights: dict[str, float] | None = None, frames: QuestionFrames | None = None) -> PassageQuestions:
    """The questions about the line."""
    return PassageQuestions([LINE], Double(ABOUT), frames or QuestionFrames([]), weights or {})


@given(st.integers(0, 1000))
def test_questions_go_from_place_to_place(seed: int) -> None:
    """The first questions are about different places of the line; all of them come, once, in an order by the seed."""
    asked = questions().ask(1, 0, 9, seed, set())
    assert len({each.place for each in asked[:3]}) == 3
    assert sorted(each.question for each in asked) == sorted(each.text for each in ABOUT)
    assert asked == [*questions().ask(1, 0, 2, seed, set()), *questions().ask(1, 2, 9, seed, set())]
    assert questions().ask(1, 4, 1, seed, set()) == []


def test_weights_of_kinds_change_what_is_asked_first() -> None:
    """A kind with a large factor comes first nearly always, one with a small factor last."""

    def first(weight: float) -> int:
        asked = [questions({"how-many": weight}).ask(1, 0, 1, seed, set())[0].kind for seed in range(200)]
        return asked.count("how-many")

    assert first(50) > 180 > first(1) > 20 > first(0.02)


def test_the_seeds_ask_about_lines_like_theirs() -> None:
    """Their questions are among the others, of a kind of their own."""
    frames = QuestionFrames([("When did disk 3 fail?", "after 12 hours", "disk 3 failed after 12 hours")])
    asked = questions(frames=frames).ask(1, 0, 9, 0, set())
    assert [(each.question, each.answer) for each in asked if each.kind == "seeds"] == [
        ("When did disk 7 fail?", "after 90 hours")
    ]
    assert questions(frames=frames).count(1) == len(ABOUT) + 1


async def test_a_reply_has_the_next_questions_about_the_passage_of_its_batch() -> None:
    """Rows have the fields of question and answer, and constant ones; each round continues the last."""
    backend = PassageImitator(questions(), "Q", "A", {"lang": "en"}, rows=2, seed=5)

    async def reply(count: int, used: int) -> list[dict[str, str]]:
        batch = Batch(1, "disk", count, 0, (), {"passage": 1} | ({"passage_round": used} if used else {}))
        found = await backend.complete(Request(batch, "ask", (), (), 0))
        rows: list[dict[str, str]] = json.loads(found.text)["rows"]
        return rows

    expected = [{"Q": each.question, "A": each.answer, "lang": "en"} for each in questions().ask(1, 0, 4, 5, set())]
    assert [*await reply(2, 0), *await reply(1, 1)] == expected[:3]
    assert await reply(2, 2) == []


def test_what_was_asked_with_the_same_answer_is_passed_over_while_there_is_more() -> None:
    """Also about another line: what a line says word for word like the last one teaches nothing new."""
    first, second, *_ = questions().ask(1, 0, 9, 3, set())
    asked = {(first.question, first.answer)}
    assert questions().ask(1, 0, 1, 3, asked) == [second]
    assert (second.question, second.answer) in asked
    everything = {(each.text, each.answer) for each in ABOUT}
    assert questions().ask(1, 0, 1, 3, everything) == [first]
