"""The parts of an evaluation: roles, separation, baselines, templates, intervals, conditions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.analysis.evaluate.conditions import added_rows, conditions, schedule
from selfinstruct.analysis.evaluate.digit_swapping import swap_digits
from selfinstruct.analysis.evaluate.roles import Roles, infer_roles
from selfinstruct.analysis.evaluate.separation import Separation
from selfinstruct.analysis.evaluate.shuffling import shuffle_labels, shuffle_spans
from selfinstruct.analysis.evaluate.statistics import Bootstrap
from selfinstruct.analysis.evaluate.templates import is_new
from selfinstruct.errors import InputError
from selfinstruct.preparation.infer import infer
from selfinstruct.readers import Example
from selfinstruct.rows import rows_from_objects


def row(n: int, question: str = "Which user came from 10.0.0.{n}?") -> Example:
    """A row about one login."""
    user = ("alice", "bob", "carol", "dave")[n % 4]
    return Example(question.format(n=n), f"login of {user} from 10.0.0.{n} took {n + 40} ms", user)


# ---- Roles ----


def roles_of(rows: Sequence[dict[str, Any]]) -> Roles:
    """The roles of rows, by the recipe that is inferred from them."""
    return infer_roles(infer(rows_from_objects(list(rows), "rows")).recipe, rows)


def test_answer_is_the_grounded_field_and_the_question_is_the_field_that_asks() -> None:
    """Field names do not matter, in English and Chinese."""
    english = [{"id": f"q{n}", "Log": row(n).context, "Ask": row(n).question, "Found": row(n).answer} for n in range(8)]
    assert roles_of(english) == Roles("span", "Ask", "Found", ("Log",))
    users = ("王芳", "李雷", "赵敏", "孙磊")
    chinese = [
        {"问": f"谁从10.0.0.{n}登录？", "答": users[n % 4], "日志": f"用户 {users[n % 4]} 登录成功，来源：10.0.0.{n}"}
        for n in range(8)
    ]
    assert roles_of(chinese) == Roles("span", "问", "答", ("日志",))


def test_label_is_predicted_from_the_other_texts() -> None:
    """Where no field is grounded, the label that categories are counted by is the answer."""
    rows: list[dict[str, object]] = [
        {"text": f"the screen of phone {n} is {'great' if n % 2 else 'broken'}", "label": "good" if n % 2 else "bad"}
        for n in range(12)
    ]
    assert roles_of(rows) == Roles("label", "", "label", ("text",))


def test_rows_without_an_answer_to_score_are_an_error_that_names_the_fields() -> None:
    """Free instructions and outputs have no exact answer."""
    rows: list[dict[str, object]] = [
        {
            "instruction": f"Write {word} lines about the {thing}.",
            "output": f"Once a {thing} went out, {word} times over.",
        }
        for word, thing in zip(("two", "three", "four", "five"), ("sea", "road", "moon", "fox"), strict=True)
    ]
    with pytest.raises(InputError, match="no field can be scored") as error:
        roles_of(rows)
    assert "instruction, output" in error.value.hint


def test_rows_with_missing_or_nested_values_are_no_examples() -> None:
    """Numbers are read as they are written; null, blank, missing and nested values make no example."""
    roles = Roles("span", "Q", "A", ("C",))
    assert roles.example({"Q": "how many?", "C": "7 left", "A": 7, "id": 1}) == Example("how many?", "7 left", "7")
    for bad in (None, " ", ["7"], {"text": "7"}):
        assert roles.example({"Q": "how many?", "C": "7 left", "A": bad}) is None
    assert roles.example({"Q": "how many?", "C": "7 left"}) is None


# ---- Separation ----


def test_rows_contexts_and_near_copies_of_the_test_are_left_out_and_counted() -> None:
    """Letter case and white space do not hide a row; other values in a template are no leak."""
    test = [row(n) for n in range(3)]
    other_question = Example("How long did it take?", row(1).context, "41")
    long = "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20 w21 w22 w23 w24"
    test.append(Example("Which word?", long, "w1"))
    near = Example("Which word?", f"{long} also", "w1")
    rows = [
        Example(f" {row(0).question.upper()} ", row(0).context.upper(), "x"),
        other_question,
        near,
        row(50),
        row(51),
    ]
    kept, removed = Separation(test).kept(rows)
    assert kept == [row(50), row(51)]
    assert removed == {"row": 1, "context": 1, "near-duplicate": 1}


def test_labels_may_share_no_text_with_the_test() -> None:
    """Without a question the text itself is the row."""
    kept, removed = Separation([Example("", "a broken screen", "bad")]).kept(
        [Example("", "A broken screen", "good"), Example("", "a great screen", "good")]
    )
    assert [each.context for each in kept] == ["a great screen"]
    assert removed == {"row": 1}


# ---- Baselines ----


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_digit_swapping_keeps_the_row_consistent(number: int, seed: int) -> None:
    """Equal numbers stay equal in all fields, with as many digits; everything else stays."""
    made = swap_digits(
        Example(f"who used {number}?", f"{number} was used by bob, {number}!", f"{number}"), Random(seed)
    )
    assert made.question == f"who used {made.answer}?"
    assert made.context == f"{made.answer} was used by bob, {made.answer}!"
    assert len(made.answer) == len(str(number))


def test_shuffled_answers_are_wrong_and_come_from_the_same_place() -> None:
    """A wrong span is of the same context; labels keep their frequencies."""
    rows = [row(n) for n in range(40)]
    for one, other in zip(rows, shuffle_spans(rows, Random(1)), strict=True):
        assert other.answer != one.answer
        assert other.answer in one.context
        assert (other.question, other.context) == (one.question, one.context)
    mixed = shuffle_labels(rows, Random(1))
    assert Counter(each.answer for each in mixed) == Counter(each.answer for each in rows)
    assert mixed != rows
    alone = Example("what?", "word", "word")
    assert shuffle_spans([alone], Random(1)) == [alone]


# ---- Templates ----


def test_a_question_with_other_values_has_a_known_template_and_another_question_a_new_one() -> None:
    """Values are known by their digits and by the rest of the row; constant words tell templates apart."""
    training = [row(n) for n in range(6)]
    known = Example("Which user came from 10.9.9.9?", "login of zoe from 10.9.9.9 took 7 ms", "zoe")
    new = Example("How long did the login of zoe take?", known.context, "7")
    assert is_new([known, new], training) == [False, True]
    assert is_new([new], [*training, row(3, "How long did the login of dave take?")]) == [False]
    assert is_new([known], []) == [True]


def test_templates_of_labels_are_those_of_their_texts() -> None:
    """Without a question the text is compared."""
    training = [Example("", "Failed password for root from 10.0.0.1 port 22", "attack")]
    same = Example("", "Failed password for root from 10.7.0.9 port 4022", "attack")
    other = Example("", "Server listening on 0.0.0.0 port 22", "normal")
    assert is_new([same, other], training) == [False, True]


# ---- Intervals ----


def test_intervals_cover_the_true_score_about_as_often_as_they_say() -> None:
    """Of 100 tests of 60 rows with a known chance of being right, 95 % intervals contain it in 88 to 99 of them."""
    generator = np.random.default_rng(5)
    covered = 0
    for test in range(100):
        hits = generator.random(60) < 0.7
        interval = Bootstrap(5, 60, seed=test).mean(np.array([hits] * 5, float))
        covered += interval.low <= 0.7 <= interval.high
    assert 88 <= covered <= 99


def test_paired_differences_are_narrower_than_the_scores() -> None:
    """What is hard for both is no difference: one more right row of twenty is found among very unequal rows."""
    easy = np.array([[1.0] * 30 + [0.0] * 30] * 5)
    better = easy.copy()
    better[:, 30:42] = 1
    bootstrap = Bootstrap(5, 60)
    gain = bootstrap.difference(better, easy)
    assert gain.value == pytest.approx(0.2)
    assert gain.is_measurable
    assert gain.high - gain.low < bootstrap.mean(easy).high - bootstrap.mean(easy).low
    assert not bootstrap.difference(easy, easy).is_measurable


def test_trainings_that_disagree_widen_the_interval() -> None:
    """The chance of a training is a part of the interval, not only that of the test rows."""
    steady = np.full((5, 40), 0.0)
    steady[:, :20] = 1
    lucky = np.array([[1.0] * 40, [0.0] * 40, [1.0] * 40, [0.0] * 40, [0.5] * 40])
    one, other = (Bootstrap(5, 40).mean(scores) for scores in (steady, lucky))
    assert one.value == other.value == 0.5
    assert other.high - other.low > one.high - one.low


# ---- Conditions ----


@pytest.mark.parametrize(
    ("seeds", "grown", "sizes"),
    [
        (12, 5000, {"1": 12, "10": 120, "100": 1200}),
        (12, 1000, {"1": 12, "10": 120, "83": 1000}),
        (12, 120, {"1": 12, "10": 120}),
        (12, 15, {"1": 12, "1.2": 15}),
        (12, 5, {"0.4": 5}),
    ],
)
def test_grown_rows_are_added_in_multiples_of_the_seeds(seeds: int, grown: int, sizes: dict[str, int]) -> None:
    """1, 10 and 100 times the seeds, or else as many as there are."""
    assert added_rows(seeds, grown) == sizes


def test_conditions_differ_in_their_rows_alone() -> None:
    """All contain the seeds; digit swapping adds as many rows as growing; fewer grown rows are a part of more."""
    seeds, grown = [row(n) for n in range(4)], [row(n) for n in range(100, 150)]
    by_name = {each.name: each for each in conditions(seeds, grown, [row(200)], "span")}
    assert list(by_name) == [
        *("seeds", "digits 1x", "digits 10x", "digits 12x", "grown 1x", "grown 10x", "grown 12x"),
        *("shuffled answers", "full", "full + grown"),
    ]
    for times, count in (("1x", 4), ("10x", 40), ("12x", 50)):
        for family in ("digits", "grown"):
            made = by_name[f"{family} {times}"].rows(0)
            assert made[:4] == seeds
            assert len(made) == 4 + count
    assert set(by_name["grown 1x"].rows(3)) <= set(by_name["grown 10x"].rows(3)) <= set(by_name["grown 12x"].rows(3))
    assert by_name["grown 1x"].rows(3) != by_name["grown 1x"].rows(4)
    assert by_name["full + grown"].rows(0)[0] == row(200)


@given(st.integers(1, 30), st.integers(1, 100))
def test_every_training_sees_as_many_examples(count: int, updates: int) -> None:
    """A schedule has the asked number of examples, each row about equally often."""
    planned = Counter(schedule([row(n) for n in range(count)], updates, Random(0)))
    assert planned.total() == updates
    assert max(planned.values()) - (min(planned.values()) if len(planned) == count else 0) <= 1
