"""Keys that several rows lack are optional; one that few rows lack, or that is written in two ways, is a mistake."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import RowError
from selfinstruct.preparation.infer import infer
from selfinstruct.records import Row
from selfinstruct.rows import rows_from_objects
from selfinstruct.rows.optional_keys import odd_rows, optional_keys

NAMES = ("Maria Stone", "Tom Becker", "Anna Weber", "Peter Novak", "Laura Weiss", "Elena Rossi")
EN = ("Order {} of {} ships on 2023-0{}-03.", "{} pays by card.")
ZH = ("订单{}（{}）于2023年{}月3日发货。", "{}要求开发票。")


def orders(text: str, note: str) -> list[Row]:
    """Return six orders, half of them with a note, a third with a flag."""
    rows: list[Row] = []
    for at, name in enumerate(NAMES):
        number = f"A-{20413 + at * 7919 % 60000}"
        row: Row = {"order": number, "text": text.format(number, name, at + 1)}
        if at % 2 == 0:
            row["note"] = note.format(name)
        if at % 3 == 0:
            row["gift"] = at == 0
        rows.append(row)
    return rows


def written(rows: list[Row], path: Path) -> Path:
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("texts", [EN, ZH], ids=["en", "zh"])
def test_grown_rows_have_the_keys_of_their_seeds(texts: tuple[str, str], tmp_path: Path) -> None:
    """A row with a note names the same person in both; a row without one has no such key; `check` agrees."""
    rows = orders(*texts)
    grown = list(api.run(written(rows, tmp_path / "orders.jsonl"), rows=40, out=tmp_path / "run").rows())
    assert {tuple(row) for row in grown} <= {tuple(row) for row in rows}
    assert len({tuple(row) for row in grown}) > 2
    noted = [row for row in grown if "note" in row]
    assert all(str(row["note"]).removesuffix(texts[1].format("")) in str(row["text"]) for row in noted)
    assert not api.check(tmp_path / "run" / "rows.jsonl").findings


def test_inference_and_init_state_optional_keys(tmp_path: Path) -> None:
    """The recipe that `init` writes runs on the same seeds and yields the same optional fields."""
    file = written(orders(*EN), tmp_path / "orders.jsonl")
    recipe = infer(rows_from_objects(orders(*EN), "rows")).recipe
    assert [name for name, field in recipe.fields.items() if field.optional] == ["note", "gift"]
    api.init(file, tmp_path / "orders.toml")
    assert (tmp_path / "orders.toml").read_text().count("optional = true") == 2
    grown = api.run(tmp_path / "orders.toml", rows=10, out=tmp_path / "run")
    table = tmp_path / "rows.csv"
    api.export(tmp_path / "run", format="csv", out=table)
    with io.StringIO(table.read_text(encoding="utf-8")) as text:
        assert [row["note"] for row in csv.DictReader(text)] == [str(row.get("note", "")) for row in grown.rows()]


def test_constraints_of_an_absent_field_do_not_apply(tmp_path: Path) -> None:
    """They apply where the row has the field."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'name = "r"\n[seeds]\nfile = "orders.jsonl"\n[fields.order]\n[fields.text]\n[fields.note]\noptional = true\n'
        'min_words = 3\n[fields.gift]\ntype = "boolean"\noptional = true\n[categories]\nby = "none"\n'
        "[quota]\nrows = 5\n"
    )
    rows = orders(*EN)
    written(rows, tmp_path / "orders.jsonl")
    others: list[Row] = [
        {**rows[1], "order": "A-1", "text": "Another one."},
        {**rows[0], "text": "Third", "note": "No"},
    ]
    found = api.check(others, recipe=str(recipe)).findings
    assert [(finding.line, finding.field, finding.reason) for finding in found] == [(2, "note", "length")]


def test_a_key_that_few_rows_lack_is_a_mistake(tmp_path: Path) -> None:
    """One of twenty rows without a key is refused with its line; so is one of six."""
    for count in (6, 20):
        rows: list[Row] = [{"text": f"Parcel {n * 37} left dock {n}.", "k": n * n} for n in range(count)]
        del rows[3]["k"]
        with pytest.raises(RowError, match=r"rows.jsonl:4: fields differ from line 1: no 'k'"):
            api.plan(written(rows, tmp_path / "rows.jsonl"))
        assert [finding.line for finding in api.check(tmp_path / "rows.jsonl").findings] == [4]


def test_two_spellings_of_one_key_are_no_optional_keys() -> None:
    """Every row has exactly one of text and texts."""
    rows: list[Row] = [{"q": n, "texts" if n % 4 == 0 else "text": "a"} for n in range(12)]
    assert optional_keys(rows) == frozenset()
    assert [at for at, *_ in odd_rows(rows, ())] == [0, 4, 8]


def test_rows_that_share_no_key_have_no_optional_keys() -> None:
    """Then they are rows of different kinds."""
    assert optional_keys([{"a": 1}, {"a": 2}, {"b": 1}, {"b": 2}]) == frozenset()
