"""The values of batches: balanced by accepted rows, and passages used evenly."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.sampler import Sampler, attribute_categories
from selfinstruct.recipe import Recipe, parse_recipe

RECIPE = """
[attributes.verb]
values = ["dig", "run", "sit"]
balanced = true
[attributes.features]
values = ["twist", "moral", "dialogue", "conflict"]
draw = [0, 3]
balanced = true
[attributes.mood]
values = ["glad", "sad"]
[[steps]]
name = "story"
writes = ["story"]
prompt = "{verb} {features} {mood}"
[fields.story]
[quota]
rows = 100
[novelty]
max_rouge_l = 0.7
"""
CROSS = RECIPE + '[categories]\nby = "attribute"\nattributes = ["verb", "mood"]\n'


def sampler_of(text: str, passages: int = 0) -> tuple[Recipe, Sampler]:
    """Return a recipe and its sampler, with the given number of passages."""
    recipe = parse_recipe(text, "r.toml", ".")
    lists: dict[str, Any] = {name: list(each.values) for name, each in recipe.attributes.items()}
    inputs = PromptInputs(lists, [{"passage": f"p{n}"} for n in range(passages)])
    return recipe, Sampler(recipe, inputs)


@given(st.integers(0, 10**6), st.floats(0.7, 1))
def test_balanced_values_have_the_same_number_of_accepted_rows(seed: int, luck: float) -> None:
    """Accepted rows per value stay within one batch of each other, for any rate of rejection."""
    _, sampler = sampler_of(RECIPE)
    rng, accepted = Random(seed), Counter[str]()
    for _ in range(240):
        batch_values = sampler.draw("all", rng)
        sampler.start_batch("all", batch_values, 1)
        good = rng.random() < (luck if batch_values["verb"] == "dig" else 1)
        sampler.finish_batch("", batch_values, 1, int(good))
        accepted[batch_values["verb"]] += good
    assert max(accepted.values()) - min(accepted.values()) <= 1


def test_a_range_draws_a_random_number_of_different_values() -> None:
    """``draw = [0, 3]`` draws none to three values, all different, each value equally often."""
    _, sampler = sampler_of(RECIPE)
    rng, sizes, values = Random(1), Counter[int](), Counter[str]()
    for _ in range(400):
        batch_values = sampler.draw("all", rng)
        sampler.start_batch("all", batch_values, 1)
        sampler.finish_batch("", batch_values, 1, 1)
        assert isinstance(batch_values["features"], list)
        assert len(set(batch_values["features"])) == len(batch_values["features"])
        sizes[len(batch_values["features"])] += 1
        values.update(batch_values["features"])
    assert set(sizes) == {0, 1, 2, 3}
    assert max(values.values()) - min(values.values()) <= 3


def test_a_stagnating_value_does_not_hold_up_the_others() -> None:
    """After ten batches without an accepted row a value is drawn less and less often."""
    _, sampler = sampler_of(RECIPE)
    rng, drawn = Random(1), Counter[str]()
    for _ in range(200):
        batch_values = sampler.draw("all", rng)
        sampler.start_batch("all", batch_values, 1)
        sampler.finish_batch("", batch_values, 1, int(batch_values["verb"] != "dig"))
        drawn[batch_values["verb"]] += 1
    assert drawn["dig"] <= 20
    assert abs(drawn["run"] - drawn["sit"]) <= 2


def test_categories_are_all_combinations_of_values() -> None:
    """They are in the order of the lists, and a batch of a category gets its values."""
    recipe, sampler = sampler_of(CROSS)
    lists: dict[str, Any] = {name: list(each.values) for name, each in recipe.attributes.items()}
    names = list(attribute_categories(recipe, PromptInputs(lists)))
    assert names == ["dig / glad", "dig / sad", "run / glad", "run / sad", "sit / glad", "sit / sad"]
    batch_values = sampler.draw("run / sad", Random(1))
    assert (batch_values["verb"], batch_values["mood"]) == ("run", "sad")


@given(st.integers(1, 30), st.integers(1, 4), st.integers(0, 10**6))
def test_passages_are_used_evenly_in_each_category(count: int, categories: int, seed: int) -> None:
    """No passage is used again, in its category or in the run, while another has been used less."""
    _, sampler = sampler_of(RECIPE, count)
    rng = Random(seed)
    uses = {name: Counter[int]() for name in range(categories)}
    for number in range(count * categories * 2):
        name = number % categories
        batch_values = sampler.draw(str(name), rng)
        sampler.start_batch(str(name), batch_values, 5)
        uses[name][batch_values["passage"]] += 1
    for used in uses.values():
        assert len(used) == count
        assert set(used.values()) == {2}
    assert sampler.all_passages_used


def test_a_cancelled_batch_counts_as_not_drawn() -> None:
    """Cancelling a batch undoes its counts; its passage is drawn again."""
    _, sampler = sampler_of(RECIPE, 3)
    batch_values = sampler.draw("all", Random(1))
    sampler.start_batch("all", batch_values, 5)
    sampler.cancel_batch("all", batch_values, 5)
    seen = set()
    for _ in range(3):
        again = sampler.draw("all", Random(1))
        sampler.start_batch("all", again, 5)
        seen.add(again["passage"])
    assert seen == {1, 2, 3}
