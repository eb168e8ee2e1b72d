"""Preparation: from a seed file, a recipe or rows in memory to sound seeds, categories, thresholds and quotas."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.errors import InputError, RowError
from selfinstruct.journal import History
from selfinstruct.preparation.prepare import Prepared, prepare, prepared_from_journal
from selfinstruct.preparation.source import Source
from selfinstruct.recipe import Attribute, Quota, load_recipe
from selfinstruct.records import Row

SEEDS = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
ROWS: list[Row] = [json.loads(line) for line in SEEDS.read_text(encoding="utf-8").splitlines()]
KINDS = (
    "What stage was the task <*> completed in?",
    "How many kb is <*> free?",
    "Is partition <*> found?",
    "What is the ID for stage <*>?",
)
RECIPE = """name = "asked"
[seeds]
file = "rows.jsonl"
[fields.Question]
[fields.Answer]
appears_in = "RawLog"
[fields.RawLog]
[quota]
rows = 30
"""


def lines(rows: list[Row]) -> bytes:
    """Rows as JSON Lines."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def known(prepared: Prepared) -> tuple[Any, ...]:
    """What two preparations of the same seeds must agree in."""
    seeds = prepared.seeds
    return seeds.rows, list(seeds.fields), dict(prepared.thresholds), dict(prepared.quotas), prepared.skipped


# --- sources ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        lines(ROWS),
        lines(ROWS).replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + lines(ROWS),
        json.dumps(ROWS).encode(),
        json.dumps(ROWS, indent=2).encode(),
    ],
    ids=["lines", "CRLF", "BOM", "array", "indented array"],
)
def test_a_file_is_told_by_its_content(written: bytes, tmp_path: Path) -> None:
    """The same rows in any form and under a name that says nothing are prepared alike: four kinds, balanced."""
    (tmp_path / "logqa.train").write_bytes(written)
    prepared = prepare(tmp_path / "logqa.train")
    assert known(prepared) == known(prepare(SEEDS))
    assert prepared.quotas == dict.fromkeys(KINDS, 250)
    assert prepared.recipe.fields["Answer"].appears_in == "RawLog"
    assert "quota.rows" in prepared.reasons


def test_recipes_and_rows_are_distinguished_by_content(tmp_path: Path) -> None:
    """TOML is a recipe even where it is called .jsonl; its seed file is the one beside it, and nothing is inferred."""
    (tmp_path / "rows.jsonl").write_bytes(lines(ROWS))
    (tmp_path / "recipe.jsonl").write_text(RECIPE)
    prepared = prepare(tmp_path / "recipe.jsonl")
    assert prepared.recipe.name == "asked"
    assert prepared.quotas == {"all": 30}
    assert prepared.seeds.rows == ROWS
    assert not prepared.reasons


def test_standard_input_is_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash reads rows or a recipe from stdin; rows from there are named so."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(ROWS))))
    prepared = prepare("-")
    assert known(prepared) == known(prepare(SEEDS))
    assert prepared.recipe.name == "stdin"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(RECIPE.replace("rows.jsonl", str(SEEDS)).encode())))
    assert prepare("-").recipe.name == "asked"


def frame(rows: list[Row]) -> object:
    """The rows as a DataFrame."""
    import pandas

    return pandas.DataFrame(rows)


@pytest.mark.parametrize("form", [list, tuple, iter, frame])
def test_rows_in_memory_are_a_source(form: Callable[[list[Row]], Source]) -> None:
    """Lists, tuples, iterators of dicts and DataFrames are prepared as the file is."""
    assert known(prepare(form(ROWS))) == known(prepare(SEEDS))


def test_the_values_of_a_frame_stay_what_they_are() -> None:
    """Leading zeros, numbers, None and lists come through a DataFrame; NaN becomes null, the index is dropped."""
    import pandas

    rows = [
        {"id": "0042", "n": 1, "tags": ["a"], "of": None, "text": "first of all"},
        {"id": "0007", "n": 22, "tags": [], "of": "x", "text": "and then the second"},
    ]
    taken = prepare(pandas.DataFrame(rows, dtype=object)).seeds.rows
    assert json.dumps(taken) == json.dumps(rows)
    scored = prepare(pandas.DataFrame({"text": ["one a", "two b"], "score": [1.5, None]}, index=[7, 9]))
    assert scored.seeds.rows == [{"text": "one a", "score": 1.5}, {"text": "two b", "score": None}]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ([], "rows: no rows found"),
        ([{"a": "x"}, "y"], "rows:2: expected a dict, got str"),
        ([{"a": "x"}, {"b": "y"}], "rows:2: .*differ"),
        ("gone.jsonl", "gone.jsonl: no such file\n.*working directory"),
        (Path(__file__).parents[2] / "docs" / "how-to", "no row files in this folder"),
        (SEEDS / "below", "Not a directory"),
        ("a\0b", "invalid file name"),
    ],
)
def test_a_source_that_cannot_be_read_is_told(source: Source, said: str) -> None:
    """What, where and a remedy, for each kind of source that holds no rows."""
    with pytest.raises(RowError, match=said) as told:
        prepare(source)
    assert told.value.hint


def test_a_recipe_whose_seed_file_is_missing_is_told_with_the_recipe(tmp_path: Path) -> None:
    """The path in a recipe is relative to its directory, and the hint names the recipe."""
    (tmp_path / "recipe.toml").write_text(RECIPE)
    with pytest.raises(RowError, match=r"rows\.jsonl: no such file") as told:
        prepare(tmp_path / "recipe.toml")
    assert "recipe.toml" in told.value.hint and "the recipe's directory" in told.value.hint


# --- sound seeds --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "where"),
    [
        (lines([*ROWS, ROWS[3]]), ":11: the same row as line 4"),
        (lines([*ROWS, dict(reversed(ROWS[3].items()))]), ":11: the same row as line 4"),
        (json.dumps([*ROWS, ROWS[3]]).encode(), ":1: the same row as line 1"),
    ],
    ids=["word for word", "fields in another order", "array on one line"],
)
def test_a_seed_that_stands_twice_is_found_in_every_form(written: bytes, where: str, tmp_path: Path) -> None:
    """Refused by default, and without it the run starts as if it stood there once."""
    (tmp_path / "seeds").write_bytes(written)
    with pytest.raises(RowError, match=where):
        prepare(tmp_path / "seeds")
    prepared = prepare(tmp_path / "seeds", skip_bad_seeds=True)
    assert prepared.seeds.rows == ROWS
    assert [fault.endswith(where) for fault in prepared.skipped] == [True]


def test_every_bad_seed_of_a_recipe_is_named_at_once(tmp_path: Path) -> None:
    """Duplicates and seeds that break the recipe's rules: each with file, line and fault; the good ones can go on."""
    rows = [{**ROWS[0], "Answer": "nope"}, *ROWS, {**ROWS[1], "Answer": ""}, ROWS[2]]
    (tmp_path / "rows.jsonl").write_bytes(lines(rows))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    with pytest.raises(RowError) as told:
        prepare(tmp_path / "recipe.toml")
    name = tmp_path / "rows.jsonl"
    first, second, third = told.value.message.splitlines()
    assert first == f'{name}:1: Answer "nope" does not occur in RawLog'
    assert second.startswith(f"{name}:12: Answer ")
    assert third == f"{name}:13: the same row as line 4"
    assert "skip_bad_seeds" in told.value.hint
    prepared = prepare(tmp_path / "recipe.toml", skip_bad_seeds=True)
    assert prepared.seeds.rows == ROWS
    assert list(prepared.seeds.lines) == list(range(2, 12))
    assert list(prepared.skipped) == [first, second, third]


def test_seeds_that_fail_an_inferred_rule_are_named(tmp_path: Path) -> None:
    """A rule that nine of ten seeds satisfy is inferred, and the tenth seed is reported."""
    (tmp_path / "seeds").write_bytes(lines([*ROWS[:9], {**ROWS[9], "Answer": "elsewhere"}]))
    with pytest.raises(RowError, match=r'seeds:10: Answer "elsewhere" does not occur in RawLog'):
        prepare(tmp_path / "seeds")
    prepared = prepare(tmp_path / "seeds", skip_bad_seeds=True)
    assert prepared.seeds.rows == ROWS[:9]
    assert prepared.recipe.fields["Answer"].appears_in == "RawLog"


def test_nothing_is_left_of_seeds_that_are_all_bad(tmp_path: Path) -> None:
    """Then ``skip_bad_seeds`` cannot help, and the hint does not mention it."""
    (tmp_path / "rows.jsonl").write_bytes(lines([{**row, "Answer": "nope"} for row in ROWS]))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    for skip in (False, True):
        with pytest.raises(RowError, match=r"rows\.jsonl:1: ") as told:
            prepare(tmp_path / "recipe.toml", skip_bad_seeds=skip)
        assert len(told.value.message.splitlines()) == len(ROWS)
        assert "skip_bad_seeds" not in told.value.hint


@pytest.mark.parametrize("rows", [[ROWS[0]], [ROWS[0], ROWS[0]]], ids=["one", "one, twice"])
def test_one_seed_alone_shows_nothing_and_is_refused(rows: list[Row]) -> None:
    """Also where one is all that is left of several; the remedy is a recipe."""
    with pytest.raises(RowError, match="rows:1: need at least two seed rows") as told:
        prepare(rows, skip_bad_seeds=True)
    assert "init" in told.value.hint


def test_one_seed_is_enough_for_a_recipe(tmp_path: Path) -> None:
    """What one row cannot show, the recipe has said."""
    (tmp_path / "rows.jsonl").write_bytes(lines(ROWS[:1]))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    prepared = prepare(tmp_path / "recipe.toml")
    assert prepared.quotas == {"all": 30}
    assert 0.7 <= prepared.thresholds["all"] <= 0.95


# --- quotas -------------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(rows=st.integers(1, 10**7))
def test_rows_are_shared_out_exactly(rows: int) -> None:
    """The quotas add up to what was asked for, and no two of equal weight differ by more than one row."""
    quotas = prepare(ROWS, rows=rows).quotas
    assert sum(quotas.values()) == rows
    assert max(quotas.values()) - min(quotas.values()) <= 1
    assert tuple(quotas) == KINDS


def test_the_arguments_stand_in_for_the_quota_of_the_recipe(tmp_path: Path) -> None:
    """``rows`` keeps the recipe's weights; ``per_category`` has no use for them; both are written into the recipe."""
    categories = '[categories]\nby = "template"\nfield = "Question"\n[quota]'
    weighted = RECIPE.replace("[quota]", categories) + f'[quota.weights]\n"{KINDS[2]}" = 7\n'
    (tmp_path / "rows.jsonl").write_bytes(lines(ROWS))
    (tmp_path / "recipe.toml").write_text(weighted)
    assert tuple(prepare(tmp_path / "recipe.toml").quotas.values()) == (3, 3, 21, 3)
    more = prepare(tmp_path / "recipe.toml", rows=100)
    assert tuple(more.quotas.values()) == (10, 10, 70, 10)
    assert more.recipe.quota.rows == 100
    each = prepare(tmp_path / "recipe.toml", per_category=5)
    assert tuple(each.quotas.values()) == (5, 5, 5, 5)
    assert (each.recipe.quota.rows, each.recipe.quota.per_category, each.recipe.quota.weights) == (None, 5, {})


@pytest.mark.parametrize(
    ("quota", "said"),
    [
        ({"rows": 0}, "`rows`: .* got 0"),
        ({"rows": -3}, "`rows`: .* got -3"),
        ({"per_category": 0}, "`per_category`: .* got 0"),
        ({"rows": 1.5}, r"got 1\.5"),
        ({"rows": "10"}, "got '10'"),
        ({"rows": True}, "got True"),
        ({"rows": 4, "per_category": 1}, "exclude each other"),
    ],
)
def test_a_quota_that_is_no_number_of_rows_is_refused_before_anything_is_read(quota: Any, said: str) -> None:
    """Zero, negative, not whole, not a number, or two at once: an input error."""
    with pytest.raises(InputError, match=said):
        prepare("gone.jsonl", **quota)


# --- recorded runs ------------------------------------------------------------------------------------------------


def test_a_recorded_run_is_prepared_again_by_its_own_or_another_recipe(tmp_path: Path) -> None:
    """Its own has the inferred reasons; another one brings its own lists, for the same seeds."""
    api.run(SEEDS, rows=8, out=tmp_path / "run")
    own = load_recipe(tmp_path / "run" / "recipe.toml")
    attributes = {"tone": Attribute(values=("dry", "warm"))}
    other = own.model_copy(update={"attributes": attributes, "quota": Quota(rows=20)})
    with History.open(tmp_path / "run") as history:
        prepared, changed = prepared_from_journal(history), prepared_from_journal(history, other)
    assert prepared.seeds.rows == changed.seeds.rows == prepare(SEEDS).seeds.rows
    assert prepared.reasons == prepare(SEEDS).reasons
    assert (changed.reasons, changed.inputs.lists) == ({}, {"tone": ["dry", "warm"]})
    assert (sum(prepared.quotas.values()), sum(changed.quotas.values())) == (8, 20)
