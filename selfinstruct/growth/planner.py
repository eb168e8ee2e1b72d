"""The planner: which category to ask next, for how many rows, with which demonstrations.

    quotas -> start -> Progress a category
    plan -> Batch -> launch ... settle (judged) or withdraw (no reply) -> plan ...

It is a closed loop on *accepted* rows: a category is asked as long as its quota is not covered by the rows that
it has and those that its batches in flight will bring, at the rate that its batches have brought so far. So a
quota is never asked for twice over, and what duplicates, refusals and drift took away is asked for again.

Does not handle: time, concurrency (the caller launches as many batches as it has slots), or money. The accepted
rows never exceed a quota because the ``quota`` check refuses what is too many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from selfinstruct.errors import RecipeError
from selfinstruct.recipe import Prompt, Quota
from selfinstruct.recipe.errors import no_category
from selfinstruct.records import Batch

#: A category is exhausted when its last batches, at least so many with so many rows asked for, brought nothing
#: new. Ten, since one poor draw of demonstrations or one refusal proves nothing, and ten calls in vain are what
#: a person will pay for the proof. Two hundred rows, so that batches of one row are not given up early: a
#: category of which one row in twenty is accepted is given up wrongly in 0.95**200 = 0.004 % of such runs of rows.
EXHAUSTED_AFTER = 10
EXHAUSTED_ROWS = 200
#: All categories are, when none has brought anything for so many batches with so many rows. A model that is of no use
#: shows it in the first ones, and must not be asked two hundred times for each of a hundred categories.
MAX_ROWS_BEFORE_FIRST_ACCEPTED = 20, 200
MAX_ROWS_SINCE_ACCEPTED = 100, 2000
# The weight that a batch keeps in the measured rate with each later one: half of it is the last three batches, so
# that the rate follows a category that fills up.
_MEMORY = 0.8


@dataclass(slots=True)
class CategoryProgress:
    """How far one category is; every count is of rows unless it says otherwise.

    ``asked`` counts the rows asked for so far, ``in_flight`` those of them that are not judged yet. ``drifted``
    are accepted rows that came when another category was asked for. ``barren`` and ``barren_rows`` count the
    judged batches, and the rows they asked for, since a row of this category was last accepted.
    ``recent_asked`` and ``recent_gained`` are the rows asked for and accepted in recent batches, older ones
    weighing less.
    """

    quota: int
    accepted: int = 0
    requested: int = 0
    in_flight: int = 0
    drifted: int = 0
    since_accepted: int = 0
    rows_since_accepted: int = 0
    recent_requested: float = 0.0
    recent_accepted: float = 0.0

    @property
    def exhausted(self) -> bool:
        """Whether the quota is not met and the last batches brought nothing new; a row that still comes revokes it."""
        return (
            self.since_accepted >= EXHAUSTED_AFTER
            and self.rows_since_accepted >= EXHAUSTED_ROWS
            and self.accepted < self.quota
        )

    @property
    def rate(self) -> float:
        """Accepted rows for each row asked for, in (0, 1]; 1 as long as nothing is known (Laplace's prior, one row)."""
        return min(1.0, (self.recent_accepted + 1) / (self.recent_requested + 1))

    @property
    def deficit(self) -> float:
        """The rows that are missing when all in flight is judged, by expectation."""
        return self.quota - self.accepted - self.in_flight * self.rate


def quotas(quota: Quota, categories: Sequence[str]) -> dict[str, int]:
    """How many rows each category must have, in the order of ``categories``.

    ``rows`` are shared out equally or by ``weights`` so that the sum is exact: by largest remainder (Hamilton's
    method), equal remainders going to the earlier category.

    Raises RecipeError for a weight of an unknown category, and where the quota says no number.
    """
    for name in quota.weights:
        if name not in categories:
            raise no_category("quota.weights", name, categories)
    if quota.per_category is not None:
        return dict.fromkeys(categories, quota.per_category)
    if quota.rows is None:
        raise RecipeError("quota: says neither rows nor per_category", hint="for example: rows = 1000")
    weights = [Fraction(quota.weights.get(name, 1)) for name in categories]
    shares = [quota.rows * weight / sum(weights) for weight in weights]
    counts = [math.floor(share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda at: counts[at] - shares[at])
    for at in by_remainder[: quota.rows - sum(counts)]:
        counts[at] += 1
    return dict(zip(categories, counts, strict=True))


def plan(
    progress: Mapping[str, CategoryProgress],
    seeds: Mapping[str, Sequence[int]],
    grown: Mapping[str, Sequence[int]],
    prompt: Prompt,
    number: int,
    rng: Random,
) -> Batch | None:
    """The batch to launch next, or None where nothing is to be asked for now.

    It asks the category with the largest deficit, the first of equals, for what is missing at its rate, at most
    ``prompt.rows_per_request``. ``seeds`` and ``grown`` are the pool ids of each category's rows, from which the
    demonstrations are drawn anew, no row twice. None is also the answer while batches in flight cover what is missing:
    ask again after each ``settle`` or ``withdraw``; None with nothing in flight is the end.
    """
    category, most = None, 0.0
    for name, state in progress.items():
        if state.accepted < state.quota and not state.exhausted:
            deficit = state.deficit
            if deficit >= 1 and deficit > most:
                category, most = name, deficit
    if category is None:
        return None
    state = progress[category]
    count = min(prompt.rows_per_request, _ask_for(most, state.rate))
    of_seeds, of_grown = seeds.get(category, ()), grown.get(category, ())
    demos = _draw(of_seeds, prompt.demos.seeds, rng) + _draw(of_grown, prompt.demos.grown, rng)
    demos += _draw_from_both(of_seeds, of_grown, prompt.demos.pool, demos, rng)
    rng.shuffle(demos)
    return Batch(number, category, count, state.requested, tuple(demos))


def _ask_for(deficit: float, rate: float) -> int:
    """How many rows to ask for so that ``deficit`` are accepted at ``rate``, one standard deviation to be safe.

    A few rows too many are cheaper than one more call with its whole prompt. Measured on 50 categories of 20 rows,
    one half of the candidates accepted: 8 % fewer calls for 4 % more rows.
    """
    return math.ceil((deficit + math.sqrt(deficit * (1 - rate))) / rate)


def _draw(rows: Sequence[int], count: int, rng: Random) -> list[int]:
    return rng.sample(rows, min(count, len(rows)))


def _draw_from_both(
    seeds: Sequence[int], grown: Sequence[int], count: int, drawn: Sequence[int], rng: Random
) -> list[int]:
    """``count`` rows that are not ``drawn`` yet, seeds and grown rows each with the same chance.

    Places are drawn, and not rows out of the two put together: a pool may hold millions.
    """
    if not count:
        return []
    places = _draw(range(len(seeds) + len(grown)), count + len(drawn), rng)
    rows = (seeds[at] if at < len(seeds) else grown[at - len(seeds)] for at in places)
    return [row for row in rows if row not in drawn][:count]


def start_batch(progress: Mapping[str, CategoryProgress], batch: Batch) -> None:
    """Count a batch as in flight."""
    state = progress[batch.category]
    state.requested += batch.count
    state.in_flight += batch.count


def finish_batch(progress: Mapping[str, CategoryProgress], batch: Batch, accepted: Iterable[str]) -> None:
    """Count a launched batch as judged; ``accepted`` has the category of each row of it that was accepted.

    A reply without a single row is judged too: it is evidence. What drifted here from another category's batch
    proves that this category can still grow.
    """
    state = progress[batch.category]
    state.in_flight -= batch.count
    state.since_accepted += 1
    state.rows_since_accepted += batch.count
    gained = 0
    for name in accepted:
        other = progress[name]
        other.accepted += 1
        other.since_accepted = other.rows_since_accepted = 0
        if name == batch.category:
            gained += 1
        else:
            other.drifted += 1
    state.recent_requested = state.recent_requested * _MEMORY + batch.count
    state.recent_accepted = state.recent_accepted * _MEMORY + gained


def exhaust_unfinished(progress: Mapping[str, CategoryProgress]) -> None:
    """Take every category that misses rows for exhausted; a row that still comes revokes it for its own."""
    for state in progress.values():
        state.since_accepted = max(state.since_accepted, EXHAUSTED_AFTER)
        state.rows_since_accepted = max(state.rows_since_accepted, EXHAUSTED_ROWS)


def revive_exhausted(progress: Mapping[str, CategoryProgress]) -> None:
    """Take no category for exhausted: something else is asked for now than what brought nothing."""
    for state in progress.values():
        state.since_accepted = state.rows_since_accepted = 0


def cancel_batch(progress: Mapping[str, CategoryProgress], batch: Batch) -> None:
    """Count a launched batch as never answered: a failed call says nothing about its category.

    Nothing here bounds how often a batch may fail; that is for whoever makes the calls.
    """
    progress[batch.category].in_flight -= batch.count
