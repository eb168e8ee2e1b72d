"""The planner: exact quotas despite rejections, drift, failures and exhausted categories."""

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
    CategoryProgress,
    cancel_batch,
    finish_batch,
    plan,
    quotas,
    shift_quota,
    start_batch,
)
from selfinstruct.growth.stagnation import EXHAUSTED_AFTER, Stagnation
from selfinstruct.recipe import Demos, Prompt, Quota
from selfinstruct.records import Batch

# --- quotas --------------------------------------------------------------------------------------------------


def test_rows_are_divided_equally_with_the_remainder_going_to_the_first() -> None:
    """1,000 rows over three categories: the sum is exact."""
    assert quotas(Quota(rows=1000), ["a", "b", "c"]) == {"a": 334, "b": 333, "c": 333}
    assert quotas(Quota(rows=2), ["a", "b", "c"]) == {"a": 1, "b": 1, "c": 0}
    assert quotas(Quota(per_category=250), ["a", "b"]) == {"a": 250, "b": 250}


def test_rows_are_divided_by_weights_that_default_to_one() -> None:
    """A category of weight 2 gets twice as many rows as one without a weight."""
    assert quotas(Quota(rows=100, weights={"b": 2}), ["a", "b", "c"]) == {"a": 25, "b": 50, "c": 25}


def test_an_invalid_quota_is_a_recipe_error() -> None:
    """An unknown category is reported with the nearest name, and so is a quota without a number."""
    with pytest.raises(RecipeError, match=r"'bilings'.*did you mean 'billing'"):
        quotas(Quota(rows=10, weights={"bilings": 2}), ["billing", "bug"])
    with pytest.raises(RecipeError, match="neither rows nor per_category"):
        quotas(Quota(), ["a"])


@given(st.integers(1, 10_000), st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20))
def test_shares_are_exact_and_fair(rows: int, weights: list[float]) -> None:
    """The sum is exact, and no category is a whole row away from its share."""
    names = [str(at) for at in range(len(weights))]
    counts = quotas(Quota(rows=rows, weights=dict(zip(names, weights, strict=True))), names)
    assert list(counts) == names
    assert sum(counts.values()) == rows
    total = sum(map(Fraction, weights))
    for name, weight in zip(names, weights, strict=True):
        assert abs(counts[name] - rows * Fraction(weight) / total) < 1
    missed = {name: rows * Fraction(weight) / total - counts[name] for name, weight in zip(names, weights, strict=True)}
    rounded_up = [1 + missed[name] for name in names if missed[name] < 0]
    assert min(rounded_up, default=1) >= max(missed.values()), "a smaller remainder was preferred to a larger one"


# --- one batch -----------------------------------------------------------------------------------------------


def planned(progress: dict[str, CategoryProgress], *, per: int = 20, number: int = 1, seed: int = 0) -> Batch | None:
    """Plan the next batch; each category has ten seeds."""
    seeds = {name: range(at * 10 + 1, at * 10 + 11) for at, name in enumerate(progress)}
    return plan(progress, seeds, {}, Prompt(rows_per_request=per), number, Random(seed))


def test_the_largest_deficit_is_requested_first_and_ties_go_to_the_earlier() -> None:
    """A deficit is what neither accepted rows nor rows in flight cover."""
    progress = {
        "a": CategoryProgress(50, accepted=40),
        "b": CategoryProgress(50, accepted=30),
        "c": CategoryProgress(50, accepted=30),
    }
    batch = planned(progress, number=7)
    assert batch is not None
    assert (batch.number, batch.category, batch.count, batch.requested_before) == (7, "b", 20, 0)
    start_batch(progress, batch)
    batch = planned(progress)
    assert batch is not None
    assert batch.category == "c"


def test_a_new_category_requests_exactly_what_it_needs() -> None:
    """While its rate is unknown, every row is assumed to be accepted."""
    batch = planned({"a": CategoryProgress(7, accepted=2, requested=2)})
    assert batch is not None
    assert (batch.count, batch.requested_before) == (5, 2)


def test_a_low_rate_requests_more_rows_within_the_limit_per_request() -> None:
    """At a rate of one half, five missing rows need ten candidates and a margin."""
    progress = {"a": CategoryProgress(25, accepted=20)}
    progress["a"].recent_requested, progress["a"].recent_accepted = 99, 49
    batch = planned(progress)
    assert batch is not None
    assert 10 < batch.count < 15
    batch = planned(progress, per=4)
    assert batch is not None
    assert batch.count == 4


def test_nothing_is_requested_while_batches_in_flight_cover_the_deficit() -> None:
    """``plan`` returns None until they are judged; rows that were not accepted are requested again."""
    progress = {"a": CategoryProgress(20)}
    batch = planned(progress)
    assert batch is not None
    start_batch(progress, batch)
    assert planned(progress) is None
    finish_batch(progress, batch, ["a"] * 12)
    again = planned(progress)
    assert again is not None
    assert again.count >= 8
    assert again.requested_before == 20
    start_batch(progress, again)
    finish_batch(progress, again, ["a"] * 8)
    assert planned(progress) is None


def test_a_fraction_of_a_row_is_not_requested_while_batches_are_in_flight() -> None:
    """Nineteen rows in flight at a rate of nine in ten leave a deficit of less than one row."""
    progress = {"a": CategoryProgress(18, in_flight=19, recent_requested=99, recent_accepted=89)}
    assert 0 < progress["a"].deficit < 1
    assert planned(progress) is None
    progress["a"].in_flight = 18
    assert planned(progress) is not None


def test_the_rate_follows_a_category_that_fills_up() -> None:
    """A thousand early successes do not hide the low yield of the last batches."""
    progress = {"a": CategoryProgress(10_000)}
    for gained in [20] * 50 + [1] * 10:
        batch = planned(progress)
        assert batch is not None
        start_batch(progress, batch)
        finish_batch(progress, batch, ["a"] * gained)
    assert 0.05 < progress["a"].rate < 0.2


def test_a_cancelled_batch_is_requested_again_and_is_no_evidence() -> None:
    """A failed call changes neither the rate nor the evidence of exhaustion."""
    progress = {"a": CategoryProgress(20)}
    for _ in range(EXHAUSTED_AFTER.batches * 3):
        batch = planned(progress)
        assert batch is not None
        assert batch.count == 20
        start_batch(progress, batch)
        cancel_batch(progress, batch)
    assert not progress["a"].exhausted
    assert (progress["a"].rate, progress["a"].in_flight) == (1, 0)


def test_drifted_rows_count_in_the_category_that_they_belong_to() -> None:
    """A row of another category counts there, and is no success of the requested category."""
    progress = {"a": CategoryProgress(20), "b": CategoryProgress(20)}
    batch = planned(progress)
    assert batch is not None
    start_batch(progress, batch)
    finish_batch(progress, batch, ["b"] * 5)
    assert (progress["a"].accepted, progress["b"].accepted) == (0, 5)
    assert progress["a"].rate < 0.1
    assert progress["b"].rate == 1


# --- demonstrations ------------------------------------------------------------------------------------------


def demos_of(rng: Random, grown: Sequence[int], seeds: Sequence[int] = range(1, 11)) -> tuple[int, ...]:
    """The demonstrations of a batch of ``a``, while the pool also has rows of ``b``."""
    progress = {"a": CategoryProgress(20), "b": CategoryProgress(1)}
    ids = {"a": seeds, "b": [50, 51]}
    batch = plan(progress, ids, {"a": grown, "b": [99]}, Prompt(demos=Demos(seeds=6, grown=2)), 1, rng)
    assert batch is not None
    return batch.demos


def test_demos_are_six_seeds_and_two_grown_rows_of_the_category() -> None:
    """Only seeds while there are no grown rows, and all of them where there are fewer."""
    rng = Random(1)
    demos = demos_of(rng, range(100, 200))
    assert len(set(demos)) == 8
    assert sum(demo <= 10 for demo in demos) == 6
    assert all(demo <= 10 or 100 <= demo < 200 for demo in demos)
    assert len(set(demos_of(rng, []))) == 6
    assert sorted(demos_of(rng, [100], [3, 4])) == [3, 4, 100]


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 4), st.integers(0, 4), st.integers(0, 9), st.randoms())
def test_demos_of_the_pool_are_added_and_no_row_is_repeated(
    seeds: int, grown: int, of_seeds: int, of_grown: int, pool: int, rng: Random
) -> None:
    """``pool`` adds that many rows, or all that are left."""
    rows = {"a": range(1, seeds + 1)}, {"a": range(100, 100 + grown)}
    demos = Demos(seeds=of_seeds, grown=of_grown, pool=pool)
    batch = plan({"a": CategoryProgress(100)}, *rows, Prompt(demos=demos), 1, rng)
    assert batch is not None
    first = min(of_seeds, seeds) + min(of_grown, grown)
    assert len(batch.demos) == len(set(batch.demos)) == first + min(pool, seeds + grown - first)
    assert set(batch.demos) <= {*rows[0]["a"], *rows[1]["a"]}


def test_a_demo_of_the_pool_is_any_row_with_the_same_probability() -> None:
    """A seed is drawn as often as a grown row."""
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
    """Over many batches every row is shown, and grown rows appear in every position."""
    rng = Random(1)
    drawn = [demos_of(rng, range(100, 110)) for _ in range(200)]
    assert {demo for demos in drawn for demo in demos} == {*range(1, 11), *range(100, 110)}
    assert all(any(demos[place] >= 100 for demos in drawn) for place in range(8))
    assert [demos_of(Random(3), [100]) for _ in range(2)] == [demos_of(Random(3), [100])] * 2


# --- exhaustion ----------------------------------------------------------------------------------------------


def batches_until_exhausted(progress: dict[str, CategoryProgress], per: int, most: int = 1000) -> int:
    """Judge batches without a new row until the planner stops; return their number."""
    for calls in range(most):
        batch = planned(progress, per=per)
        if batch is None:
            return calls
        start_batch(progress, batch)
        finish_batch(progress, batch, [])
    raise AssertionError("the planner never stopped")


def test_a_category_without_new_rows_is_exhausted_after_enough_batches_and_rows() -> None:
    """Ten calls of twenty rows; with smaller batches, two hundred rows."""
    assert batches_until_exhausted({"a": CategoryProgress(100)}, per=20) == EXHAUSTED_AFTER.batches
    assert batches_until_exhausted({"a": CategoryProgress(1000)}, per=100) == EXHAUSTED_AFTER.batches
    assert batches_until_exhausted({"a": CategoryProgress(100)}, per=1) == EXHAUSTED_AFTER.rows


def test_an_exhausted_category_is_skipped() -> None:
    """The next batch is of another category."""
    progress = {"a": CategoryProgress(100), "b": CategoryProgress(20)}
    progress["a"].stagnation.raise_to(EXHAUSTED_AFTER)
    assert progress["a"].exhausted
    batch = planned(progress)
    assert batch is not None
    assert batch.category == "b"


@pytest.mark.parametrize("own", [True, False])
def test_a_row_that_is_still_accepted_revokes_exhaustion(own: bool) -> None:
    """The row is from a batch in flight, or drifted from a batch of another category."""
    progress = {"a": CategoryProgress(100), "b": CategoryProgress(20, accepted=20)}
    late = Batch(1, "a" if own else "b", 20, 0, ())
    start_batch(progress, late)
    progress["a"].stagnation.raise_to(EXHAUSTED_AFTER)
    finish_batch(progress, late, ["a"])
    assert not progress["a"].exhausted
    batch = planned(progress)
    assert batch is not None
    assert batch.category == "a"


def test_a_full_category_is_not_exhausted() -> None:
    """A category that has met its quota is not exhausted, however long it stagnates."""
    assert not CategoryProgress(5, accepted=5, stagnation=Stagnation(99, 999)).exhausted


# --- a simulated world ---------------------------------------------------------------------------------------


@dataclass
class World:
    """Categories with their acceptance rates and supplies; batches end in random order."""

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
        """Run until the planner requests nothing more, or for ``most`` more calls."""
        rng = Random(self.seed + self.calls)
        flying: list[Batch] = []
        stop = self.calls + most
        while self.calls < stop:
            while len(flying) < self.slots and (batch := self.next(rng)) is not None:
                start_batch(self.progress, batch)
                flying.append(batch)
            if not flying:
                break
            self.finish(flying.pop(rng.randrange(len(flying))), rng)
        return self.progress

    def next(self, rng: Random) -> Batch | None:
        """The planner's choice."""
        seeds = {name: [1, 2, 3] for name in self.names}
        return plan(self.progress, seeds, {}, Prompt(rows_per_request=self.per), self.calls + 1, rng)

    def finish(self, batch: Batch, rng: Random) -> None:
        """Finish one batch: candidates drift, are rejected, or find their category full or exhausted."""
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
        """Continue as a new process does: batches in flight are lost, and only counts are known."""
        self.progress = {
            name: CategoryProgress(state.quota, accepted=state.accepted, requested=state.requested)
            for name, state in self.progress.items()
        }

    def least(self) -> int:
        """The least possible number of calls: full requests for one category after the other."""
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
    """Counts are exact and nothing is in flight, despite rejections, drift, failures and a restart."""
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
def test_planning_is_deterministic(world: World) -> None:
    """A plan depends on its arguments only."""
    twin = World(world.rates, world.quota, world.per, world.slots, world.drift, world.failing, seed=world.seed)
    world.run()
    twin.run()
    assert world.log == twin.log


@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 30), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_an_exhausted_category_ends_and_the_others_are_filled(per: int, slots: int, supply: int, seed: int) -> None:
    """A category is exhausted after its whole supply is accepted, in a bounded number of calls."""
    world = World([1.0, 0.5], [40, 40], per=per, slots=slots, supply=supply, seed=seed)
    progress = world.run()
    for name, state in progress.items():
        assert state.accepted == min(40, supply), name
        assert state.exhausted == (supply < 40)
    wasted = slots + max(EXHAUSTED_AFTER) + supply
    assert world.calls <= 2 * (wasted + 100 / per + 100)


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
    """Compared with full requests for one category after the other, as the mean of twenty runs."""
    calls = least = asked = 0
    for seed in range(20):
        world = World(rates, quota, slots=slots, seed=seed)
        world.run()
        calls, least, asked = calls + world.calls, least + world.least(), asked + world.asked
    assert calls <= least * (1 + excess)
    assert asked <= 1.12 * 20 * sum(rows / rate for rows, rate in zip(quota, rates, strict=True))


def test_the_rows_that_a_closed_category_misses_go_to_the_lowest_open_quotas() -> None:
    """Not while its batches are in flight, and not to closed, exhausted or empty categories; the total stays."""
    progress = {name: CategoryProgress(quota) for name, quota in {"a": 10, "b": 4, "c": 6, "d": 3, "e": 0}.items()}
    progress["a"].accepted, progress["a"].in_flight = 5, 1
    progress["d"].stagnation.raise_to(EXHAUSTED_AFTER)
    assert shift_quota(progress, "a", {"a"}) == 0
    progress["a"].in_flight = 0
    assert shift_quota(progress, "a", {"a"}) == 5
    assert {name: state.quota for name, state in progress.items()} == {"a": 5, "b": 8, "c": 7, "d": 3, "e": 0}
    assert shift_quota(progress, "b", {"a", "b", "c"}) == 0
    assert progress["b"].quota == 8


def test_steady_demonstrations_begin_alike() -> None:
    """Seeds come first and stay for some batches; in the end all of them have been shown, and grown rows change."""
    progress = {"a": CategoryProgress(quota=1000)}
    prompt = Prompt(demos=Demos(seeds=3, grown=2), rows_per_request=10)
    shown = []
    for number in range(1, 17):
        batch = plan(progress, {"a": range(1, 8)}, {"a": range(8, 100)}, prompt, number, Random(number), steady=True)
        assert batch is not None
        start_batch(progress, batch)
        shown.append(batch.demos)
    assert [demos[:3] for demos in shown[::4]] == [(1, 2, 3), (4, 5, 6), (7, 1, 2), (3, 4, 5)]
    assert all(demos[:3] == shown[at // 4 * 4][:3] for at, demos in enumerate(shown))
    assert len({demos[3:] for demos in shown}) == len(shown)
