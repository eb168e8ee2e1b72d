"""What holds for templates, categories, inference and thresholds: what the seeds are taken to say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfinstruct.mining.text_template import mine_templates, split_words
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.preparation.infer import context_fields, infer, make_categories, prose_field
from selfinstruct.preparation.prepare import prepare
from selfinstruct.preparation.thresholds import CAP, FLOOR
from selfinstruct.recipe import Categories
from selfinstruct.records import Row
from selfinstruct.rows import RowFile, rows_from_objects
from tests.linear_time import assert_linear

LOGQA = Path("seeds/logqa.jsonl")


def seeds(rows: list[Row]) -> RowFile:
    """Rows as a row file."""
    return rows_from_objects(rows, "rows")


def names(texts: list[str], contexts: list[list[str]] | None = None) -> list[str]:
    """The names of the templates that are mined."""
    return [template.name for template in mine_templates(texts, contexts).templates]


@pytest.mark.parametrize(
    "text", ["a  b\tc.", "rdd_42_18 (TID 3).", "《史记》由 x", "", "“quoted, text” end", "-1 +2 a-b"]
)
def test_pieces_are_the_text(text: str) -> None:
    """Joined, the pieces are the text again."""
    assert "".join(split_words(text)) == text


def test_words_vary_and_not_only_digits() -> None:
    """Drain's own case: the user's name in a line is a slot."""
    assert names(["Invalid user admin from 10.0.0.7", "Invalid user guest from 10.0.3.9"]) == [
        "Invalid user <*> from <*>"
    ]


def test_two_questions_in_like_words_stay_two() -> None:
    """A word of a question varies only where the row's other fields show it to be a value in the same place."""
    logs = ["Received block blk_1 of size 67 from /10.0.0.1", "Receiving block blk_2 src: /10.0.0.1"]
    assert (
        len(names(["What is the size of block blk_1?", "What is the source of block blk_2?"], [[x] for x in logs])) == 2
    )
    asked = ["Is partition rdd_1 found?", "Is partition rdd_2 cached?"]
    said = [["Partition rdd_1 not found, computing it"], ["Partition rdd_2 cached in memory"]]
    assert len(names(asked, said)) == 2
    users = ["Where did admin log in from?", "Where did guest log in from?"]
    lines = [["Accepted password for admin from 10.0.0.1"], ["Accepted password for guest from 10.0.0.2"]]
    assert names(users, lines) == ["Where did <*> log in from?"]


def test_what_stands_in_title_marks_is_one_slot() -> None:
    """Titles of unlike lengths are of one template."""
    context = [["《史记》由西汉司马迁所撰"], ["《资治通鉴》由北宋司马光所撰"]]
    assert names(["《史记》的作者是谁？", "《资治通鉴》的作者是谁？"], context) == ["《<*>》的作者是谁？"]


def test_a_match_gives_the_slots_values() -> None:
    """A text of the template gives its values; another one gives None."""
    (template,) = mine_templates(["Is partition rdd_1 found?", "Is partition rdd_2 found?"]).templates
    assert template.match("Is partition rdd_42_18 found?") == ("rdd_42_18",)
    assert template.match("Is partition  found?") is None
    assert template.match("Was partition rdd_1 found?") is None


def test_hostile_texts_take_linear_time() -> None:
    """Long runs of joints and slots are cut and matched in about linear time."""
    assert_linear(
        lambda dots: mine_templates([dots + "a 1", dots.replace(".", "-") + "b 2", "x1 " * (len(dots) // 300)]),
        "." * 10_000,
        "." * 40_000,
    )


def test_logqa_is_understood() -> None:
    """Answer is grounded in RawLog, Question's identifiers are too, and Question has four templates."""
    prepared = prepare(LOGQA)
    fields = prepared.recipe.fields
    assert list(fields) == ["Question", "Answer", "RawLog"]
    assert fields["Answer"].appears_in == "RawLog"
    assert fields["Question"].identifiers_in == "RawLog"
    assert prepared.recipe.categories == Categories(by="template", field="Question")
    assert prepared.recipe.novelty.fields == ("Question", "RawLog")
    assert list(prepared.quotas.values()) == [250] * 4


def test_logqa_thresholds_are_read_off_its_seeds() -> None:
    """The closest two seeds where they are siblings; the single-seed rule where their template leaves no room."""
    assert list(prepare(LOGQA).thresholds.values()) == [0.8001, 0.8959, 0.8572, 0.8334]


def test_thresholds_stay_between_floor_and_cap_and_a_number_is_taken_as_it_is() -> None:
    """For any seeds."""
    for file in Path("seeds").glob("*.[jc]*"):
        assert all(FLOOR <= value <= CAP for value in prepare(file).thresholds.values()), file
    rows = [{"text": "one two three 1", "label": "a"}, {"text": "four five six 2", "label": "b"}] * 1
    prepared = prepare(rows)
    fixed = prepared.recipe.model_copy(
        update={"novelty": prepared.recipe.novelty.model_copy(update={"max_rouge_l": 0.5})}
    )
    from selfinstruct.preparation.prepare import build_prepared

    assert set(build_prepared(prepared.seeds, fixed).thresholds.values()) == {0.5}


def test_a_label_field_makes_the_categories() -> None:
    """Few short values that come again are a label; free text next to it is prose."""
    prepared = prepare(Path("seeds/tickets.csv"))
    assert prepared.recipe.categories == Categories(by="field", field="label")
    assert list(prepared.quotas) == ["billing", "bug", "account", "shipping"]
    assert prose_field(prepared.recipe) == ["text"]
    assert prepared.categories.of({"text": "x", "label": "spam"}) == ""


def test_values_of_every_json_type_are_kept_and_typed() -> None:
    """Numbers, booleans, lists and null are fields like others; a blank text may stay blank."""
    rows = [
        {
            "id": n,
            "score": n / 2,
            "ok": n % 2 == 0,
            "tags": ["a"],
            "note": "",
            "any": None if n else "x",
            "text": f"t {n}",
        }
        for n in range(6)
    ]
    fields = infer(seeds(rows)).recipe.fields
    assert [fields[name].type for name in rows[0]] == [
        "integer", "number", "boolean", "array", "string", "any", "string",
    ]  # fmt: skip
    assert fields["note"].min_chars == 0


def test_texts_without_a_common_template_are_one_category() -> None:
    """Free texts that share nothing are not given a category each."""
    rows = [{"instruction": text} for text in ("Name a fruit.", "Why is the sky blue?", "Translate this to French")]
    prepared = prepare(rows)
    assert prepared.recipe.categories.by == "none"
    assert list(prepared.quotas) == ["all"]


def test_a_row_belongs_to_the_template_it_fits_or_is_nearest_to() -> None:
    """Slightly other words go to the nearest category, other questions to none."""
    prepared = prepare(LOGQA)
    of = prepared.categories.of
    log = {"Answer": "29.0", "RawLog": "Finished task 28.0 in stage 29.0 (TID 1)"}
    assert of({"Question": "Is partition rdd_1_2 found?", **log}) == "Is partition <*> found?"
    assert of({"Question": "What stage was task 28.0 completed in?", **log}).startswith("What stage was the task")
    assert of({"Question": "Who wrote this?", **log}) == ""
    assert of({"Question": 7}) == ""


def test_one_seed_in_a_category_is_enough_for_its_template() -> None:
    """A word that is a value makes a slot even where its category has a single seed."""
    rows = [json.loads(line) for line in Path("seeds/classics-zh.jsonl").read_text(encoding="utf-8").splitlines()]
    inferred = infer(seeds(rows))
    categories = make_categories(inferred.recipe, inferred.statistics)
    assert "<*>卦是《周易》的第几卦？" in categories.names


def test_what_the_seeds_agree_on_is_a_constant() -> None:
    """A port that is the same three times is a part of the wording; one that differs is a value."""
    rows = [{"log": f"dest: /10.0.0.{n}:50010 src: /10.0.0.{n}:{n}5123 ssh2"} for n in range(1, 5)]
    statistics = ValueStatistics(rows, {})
    constant = {entity.text for entity in statistics.entities(rows[0])[("log",)] if statistics.is_constant(entity)}
    assert constant == {"50010", "2"}


def test_contexts_name_what_a_field_refers_to() -> None:
    """Grounding first, then identifiers."""
    assert context_fields(prepare(LOGQA).recipe) == {"Question": "RawLog", "Answer": "RawLog"}
