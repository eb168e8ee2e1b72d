"""Relations in a recipe: reading, writing, errors with lines, and the judgement of one row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selfinstruct.errors import RecipeError
from selfinstruct.recipe import Recipe, Relation, frozen_changes, parse_recipe, to_toml

TEXT = """name = "bookings"
[seeds]
file = "s.jsonl"
[quota]
rows = 3
[fields.nights]
[fields.rate]
[fields.total]
[fields.answers]
[fields.context]
[novelty]
fields = ["context"]
max_rouge_l = 0.7

[[relations]]
product = { total = ["nights", "rate"] }
precision = 2

[[relations]]
offset = ["answers.answer_start[*]", "answers.text[*]", "context"]
"""


def parsed(text: str) -> Recipe:
    """The recipe of a text."""
    return parse_recipe(text, "r.toml", ".")


def test_relations_are_read_and_written_back(tmp_path: Path) -> None:
    """A written recipe loads back to equal relations."""
    recipe = parsed(TEXT)
    assert recipe.relations[0] == Relation(product={"total": ("nights", "rate")}, precision=2)
    assert recipe.relations[1].fields == ("answers", "context")
    assert parsed(to_toml(recipe, {}, tmp_path)).relations == recipe.relations


def test_changed_relations_are_frozen() -> None:
    """A run cannot resume with other relations, since its earlier rows were judged by the old ones."""
    old = parsed(TEXT)
    new = old.model_copy(update={"relations": old.relations[:1]})
    assert frozen_changes(old, old) == []
    assert frozen_changes(old, new) == ["relations[1]"]


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        ('product = { totl = ["nights", "rate"] }', 'r.toml:16: relations[0].product: the recipe has no field "totl"'),
        ('equal = ["nights"]', 'r.toml:16: relations[0].equal: expected a list of two paths such as ["age", "note"]'),
        ('equal = ["nights", "nights"]', "names the same path twice"),
        ('equal = ["nights[", "rate"]', 'relations[0].equal: invalid path "nights["'),
        ('format = { rate = "colour" }', 'relations[0].format.rate: expected "iban", "isbn"'),
        ('by = "name"', "r.toml:15: relations[0]: expected exactly one kind, got none"),
        ('equal = ["nights", "rate"]\norder = ["nights", "rate"]', "expected exactly one kind, got equal, order"),
        ('equal = ["nights", "rate"]\nprecision = 2', "r.toml:17: relations[0].precision: has no effect with equal"),
        ('one_of = ["nights"]', "expected at least two paths"),
        ('equals = ["nights", "rate"]', "unknown key; did you mean equal?"),
    ],
)
def test_errors_name_the_line(relation: str, message: str) -> None:
    """Each fault of a relation is an error with its line and key path."""
    head = TEXT[: TEXT.index("[[relations]]")]
    with pytest.raises(RecipeError) as error:
        parsed(f"{head}[[relations]]\n{relation}\n")
    assert message in str(error.value)


SQUAD = {"context": "Ann lives in Rome.", "answers": {"text": ["Rome"], "answer_start": [13]}}
OFFSET = Relation(offset=("answers.answer_start[*]", "answers.text[*]", "context"))


@pytest.mark.parametrize(
    ("relation", "row", "violation"),
    [
        (Relation(equal=("a", "b")), {"a": 29, "b": "29.0"}, None),
        (Relation(equal=("a", "b")), {"a": 29, "b": "29.5"}, 'a 29 differs from b "29.5"'),
        (Relation(equal=("a", "b")), {"a": None, "b": "29.5"}, None),
        (Relation(contained=("age", "note")), {"age": 54, "note": "Ann, 54 y/o"}, None),
        (Relation(contained=("age", "note")), {"age": 54, "note": "Ann, 69 y/o"}, "age 54 does not occur in note"),
        (Relation(contained=("p[*]", "t")), {"p": ["Rome", "Oslo"], "t": "Rome"}, 'p[*] "Oslo" does not occur in t'),
        (Relation(distinct=("A", "B")), {"A": "23", "B": 23.0}, "A and B are both 23.0"),
        (Relation(distinct=("o[*]",)), {"o": ["x", "y", "z"]}, None),
        (Relation(one_of=("k", "A", "B"), by="name"), {"k": "b", "A": "1", "B": "2"}, None),
        (Relation(one_of=("k", "option_a", "option_b"), by="name"), {"k": "C", "option_a": 1, "option_b": 2}, "k"),
        (Relation(one_of=("k", "o[*]"), by="index"), {"k": 2, "o": ["x", "y"]}, "k 2 is not the index of one of 2"),
        (Relation(one_of=("k", "o[*]"), by="letter"), {"k": "B", "o": ["x", "y"]}, None),
        (Relation(one_of=("k", "o[*]")), {"k": "z", "o": ["x", "y"]}, 'k "z" is not one of "x", "y"'),
        (Relation(order=("s", "e")), {"s": "2023-03-01", "e": "March 2, 2023"}, None),
        (Relation(order=("s", "e")), {"s": "09:00", "e": "08:59"}, 's "09:00" is after e "08:59"'),
        (Relation(order=("a", "b", "c")), {"a": 1, "b": 3, "c": 2}, "b 3 is after c 2"),
        (Relation(sum={"t": ("a", "b")}), {"t": "3.30", "a": "1.10", "b": "2.20"}, None),
        (Relation(sum={"t": ("i[*].p",)}), {"t": 5, "i": [{"p": 2}, {"p": 4}]}, "t: expected 6 (i[*].p), got 5"),
        (Relation(product={"i[*].t": ("i[*].n", "i[*].p")}), {"i": [{"t": 6, "n": 2, "p": 4}]}, "expected 8"),
        (Relation(difference={"n": ("b", "a")}, unit="days"), {"n": 2, "a": "2024-02-28", "b": "2024-03-01"}, None),
        (Relation(difference={"n": ("b", "a")}, unit="days"), {"n": 1, "a": "2024-02-28", "b": "2024-03-01"}, "n"),
        (Relation(ratio={"r": ("a", "b")}, factor=100), {"r": "33.3", "a": 1, "b": 3}, None),
        (Relation(ratio={"r": ("a", "b")}), {"r": "0.5", "a": 1, "b": 0}, None),
        (Relation(product={"t": ("a", "b")}), {"t": "six", "a": 2, "b": 3}, None),
        (Relation(product={"t": ("a", "b")}), {"t": "many", "a": 2, "b": 3}, "t: expected 6 (a x b), got many"),
        (Relation(count=("n", "o")), {"n": 3, "o": ["x", "y"]}, "n: expected 2 (the number of items of o), got 3"),
        (Relation(count=("n", "o"), unit="words"), {"n": 3, "o": "one two three"}, None),
        (OFFSET, SQUAD, None),
        (OFFSET, {**SQUAD, "answers": {"text": ["Rome"], "answer_start": [12]}}, "expected 13 (the position of"),
        (OFFSET, {**SQUAD, "answers": {"text": ["Rome"], "answer_start": []}}, None),
        (OFFSET, {**SQUAD, "answers": {"text": ["Rome"], "answer_start": [13, 2]}}, "has 2 values"),
        (Relation(weekday=("d", "on")), {"d": "Friday", "on": "2024-03-01"}, None),
        (Relation(weekday=("d", "on")), {"d": "Monday", "on": "2024-03-01"}, "d: expected Friday"),
        (Relation(range={"age": (0, 120)}), {"age": 57781}, "age 57781 is not between 0 and 120"),
        (Relation(range={"age": (0, 120)}, step=5), {"age": 12}, "age 12 is not a multiple of 5"),
        (Relation(format={"on": "date"}), {"on": "2023-02-30"}, 'on "2023-02-30" is not a valid date'),
    ],
)
def test_violations(relation: Relation, row: dict[str, Any], violation: str | None) -> None:
    """A violation contains the values and what was expected; a row without one of the values has none."""
    found = relation.violation(row)
    assert (found is None) if violation is None else (found is not None and violation in found), found
    assert relation.describe()


@pytest.mark.parametrize("row", [{}, {"a": {"b": []}}, {"a": [[]], "b": True}, {"a": "\ud800", "b": float("inf")}])
@pytest.mark.parametrize(
    "relation",
    [
        Relation(equal=("a", "b")),
        Relation(contained=("a[*]", "b")),
        Relation(distinct=("a", "b")),
        Relation(one_of=("a", "b[*]"), by="index"),
        Relation(order=("a", "b")),
        Relation(ratio={"a": ("b", "a[*].b")}),
        Relation(count=("a", "b")),
        Relation(offset=("a", "b", "a")),
        Relation(weekday=("a", "b")),
        Relation(range={"a": (0, 1), "b": (0, 1)}),
        Relation(format={"a": "date", "b": "luhn"}),
    ],
)
def test_no_row_raises(relation: Relation, row: dict[str, Any]) -> None:
    """Rows of any shape are judged without an exception."""
    relation.violation(row)
