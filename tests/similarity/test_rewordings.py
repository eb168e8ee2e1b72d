"""Rows about one passage that ask the same in nearly the same words."""

from __future__ import annotations

from selfinstruct.recipe import Field, Novelty, Passages, Recipe
from selfinstruct.records import Row
from selfinstruct.similarity.rewordings import Rewordings

PASSAGES = Passages(files=("app.log",))
LINE, OTHER = "disk 7 failed after 90 hours", "disk 8 failed after 90 hours"


def recipe(passages: Passages | None = PASSAGES) -> Recipe:
    """Questions about lines."""
    fields = {"Q": Field(), "A": Field(appears_in="L"), "L": Field(source="passage")}
    return Recipe(name="r", fields=fields, passages=passages, novelty=Novelty(fields=("Q", "A"), max_rouge_l=0.95))


def row(question: str, answer: str = "90", line: str = LINE) -> Row:
    """A row about a line."""
    return {"Q": question, "A": answer, "L": line}


def found(new: Row, *rows: Row, passages: Passages | None = PASSAGES) -> tuple[int, float] | None:
    """What is found for a new row among others."""
    rewordings = Rewordings(recipe(passages))
    for number, each in enumerate(rows):
        rewordings.add(each, number)
    return rewordings.find(new)


def test_nearly_the_same_question_with_the_same_answer_is_found() -> None:
    """With the most similar row, and the ROUGE-L F1 of the two questions."""
    first, second = row("After how many hours did disk 7 fail?"), row("After how many hours has disk 7 failed?")
    assert found(row("After how many hours did the disk 7 fail?"), second, first) == (1, 2 * 8 / 17)


def test_other_words_other_answers_and_other_lines_are_different_questions() -> None:
    """Also where the lines look alike."""
    first = row("After how many hours did disk 7 fail?")
    assert found(row("When did it fail?"), first) is None
    assert found(row("After how many hours did disk 7 fail?", "7"), first) is None
    assert found(row("After how many hours did disk 7 fail?", line=OTHER), first) is None


def test_rows_of_other_recipes_are_not_compared() -> None:
    """Only texts of the user's own are passages."""
    first = row("After how many hours did disk 7 fail?")
    assert found(first, first, passages=None) is None
