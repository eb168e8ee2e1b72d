"""Relations in a recipe: reading, writing, errors with lines, and the judgement of one row."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from selfinstruct.errors import RecipeError
from selfinstruct.prompts.chinese_relations import relation_zh
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
        ('supported = ["nights", "rate"]', "expected at least three paths"),
        ('same_length = ["nights"]', "expected at least two paths"),
        ('order = ["nights"]', "a single value has no order"),
        ('order = ["nights", "rate"]\nstep = 2', "applies to the order of one list"),
        ('bands = ["nights", "rate"]', "limits are missing"),
        ('equal = ["nights", "rate"]\nby = "words"', "has no effect with equal"),
        ('composed = { total = "{nights} x {prize}" }', 'the recipe has no field "prize"'),
        ('equals = ["nights", "rate"]', "unknown key; did you mean equal?"),
    ],
)
def test_errors_name_the_line(relation: str, message: str) -> None:
    """Each fault of a relation is an error with its line and key path."""
    head = TEXT[: TEXT.index("[[relations]]")]
    with pytest.raises(RecipeError) as error:
        parsed(f"{head}[[relations]]\n{relation}\n")
    assert message in str(error.value)


URL = Relation(composed={"url": "https://{host}{path}?q={{{q}}}"})
QUERY = Relation(query=("sql", "schema"))
TRIPS = "CREATE TABLE trips (id INTEGER, city TEXT)"
SUPPORTED = Relation(supported=("p", "k", "o[*]"), by="letter")
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
        (Relation(weekday=("d", "on")), {"d": "शुक्रवार", "on": "2024-03-01"}, None),
        (Relation(weekday=("d", "on")), {"d": "周一", "on": "2024-03-01"}, "d: expected Friday"),
        (Relation(weekday=("d", "on")), {"d": "Monday", "on": "2024-03-01"}, "d: expected Friday"),
        (Relation(range={"age": (0, 120)}), {"age": 57781}, "age 57781 is not between 0 and 120"),
        (Relation(range={"age": (0, 120)}, step=5), {"age": 12}, "age 12 is not a multiple of 5"),
        (Relation(format={"on": "date"}), {"on": "2023-02-30"}, 'on "2023-02-30" is not a valid date'),
        (Relation(format={"t": "dated"}), {"t": "Signed on 31.06.2023."}, 't: "31.06.2023" does not exist'),
        (Relation(format={"t": "dated"}), {"t": "Signed 3 times."}, None),
        (Relation(format={"p": "json"}), {"p": '{"a": 1'}, "is not a valid json"),
        (Relation(range={"n": (0, math.inf)}, step=1), {"n": "2.5"}, 'n "2.5" is not a multiple of 1'),
        (Relation(range={"n": (0, math.inf)}), {"n": -1}, "n -1 is not at least 0"),
        (Relation(equal=("a", "b")), {"a": "2024-06-03T08:15:00+02:00", "b": "2024-06-03T06:15:00Z"}, None),
        (Relation(equal=("a", "b")), {"a": "2024-06-03T08:15:00+02:00", "b": "2024-06-03T07:15:00Z"}, "differs"),
        (Relation(contained=("n", "t")), {"n": 3, "t": "每天服用三片药。"}, None),
        (Relation(contained=("n", "t")), {"n": 42, "t": "共四十二箱。"}, None),
        (Relation(contained=("n", "t")), {"n": 4, "t": "共四十二箱。"}, "does not occur"),
        (Relation(contained=("n", "t")), {"n": 12, "t": "zwölf Kisten"}, None),
        (Relation(contained=("n", "t")), {"n": 3, "t": "trois pommes"}, None),
        (Relation(contained=("n", "t")), {"n": "1,234", "t": "１２３４円"}, None),
        (Relation(contained=("n", "t")), {"n": 1234.5, "t": "€ 1.234,50 netto"}, None),
        (Relation(contained=("n", "t")), {"n": 3900, "t": "ran 01:05:00 in all"}, None),
        (Relation(contained=("d", "t")), {"d": "2023-03-01", "t": "合同于2023年3月1日签订"}, None),
        (Relation(contained=("n", "m"), by="words"), {"n": "Zoë Roth", "m": "zoe.roth@example.org"}, None),
        (Relation(contained=("n", "m"), by="words"), {"n": "Zoë Roth", "m": "ann.lee@example.org"}, "does not occur"),
        (Relation(order=("r[*]",)), {"r": [1, 3, 3]}, None),
        (Relation(order=("r[*]",)), {"r": [1, 4, 3]}, "r[*]: 4 is before 3"),
        (
            Relation(order=("t[*]",), step=20, unit="minutes"),
            {"t": ["09:05", "09:25", "09:46"]},
            "not 20 minutes apart",
        ),
        (Relation(order=("i[*].r[*]",)), {"i": [{"r": [5, 6]}, {"r": [1, 2]}]}, None),
        (Relation(max={"b": ("s[*]",)}), {"b": 22, "s": [14, 22, 9]}, None),
        (Relation(max={"b": ("s[*]",)}), {"b": 14, "s": [14, 22, 9]}, "b: expected 22 (max of s[*]), got 14"),
        (Relation(min={"b": ("s[*]",)}), {"b": 9, "s": [14, 22, 8]}, "expected 8"),
        (Relation(mean={"b": ("s[*]",)}, precision=1), {"b": 2.3, "s": [1, 2, 4]}, None),
        (Relation(sum_product={"t": ("i[*].n", "i[*].p")}), {"t": 17, "i": [{"n": 2, "p": 4}, {"n": 3, "p": 3}]}, None),
        (Relation(sum_product={"t": ("i[*].n", "i[*].p")}), {"t": 9, "i": [{"n": 2, "p": 4}]}, "expected 8 (sum of"),
        (Relation(same_length=("a", "b")), {"a": [1], "b": [1, 2]}, "a has 1 items, b has 2"),
        (Relation(same_length=("a", "b")), {"a": [1], "b": None}, None),
        (Relation(labels={"e[*].l": ("P", "O")}), {"e": [{"l": "P"}, {"l": "X"}]}, 'e[*].l "X" is not one of "P", "O"'),
        (Relation(bands=("g", "s"), limits={"A": (90, 97), "B": (80, 89)}), {"g": "B", "s": 93}, "got 93"),
        (Relation(bands=("g", "s"), limits={"A": (90, 97), "B": (80, 85)}), {"g": "B", "s": 88}, None),
        (Relation(bands=("g", "s"), limits={"A": (90, 97), "B": (80, 85)}), {"g": "C", "s": 88}, None),
        (URL, {"url": "https://a.org/x?q={1}", "host": "a.org", "path": "/x", "q": 1}, None),
        (
            URL,
            {"url": "https://b.org/x?q={1}", "host": "a.org", "path": "/x", "q": 1},
            'expected "https://a.org/x?q={1}"',
        ),
        (URL, {"url": "https://b.org/x", "host": "a.org"}, None),
        (Relation(numbers_in=("q", "s")), {"q": "more than 3,000?", "s": "salary > 3000"}, None),
        (Relation(numbers_in=("q", "s")), {"q": "'Ann' on 2023-03-01", "s": "Ann, March 1, 2023"}, None),
        (
            Relation(numbers_in=("q", "s")),
            {"q": "more than 4000?", "s": "salary > 3000"},
            'q: "4000" does not occur in s',
        ),
        (Relation(names_in=("q", "s")), {"q": "How high is Mount Rosa?", "s": "Mount Elna is high."}, '"Mount Rosa"'),
        (QUERY, {"sql": "SELECT COUNT(*) AS n FROM trips t WHERE t.city = 'Rome'", "schema": TRIPS}, None),
        (QUERY, {"sql": "SELECT city FROM trips WHERE author = 1", "schema": TRIPS}, "author is no table or column"),
        (SUPPORTED, {"p": "The gate is B41.", "k": "B", "o": ["B14", "B41"]}, None),
        (SUPPORTED, {"p": "The gate is B41.", "k": "A", "o": ["B14", "B41"]}, 'k: "B14" does not occur in p'),
        (Relation(span=("s", "e", "t")), {"s": 0, "e": 10, "t": "Greta Holm left."}, None),
        (Relation(span=("s", "e", "t")), {"s": 0, "e": 10, "t": "Greta Holms left."}, "no whole words of t"),
    ],
)
def test_violations(relation: Relation, row: dict[str, Any], violation: str | None) -> None:
    """A violation contains the values and what was expected; a row without one of the values has none."""
    found = relation.violation(row)
    assert (found is None) if violation is None else (found is not None and violation in found), found
    assert relation.describe()
    assert all(path in relation_zh(relation) for path in relation.paths)


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
        Relation(format={"a": "dated", "b": "json"}),
        Relation(contained=("a", "b"), by="words"),
        Relation(order=("a[*]",), step=1),
        Relation(order=("a[*]",), step=1, unit="days"),
        Relation(max={"a": ("b", "a[*].b")}),
        Relation(mean={"a": ("a[*]",)}),
        Relation(sum_product={"b": ("a[*]", "a[*].b")}),
        Relation(same_length=("a", "b")),
        Relation(labels={"a": ("x",)}),
        Relation(bands=("a", "b"), limits={"\ud800": (0, 1), "x": (2, 3)}),
        Relation(composed={"a": "{b}-{a[*]}"}),
        Relation(numbers_in=("a", "b")),
        Relation(names_in=("a", "b")),
        Relation(query=("a", "b")),
        Relation(supported=("a", "b", "a[*]"), by="letter"),
        Relation(span=("a", "b", "a")),
    ],
)
def test_no_row_raises(relation: Relation, row: dict[str, Any]) -> None:
    """Rows of any shape are judged without an exception."""
    relation.violation(row)


def test_every_kind_is_written_back_and_has_a_sentence_in_both_languages(tmp_path: Path) -> None:
    """Recipes of all kinds load back to equal ones, bounds without a limit included."""
    kinds = [
        Relation(range={"nights": (0, math.inf)}, step=1),
        Relation(composed={"total": "{nights} x {rate} in {{EUR}}"}),
        Relation(labels={"answers[*].label": ("A", "B")}),
        Relation(bands=("context", "rate"), limits={"low": (0, 1.5), "high": (2, 9)}),
        Relation(supported=("context", "total", "answers[*]"), by="index"),
        Relation(order=("answers[*].at",), step=20, unit="minutes"),
        Relation(max={"total": ("answers[*].n",)}),
    ]
    recipe = parsed(TEXT).model_copy(update={"relations": tuple(kinds)})
    assert parsed(to_toml(recipe, {}, tmp_path)).relations == recipe.relations
    said = [relation_zh(relation) for relation in kinds]
    assert len(set(said)) == len(kinds)
    assert all("None" not in sentence for sentence in said)
