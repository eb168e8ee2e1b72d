"""Relations of lists, texts and labels inferred from seed rows, and what chance or an odd row does to them."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.relation_tables import TABLES
from benchmarks.relation_texts import TEXTS
from selfinstruct.analysis.gate import find_problems
from selfinstruct.mining.relations import infer_relations
from selfinstruct.recipe import Relation

Row = dict[str, Any]
MAKERS: dict[str, Callable[[random.Random], Row]] = {**TABLES, **TEXTS}


def rows_of(name: str, count: int, seed: int = 3) -> list[Row]:
    """Rows of a generated file."""
    r = random.Random(seed)
    return [MAKERS[name](r) for _ in range(count)]


def relations(rows: list[Row]) -> list[Relation]:
    """The inferred relations."""
    return [inferred.relation for inferred in infer_relations(rows)]


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("meters", Relation(order=("times[*]",), step=20, unit="minutes")),
        ("meters", Relation(order=("readings[*]",))),
        ("meters", Relation(same_length=("times", "readings"))),
        ("players", Relation(max={"best": ("scores[*]",)}, precision=0)),
        ("players", Relation(min={"worst": ("scores[*]",)}, precision=0)),
        ("players", Relation(mean={"mean": ("scores[*]",)}, precision=2)),
        ("pedidos", Relation(sum_product={"total": ("lineas[*].cantidad", "lineas[*].precio")}, precision=2)),
        ("payloads", Relation(composed={"payload": '{{"order": {order}, "item": "{item}", "quantity": {quantity}}}'})),
        ("payloads", Relation(format={"payload": "json"})),
        ("contacts", Relation(composed={"message": "Please write to {email} or call {phone}."})),
        ("contacts", Relation(contained=("name", "email"), by="words")),
        ("sql", Relation(query=("sql", "schema"))),
        ("sql", Relation(numbers_in=("sql", "question"))),
        ("dialogues", Relation(numbers_in=("conversations[0].value", "conversations[1].value"))),
        ("translations", Relation(numbers_in=("en", "fr"))),
        ("towers", Relation(names_in=("question", "context"))),
        ("spans", Relation(span=("entities[*].start", "entities[*].end", "text"))),
        ("spans", Relation(labels={"entities[*].label": ("PERSON", "PLACE")})),
        ("flights", Relation(equal=("departs", "departs_utc"))),
        ("contracts_zh", Relation(contained=("日期", "句子"))),
        ("contracts_zh", Relation(format={"句子": "dated"})),
        ("shares", Relation(ratio={"percent": ("votes", "voters")}, factor=100, precision=1)),
    ],
)
def test_relations_are_inferred_from_thirty_rows(name: str, relation: Relation) -> None:
    """Each kind is found, and holds in other rows of the same file."""
    assert relation in relations(rows_of(name, 30))
    assert not [row for row in rows_of(name, 100, seed=4) if relation.violation(row)]


def test_the_option_of_the_key_occurs_in_the_text() -> None:
    """It is not inferred where a random key would name an option of the text as often."""
    r = random.Random(1)
    cities = ["Rome", "Oslo", "Lima", "Bonn", "Kyoto", "Riga"]
    rows, all_occur = [], []
    for at in range(12):
        options, key = r.sample(cities, 3), r.randrange(3)
        row = {"passage": f"Train {at} goes to {options[key]} at once.", "options": options, "answer": "ABC"[key]}
        rows.append(row)
        all_occur.append({**row, "passage": f"Train {at} goes to {options[0]}, {options[1]} and {options[2]}."})
    supported = Relation(supported=("passage", "answer", "options[*]"), by="letter")
    assert supported in relations(rows)
    assert supported not in relations(all_occur)


def test_bands_need_more_rows_than_an_accident() -> None:
    """A grade by score is found in 30 rows, with its limits; labels that are independent of a number never."""
    found = [each for each in relations(rows_of("grades", 60)) if each.kind == "bands"]
    assert [each.paths for each in found] == [("grade", "score")]
    assert not [row for row in rows_of("grades", 200, seed=9) if found[0].violation(row)]
    for seed in range(50):
        r = random.Random(seed)
        rows = [{"score": r.randint(0, 100), "team": r.choice("AB"), "crew": r.choice("xy")} for _ in range(10)]
        assert not [each for each in relations(rows) if each.kind == "bands"], seed


def test_ascending_lists_need_more_than_luck() -> None:
    """Lists of two are in order half the time: three of them show nothing."""
    assert relations([{"r": [1, 5]}, {"r": [2, 9]}, {"r": [3, 4]}]) == []
    r = random.Random(2)
    shuffled = [{"r": [r.randint(0, 99) for _ in range(4)]} for _ in range(40)]
    assert [each for each in relations(shuffled) if each.kind == "order"] == []


@pytest.mark.parametrize(
    ("name", "field", "wrong"),
    [
        ("meters", "readings", [9, 8, 7]),
        ("players", "best", 1000),
        ("contacts", "message", "Please write to nobody@example.org or call +49 30 5550142."),
        ("sql", "sql", "SELECT wings FROM birds WHERE legs > 3"),
        ("stays", "views", -7),
        ("contracts_zh", "句子", "合同于2021年2月29日签订，金额5200元。"),
        ("grades", "grade", "F"),
    ],
)
def test_check_finds_an_odd_row_among_true_ones(name: str, field: str, wrong: Any) -> None:
    """One wrong row of forty does not hide the rule that it breaks."""
    rows = rows_of(name, 40)
    damaged = copy.deepcopy(max(rows, key=lambda row: row.get("score", 0)))
    damaged[field] = wrong
    assert not [finding for finding in find_problems(rows).findings if finding.reason == "relation"]
    findings = find_problems([*rows, damaged]).findings
    assert [finding.line for finding in findings if finding.reason == "relation"] == [41] * len(
        [finding for finding in findings if finding.reason == "relation"]
    )
    assert any(finding.reason == "relation" for finding in findings)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_no_relation_of_one_half_is_broken_in_the_other(name: str) -> None:
    """What forty rows of a file show holds in forty others."""
    rows = rows_of(name, 80, seed=11)
    broken = [
        (each.describe(), message)
        for each in relations(rows[::2])
        for row in rows[1::2]
        if (message := each.violation(row))
    ]
    assert broken == []
