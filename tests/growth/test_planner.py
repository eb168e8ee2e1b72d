"""The planner: exact quotas from a world that refuses, drifts, fails and runs dry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.errors import RecipeError
from selfinstruct.growth.planner import (
    EXHAUSTED_AFTER,
    EXHAUSTED_ROWS,
    CategoryProgress,
    cancel_batch,
    finish_batch,
    plan,
    quotas,
    start_batch,
)
from selfinstruct.recipe import Demos, Prompt, Quota
from selfinstruct.records import Batch

# --- quotas --------------------------------------------------------------------------------------------------


def test_rows_are_shared_out_equally_with_the_remainder_to_the_first() -> None:
    """1000 over 3: the sum is exact."""
    assert quotas(Quota(rows=1000), ["a", "b", "c"]) == {"a": 334, "b": 333, "c": 333}
    assert quotas(Quota(rows=2), ["a", "b", "c"]) == {"a": 1, "b": 1, "c": 0}
    assert quotas(Quota(per_category=250), ["a", "b"]) == {"a": 250, "b": 250}


def test_weights_share_rows_out_and_default_to_one() -> None:
    """A category of weight 2 gets twice as many rows as one that is not named."""
    assert quotas(Quota(rows=100, weights={"b": 2}), ["a", "b", "c"]) == {"a": 25, "b": 50, "c": 25}


def test_a_quota_that_cannot_be_read_is_a_recipe_error() -> None:
    """An unknown category gets the nearest name; no number at all is told too."""
    with pytest.raises(RecipeError, match=r"'bilings'.*did you mean 'billing'"):
        quotas(Quota(rows=10, weights={"bilings": 2}), ["billing", "bug"])
    with pytest.raises(RecipeError, match="neither rows nor per_category"):
        quotas(Quota(), ["a"])


@given(st.integers(1, 10_000), st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20))
def test_shares_are_exact_and_fair(rows: int, weights: list[float]) -> None:
    """The sum is the rows, and no category is a whole row away from its share."""
    names = [str(at) for at in range(len(weights))]
    counts = quotas(Quota(rows=rows, weights=dict(zip(names, weights, strict=True))), names)
    assert list(counts) == names
    assert sum(counts.values()) == rows
    total = sum(map(Fraction, weights))
    for name, weight in zip(names, weights, strict=True):
        assert abs(counts[name] - rows * Fraction(weight) / total) < 1
    missed = {name: rows * Fraction(weight) / total - counts[name] for name, weight in zip(names, weights, strict=True)}
    rounded_up = [1 + missed[name] for name in names if missed[name] < 0]
    assert min(rounded_up, default=1) >= max(missed.values()), "a smaller remainder went before a larger one"


# --- one batch -----------------------------------------------------------------------------------------------


def planned(progress: dict[str, CategoryProgress], *, per: int = 20, number: int = 1, seed: int = 0) -> Batch | None:
    """The next batch; each category has ten seeds."""
    seeds = {name: range(at * 10 + 1, at * 10 + 11) for at, name in enumerate(progress)}
    return plan(progress, seeds, {}, Prompt(rows_per_request=per), number, Random(seed))


def test_the_largest_deficit_is_asked_first_and_ties_go_to_the_earlier() -> None:
    """Net of what is accepted and of what is in flight."""
    progress = {
        "a": CategoryProgress(50, accepted=40),
        "b": CategoryProgress(50, accepted=30),
        "c": CategoryProgress(50, accepted=30),
    }
    batch = planned(progress, number=7)
    assert batch is not None
    assert (batch.number, batch.category, batch.count, batch.asked) == (7, "b", 20, 0)
    start_batch(progress, batch)
    batch = planned(progress)
    assert batch is not None
    assert batch.category == "c"


def test_a_fresh_category_asks_for_just_what_it_needs() -> None:
    """Nothing is known of its rate yet, so none is assumed to be refused."""
    batch = planned({"a": CategoryProgress(7, accepted=2, requested=2)})
    assert batch is not None
    assert (batch.count, batch.asked) == (5, 2)


def test_a_low_rate_asks_for_more_and_never_for_more_than_a_request_holds() -> None:
    """Five missing rows at one in two need ten candidates, and a few to be safe."""
    progress = {"a": CategoryProgress(25, accepted=20)}
    progress["a"].recent_requested, progress["a"].recent_accepted = 99, 49
    batch = planned(progress)
    assert batch is not None
    assert 10 < batch.count < 15
    batch = planned(progress, per=4)
    assert batch is not None
    assert batch.count == 4


def test_nothing_is_asked_while_batches_in_flight_cover_what_is_missing() -> None:
    """The answer is None until they are judged; what they did not bring is asked for again."""
    progress = {"a": CategoryProgress(20)}
    batch = planned(progress)
    assert batch is not None
    start_batch(progress, batch)
    assert planned(progress) is None
    finish_batch(progress, batch, ["a"] * 12)
    again = planned(progress)
    assert again is not None
    assert again.count >= 8
    assert again.asked == 20
    start_batch(progress, again)
    finish_batch(progress, again, ["a"] * 8)
    assert planned(progress) is None


def test_a_fraction_of_a_row_is_not_asked_for_while_batches_are_in_flight() -> None:
    """Eighteen of twenty in flight at nine in ten leave less than one row to expect."""
    progress = {"a": CategoryProgress(18, in_flight=19, recent_requested=99, recent_accepted=89)}
    assert 0 < progress["a"].deficit < 1
    assert planned(progress) is None
    progress["a"].in_flight = 18
    assert planned(progress) is not None


def test_the_rate_follows_a_category_that_fills_up() -> None:
    """A thousand early successes do not hide that the last batches brought next to nothing."""
    progress = {"a": CategoryProgress(10_000)}
    for gained in [20] * 50 + [1] * 10:
        batch = planned(progress)
        assert batch is not None
        start_batch(progress, batch)
        finish_batch(progress, batch, ["a"] * gained)
    assert 0.05 < progress["a"].rate < 0.2


def test_a_withdrawn_batch_is_asked_for_again_and_proves_nothing() -> None:
    """A failed call changes neither the rate nor the evidence of exhaustion."""
    progress = {"a": CategoryProgress(20)}
    for _ in range(EXHAUSTED_AFTER * 3):
        batch = planned(progress)
        assert batch is not None
        assert batch.count == 20
        start_batch(progress, batch)
        cancel_batch(progress, batch)
    assert not progress["a"].exhausted
    assert (progress["a"].rate, progress["a"].in_flight) == (1, 0)


def test_drift_is_counted_where_the_rows_belong() -> None:
    """A row of another category fills that one, and is no success of the category asked."""
    progress = {"a": CategoryProgress(20), "b": CategoryProgress(20)}
    batch = planned(progress)
    assert batch is not None
    start_batch(progress, batch)
    finish_batch(progress, batch, ["b"] * 5)
    assert (progress["a"].accepted, progress["b"].accepted, progress["b"].drifted) == (0, 5, 5)
    assert progress["a"].rate < 0.1
    assert progress["b"].rate == 1


# --- demonstrations ------------------------------------------------------------------------------------------


def demos_of(rng: Random, grown: Sequence[int], seeds: Sequence[int] = range(1, 11)) -> tuple[int, ...]:
    """The demonstrations of a batch of ``a``, with rows of ``b`` in the pool as well."""
    progress = {"a": CategoryProgress(20), "b": CategoryProgress(1)}
    ids = {"a": seeds, "b": [50, 51]}
    batch = plan(progress, ids, {"a": grown, "b": [99]}, Prompt(demos=Demos(seeds=6, grown=2)), 1, rng)
    assert batch is not None
    return batch.demos


def test_demos_are_six_seeds_and_two_grown_rows_of_the_category() -> None:
    """Only seeds while nothing has grown; all of them where there are fewer."""
    rng = Random(1)
    demos = demos_of(rng, range(100, 200))
    assert len(set(demos)) == 8
    assert sum(demo <= 10 for demo in demos) == 6
    assert all(demo <= 10 or 100 <= demo < 200 for demo in demos)
    assert len(set(demos_of(rng, []))) == 6
    assert sorted(demos_of(rng, [100], [3, 4])) == [3, 4, 100]


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 4), st.integers(0, 4), st.integers(0, 9), st.randoms())
def test_demos_of_the_pool_come_on_top_and_no_row_stands_twice(
    seeds: int, grown: int, of_seeds: int, of_grown: int, pool: int, rng: Random
) -> None:
    """``pool`` adds as many rows as it says, or all that are left."""
    rows = {"a": range(1, seeds + 1)}, {"a": range(100, 100 + grown)}
    demos = Demos(seeds=of_seeds, grown=of_grown, pool=pool)
    batch = plan({"a": CategoryProgress(100)}, *rows, Prompt(demos=demos), 1, rng)
    assert batch is not None
    first = min(of_seeds, seeds) + min(of_grown, grown)
    assert len(batch.demos) == len(set(batch.demos)) == first + min(pool, seeds + grown - first)
    assert set(batch.demos) <= {*rows[0]["a"], *rows[1]["a"]}


def test_a_demo_of_the_pool_is_any_row_with_the_same_chance() -> None:
    """A seed is drawn as often as a grown row, and a row that stands there already makes way for another."""
    seeds, grown, drawn = {"a": range(1, 4)}, {"a": [10, 11, 12, 13, 14, 15]}, Counter[int]()
    for seed in range(900):
        batch = plan(
            {"a": CategoryProgress(9)}, seeds, grown, Prompt(demos=Demos(seeds=0, grown=0, pool=1)), 1, Random(seed)
        )
        assert batch is not None
        drawn.update(batch.demos)
    assert sorted(drawn) == [1, 2, 3, 10, 11, 12, 13, 14, 15]
    assert drawn.total() == 900
    assert all(70 < count < 130 for count in drawn.values()), drawn


def test_demos_are_drawn_anew_and_shuffled_each_time() -> None:
    """Over many batches every seed is shown, and grown rows stand in every place."""
    rng = Random(1)
    drawn = [demos_of(rng, range(100, 110)) for _ in range(200)]
    assert {demo for demos in drawn for demo in demos} == {*range(1, 11), *range(100, 110)}
    assert all(any(demos[place] >= 100 for demos in drawn) for place in range(8))
    assert [demos_of(Random(3), [100]) for _ in range(2)] == [demos_of(Random(3), [100])] * 2


# --- exhaustion ----------------------------------------------------------------------------------------------


def barren(progress: dict[str, CategoryProgress], per: int, most: int = 1000) -> int:
    """Judge batches without a single new row until the planner stops; how many those were."""
    for calls in range(most):
        batch = planned(progress, per=per)
        if batch is None:
            return calls
        start_batch(progress, batch)
        finish_batch(progress, batch, [])
    raise AssertionError("never stopped")


def test_a_category_without_news_is_given_up_after_enough_batches_and_rows() -> None:
    """Ten calls of twenty rows; with small batches, enough rows to be sure."""
    assert barren({"a": CategoryProgress(100)}, per=20) == EXHAUSTED_AFTER
    assert barren({"a": CategoryProgress(1000)}, per=100) == EXHAUSTED_AFTER
    assert barren({"a": CategoryProgress(100)}, per=1) == EXHAUSTED_ROWS


def test_the_rest_goes_on_without_an_exhausted_category() -> None:
    """Only the barren one is skipped."""
    progress = {"a": CategoryProgress(100), "b": CategoryProgress(20)}
    progress["a"].since_accepted, progress["a"].rows_since_accepted = EXHAUSTED_AFTER, EXHAUSTED_ROWS
    assert progress["a"].exhausted
    batch = planned(progress)
    assert batch is not None
    assert batch.category == "b"


@pytest.mark.parametrize("own", [True, False])
def test_a_row_that_still_comes_revokes_exhaustion(own: bool) -> None:
    """From a batch that was still in flight, or by drift from another category's batch."""
    progress = {"a": CategoryProgress(100), "b": CategoryProgress(20, accepted=20)}
    late = Batch(1, "a" if own else "b", 20, 0, ())
    start_batch(progress, late)
    progress["a"].since_accepted, progress["a"].rows_since_accepted = EXHAUSTED_AFTER, EXHAUSTED_ROWS
    finish_batch(progress, late, ["a"])
    assert not progress["a"].exhausted
    batch = planned(progress)
    assert batch is not None
    assert batch.category == "a"


def test_a_full_category_is_not_exhausted() -> None:
    """However its last batches went."""
    assert not CategoryProgress(5, accepted=5, since_accepted=99, rows_since_accepted=999).exhausted


# --- a simulated world ---------------------------------------------------------------------------------------


@dataclass
class World:
    """Categories with their rates and how many rows they can ever give; batches come back in random order."""

    rates: list[float]
    quota: list[int]
    per: int = 20
    slots: int = 1
    drift: float = 0.0
    failing: float = 0.0
    supply: int = 1_000_000
    seed: int = 0
    calls: int = 0
    asked: int = 0
    log: list[tuple[Batch, tuple[str, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Name the categories."""
        self.names = [str(at) for at in range(len(self.rates))]
        self.progress = {name: CategoryProgress(quota) for name, quota in zip(self.names, self.quota, strict=True)}
        self.left = dict.fromkeys(self.names, self.supply)

    def run(self, most: int = 10**9) -> dict[str, CategoryProgress]:
        """Until the planner has nothing more to ask, or for ``most`` more calls."""
        rng = Random(self.seed + self.calls)
        flying: list[Batch] = []
        stop = self.calls + most
        while self.calls < stop:
            while len(flying) < self.slots and (batch := self.next(rng)) is not None:
                start_batch(self.progress, batch)
                flying.append(batch)
            if not flying:
                break
            self.land(flying.pop(rng.randrange(len(flying))), rng)
        return self.progress

    def next(self, rng: Random) -> Batch | None:
        """The planner's choice."""
        seeds = {name: [1, 2, 3] for name in self.names}
        return plan(self.progress, seeds, {}, Prompt(rows_per_request=self.per), self.calls + 1, rng)

    def land(self, batch: Batch, rng: Random) -> None:
        """One reply: candidates drift, are refused, or find their category full or dry."""
        self.calls += 1
        self.asked += batch.count
        if rng.random() < self.failing:
            cancel_batch(self.progress, batch)
            return
        came: Counter[str] = Counter()
        for _ in range(batch.count):
            name = rng.choice(self.names) if rng.random() < self.drift else batch.category
            state = self.progress[name]
            room = state.quota - state.accepted - came[name]
            if rng.random() < self.rates[int(name)] and room > 0 and self.left[name] > 0:
                came[name] += 1
                self.left[name] -= 1
        accepted = tuple(came.elements())
        self.log.append((batch, accepted))
        finish_batch(self.progress, batch, accepted)

    def resume(self) -> None:
        """A new process: batches in flight are lost, and only counts are known."""
        self.progress = {
            name: CategoryProgress(state.quota, accepted=state.accepted, requested=state.requested)
            for name, state in self.progress.items()
        }

    def least(self) -> int:
        """The calls that nobody can do without: full requests for each category, one after the other."""
        rng, calls = Random(self.seed), 0
        for rate, quota in zip(self.rates, self.quota, strict=True):
            missing = quota
            while missing > 0:
                calls += 1
                missing -= sum(rng.random() < rate for _ in range(self.per))
        return calls


worlds = st.lists(st.tuples(st.floats(0.2, 1), st.integers(0, 60)), min_size=1, max_size=5).flatmap(
    lambda categories: st.builds(
        World,
        rates=st.just([rate for rate, _ in categories]),
        quota=st.just([quota for _, quota in categories]),
        per=st.integers(1, 30),
        slots=st.integers(1, 12),
        drift=st.sampled_from([0.0, 0.1, 0.5]),
        failing=st.sampled_from([0.0, 0.2]),
        seed=st.integers(0, 2**32),
    )
)


@given(worlds, st.integers(0, 20))
@settings(max_examples=150, deadline=None)
def test_every_quota_is_met_exactly(world: World, killed_after: int) -> None:
    """Whatever is refused, drifts, fails or comes late, and also after a kill: exact counts, nothing in flight."""
    world.run(most=killed_after)
    world.resume()
    progress = world.run()
    assert [state.accepted for state in progress.values()] == world.quota
    assert all(state.in_flight == 0 and not state.exhausted for state in progress.values())
    assert all(1 <= batch.count <= world.per for batch, _ in world.log)
    came = Counter(name for _, accepted in world.log for name in accepted)
    assert [came[name] for name in world.names] == world.quota


@given(worlds)
@settings(max_examples=30, deadline=None)
def test_the_same_world_is_asked_the_same(world: World) -> None:
    """A plan depends on nothing but its arguments."""
    twin = World(world.rates, world.quota, world.per, world.slots, world.drift, world.failing, seed=world.seed)
    world.run()
    twin.run()
    assert world.log == twin.log


@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 30), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_dry_category_ends_and_the_others_are_filled(per: int, slots: int, supply: int, seed: int) -> None:
    """All that a category can give is taken; then it is declared exhausted, in a bounded number of calls."""
    world = World([1.0, 0.5], [40, 40], per=per, slots=slots, supply=supply, seed=seed)
    progress = world.run()
    for name, state in progress.items():
        assert state.accepted == min(40, supply), name
        assert state.exhausted == (supply < 40)
    in_vain = slots + max(EXHAUSTED_AFTER, EXHAUSTED_ROWS) + supply
    assert world.calls <= 2 * (in_vain + 100 / per + 100)


@pytest.mark.parametrize(
    ("rates", "quota", "slots", "excess"),
    [
        ([1.0] * 4, [250] * 4, 1, 0.0),
        ([1.0] * 4, [250] * 4, 16, 0.0),
        ([1.0, 0.9, 0.6, 0.3], [250] * 4, 1, 0.03),
        ([1.0, 0.9, 0.6, 0.3], [250] * 4, 16, 0.06),
        ([0.1, 0.05], [200] * 2, 8, 0.03),
        ([0.5] * 50, [20] * 50, 8, 0.12),
    ],
)
def test_calls_are_close_to_the_least_possible(rates: list[float], quota: list[int], slots: int, excess: float) -> None:
    """Against full requests for one category after the other; the mean of twenty runs."""
    calls = least = asked = 0
    for seed in range(20):
        world = World(rates, quota, slots=slots, seed=seed)
        world.run()
        calls, least, asked = calls + world.calls, least + world.least(), asked + world.asked
    assert calls <= least * (1 + excess)
    assert asked <= 1.12 * 20 * sum(rows / rate for rows, rate in zip(quota, rates, strict=True))
