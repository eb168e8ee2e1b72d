"""The checks: each reason, their order, and what an accepted row carries."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfinstruct.checks import FIELD_CHECKS, REASONS, Criteria, Fault, examine, field_faults, judge
from selfinstruct.checks.choices import choices
from selfinstruct.checks.grounding import find
from selfinstruct.checks.identifiers import identifiers
from selfinstruct.checks.length import count_words
from selfinstruct.checks.table import RUNNING_CHECKS
from selfinstruct.mining.lexicon import words
from selfinstruct.mining.lexicon.inflections import forms
from selfinstruct.recipe import Categories, Field, Recipe, Rule, Seeds, Snippets
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Candidate, Judgement, Row
from selfinstruct.similarity.duplicates import DuplicateIndex, answer_fields, question_fields
from selfinstruct.similarity.rouge import rouge_l
from selfinstruct.text import find_span, is_bound

SEED: Row = {
    "Question": "What stage was the task 28.0 completed in?",
    "Answer": "29.0",
    "RawLog": "Finished task 28.0 in stage 29.0 (TID 1348). 2128 bytes result sent to driver",
}
GROWN: Row = {
    "Question": "What stage was the task 41.0 completed in?",
    "Answer": "13.0",
    "RawLog": "Finished task 41.0 in stage 13.0 (TID 977). 1204 bytes result sent to driver",
}
NEW: Row = {
    "Question": "What stage was the task 7.0 completed in?",
    "Answer": "3.0",
    "RawLog": "Finished task 7.0 in stage 3.0 (TID 52). 8466 bytes result sent to driver",
}
LOGQA = Recipe(
    name="logqa",
    seeds=Seeds(file="logqa.jsonl"),
    fields={
        "Question": Field(identifiers_in="RawLog"),
        "Answer": Field(appears_in="RawLog"),
        "RawLog": Field(max_chars=200),
    },
    categories=Categories(by="template", field="Question"),
)


def of_first_word(row: Row) -> str:
    """A stand-in for template categories: what the question begins with."""
    word = str(row["Question"]).split(" ", 1)[0]
    return word if word in ("What", "How") else ""


TERMS = Criteria(LOGQA, {"What": 0.9, "How": 0.9}, of_first_word)


class Rows:
    """A pool by brute force over the question and the context."""

    def __init__(self, rows: Sequence[Row], seed_count: int = 0, room: int = 10) -> None:
        """Hold ``rows`` as ids 1, 2..., with ``room`` in every category."""
        self.rows = list(rows)
        self.seed_count = seed_count
        self._room = room

    def room(self, category: str) -> int:
        """The same for all."""
        return self._room

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """A scan."""
        for number, other in enumerate(self.rows, 1):
            if all(other[name] == row[name] for name in ("Question", "RawLog")):
                return number, other == row
        return None

    def reused(self, row: Row) -> tuple[str, int] | None:
        """Return None: no field is unique."""
        return None

    def reworded(self, row: Row) -> tuple[int, float] | None:
        """Return None: no row is about a passage."""
        return None

    def near_held_out(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """None."""
        return None

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """A scan with ROUGE-L."""
        scores = [(rouge_l(text(row), text(other)).f1, -number) for number, other in enumerate(self.rows, 1)]
        score, number = max(scores, default=(0.0, 0))
        return (-number, score) if score > threshold else None


def text(row: Row) -> str:
    """What novelty compares."""
    return f"{row['Question']} {row['RawLog']}"


def judged(row: Row | None, *, demos: Sequence[int] = (), pool: Rows | None = None, problem: str = "") -> Judgement:
    """The judgement of a row beside one seed and one grown row."""
    return judge(Candidate(0, "", row, problem), demos, TERMS, pool or Rows([SEED, GROWN], seed_count=1))


def reason(row: Row | None, **circumstances: Any) -> str | None:
    """The slug of the rejection, or None."""
    rejection = judged(row, **circumstances).rejection
    return rejection.reason if rejection else None


def fields_reason(value: Any, field: Field, context: Any = "") -> str | None:
    """The slug of the rejection of a row with one value in such a field, and a context."""
    recipe = Recipe(name="r", seeds=Seeds(file="r"), fields={"value": field, "context": Field(type="any", min_chars=0)})
    terms = Criteria(recipe, {"all": 1.0}, lambda row: "all")
    row = {"value": value, "context": context}
    rejection = judge(Candidate(0, "", row), (), terms, OnlyRoom()).rejection
    return rejection.reason if rejection else None


class OnlyRoom(Rows):
    """An empty pool for rows of any fields."""

    def __init__(self) -> None:
        """No rows."""
        super().__init__([])

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """None."""
        return None

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """None."""
        return None


# --- the whole judgement -------------------------------------------------------------------------------------


def test_reasons_are_the_published_ones() -> None:
    """The slugs are a contract: scripts and journals hold them."""
    assert set(REASONS) == {
        *("schema", "empty", "length", "echo", "same", "ungrounded", "identifiers", "label", "blocked"),
        *("check", "relation", "contradiction", "holdout", "pii", "near-duplicate", "duplicate", "quota", "judge"),
        *("unanswered", "tests"),
    }
    assert len(REASONS) == len(set(REASONS))


def test_a_sound_new_row_is_accepted_with_category_and_spans() -> None:
    """An accepted row says which category it is of and where its answer stands."""
    judgement = judged(NEW)
    assert judgement.rejection is None
    assert judgement.category == "What"
    start, end = judgement.spans["Answer"]
    assert NEW["RawLog"][start:end] == "3.0"
    assert set(judgement.spans) == {"Answer"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({**NEW, "Answer": "4.0", "Note": ""}, "schema"),
        ({**NEW, "Answer": " ", "RawLog": "x" * 300}, "empty"),
        ({**NEW, "Answer": "4.0", "RawLog": "x" * 300}, "length"),
        ({**NEW, "Question": "Is task 99.0 finished?", "Answer": "4.0"}, "ungrounded"),
        ({**NEW, "Question": "Is task 99.0 finished?"}, "identifiers"),
        ({**NEW, "Question": "Is task 7.0 finished?"}, "label"),
        (SEED, "echo"),
        ({**SEED, "Answer": "1348"}, "contradiction"),
        (GROWN, "duplicate"),
        ({**GROWN, "Question": "What stage was the task 41.0 finished in?"}, "near-duplicate"),
    ],
)
def test_a_row_is_counted_under_the_first_reason_that_holds(row: Row, expected: str) -> None:
    """Each reason, also for rows with several reasons."""
    assert reason(row) == expected


def test_a_refused_row_keeps_its_category() -> None:
    """Drift is counted over refused rows too; a row that has not the fields has no category."""
    assert judged({**NEW, "Answer": "4.0"}).category == "What"
    assert judged({**NEW, "Answer": ""}).category == "What"
    assert judged({"Question": "What?"}).category == ""
    assert judged(GROWN).category == "What"


def test_only_accepted_rows_have_spans() -> None:
    """Also where the answer of a refused row is grounded."""
    assert judged({**NEW, "Answer": "4.0"}).spans == {}
    assert judged(GROWN).spans == {}


def test_a_piece_that_is_no_row_says_why() -> None:
    """The parser's own words become the message."""
    rejection = judged(None, problem="cut off in the middle").rejection
    assert rejection is not None
    assert (rejection.reason, rejection.message) == ("schema", "cut off in the middle")


def test_a_demonstration_given_back_is_an_echo() -> None:
    """A grown row is an echo where its own prompt showed it, else a duplicate."""
    assert reason(GROWN, demos=(2,)) == "echo"
    assert reason(GROWN, demos=(3,)) == "duplicate"


@pytest.mark.parametrize(
    ("row", "nearest"),
    [(SEED, 1), ({**GROWN, "Answer": "977"}, 2), (GROWN, 2)],
)
def test_the_row_that_it_clashes_with_is_named(row: Row, nearest: int) -> None:
    """Echo, contradiction and duplicate point to a row of the pool."""
    rejection = judged(row).rejection
    assert rejection is not None
    assert rejection.nearest == nearest


def test_near_duplicates_are_strictly_above_the_threshold() -> None:
    """At the threshold a row is accepted; above it the nearest row and the score are the evidence."""
    row = {**GROWN, "Question": "What stage was the task 41.0 finished in?"}
    score = rouge_l(text(row), text(GROWN)).f1
    at = Criteria(LOGQA, {"What": score}, of_first_word)
    below = Criteria(LOGQA, {"What": math.nextafter(score, 0)}, of_first_word)
    pool = Rows([SEED, GROWN], seed_count=1)
    assert judge(Candidate(0, "", row), (), at, pool).rejection is None
    rejection = judge(Candidate(0, "", row), (), below, pool).rejection
    assert rejection is not None
    assert (rejection.reason, rejection.nearest, rejection.score) == ("near-duplicate", 2, score)


def test_a_full_category_refuses_only_sound_rows() -> None:
    """``quota`` is counted for rows that nothing cheaper is wrong with."""
    full = Rows([SEED, GROWN], seed_count=1, room=0)
    assert reason(NEW, pool=full) == "quota"
    assert reason({**NEW, "Answer": "4.0"}, pool=full) == "ungrounded"
    assert reason(GROWN, pool=full) == "duplicate"


def test_novelty_is_not_asked_for_a_full_category() -> None:
    """It is the most expensive check, and the row is rejected in any case."""
    full = Rows([SEED, GROWN], seed_count=1, room=0)
    assert reason({**GROWN, "Question": "What stage was the task 41.0 finished in?"}, pool=full) == "quota"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(list(NEW.values())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*NEW, "Other"]), values))
def test_no_row_makes_a_check_raise(row: Row) -> None:
    """Any row is accepted, or rejected with a known reason."""
    terms = Criteria(
        LOGQA.model_copy(update={"fields": dict.fromkeys(NEW, Field(type="any"))}), {"x": 1.0}, lambda row: "x"
    )
    for judgement in (judged(row), judge(Candidate(0, "", row), (), terms, OnlyRoom())):
        assert judgement.rejection is None or judgement.rejection.reason in REASONS


# --- schema, empty, length -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "fitting"),
    [
        ("x", {"string"}),
        (3, {"integer", "number"}),
        (3.5, {"number"}),
        (True, {"boolean"}),
        (None, set()),
        (["x"], {"array"}),
        ({"x": 1}, {"object"}),
    ],
)
def test_a_value_has_the_type_of_its_field(value: Any, fitting: set[str]) -> None:
    """JSON's types and no coercion: true is no integer and 3.5 none either; any takes all."""
    for kind in ("string", "integer", "number", "boolean", "array", "object", "any"):
        expected = None if kind in fitting or kind == "any" else "schema"
        assert fields_reason(value, Field.model_validate({"type": kind})) == expected, kind


def nested(levels: int) -> Any:
    """A list of a list of a list..."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, "schema"),
        ([1, {"a": math.inf}], "schema"),
        (10**4300, "schema"),
        (10**4299, None),
        ({1: "a"}, "schema"),
        (b"a", "schema"),
        ((1,), "schema"),
        (nested(99), None),
        (nested(100), "schema"),
        (nested(100_000), "schema"),
    ],
    ids=["nan", "inf", "4301 digits", "4300 digits", "key", "bytes", "tuple", "99 deep", "100 deep", "100000 deep"],
)
def test_what_json_cannot_keep_is_refused(value: Any, expected: str | None) -> None:
    """A value that could not be written and read again is no value; deep nesting is no crash."""
    assert fields_reason(value, Field(type="any")) == expected
    if expected is None:
        assert json.loads(json.dumps(value)) == value


@pytest.mark.parametrize("value", ["", "  \n", "\u200b\ufeff", "\u3000"])
def test_a_blank_text_is_empty_unless_the_recipe_allows_it(value: str) -> None:
    """White space and invisible characters say nothing; ``min_chars = 0`` lets them pass."""
    assert fields_reason(value, Field()) == "empty"
    assert fields_reason(value, Field(min_chars=0)) is None


def test_length_is_counted_in_code_points() -> None:
    """Both bounds belong to what is allowed."""
    field = Field(min_chars=2, max_chars=3)
    assert [fields_reason("乾" * n, field) for n in (1, 2, 3, 4)] == ["length", None, None, "length"]


# --- grounding -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "context", "match", "span"),
    [
        ("29", "stage 29.0", "exact", None),
        ("29.0", "stage 29.0", "exact", (6, 10)),
        ("ok", "It is OK", "exact", None),
        ("ok", "It is OK", "casefold", (6, 8)),
        ("STRASSE", "Die Straße 4", "casefold", (4, 10)),
        ("4", "Die Straßße 4", "casefold", (12, 13)),
        ("s", "ß", "casefold", None),
        ("i", "İ", "casefold", None),
        ("İ 4", "xx İİ İ 4", "casefold", (6, 9)),
        ("a b", "x a \n b y", "whitespace", (2, 7)),
        (" a\tb ", "x a b y", "whitespace", (2, 5)),
        ("A b", "x a b y", "whitespace", None),
        ("  ", "a  b", "whitespace", None),
        (42, "took 42 ms", "exact", (5, 7)),
        (4, "took 42 ms", "exact", None),
        (True, "it is true", "exact", (6, 10)),
        ("42", 42, "exact", (0, 2)),
        ("卷", "共四十卷。", "exact", (3, 4)),
    ],
)
def test_a_value_is_found_at_its_place(value: Any, context: Any, match: str, span: tuple[int, int] | None) -> None:
    """Offsets refer to the original context, even if case folding changes lengths."""
    assert find(value, context, match) == span
    field = Field.model_validate({"type": "any", "appears_in": "context", "match": match})
    if value != "  ":
        assert fields_reason(value, field, context) == (None if span else "ungrounded")


def first_span(needle: str, context: str, match: str) -> tuple[int, int] | None:
    """The oracle: every span from left to right, folded and compared."""

    def folded(part: str) -> str:
        return part.casefold() if match == "casefold" else " ".join(part.split())

    for start in range(len(context)):
        for end in range(start + 1, len(context) + 1):
            span = context[start:end]
            trimmed = match == "casefold" or span == span.strip()
            if trimmed and folded(span) == folded(needle) and is_bound(context, start) and is_bound(context, end):
                return start, end
    return None


@given(st.text("aAsSßİiıŉK0. \n\u0345乾", max_size=4), st.text("aAsSßİiıŉK0. \n\u0345乾", max_size=12))
@example("ss", "aß ß")
@example("s s", "ß s  s")
def test_folded_search_is_that_of_an_obvious_scan(needle: str, context: str) -> None:
    """Casefold and whitespace find the first token-bounded span that folds to the needle, and only that."""
    for match in ("casefold", "whitespace"):
        wanted = needle if match == "casefold" else needle.strip()
        expected = first_span(wanted, context, match) if wanted else None
        assert find(needle, context, match) == expected
    assert find(needle, context, "exact") == find_span(needle, context)


# --- identifiers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("What is the size?", []),
        ("Is rdd_42_18 found?", ["rdd_42_18"]),
        ("Is blk_-123 at 10.0.0.7:5001?", ["blk_-123", "10.0.0.7", "5001"]),
        ("Why (task #12, 7%)? See /var/log2/.", ["12", "7", "/var/log2"]),
        ("任务28.0在哪个阶段完成？", ["28.0"]),
    ],
)
def test_identifiers_are_the_digit_bearing_tokens(question: str, found: list[str]) -> None:
    """Names and numbers whole, without the marks around them."""
    assert identifiers(question) == found


def test_identifiers_must_stand_in_the_context_as_whole_tokens() -> None:
    """``rdd_42_1`` is not in a log of ``rdd_42_18``, nor ``8`` in one of 28.0."""
    field = Field(identifiers_in="context")
    assert fields_reason("Is rdd_42_1 found?", field, "Partition rdd_42_18 not found") == "identifiers"
    assert fields_reason("Is rdd_42_18 found?", field, "Partition rdd_42_18 not found") is None
    assert fields_reason("Is 8 found?", field, "task 28.0") == "identifiers"
    assert fields_reason(3, Field(type="integer", identifiers_in="context"), [1, 3]) is None
    assert fields_reason(3, Field(type="integer", identifiers_in="context"), [1, 33]) == "identifiers"


# --- label ---------------------------------------------------------------------------------------------------


def test_an_unknown_label_is_refused() -> None:
    """A label must be one of the categories; its text is in the message."""
    recipe = Recipe(
        name="tickets",
        seeds=Seeds(file="t"),
        fields={"text": Field(), "label": Field()},
        categories=Categories(by="field", field="label"),
    )
    known = {"bug": 1.0, "billing": 1.0}
    terms = Criteria(recipe, known, lambda row: row["label"] if row["label"] in known else "")
    judgements = [
        judge(Candidate(0, "", {"text": "It hangs.", "label": label}), (), terms, OnlyRoom())
        for label in ("bug", "bgu")
    ]
    assert judgements[0].rejection is None
    assert judgements[1].rejection is not None
    assert judgements[1].rejection.reason == "label"
    assert '"bgu"' in judgements[1].rejection.message


# --- rows of a file ------------------------------------------------------------------------------------------


def slugs(faults: Sequence[Fault]) -> list[tuple[str, str]]:
    """Field and reason of each."""
    return [(fault.field, fault.rejection.reason) for fault in faults]


def test_examine_tells_every_fault_of_a_row_once_a_field() -> None:
    """One bad field does not hide another; an empty answer is not called ungrounded as well."""
    assert examine(NEW, TERMS, Rows([SEED])) == []
    row = {"Question": "Is task 99.0 up?", "Answer": "", "RawLog": "task 9.0 is up" + "!" * 200}
    assert slugs(examine(row, TERMS, Rows([]))) == [
        ("Question", "identifiers"),
        ("Answer", "empty"),
        ("RawLog", "length"),
        ("Question", "label"),
    ]


def test_examine_tells_every_fault_of_a_shape() -> None:
    """Missing, unknown and mistyped fields are each a finding of their own, and the only ones."""
    found = examine({"Question": 3, "Answer": "", "Extra": 1}, TERMS, Rows([]))
    assert slugs(found) == [("Extra", "schema"), ("Question", "schema"), ("RawLog", "schema")]


def test_examine_compares_with_the_earlier_rows() -> None:
    """Duplicate, contradiction and near-duplicate name the earlier row; a file has no echoes and no quotas."""
    earlier = Rows([SEED, GROWN], seed_count=2, room=0)
    assert slugs(examine(SEED, TERMS, earlier)) == [("", "duplicate")]
    assert slugs(examine({**SEED, "Answer": "1348"}, TERMS, earlier)) == [("Answer", "contradiction")]
    near = examine({**GROWN, "Question": "What stage was the task 41.0 finished in?"}, TERMS, earlier)
    assert slugs(near) == [("", "near-duplicate")]
    assert near[0].rejection.nearest == 2
    assert examine(NEW, TERMS, earlier) == []


# --- words, patterns, choices, differences -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (" a\n\tb  c ", 3),
        ("It's a well-known fact -- 3.5 %.", 7),
        ("乾卦元亨", 4),
        ("元亨，利贞。", 4),
        ("我有3只dog。 Yes!", 6),
        ("Où est-il\u3000?", 3),
    ],
)
def test_words_stand_between_white_space(text: str, count: int) -> None:
    """Of a script without spaces each character counts, and marks beside them do not."""
    assert count_words(text) == count


def test_words_are_bounded_on_both_sides() -> None:
    """Both bounds belong to what is allowed; values that are not text have no words."""
    field = Field(min_words=2, max_words=3)
    assert [fields_reason("no " * n, field) for n in (1, 2, 3, 4)] == ["length", None, None, "length"]
    assert fields_reason(["no"], Field(type="array", min_words=2)) is None


CONSTRAINED: list[tuple[dict[str, Any], Any, Any, str | None]] = [
    ({"pattern": "[a-z]+"}, "abc", "", None),
    ({"pattern": "[a-z]+"}, "abc ", "", "schema"),
    ({"pattern": "a|ab"}, "ab", "", None),
    ({"pattern": "(?i)yes.*"}, "Yes\nno", "", "schema"),
    ({"pattern": "[0-9]", "type": "any"}, 12, "", None),
    ({"refuse": [r"(?i)\bas an ai\b"]}, "Well, as an AI I", "", "blocked"),
    ({"refuse": [r"(?i)\bas an ai\b"]}, "as an aim", "", None),
    ({"refuse": ["x", r":\s*\Z"]}, "Here it is: \n", "", "blocked"),
    ({"refuse": ["x"], "type": "array"}, ["x"], "", None),
    ({"pattern": "(?s).*"}, "x" * 20_000, "", None),
    ({"pattern": "(?s).*"}, "x" * 20_001, "", "schema"),
    ({"refuse": ["y"]}, "x" * 20_001, "", "blocked"),
    ({"one_of": ["yes", "no"]}, " Yes\n", "", None),
    ({"one_of": ["yes", "no"]}, "yes.", "", "label"),
    ({"one_of": [1, 2], "type": "any"}, 2, "", None),
    ({"one_of": [1, 2], "type": "any"}, "2", "", None),
    ({"one_of": [1, 2], "type": "any"}, 3, "", "label"),
    ({"one_of": [True], "type": "any"}, True, "", None),
    ({"one_of": [True], "type": "any"}, 1, "", "label"),
    ({"choice_of": "context"}, "four", ["two", "Four "], None),
    ({"choice_of": "context"}, "fou", ["two", "four"], "label"),
    ({"choice_of": "context"}, "4", [2, 4], None),
    ({"choice_of": "context"}, "B) no", "A) yes\nB) no", None),
    ({"choice_of": "context"}, "no", "A) yes\nB) no", None),
    ({"choice_of": "context"}, "Paris, France", "1. Rome, Italy\n2. Paris, France\n", None),
    ({"choice_of": "context"}, "France", "1. Rome, Italy\n2. Paris, France\n", "label"),
    ({"choice_of": "context"}, "rome, italy", "Rome, Italy; Paris, France", None),
    ({"choice_of": "context"}, "red", "blue, RED , green", None),
    ({"choice_of": "context"}, "蓝", "红、蓝、绿", None),
    ({"choice_of": "context"}, "red", "", "label"),
    ({"choice_of": "context"}, "A", "A) yes\nB) no", "label"),
    ({"differs_from": "context"}, "the same", "the  same\n", "same"),
    ({"differs_from": "context"}, "The same", "the same", None),
    ({"differs_from": "context", "type": "any"}, [1], "[1]", "same"),
    ({"differs_from": "context", "differs_by": 0.25}, "a late fee applies", "A late fee of 5 applies.", "same"),
    ({"differs_from": "context", "differs_by": 0.25}, "what late fee applies", "A late fee of 5 applies.", None),
    ({"differs_from": "context", "differs_by": 0.25}, "applies fee late a", "A late fee of 5 applies.", None),
    ({"differs_from": "context", "differs_by": 0.2}, "每天五角", "逾期每天收五角。", "same"),
    ({"differs_from": "context", "differs_by": 0.2}, "每天多少钱", "逾期每天收五角。", None),
]


@pytest.mark.parametrize(("keys", "value", "context", "expected"), CONSTRAINED)
def test_a_value_is_held_to_the_key(keys: dict[str, Any], value: Any, context: Any, expected: str | None) -> None:
    """Each key of a field by itself: what it takes, and the reason under which it refuses."""
    assert fields_reason(value, Field.model_validate(keys), context) == expected


def test_a_choice_has_its_letter_or_not() -> None:
    """Letters, numbers and bullets before a choice may be repeated or left out; a mark alone is no choice."""
    assert choices("(a) x\n- y\n3: z\n\nB.\nAt 4.5") == ["(a) x", "x", "- y", "y", "3: z", "z", "B.", "At 4.5"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_makes_a_key_raise(value: str, context: str) -> None:
    """For any texts, the result is a known reason or none."""
    keys: dict[str, Any] = {"appears_in": "context", "choice_of": "context", "differs_from": "context"}
    fields = [Field.model_validate({key: other, "min_chars": 0}) for key, other in keys.items()]
    fields += [
        Field(appears_in="context", match="inflected", min_chars=0),
        Field(snippets=Snippets(least=1, most=1, max_lines=1, python=True, last=True), min_chars=0),
        Field(min_words=1, max_words=2, pattern=".", refuse=("x",), one_of=("y",), min_chars=0),
    ]
    for field in fields:
        assert fields_reason(value, field, context) in (None, *REASONS)


# --- inflections ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("dig", "digs dug digging"),
        ("take", "takes took taken taking"),
        ("run", "runs ran running"),
        ("swim", "swims swam swum swimming"),
        ("be", "am is are was were been being"),
        ("lie", "lies lay lain lying"),
        ("die", "dies died dying"),
        ("go", "goes went gone going"),
        ("see", "sees saw seen seeing"),
        ("free", "frees freed freeing freer freest"),
        ("forgive", "forgave forgiven forgiving"),
        ("understand", "understood understanding"),
        ("rewrite", "rewrote rewritten rewriting"),
        ("quit", "quits quitting"),
        ("travel", "travelled traveled travelling traveling"),
        ("panic", "panics panicked panicking"),
        ("carry", "carries carried carrying"),
        ("play", "plays played playing"),
        ("fix", "fixes fixed fixing"),
        ("tooth", "teeth"),
        ("leaf", "leaves"),
        ("bookshelf", "bookshelves"),
        ("snowman", "snowmen"),
        ("grandchild", "grandchildren"),
        ("story", "stories"),
        ("box", "boxes"),
        ("church", "churches"),
        ("potato", "potatoes"),
        ("piano", "pianos"),
        ("quiz", "quizzes"),
        ("person", "people"),
        ("big", "bigger biggest"),
        ("happy", "happier happiest"),
        ("nice", "nicer nicest"),
        ("good", "better best"),
        ("gentle", "gentler gentlest"),
    ],
)
def test_a_word_has_its_forms(word: str, others: str) -> None:
    """Irregular ones, doubled consonants, dropped vowels, and the forms of a word in capitals are those in small."""
    assert {word, *others.split()} <= forms(word)
    assert forms(word.upper()) == forms(word)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("flow", "flower"),
        ("hop", "hoped"),
        ("hope", "hopped"),
        ("fee", "feed"),
        ("see", "seed"),
        ("be", "bed"),
        ("lad", "ladder"),
        ("safe", "saves"),
        ("run", "runner"),
        ("rain", "rainning"),
        ("take", "taked"),
        ("dig", "digged"),
        ("near", "next"),
        ("乾", "乾s"),
        ("a", "as"),
        ("x2", "x2s"),
    ],
)
def test_another_word_is_no_form(word: str, other: str) -> None:
    """What only looks like a form, or belongs to a word that is spelt nearly so."""
    assert other not in forms(word)


@given(st.from_regex(r"(?:[bcdfgklmnprst]|[bcfgp][lr]|st)(?:[aeiou]|ea|oo|ai)(?:ck|lt|mp|nd|sh|st|rk)", fullmatch=True))
def test_a_plain_regular_word_takes_the_plain_endings(word: str) -> None:
    """A word that ends in two consonants has nothing to double or to drop: its endings are only added."""
    if word in {line.split(" | ")[0] for line in words("irregular-verbs")}:
        return
    plural = f"{word}es" if word.endswith("sh") else f"{word}s"
    assert forms(word) - {word + "er", word + "est"} == {word, plural, f"{word}ing", f"{word}ed"}


@given(st.text(max_size=50))
def test_any_text_has_itself_as_a_form(word: str) -> None:
    """No text is too odd to be looked up; forms are in lower case."""
    assert word.casefold() in forms(word)


def test_the_irregular_words_are_enough() -> None:
    """Every irregular form of the lists is a form of its word, and the lists hold the common words."""
    lines = [line.split(" | ") for kind in ("verbs", "nouns", "adjectives") for line in words(f"irregular-{kind}")]
    assert len(lines) >= 250
    for base, *others in lines:
        assert set(others) <= forms(base)


@pytest.mark.parametrize(
    ("value", "context", "span"),
    [
        ("dig", "He Dug a hole.", (3, 6)),
        ("tooth", "white teeth", (6, 11)),
        ("run", "She is a runner", None),
        ("run", "re-running", (3, 10)),
        ("run", "running2", None),
        ("dog", "The dog's bone", (4, 7)),
        ("Dog", "我有dogs吗", (2, 6)),
        ("pick up", "He picked\nup a stone", (3, 12)),
        ("ice cream", "two ice creams", (4, 14)),
        ("挖", "他在挖洞", (2, 3)),
        ("挖了", "他在挖洞", None),
        ("9", "at 9.5", None),
        ("", "a", None),
        (" ", "a b", None),
        ("word " * 40, "word", None),
    ],
)
def test_an_inflected_word_is_found_at_its_place(value: str, context: str, span: tuple[int, int] | None) -> None:
    """Whole words in any letter case; words of a script without spaces, and numbers, are found as they stand."""
    assert find(value, context, "inflected") == span


def test_every_word_of_a_list_is_there() -> None:
    """The word that is missing is named; a list has no one place."""
    field = Field(type="array", appears_in="story", match="inflected")
    recipe = Recipe(name="r", seeds=Seeds(file="r"), fields={"words": field, "story": Field()})
    terms = Criteria(recipe, {"all": 1.0}, lambda row: "all")
    row: Row = {"words": ["dig", "tooth", "big"], "story": "The biggest dog dug."}
    rejection = judge(Candidate(0, "", row), (), terms, OnlyRoom()).rejection
    assert rejection is not None
    assert (rejection.reason, rejection.message) == ("ungrounded", 'words "tooth" does not occur in story in any form')
    found = judge(Candidate(0, "", {**row, "words": ["dig", "big"]}), (), terms, OnlyRoom())
    assert (found.rejection, found.spans) == (None, {})


# --- snippets ------------------------------------------------------------------------------------------------

ONE = "Say:\n```python\nprint(1)\n```"


@pytest.mark.parametrize(
    ("keys", "value", "told"),
    [
        ({}, "no code", ""),
        ({"least": 1}, "no code", "0 snippets, fewer than 1"),
        ({"least": 1}, ONE, ""),
        ({"most": 1}, f"{ONE}\n{ONE}", "2 snippets, more than 1"),
        ({"least": 2, "most": 2}, f"{ONE}\n{ONE}", ""),
        ({}, "```\nx = 1", "never closed"),
        ({}, "````\n```\n````", ""),
        ({}, "~~~\n```\n~~~~  ", ""),
        ({}, "```\n~~~", "never closed"),
        ({"least": 1}, "```x``` is code within a line", "fewer"),
        ({"least": 1}, "- as follows\n  ```py title=a\n  x\n  ```", ""),
        ({"least": 1, "python": True}, "```\r\nif x:\r\n    y\r\n```\r\n", ""),
        ({"max_lines": 2}, "```\na\n\nb\n```", "3 lines, more than 2"),
        ({"max_lines": 2}, "```\na\nb\n```", ""),
        ({"python": True}, ONE, ""),
        ({"python": True}, "  ```\n  if x:\n    y = '\\d'\n  ```", ""),
        ({"python": True}, f"{ONE}\n```\nprint 1\n```", "snippet 2 of value is not valid Python: line 1"),
        ({"python": True}, "```\na\0b\n```", "not valid Python"),
        ({"python": True}, "```\n" + "-" * 100_000 + "1\n```", "not valid Python: MemoryError"),
        ({"python": True}, "```\n" + "1+" * 50_000 + "1\n```", "not valid Python: RecursionError"),
        ({"last": True}, f"{ONE}\n \n", ""),
        ({"last": True}, f"{ONE}\nThat is all.", "continues after its last snippet"),
        ({"last": True}, f"{ONE}\nand\n{ONE}", ""),
        ({"last": True}, "no code", ""),
    ],
)
def test_fenced_code_is_as_the_recipe_wants_it(keys: dict[str, Any], value: str, told: str) -> None:
    """Number, lines, Python that parses, the end; fences as in Markdown. Nothing is ever executed."""
    fields = {"value": Field(snippets=Snippets.model_validate(keys))}
    rejection = field_faults({"value": value}, Recipe(name="r", fields=fields), ("value",))
    assert (rejection.reason if rejection else "") == ("schema" if told else "")
    assert told in (rejection.message if rejection else "")


# --- rules, and rows that are not complete -------------------------------------------------------------------

KINDS = Recipe(
    name="kinds",
    seeds=Seeds(file="k"),
    fields={
        "kind": Field(),
        "choices": Field(min_chars=0),
        "answer": Field(max_words=3, answer=True),
        "hard": Field(type="boolean"),
    },
    rules=(
        Rule(field="answer", when={"kind": ("Yes-No", "true or false")}, one_of=("yes", "no")),
        Rule(field="answer", when={"kind": ("choice",), "hard": (True,)}, choice_of="choices", refuse=("none",)),
        Rule(field="choices", when={"kind": ("choice",)}, min_words=1),
    ),
)
CHOICE: Row = {"kind": "choice", "choices": "red, blue", "answer": "red", "hard": True}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"kind": "open", "answer": "green"}, []),
        ({"kind": "yes-no ", "answer": "Yes"}, []),
        ({"kind": "yes-no"}, [("answer", "label")]),
        ({"answer": "green"}, [("answer", "label")]),
        ({"answer": "none"}, [("answer", "blocked")]),
        ({"answer": "green", "hard": False}, []),
        ({"choices": ""}, [("choices", "length"), ("answer", "label")]),
        ({"kind": "open", "choices": ""}, []),
        ({"kind": "yes-no", "answer": "yes yes yes no"}, [("answer", "length")]),
    ],
)
def test_a_rule_holds_where_all_of_its_names_have_such_a_value(changes: Row, expected: list[tuple[str, str]]) -> None:
    """Letter case and blanks aside, as text; a fault of the field's own comes first. judge and examine agree."""
    row = {**CHOICE, **changes}
    terms = Criteria(KINDS, {"all": 1.0}, lambda row: "all")
    assert slugs(examine(row, terms, OnlyRoom())) == expected
    rejection = judge(Candidate(0, "", row), (), terms, OnlyRoom()).rejection
    whole = field_faults(row, KINDS, tuple(row))
    assert rejection == whole
    assert (rejection is None) == (not expected)
    assert rejection is None or rejection.reason in [reason for _, reason in expected]


@pytest.mark.parametrize(
    ("features", "refused"),
    [(["Dialogue", "a twist"], True), (["a twist"], False), ([], False), (["dialogue and more"], False)],
)
def test_a_rule_holds_where_an_item_of_a_list_has_such_a_value(features: list[str], refused: bool) -> None:
    """Only stories that were requested with the feature dialogue must have it."""
    recipe = Recipe(
        name="stories",
        seeds=Seeds(file="s"),
        fields={"story": Field(), "features": Field(type="array")},
        rules=(Rule(field="story", when={"features": ("dialogue",)}, pattern='(?s).*".*'),),
    )
    row: Row = {"story": "The cat sat.", "features": features}
    assert (field_faults(row, recipe, tuple(row)) is not None) == refused


@pytest.mark.parametrize(
    ("names", "changes", "expected"),
    [
        (("answer",), {"answer": "green"}, None),
        (("answer", "choices"), {"answer": "green"}, None),
        (("answer", "choices", "kind"), {"answer": "green"}, None),
        (("answer", "choices", "kind", "hard"), {"answer": "green"}, "label"),
        (("answer", "kind"), {"kind": "yes-no"}, "label"),
        (("answer",), {"kind": "yes-no"}, None),
        (("answer",), {"answer": "a b c d", "kind": 3}, "length"),
        (("kind", "answer"), {"answer": "a b c d", "kind": 3}, "schema"),
        (("answer", "nothing"), {}, None),
        ((), {"answer": 3}, None),
    ],
)
def test_a_row_is_judged_by_the_fields_that_it_has(names: Sequence[str], changes: Row, expected: str | None) -> None:
    """Rules that depend on a field that is not named are skipped, for any value."""
    rejection = field_faults({**CHOICE, **changes}, KINDS, names)
    assert (rejection.reason if rejection else None) == expected


@pytest.mark.parametrize("key", ["appears_in", "identifiers_in", "choice_of", "differs_from"])
def test_what_refers_to_a_missing_field_is_passed_over(key: str) -> None:
    """Of each key that names another field: no verdict without it, a verdict with it."""
    fields = {"value": Field.model_validate({key: "other"}), "other": Field()}
    row: Row = {"value": "b 4", "other": "b 4" if key == "differs_from" else "a"}
    recipe = Recipe(name="r", fields=fields)
    assert field_faults({"value": "b 4"}, recipe, ("value", "other")) is None
    assert field_faults(row, recipe, ("value",)) is None
    assert field_faults(row, recipe, ("value", "other")) is not None


def test_a_field_that_says_so_is_an_answer() -> None:
    """Rows that differ in it alone contradict each other, though it is neither grounded nor the label."""
    assert answer_fields(KINDS) == ("answer",)
    terms = Criteria(KINDS, {"all": 1.0}, lambda row: "all")
    index = DuplicateIndex(question_fields(KINDS))
    index.add(CHOICE)
    pool = OnlyRoom()
    pool.twin = index.find  # type: ignore[method-assign]
    assert slugs(examine({**CHOICE, "answer": "blue"}, terms, pool)) == [("answer", "contradiction")]
    assert slugs(examine({**CHOICE, "choices": "red, green"}, terms, pool)) == []


def test_every_key_of_a_field_belongs_to_a_check() -> None:
    """A key that no check is listed for would be read and never held."""
    listed = {key for table in (FIELD_CHECKS, RUNNING_CHECKS) for keys in table.values() for key in keys}
    assert listed == set(Constraints.model_fields) - {"match"}
