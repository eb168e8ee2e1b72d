"""Rows are compared as the recipe says: their fields together or each by itself, and each category by its own bound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.errors import RecipeError
from selfinstruct.recipe import Novelty, Recipe, load_recipe, to_toml
from selfinstruct.records import Reply, Request, Row
from selfinstruct.similarity.rouge import rouge_l
from selfinstruct.similarity.row_index import RowIndex, compared_text

FIELDS = ("title", "text")
_WORDS = st.lists(st.sampled_from("abcd"), max_size=5).map(" ".join)
_ROWS = st.fixed_dictionaries({"title": _WORDS}, optional={"text": _WORDS})


def likeness(one: Row, other: Row, per_field: bool) -> float:
    """By the definition, field by field."""
    if not per_field:
        return rouge_l(compared_text(one, FIELDS), compared_text(other, FIELDS)).f1
    return max(rouge_l(one[name], other[name]).f1 if name in one and name in other else 0.0 for name in FIELDS)


@settings(max_examples=150, deadline=None)
@given(st.lists(_ROWS, max_size=12), _ROWS, st.booleans(), st.sampled_from([0.1, 0.5, 0.7, 0.9]), st.integers(0, 12))
def test_rows_are_as_near_as_the_definition_says(
    rows: list[Row], asked: Row, per_field: bool, threshold: float, bulk: int
) -> None:
    """The nearest and the k nearest rows are those of comparing with each, put in at once or one by one."""
    index = RowIndex(Novelty(fields=FIELDS, per_field=per_field), min_threshold=threshold)
    index.add_all(rows[:bulk])
    for row in rows[bulk:]:
        index.add(row)
    assert len(index) == len(rows)
    scores = [likeness(asked, row, per_field) for row in rows]
    ranked = sorted(enumerate(scores), key=lambda pair: (-pair[1], pair[0]))
    assert index.nearest(asked, threshold) == next((pair for pair in ranked if pair[1] > threshold), None)
    found = index.k_nearest(asked, 3)
    assert [score for _, score in found] == [score for _, score in ranked[:3]]
    assert [pair for pair in found if pair[1] > 0] == [pair for pair in ranked[:3] if pair[1] > 0]


RECIPE = """
[seeds]
file = "seeds.jsonl"
[fields.title]
[fields.text]
[fields.kind]
[categories]
by = "field"
field = "kind"
[quota]
per_category = 3
[novelty]
fields = ["title", "text"]
max_rouge_l = 0.7
"""
SEEDS = [
    {"title": "seed one alpha", "text": "the first of them all", "kind": "loose"},
    {"title": "other two beta", "text": "nothing here is shared", "kind": "strict"},
]
# Titles that agree in three words of four, and texts that have nothing in common.
REPLIES = [
    {
        "title": f"same old title {number}",
        "text": " ".join(f"{word}{number}{kind}" for word in "abcdef"),
        "kind": kind,
    }
    for kind in ("loose", "strict")
    for number in range(3)
]


class Author:
    """A model that always writes the same rows, in the category asked for."""

    name = "author"
    reads_messages = True

    async def complete(self, request: Request) -> Reply:
        """The rows of the category."""
        rows = [row for row in REPLIES if row["kind"] == request.batch.category]
        return Reply(json.dumps({"rows": rows}), "author")

    async def close(self) -> None:
        """Nothing to let go of."""


def grown(tmp_path: Path, recipe: str) -> tuple[dict[str, int], api.Run]:
    """How many rows of each category were accepted."""
    (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in SEEDS), encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(recipe, encoding="utf-8")
    run = api.run(tmp_path / "recipe.toml", out=tmp_path / "out", backend=Author())
    return {name: each.accepted for name, each in run.summary.categories.items()}, run


def test_fields_are_compared_together_unless_the_recipe_says_otherwise(tmp_path: Path) -> None:
    """Titles alike and texts not: near by themselves, far together; what is refused is judged so again."""
    assert grown(tmp_path, RECIPE)[0] == {"loose": 3, "strict": 3}
    (tmp_path / "each").mkdir()
    counts, run = grown(tmp_path / "each", f"{RECIPE}per_field = true\n")
    assert sum(counts.values()) == 1
    assert run.summary.rejected["near-duplicate"] > 0 and run.summary.conserved
    assert api.rejudge(run.directory).identical


def test_a_category_may_have_a_bound_of_its_own(tmp_path: Path) -> None:
    """Its rows may be as alike as it says; those of the others as alike as all."""
    counts, run = grown(tmp_path, f"{RECIPE}per_field = true\ncategories = {{ loose = 0.8 }}\n")
    assert counts["loose"] == 3 and counts["strict"] == 0
    bounds = {name: each.max_rouge_l for name, each in run.summary.categories.items()}
    assert bounds == {"loose": 0.8, "strict": 0.7}
    assert f"{bounds['loose']:.4f}" in (run.directory / "report.html").read_text(encoding="utf-8")


def test_a_bound_is_measured_where_no_other_is_given(tmp_path: Path) -> None:
    """Of categories whose bounds are read off their seeds, one may have another."""
    recipe = RECIPE.replace("max_rouge_l = 0.7", 'max_rouge_l = "seeds"\ncategories = { strict = 0.3 }')
    _, run = grown(tmp_path, recipe)
    bounds = {name: each.max_rouge_l for name, each in run.summary.categories.items()}
    assert bounds["strict"] == 0.3 and bounds["loose"] >= 0.7


def test_a_recipe_with_them_is_written_and_read_again(tmp_path: Path) -> None:
    """Both keys survive, and neither is written where it says nothing."""
    path = tmp_path / "recipe.toml"
    plain = load_written(path, RECIPE)
    assert "per_field" not in to_toml(plain, {}) and "novelty.categories" not in to_toml(plain, {})
    full = load_written(path, f"{RECIPE}per_field = true\ncategories = {{ 'a b' = 0.8 }}\n")
    path.write_text(to_toml(full, {}, tmp_path), encoding="utf-8")
    assert load_recipe(path) == full
    assert full.novelty.categories == {"a b": 0.8}


def load_written(path: Path, text: str) -> Recipe:
    """The recipe that a text is."""
    path.write_text(text, encoding="utf-8")
    return load_recipe(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "max_rouge_l = 0.7",
            'max_rouge_l = "seeds"\nper_field = true',
            "per_field: requires a number for max_rouge_l",
        ),
        ("max_rouge_l = 0.7", "max_rouge_l = 0.7\ncategories = { lose = 0.8 }", "did you mean 'loose'"),
        ("max_rouge_l = 0.7", "max_rouge_l = 0.7\ncategories = { loose = 1.8 }", "above 0 and at most 1"),
        ('by = "field"\nfield = "kind"', 'by = "none"\n[novelty.categories]\nx = 0.5', "requires categories"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Before anything is written, in words that name the key."""
    with pytest.raises(RecipeError) as told:
        grown(tmp_path, RECIPE.replace(old, new))
    assert said in str(told.value)
    assert not (tmp_path / "out").exists()
