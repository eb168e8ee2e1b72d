"""What batches are given: balanced over what was accepted, passages evenly, and the same again after a resume."""

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


def drawing(text: str, passages: int = 0) -> tuple[Recipe, Sampler]:
    """The drawing of a recipe over so many passages."""
    recipe = parse_recipe(text, "r.toml", ".")
    lists: dict[str, Any] = {name: list(each.values) for name, each in recipe.attributes.items()}
    materials = PromptInputs(lists, [{"passage": f"p{n}"} for n in range(passages)])
    return recipe, Sampler(recipe, materials)


@given(st.integers(0, 10**6), st.floats(0.7, 1))
def test_balanced_values_have_the_same_number_of_accepted_rows(seed: int, luck: float) -> None:
    """Whatever share of its rows a value loses, the accepted ones stay within one batch of each other."""
    _, draws = drawing(RECIPE)
    rng, accepted = Random(seed), Counter[str]()
    for _ in range(240):
        given_ = draws.draw("all", rng)
        draws.start_batch("all", given_, 1)
        good = rng.random() < (luck if given_["verb"] == "dig" else 1)
        draws.finish_batch(given_, 1, int(good))
        accepted[given_["verb"]] += good
    assert max(accepted.values()) - min(accepted.values()) <= 1


def test_several_are_drawn_between_the_least_and_the_most() -> None:
    """``draw = [0, 3]`` gives none to three, all different, each number sometimes, each value equally often."""
    _, draws = drawing(RECIPE)
    rng, sizes, values = Random(1), Counter[int](), Counter[str]()
    for _ in range(400):
        given_ = draws.draw("all", rng)
        draws.start_batch("all", given_, 1)
        draws.finish_batch(given_, 1, 1)
        assert isinstance(given_["features"], list)
        assert len(set(given_["features"])) == len(given_["features"])
        sizes[len(given_["features"])] += 1
        values.update(given_["features"])
    assert set(sizes) == {0, 1, 2, 3}
    assert max(values.values()) - min(values.values()) <= 3


def test_a_value_of_which_nothing_comes_does_not_hold_up_the_others() -> None:
    """After ten batches in vain it is drawn last, so that a run is not spent on a word that no story can hold."""
    _, draws = drawing(RECIPE)
    rng, drawn = Random(1), Counter[str]()
    for _ in range(200):
        given_ = draws.draw("all", rng)
        draws.start_batch("all", given_, 1)
        draws.finish_batch(given_, 1, int(given_["verb"] != "dig"))
        drawn[given_["verb"]] += 1
    assert drawn["dig"] <= 20
    assert abs(drawn["run"] - drawn["sit"]) <= 2


def test_categories_are_each_value_with_each() -> None:
    """The cross product, in the order of the lists; a batch of a category is given its values."""
    recipe, draws = drawing(CROSS)
    lists: dict[str, Any] = {name: list(each.values) for name, each in recipe.attributes.items()}
    names = list(attribute_categories(recipe, PromptInputs(lists)))
    assert names == ["dig / glad", "dig / sad", "run / glad", "run / sad", "sit / glad", "sit / sad"]
    given_ = draws.draw("run / sad", Random(1))
    assert (given_["verb"], given_["mood"]) == ("run", "sad")


@given(st.integers(1, 30), st.integers(1, 4), st.integers(0, 10**6))
def test_passages_are_used_evenly_in_each_category(count: int, categories: int, seed: int) -> None:
    """No passage is used again, in its category or at all, while another was used less."""
    _, draws = drawing(RECIPE, count)
    rng = Random(seed)
    uses = {name: Counter[int]() for name in range(categories)}
    for number in range(count * categories * 2):
        name = number % categories
        given_ = draws.draw(str(name), rng)
        draws.start_batch(str(name), given_, 5)
        uses[name][given_["passage"]] += 1
    for used in uses.values():
        assert len(used) == count
        assert set(used.values()) == {2}
    assert draws.all_passages_used


def test_what_was_never_answered_is_as_if_it_had_not_been_drawn() -> None:
    """A withdrawn batch takes back its counts; the passage is next again."""
    _, draws = drawing(RECIPE, 3)
    given_ = draws.draw("all", Random(1))
    draws.start_batch("all", given_, 5)
    draws.cancel_batch("all", given_, 5)
    seen = set()
    for _ in range(3):
        again = draws.draw("all", Random(1))
        draws.start_batch("all", again, 5)
        seen.add(again["passage"])
    assert seen == {1, 2, 3}
