"""The sampler: the attribute values and the passage that each batch is conditioned on.

    lists, passages, accepted rows per value -> values of the next batch: {"verb": "dig", "passage": 3}

With an open quota, a passage of documents whose rows were all refused is drawn again, up to ``MAX_ATTEMPTS`` times.

A closed loop like the planner's: a balanced attribute draws the value with the fewest accepted rows, counting those in
flight; a passage of documents is drawn among those used least, in the batch's category first and then in the whole run.
The passages of ``[passages]`` follow a schedule (``passage_schedule``).

Does not handle: combinations of attributes with exact quotas; those are categories (``by = "attribute"``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from random import Random

from selfinstruct.growth.passage_schedule import PassageSchedule, passage_groups
from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.stagnation import EXHAUSTED_AFTER, Stagnation
from selfinstruct.recipe import Attribute, Recipe
from selfinstruct.records import JSON
from selfinstruct.text import value_text

#: How often a passage of an open quota is used without an accepted row before it is given up.
MAX_ATTEMPTS = 3
#: The key of the passage number, counted from 1, among the values of a batch.
PASSAGE = "passage"
#: The key of how often the passage was used before, absent for a passage that was not.
ROUND = "passage_round"
_SEPARATOR = " / "


@dataclass(slots=True)
class _ValueCounts:
    """The rows of one attribute value."""

    accepted: int = 0
    in_flight: int = 0
    stagnation: Stagnation = field(default_factory=Stagnation)


class Sampler:
    """Draws the values of each batch, and counts the rows accepted for each value."""

    def __init__(
        self,
        recipe: Recipe,
        inputs: PromptInputs,
        seed: int = 0,
        usable: Callable[[int, int], bool] = lambda number, used: True,
    ) -> None:
        """``seed`` is the random seed of the run; both it and ``usable`` are for the schedule of passages."""
        self._recipe = recipe
        self._lists = inputs.lists
        self._category_values = attribute_categories(recipe, inputs)
        self._counts: dict[tuple[str, str], _ValueCounts] = {}
        groups = passage_groups(inputs.passages) if recipe.passages is not None else None
        self._schedule = PassageSchedule(groups, seed, usable) if groups is not None else None
        self._passage_uses = [0] * (len(inputs.passages) if self._schedule is None else 0)
        self._passage_uses_in: dict[str, list[int]] = {}
        is_open = recipe.quota.rows is None and recipe.quota.per_category is None and bool(recipe.steps)
        self._attempts: Counter[int] = Counter()
        self._yielding: set[int] = set()
        self._most_attempts = MAX_ATTEMPTS if is_open else 1

    @property
    def has_choices(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self._recipe.attributes or self._passage_uses or self._schedule is not None)

    def is_used_up(self, category: str) -> bool:
        """Whether nothing is left to ask about the passages of a category."""
        return self._schedule is not None and self._schedule.next(self._scheduled(category)) is None

    @property
    def all_passages_used(self) -> bool:
        """Whether every passage has been used; False where there are none."""
        return bool(self._passage_uses) and min(self._passage_uses) > 0

    @property
    def passages_without_rows(self) -> list[int]:
        """The numbers of the passages that were used without an accepted row, if the quota is open."""
        if self._most_attempts == 1:
            return []
        return sorted(number for number in self._attempts if number not in self._yielding)

    def draw(self, category: str, rng: Random) -> dict[str, JSON]:
        """Draw the values for a batch of the category."""
        values = dict(self._category_values.get(category, {}))
        for name, attribute in self._recipe.attributes.items():
            if name not in values:
                values[name] = self._draw_value(name, attribute, rng)
        if self._passage_uses:
            values[PASSAGE] = self._draw_passage(category, rng)
        if self._schedule is not None and (following := self._schedule.next(self._scheduled(category))) is not None:
            values[PASSAGE], used = following
            values |= {ROUND: used} if used else {}
        return values

    def start_batch(self, category: str, values: Mapping[str, JSON], count: int) -> None:
        """Count a batch for ``count`` rows as in flight."""
        for counts in self._counts_of(values):
            counts.in_flight += count
        self._count_passage(category, values, 1)
        if self._schedule is not None and PASSAGE in values:
            self._schedule.mark(self._scheduled(category), values[PASSAGE], values.get(ROUND, 0))

    def finish_batch(self, category: str, values: Mapping[str, JSON], count: int, accepted: int) -> None:
        """Count a batch as judged, with its number of ``accepted`` rows."""
        for counts in self._counts_of(values):
            counts.in_flight -= count
            counts.accepted += accepted
            if accepted:
                counts.stagnation.reset()
            else:
                counts.stagnation.add_batch(count)
        self._count_attempt(category, values, accepted)

    def cancel_batch(self, category: str, values: Mapping[str, JSON], count: int) -> None:
        """Count a batch as never answered."""
        for counts in self._counts_of(values):
            counts.in_flight -= count
        self._count_passage(category, values, -1)

    def _draw_value(self, name: str, attribute: Attribute, rng: Random) -> JSON:
        values = self._lists.get(name, ())
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
        """The rank of a balanced value, lowest drawn first: its accepted rows and those in flight.

        A stagnating value is drawn less and less often: each further batch without an accepted row doubles its penalty.
        """
        counts = self._counts.get((name, value_text(value)), _ValueCounts())
        excess = counts.stagnation.batches - EXHAUSTED_AFTER.batches
        return counts.accepted + counts.in_flight + (2**excess if excess >= 0 else 0)

    def _scheduled(self, category: str) -> str:
        """The name of the schedule of a category: its own, or that of all passages."""
        return category if self._recipe.categories.by == "passage" else ""

    def _draw_passage(self, category: str, rng: Random) -> int:
        uses = list(zip(self._uses_in(category), self._passage_uses, strict=True))
        fewest = min(uses)
        return rng.choice([number for number, use in enumerate(uses, 1) if use == fewest])

    def _count_passage(self, category: str, values: Mapping[str, JSON], uses: int) -> None:
        # A resumed run may have fewer passages than the session that drew this one.
        if (number := values.get(PASSAGE)) and self._passage_uses and number <= len(self._passage_uses):
            self._passage_uses[number - 1] += uses
            self._uses_in(category)[number - 1] += uses

    def _count_attempt(self, category: str, values: Mapping[str, JSON], accepted: int) -> None:
        """Count what came of a passage; one without an accepted row is used again, up to ``MAX_ATTEMPTS`` times."""
        number = values.get(PASSAGE)
        if not number or number > len(self._passage_uses):
            return
        self._attempts[number] += 1
        if accepted:
            self._yielding.add(number)
        elif number not in self._yielding and self._attempts[number] < self._most_attempts:
            self._count_passage(category, values, -1)

    def _uses_in(self, category: str) -> list[int]:
        return self._passage_uses_in.setdefault(category, [0] * len(self._passage_uses))

    def _counts_of(self, values: Mapping[str, JSON]) -> Iterable[_ValueCounts]:
        for name, attribute in self._recipe.attributes.items():
            if attribute.balanced and name in values:
                value = values[name]
                for each in value if isinstance(value, list) else [value]:
                    yield self._counts.setdefault((name, value_text(each)), _ValueCounts())


def attribute_categories(recipe: Recipe, inputs: PromptInputs) -> dict[str, dict[str, JSON]]:
    """The attribute values of each category that is a combination of them; empty for other kinds of category.

    The name of such a category is its values' texts, joined by " / ".
    """
    if recipe.categories.by != "attribute":
        return {}
    names = recipe.categories.attributes
    lists: list[Sequence[JSON]] = [inputs.lists.get(name, ()) for name in names]
    return {
        _SEPARATOR.join(map(_display_text, values)): dict(zip(names, values, strict=True)) for values in product(*lists)
    }


def _display_text(value: JSON) -> str:
    """The text of a value; of an object, the texts of its values."""
    return " ".join(map(value_text, value.values())) if isinstance(value, dict) else value_text(value)
