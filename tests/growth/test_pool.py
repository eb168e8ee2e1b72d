"""The pool: ids, duplicates, neighbours and room, compared with a linear search of a list."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.growth.planner import CategoryProgress
from selfinstruct.growth.pool import Pool
from selfinstruct.recipe import Categories, Field, Novelty, Quota, Recipe, Seeds
from selfinstruct.records import Row
from selfinstruct.similarity.rouge import rouge_l

RECIPE = Recipe(
    name="pool",
    seeds=Seeds(file="rows.jsonl"),
    fields={"Question": Field(), "Answer": Field(appears_in="Log"), "Log": Field()},
    categories=Categories(by="none"),
    quota=Quota(rows=10),
    novelty=Novelty(fields=("Question", "Log")),
)
ALLOWED = {"first": 0.7, "second": 0.8}

words = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "1", "2"]), min_size=1, max_size=8).map(" ".join)
row = st.fixed_dictionaries({"Question": words, "Answer": words, "Log": words})
rows = st.lists(st.tuples(row, st.sampled_from(sorted(ALLOWED))), max_size=12)


@dataclass
class Listed:
    """The slow, obvious pool: all rows in one list."""

    rows: list[Row] = field(default_factory=list)

    def nearest_score(self, row: Row, threshold: float) -> float | None:
        """The highest ROUGE-L F1 above the threshold with any row."""
        text = f"{row['Question']}\n{row['Log']}"
        scores = [rouge_l(text, f"{other['Question']}\n{other['Log']}").f1 for other in self.rows]
        return max((score for score in scores if score > threshold), default=None)

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """The first identical row, else the first with the same question."""
        asked = [n for n, r in enumerate(self.rows, 1) if (r["Question"], r["Log"]) == (row["Question"], row["Log"])]
        same = [n for n in asked if self.rows[n - 1] == row]
        return (same[0], True) if same else (asked[0], False) if asked else None


def pool_of(seeds: list[tuple[Row, str]]) -> Pool:
    """A pool of seeds only."""
    pool = Pool(RECIPE, ALLOWED, {name: CategoryProgress(10) for name in ALLOWED})
    pool.add_seeds([row for row, _ in seeds], [category for _, category in seeds])
    return pool


@given(seeds=rows, grown=rows, asked=st.lists(row, min_size=1, max_size=6), at_once=st.booleans())
def test_the_pool_answers_as_a_list_would(
    seeds: list[tuple[Row, str]], grown: list[tuple[Row, str]], asked: list[Row], at_once: bool
) -> None:
    """Ids, duplicates and nearest neighbours agree with a linear search, whichever way the rows were added."""
    pool, listed = pool_of(seeds), Listed([row for row, _ in seeds])
    if at_once:
        pool.add_all(grown)
    else:
        assert [pool.add(*one) for one in grown] == list(range(len(seeds) + 1, len(seeds) + len(grown) + 1))
        pool.index_added()
    listed.rows += [row for row, _ in grown]
    for each in [*asked, *listed.rows]:
        assert pool.twin(each) == listed.twin(each)
        for threshold in ALLOWED.values():
            found, score = pool.nearest(each, threshold), listed.nearest_score(each, threshold)
            assert (found and found[1]) == score
            if found is not None:
                text, near = (f"{r['Question']}\n{r['Log']}" for r in (each, listed.rows[found[0] - 1]))
                assert rouge_l(text, near).f1 == score


@given(seeds=rows, grown=rows)
def test_each_category_knows_its_own_rows(seeds: list[tuple[Row, str]], grown: list[tuple[Row, str]]) -> None:
    """The ids of seeds and of grown rows by category are complete and not repeated."""
    pool = pool_of(seeds)
    pool.add_all(grown)
    everything = [*seeds, *grown]
    for name in ALLOWED:
        ids = [number for number, (_, category) in enumerate(everything, 1) if category == name]
        assert [*pool.seeds[name], *pool.grown[name]] == ids
        assert all(number <= pool.seed_count for number in pool.seeds[name])
        assert all(number > pool.seed_count for number in pool.grown[name])
    assert pool.seed_count == len(seeds)


def test_an_added_row_is_found_after_it_is_indexed() -> None:
    """A row is compared with added rows once they are indexed, and a compared row is not added by that."""
    pool = pool_of([])
    one, other = ({"Question": q, "Answer": "x", "Log": "x y z"} for q in ("which of them", "what else is there"))
    assert pool.nearest(one, 0.7) is None
    pool.add(other, "first")
    assert pool.nearest(other, 0.9) is None  # not indexed yet
    pool.index_added()
    assert pool.nearest(other, 0.9) == (1, 1.0)
    assert pool.nearest(one, 0.9) is None


def test_room_is_the_number_of_rows_that_the_quota_still_misses() -> None:
    """It follows the planner's count, and is never negative."""
    progress = {"first": CategoryProgress(3), "second": CategoryProgress(0)}
    pool = Pool(RECIPE, ALLOWED, progress)
    assert (pool.room("first"), pool.room("second")) == (3, 0)
    progress["first"].accepted = 2
    assert pool.room("first") == 1
    progress["first"].accepted = 5
    assert pool.room("first") == 0
