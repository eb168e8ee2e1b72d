"""The recipe ``reviews``: as many of each rating of each brand, 50 to 100 words, and the rating is the label."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import field_faults
from selfinstruct.recipe import builtin, load_recipe
from selfinstruct.similarity.duplicates import answer_fields
from selfinstruct.testing import Behaviour, FaultServer

INPUTS = builtin.path("reviews").parent / "inputs" / "reviews"
PROMPT = """\
Write a customer's review of a product:
- Brand: {brand}
- Model: {model}
- Features that it is about: {features}
- Rating: {rating} of 5 stars

The review has 50 to 100 words. It has good and bad sides of the product, in such measure as fits the rating, with
details of its own from everyday use. It does not say how many stars it gives.
Write the review alone, in one paragraph, without a heading."""
FAULTS = {"short": "length", "long": "length", "stars": "blocked", "heading": "blocked", "again": "near-duplicate"}


class Author:
    """Writes reviews of any length that is allowed, and some that are not to be had; ``bad`` counts these."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.bad: Counter[str] = Counter()
        self._last = ""

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """A review in words that are none."""
        prompt = messages[-1]["content"]
        if not prompt.startswith("Write a customer's review"):
            return "ok"
        self.prompts.append(prompt)
        fault = rng.choice([*FAULTS, *[""] * 20]) if self._last else ""
        self.bad[fault] += bool(fault)
        match fault:
            case "short" | "long":
                return said(rng, 49 if fault == "short" else 101)
            case "stars":
                rating = re.findall(r"Rating: (\d)", prompt)[0]
                stars = rng.choice([f"{rating} stars", f"{rating}/5", f"{rating} out of 5", "five-star", "Three stars"])
                return f"{said(rng, 60)}: {stars}."
            case "heading":
                return f"{said(rng, 3)}\n\n{said(rng, 60)}"
            case "again":
                return self._last
        self._last = said(rng, rng.choice([50, 75, 100]))
        return self._last


def said(rng: Random, count: int) -> str:
    """Return the given number of invented words."""
    return " ".join("".join(rng.choice(["zo", "vu", "xi", "qua", "ju"]) for _ in range(3)) for _ in range(count))


async def grow(source: str, out: Any) -> tuple[api.Run, list[Mapping[str, Any]], Author]:
    """Run the recipe against the scripted author, one call after the other."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async(source, out=out, rows=120, base_url=server.base_url, model="m", concurrency=1)
    return run, list(run.rows()), author


Grown = tuple[api.Run, list[Mapping[str, Any]], Author]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run of the recipe as it is."""
    return asyncio.run(grow("reviews", tmp_path_factory.mktemp("reviews") / "run"))


def test_ratings_are_balanced_with_brands(grown: Grown) -> None:
    """5 ratings and 24 products are 120 categories of one review; each rating of each of 8 brands has three."""
    run, rows, _ = grown
    summary = run.summary
    assert summary.stopped == "done" and summary.conserved
    assert len(summary.categories) == len(rows) == 120
    assert all(each.quota == each.accepted == 1 for each in summary.categories.values())
    counts = Counter((row["rating"], row["brand"]) for row in rows)
    assert len(counts) == 5 * 8 and set(counts.values()) == {3}
    models = map(json.loads, (INPUTS / "models.jsonl").read_text(encoding="utf-8").splitlines())
    assert {(row["brand"], row["model"]) for row in rows} == {(each["brand"], each["model"]) for each in models}
    features = Counter(feature for row in rows for feature in row["features"])
    assert len(features) == 20 and max(features.values()) - min(features.values()) <= 2
    assert api.rejudge(run.directory).identical


def test_reviews_have_50_to_100_words_and_do_not_give_their_rating_away(grown: Grown) -> None:
    """Each of the faults refuses a review for its own reason, and nothing else does."""
    run, rows, author = grown
    for row in rows:
        assert list(row) == ["brand", "model", "features", "rating", "review"]
        assert type(row["rating"]) is int and len(set(row["features"])) == 2
    assert Counter(len(row["review"].split()) for row in rows).keys() == {50, 75, 100}
    assert all(author.bad[fault] for fault in FAULTS)
    expected: Counter[str] = Counter()
    for fault, reason in FAULTS.items():
        expected[reason] += author.bad[fault]
    assert run.summary.rejected == expected


def test_the_rating_of_a_row_is_the_one_that_its_prompt_asked_for(grown: Grown) -> None:
    """Every row's prompt, word for word, with its rating in it: it is the label, and needs no labelling."""
    _, rows, author = grown
    for row in rows:
        assert PROMPT.format_map({**row, "features": ", ".join(row["features"])}) in author.prompts
    assert answer_fields(load_recipe(builtin.path("reviews"))) == ("rating",)


def test_the_rows_in_the_seeds_folder_are_such_rows() -> None:
    """What a person wrote in this shape has the recipe's fields in their order, and passes its checks."""
    recipe = load_recipe(builtin.path("reviews"))
    for row in map(json.loads, (INPUTS / "rows.jsonl").read_text(encoding="utf-8").splitlines()):
        assert tuple(row) == tuple(recipe.fields)
        assert field_faults(row, recipe, tuple(row)) is None


@pytest.mark.parametrize(
    "said",
    ["3 stars", "a 4-star kettle", "2/5", "One star", "three out of five", "4 of 5", "1 out of 5", "★★★", "⭐⭐"],
)
def test_a_review_that_says_its_number_of_stars_is_refused(said: str) -> None:
    """In digits, words or signs; a star, five minutes or a rating in other words gives nothing away."""
    recipe = load_recipe(builtin.path("reviews"))
    review = "It boils in five minutes, costs 5 more than the old one, and the lid costs it a star. " * 4
    assert field_faults({"review": review}, recipe, ["review"]) is None
    fault = field_faults({"review": f"{review}{said}."}, recipe, ["review"])
    assert fault is not None and fault.reason == "blocked"
