"""Text templates: matching, and the evidence that makes a word a slot."""

from __future__ import annotations

from selfinstruct.mining import TextTemplate, mine_templates


def test_no_slot_of_a_template_may_be_empty() -> None:
    """Inner and last slots need at least one character."""
    assert TextTemplate(("task ", " in ", "")).match("task 7 in 8") == ("7", "8")
    assert TextTemplate(("task ", " in ", "")).match("task  in 8") is None
    assert TextTemplate(("task ", " in ", "")).match("task 7 in ") is None


def test_a_text_must_begin_and_end_as_its_template() -> None:
    """Another opening or another ending does not match."""
    template = TextTemplate(("task ", " in stage"))
    assert template.match("task 7 in stage") == ("7",)
    assert template.match("task 7 in state") is None
    assert template.match("Task 7 in stage") is None


def test_adjacent_values_share_a_slot() -> None:
    """A known value that is followed by a number at once is one slot with it."""
    assert mine_templates(["乾2是"], values=[[(0, 1)]]).templates[0].name == "<*>是"


def test_one_equal_neighbour_is_enough_for_a_word_to_be_a_value() -> None:
    """The word before the value in the log is the same, the word after it is not."""
    questions = ["Where did admin log in from?", "Where did guest log in from?"]
    assert len(mine_templates(questions, [["user admin from port"], ["user guest via port"]]).templates) == 1
    assert len(mine_templates(questions, [["user admin from port"], ["root guest via port"]]).templates) == 2


def test_a_word_in_the_place_of_a_number_is_another_template() -> None:
    """A gap with a slot on one side only is no difference in values."""
    questions = ["Were there 7 or more of the errors?", "Were there many or more of the errors?"]
    assert len(mine_templates(questions, [["7 errors"], ["many errors"]]).templates) == 2
