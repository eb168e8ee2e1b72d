"""Templates of many lines."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.mining.line_templates import line_templates
from tests.linear_time import assert_linear


def names(lines: list[str]) -> list[str]:
    """The template of each line."""
    found, of = line_templates(lines)
    return [found[number] for number in of]


def test_words_with_digits_are_slots() -> None:
    """Also inside punctuation; several slots in a row are one."""
    lines = ["block blk_7 of size 44 from /10.0.0.7:50", "block blk_99 of size 1 from /10.0.0.9:51"]
    assert names(lines) == ["block <*> of size <*> from <*>"] * 2
    assert names(["pid=7, uid=9"]) == ["pid=<*>, uid=<*>"]


def test_words_are_slots_where_many_alternate_and_choices_where_few_do() -> None:
    """User names vary; what happened to a session does not."""
    users = ["ann", "bob", "cid", "dan", "eve", "fay"]
    lines = [f"session {state} for user {user} by root" for user in users for state in ("opened", "closed")]
    assert set(names(lines)) == {"session opened for user <*> by root", "session closed for user <*> by root"}


def test_lines_that_share_few_words_have_templates_of_their_own() -> None:
    """Whatever their number of words."""
    lines = ["disk is full", "user has left", "disk is empty"]
    assert len(set(names(lines))) == 3


def test_the_first_word_may_vary() -> None:
    """As the host does in a proxy's log."""
    lines = [f"{host}.example open through proxy main HTTPS" for host in "abcdefg"]
    assert set(names(lines)) == {"<*> open through proxy main HTTPS"}


@given(st.lists(st.text(alphabet="ab1 =<*>\t。中", max_size=30), max_size=20))
def test_every_line_has_a_template_and_equal_lines_have_the_same(lines: list[str]) -> None:
    """For any text."""
    found = names(lines)
    assert len(found) == len(lines)
    assert all(found[lines.index(line)] == name for line, name in zip(lines, found, strict=True))


def test_the_time_is_nearly_linear() -> None:
    """Also for lines of many different words."""
    rng = Random(1)
    words = ["".join(rng.choices("abcdefgh", k=7)) for _ in range(3000)]

    def lines(count: int) -> list[str]:
        return [f"user {rng.choice(words)} read {rng.choice(words)} {rng.randrange(9999)} times" for _ in range(count)]

    assert_linear(line_templates, lines(7_500), lines(30_000))
