"""Rules of fields: values of every type, exceptions, labels in several spellings, and rules that the halves refute."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks.grounding import find
from selfinstruct.preparation.field_rules import field_type, fits_halves, holds
from selfinstruct.preparation.infer import infer
from selfinstruct.preparation.prepare import prepare
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.render.plan import plan_text
from selfinstruct.rows import rows_from_objects


def recipe_of(rows: list[Row]) -> Recipe:
    """The recipe inferred from rows."""
    return infer(rows_from_objects(rows, "rows")).recipe


def stock(answers: list[Any], shown: list[str]) -> list[Row]:
    """Questions about stock, with their answers, and texts that show a number."""
    names = (
        "pears",
        "plums",
        "figs",
        "limes",
        "kiwis",
        "dates",
        "olives",
        "leeks",
        "beans",
        "chards",
        "onions",
        "peas",
    )
    return [
        {"Q": f"How many {name} are left?", "A": answer, "T": f"In the store there are {text} {name} left."}
        for name, answer, text in zip(names, answers, shown, strict=False)
    ]


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        (410, "weight 410 kg", "410"),
        (1234, "costs 1,234 euros", "1,234"),
        (29.0, "stage 29 of 40", "29"),
        (29, "stage 29.0 (TID 3)", "29.0"),
        (0.5, "took 0.50 s", "0.50"),
        (7, "no 17 and no 70, and no 7.5", None),
        (-3, "it is -3 degrees", "-3"),
        (True, "cached=TRUE", "TRUE"),
        (False, "falsehood", None),
        (None, "null", "null"),
        (1e3, "about 1000 m", "1000"),
    ],
)
def test_scalars_are_found_by_written_form_or_value(value: Any, text: str, found: str | None) -> None:
    """Between token bounds."""
    span = find(value, text, "exact")
    assert (None if span is None else text[slice(*span)]) == found


def test_contexts_that_are_lists_are_searched_leaf_by_leaf() -> None:
    """The quotes and escapes of JSON are no part of a text."""
    assert find('say "no"', {"turns": ['They say "no".']}, "exact") is not None
    assert find("turns", {"turns": ["yes"]}, "exact") is None


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ([3, 12, 45, 7], ["3", "12", "45", "7"]),
        ([1200, 3.0, 8.5, 64], ["1,200", "3", "8.50", "64"]),
        ([3, None, 45, 7], ["3", "12", "45", "7"]),
        ([3, 12, 45, 7, None, None], ["3", "12", "45", "7", "9", "8"]),
    ],
    ids=["integers", "by value", "one null", "some null"],
)
def test_numbers_are_grounded_in_their_text(answers: list[Any], shown: list[str]) -> None:
    """A null has no value, and does not switch the rule off."""
    recipe = recipe_of(stock(answers, shown))
    assert recipe.fields["A"].appears_in == "T"
    assert recipe.fields["Q"].identifiers_in is None
    assert (recipe.fields["A"].min_chars == 0) == (None in answers)


def test_booleans_are_grounded_in_their_text() -> None:
    """In any letter case."""
    rows: list[Row] = [
        {"Q": f"Is {name} enabled?", "A": on, "T": f"{name}.enabled = {str(on).upper()}"}
        for name, on in (("ssh", True), ("ftp", False), ("dns", True), ("ntp", False))
    ]
    assert recipe_of(rows).fields["A"].appears_in == "T"


def test_numbers_that_occur_by_chance_are_not_grounded() -> None:
    """The values of other rows occur in the texts as often."""
    rows: list[Row] = [
        {"text": f"Line {n}: 0 errors, 1 warning and 2 notes in part {n * 37 % 11}.", "level": n * 7 % 3}
        for n in range(12)
    ]
    recipe = recipe_of(rows)
    assert recipe.fields["level"].appears_in is None
    assert recipe.categories.field == "level"


@pytest.mark.parametrize("odd", [None, 77, ["5"], True])
def test_one_value_of_another_type_is_a_doubtful_seed(odd: Any, tmp_path: Path) -> None:
    """It does not switch the rule off; the seed is left out and named, and ``check`` warns."""
    rows = stock([str(n * 3 + 1) for n in range(12)], [str(n * 3 + 1) for n in range(12)])
    rows[6]["A"] = odd
    file = tmp_path / "stock.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    prepared = prepare(file)
    assert (prepared.recipe.fields["A"].type, prepared.recipe.fields["A"].appears_in) == ("string", "T")
    assert len(prepared.seeds.rows) == 11
    (fault,) = prepared.skipped
    assert fault.startswith(f"{file}:7: A: expected string, got ")
    assert f"skipped {fault}" in plan_text(prepared, None, None).plain
    (finding,) = api.check(file).findings
    assert (finding.line, finding.field, finding.reason, finding.severity) == (7, "A", "schema", "warning")
    assert fault.partition(": ")[2] in api.init(file)


def test_a_wrong_number_of_a_few_rows_is_an_error() -> None:
    """All the other numbers occur in their texts."""
    rows = stock([3, 12, 45, 7, 999, 21], ["3", "12", "45", "7", "16", "21"])
    (finding,) = api.check(rows).findings
    assert (finding.line, finding.field, finding.reason, finding.severity) == (5, "A", "ungrounded", "error")


def test_identifiers_inside_lists_are_checked() -> None:
    """Words with digits in the items of a list must occur in the source."""
    rows: list[Row] = [
        {"facts": [f"Unit u{n} failed", "It was cold"], "A": f"u{n}", "T": f"At night unit u{n} failed, it was cold."}
        for n in (31, 47, 58, 92)
    ]
    assert recipe_of(rows).fields["facts"].identifiers_in == "T"
    assert recipe_of(rows).novelty.fields == ("facts", "T")
    rows.append({"facts": ["Unit u99 failed", "Nothing"], "A": "u77", "T": "By day unit u77 stopped, it was warm."})
    rows += [
        {"facts": [f"Unit u{n} failed"], "A": f"u{n}", "T": f"At noon unit u{n} failed for {n}7 s."}
        for n in range(11, 19)
    ]
    found = [(each.line, each.field, each.reason) for each in api.check(rows).findings if each.severity == "error"]
    assert found == [(5, "facts", "identifiers")]


LABELLED: list[Row] = [
    {"text": f"The {noun} is {word}.", "label": label}
    for noun, word, label in (
        ("soup", "lovely", "positive"),
        ("bread", "stale", "negative"),
        ("tea", "superb", "Positive"),
        ("cake", "burnt", "negative "),
        ("wine", "splendid", "positive"),
        ("beer", "flat", "negative"),
    )
]


def test_labels_that_differ_by_case_or_blanks_are_one_category() -> None:
    """The category has the name that most seeds have; the plan says so."""
    prepared = prepare(LABELLED)
    assert list(prepared.quotas) == ["positive", "negative"]
    assert [prepared.categories.of(row) for row in LABELLED] == ["positive", "negative"] * 3
    assert prepared.categories.of({"label": "POSITIVE"}) == ""
    plan = plan_text(prepared, None, None).plain
    assert 'warning label: "Positive" counts as "positive", which differs only by case or blanks' in plan


def test_a_label_in_another_form_of_the_same_text_has_its_category() -> None:
    """Decomposed (NFD), or in full-width letters; another letter case is another label, as in ASCII."""
    prepared = prepare([{"text": f"avis {n}", "label": ("négatif", "positif")[n % 2]} for n in range(6)])
    of = prepared.categories.of
    assert of({"label": unicodedata.normalize("NFD", "négatif")}) == "négatif"
    assert of({"label": "ｐｏｓｉｔｉｆ"}) == "positif"
    assert of({"label": "NÉGATIF"}) == of({"label": "neutré"}) == ""


def test_check_finds_other_spellings_of_a_label() -> None:
    """At the rows that have one of the rarer spellings; an error, since the label would be counted as two."""
    found = api.check(LABELLED)
    assert [(each.line, each.field, each.reason, each.severity) for each in found.findings] == [
        (3, "label", "label", "error"),
        (4, "label", "label", "error"),
    ]
    assert found.findings[0].message == 'label "Positive" differs from "positive" only by case or blanks'


def test_a_rule_must_hold_in_nine_of_ten_rows_and_in_three() -> None:
    """Or in all, of fewer rows."""
    assert holds(9, 10, 10) and not holds(8, 10, 10)
    assert holds(2, 2, 2) and not holds(2, 2, 10) and not holds(0, 0, 10)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a"] * 10 + [None], "string"),
        (["a", "b", "c", None], "any"),
        ([1, 2.5, 3], "number"),
        ([True, 1, 0], "any"),
        ([1] * 19 + ["1"], "integer"),
        ([[], ["a"]], "array"),
    ],
)
def test_the_type_of_nearly_all_values_is_that_of_the_field(values: list[Any], kind: str) -> None:
    """A tenth may be of another type; integers are numbers, booleans are not."""
    assert field_type(values) == kind


def test_a_length_that_one_half_of_the_seeds_exceeds_is_no_limit() -> None:
    """Taken from the even rows, the limit would refuse an odd one."""
    rows: list[Row] = [{"text": f"Note {n} on the {'very ' * (n * n % 7)}old mill."} for n in range(24)]
    assert recipe_of(rows).fields["text"].max_chars is not None
    rows[5]["text"] = "A long story. " * 100
    assert recipe_of(rows).fields["text"].max_chars is None


def test_labels_that_one_half_of_the_seeds_lacks_are_no_categories() -> None:
    """Most values are new in the other half, so new rows would be refused for theirs."""
    rows: list[Row] = [
        {"text": f"Report {n} from town {n * 31 % 97}.", "town": f"T{n // 4 * 2 + n % 2}"} for n in range(24)
    ]
    assert recipe_of(rows).categories.field != "town"
    rows = [{**row, "town": f"T{n // 2 % 3}"} for n, row in enumerate(rows)]
    assert recipe_of(rows).categories.field == "town"


def test_halves_are_taken_from_twenty_rows_on() -> None:
    """Fewer rows fit."""
    rows: list[Row] = [{"n": n} for n in range(20)]
    assert fits_halves(rows[:19], lambda one, other: len(other))
    assert not fits_halves(rows, lambda one, other: 1)
    assert fits_halves(rows, lambda one, other: 1, share=0.1)


def test_a_preset_whose_rules_the_seeds_break_is_not_used(tmp_path: Path) -> None:
    """The plan says so; the seeds that break them may be left out instead."""
    words = ("Name a colour.", "Sort these words.", "Describe an image of a fox.", "Write a haiku about rain.")
    rows = [{"instruction": word, "input": "", "output": f"Here: {word.lower()}"} for word in words]
    rows.append({"instruction": "", "input": "", "output": "An instruction is missing here."})
    file = tmp_path / "tasks.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    prepared = prepare(file)
    assert not prepared.preset
    assert not prepared.recipe.needs_model
    (warning,) = prepared.warnings
    assert warning.startswith("the built-in recipe alpaca is not used, as the seeds break its rules: line ")
    assert prepare(file, skip_bad_seeds=True).preset.startswith("alpaca: ")


def test_the_plan_and_the_card_name_what_is_not_checked(tmp_path: Path) -> None:
    """For each field without a rule about its content."""
    rows: list[Row] = [
        {
            "Q": f"Who owns stall {n}?",
            "A": name,
            "T": f"Stall {n} belongs to {name}.",
            "note": note,
            "floor": n % 4,
            "tags": [],
        }
        for n, name, note in (
            (31, "Ann", "checked twice"),
            (58, "Bob", "seen from afar"),
            (94, "Eve", "told by phone"),
            (17, "Max", "as agreed before"),
        )
    ]
    prepared = prepare(rows)
    plan = plan_text(prepared, None, None).plain
    lines = {line.split()[0]: line for line in plan.splitlines()[1:] if line.strip()}
    assert lines["note"].endswith("at most 200 characters; free text, only its length is checked")
    assert lines["tags"].endswith("array; only its type is checked")
    assert lines["floor"].endswith("integer; only its type is checked")
    assert "only" not in lines["Q"] + lines["A"] + lines["T"]
    plain = [{name: row[name] for name in ("Q", "A", "T", "tags")} for row in rows]
    run = api.run(plain, out=tmp_path / "run", rows=5)
    assert "| `tags` | array | only its type is checked |" in (run.directory / "README.md").read_text()


def test_a_label_in_front_of_a_grounded_field_is_imitated(tmp_path: Path) -> None:
    """The order of the fields does not matter."""
    rows: list[Row] = [
        {"text": f"I {verb} the {noun} of model {n}.", "mood": mood, "part": noun}
        for n, verb, noun, mood in (
            (3, "like", "hinge", "good"),
            (8, "hate", "strap", "bad"),
            (5, "like", "lid", "good"),
        )
    ]
    rows.append({"text": "I hate the cable of model 4.", "mood": "bad", "part": "cable"})
    run = api.run(rows, out=tmp_path / "run", rows=4)
    assert run.summary.accepted == 4
    assert all(row["part"] in row["text"] for row in run.rows())
