"""Drawing: which values of the attributes, and which passage, a batch is given.

    lists, passages, what earlier batches brought -> given of the next batch: {"verb": "dig", "passage": 3}

A closed loop like the planner's: a balanced attribute draws the value that has the fewest accepted rows, those in
flight counted in; a passage is drawn that was used least, in the batch's category first and then over all.

Does not handle: combinations of attributes that must be met exactly; those are categories (``by = "attribute"``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from selfinstruct.growth.planner import EXHAUSTED_AFTER
from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.recipe import Attribute, Recipe
from selfinstruct.records import JSON
from selfinstruct.text import value_text

#: The name of a batch's passage among what it is given, counted from 1.
PASSAGE = "passage"
_JOINT = " / "


@dataclass(slots=True)
class _Use:
    """What came of a value, in rows; ``barren`` counts the batches since one of its rows was accepted."""

    accepted: int = 0
    in_flight: int = 0
    barren: int = 0


class Sampler:
    """Draws what batches are given, and remembers what came of it."""

    def __init__(self, recipe: Recipe, materials: PromptInputs) -> None:
        self._recipe = recipe
        self._materials = materials
        self._fixed = attribute_categories(recipe, materials)
        self._uses: dict[tuple[str, str], _Use] = {}
        self._passages = [0] * len(materials.passages)
        self._in_category: dict[str, list[int]] = {}

    def draw(self, category: str, rng: Random) -> dict[str, JSON]:
        """What a batch of the category is given."""
        given = dict(self._fixed.get(category, {}))
        for name, attribute in self._recipe.attributes.items():
            if name not in given:
                given[name] = self._drawn(name, attribute, rng)
        if self._passages:
            given[PASSAGE] = self._passage(category, rng)
        return given

    @property
    def has_choices(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self._recipe.attributes or self._passages)

    @property
    def all_passages_used(self) -> bool:
        """Whether every passage was used; False where there are none."""
        return bool(self._passages) and min(self._passages) > 0

    def start_batch(self, category: str, given: Mapping[str, JSON], count: int) -> None:
        """Count a batch as in flight."""
        for use in self._of(given):
            use.in_flight += count
        if (number := given.get(PASSAGE)) and number <= len(self._passages):
            self._passages[number - 1] += 1
            self._of_category(category)[number - 1] += 1

    def finish_batch(self, given: Mapping[str, JSON], count: int, accepted: int) -> None:
        """Count a launched batch as judged."""
        for use in self._of(given):
            use.in_flight -= count
            use.accepted += accepted
            use.barren = 0 if accepted else use.barren + 1

    def cancel_batch(self, category: str, given: Mapping[str, JSON], count: int) -> None:
        """Count a launched batch as never answered."""
        for use in self._of(given):
            use.in_flight -= count
        if (number := given.get(PASSAGE)) and number <= len(self._passages):
            self._passages[number - 1] -= 1
            self._of_category(category)[number - 1] -= 1

    def _drawn(self, name: str, attribute: Attribute, rng: Random) -> JSON:
        values = self._materials.lists.get(name, ())
        least, most = attribute.draw[0], attribute.draw[-1]
        count = min(rng.randint(least, most), len(values))
        if not attribute.balanced:
            chosen = rng.sample(values, count)
        else:
            ranked = sorted(values, key=lambda value: (self._rank(name, value), rng.random()))
            chosen = ranked[:count]
            rng.shuffle(chosen)
        return chosen if len(attribute.draw) > 1 or least > 1 else chosen[0]

    def _rank(self, name: str, value: JSON) -> int:
        """How soon a balanced value is due: the fewest rows first.

        One of which nothing comes is tried less and less often: each further batch in vain doubles its wait.
        """
        use = self._uses.get((name, value_text(value)), _Use())
        patience = use.barren - EXHAUSTED_AFTER
        return use.accepted + use.in_flight + (2**patience if patience >= 0 else 0)

    def _passage(self, category: str, rng: Random) -> int:
        here = self._of_category(category)
        least = min(zip(here, self._passages, strict=True))
        fewest = [at for at, use in enumerate(zip(here, self._passages, strict=True)) if use == least]
        return rng.choice(fewest) + 1

    def _of_category(self, category: str) -> list[int]:
        return self._in_category.setdefault(category, [0] * len(self._passages))

    def _of(self, given: Mapping[str, JSON]) -> Iterable[_Use]:
        for name, attribute in self._recipe.attributes.items():
            if attribute.balanced and name in given:
                value = given[name]
                for each in value if isinstance(value, list) else [value]:
                    yield self._uses.setdefault((name, value_text(each)), _Use())


def attribute_categories(recipe: Recipe, materials: PromptInputs) -> dict[str, dict[str, JSON]]:
    """For each category that is a combination of attributes' values, its values by attribute; else nothing.

    A category is called by its values' texts, joined by " / ".
    """
    if recipe.categories.by != "attribute":
        return {}
    names = recipe.categories.attributes
    lists: list[Sequence[JSON]] = [materials.lists.get(name, ()) for name in names]
    return {_JOINT.join(map(_called, values)): dict(zip(names, values, strict=True)) for values in product(*lists)}


def _called(value: JSON) -> str:
    """A value as people call it: of an object, its values."""
    return " ".join(map(value_text, value.values())) if isinstance(value, dict) else value_text(value)
