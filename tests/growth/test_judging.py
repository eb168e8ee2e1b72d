"""Judging a batch: groups of drafts, contradictions, room within a batch, and the counts that follow."""

from __future__ import annotations

from collections.abc import Sequence

from selfinstruct.checks import Criteria
from selfinstruct.growth.judging import judge_batch
from selfinstruct.growth.planner import CategoryProgress, start_batch
from selfinstruct.growth.pool import Pool
from selfinstruct.growth.step_reply import Draft
from selfinstruct.recipe import Recipe, parse_recipe
from selfinstruct.records import Batch, Rejection, Row

RECIPE = """
[seeds]
file = "rows.jsonl"
[fields.question]
[fields.answer]
answer = true
[categories]
by = "none"
[quota]
rows = 100
[novelty]
fields = ["question"]
max_rouge_l = 0.7
"""
NEAR = ["one two three four five six", "one two three four five seven", "one two three four five eight"]
FAR = ["alpha beta gamma delta", "north south east west", "red green blue black"]


class World:
    """A pool with one category, and the planner's count of it."""

    def __init__(self, quota: int = 100, text: str = RECIPE) -> None:
        self.recipe: Recipe = parse_recipe(text, "r.toml", ".")
        self.progress = {"all": CategoryProgress(quota)}
        thresholds = {"all": 0.7}
        self.pool = Pool(self.recipe, thresholds, self.progress)
        self.criteria = Criteria(self.recipe, thresholds, lambda row: "all")

    def judge(self, *drafts: Draft) -> list[str]:
        """Judge a batch of these drafts; return the reason of each rejection, "" for accepted ones."""
        batch = Batch(1, "all", len(drafts), 0, ())
        start_batch(self.progress, batch)
        judgements = judge_batch(batch, drafts, self.criteria, self.pool, self.progress)
        assert [judgement.candidate.position for judgement in judgements] == list(range(len(drafts)))
        return [judgement.rejection.reason if judgement.rejection else "" for judgement in judgements]


def row(question: str, answer: str = "yes") -> Row:
    """A row."""
    return {"question": question, "answer": answer}


def drafts(questions: Sequence[str], group: str = "") -> list[Draft]:
    """Drafts of rows with these questions."""
    return [Draft(row(question), question, group=group) for question in questions]


def test_drafts_without_a_group_are_compared_with_each_other() -> None:
    """The second of two similar rows is a near-duplicate of the first."""
    assert World().judge(*drafts(NEAR[:2])) == ["", "near-duplicate"]


def test_drafts_of_one_group_are_compared_with_the_pool_only() -> None:
    """Similar rows of one group are accepted; those of another group are compared with them."""
    world = World()
    assert world.judge(*drafts(NEAR[:2], "a"), *drafts(NEAR[2:], "b")) == ["", "", "near-duplicate"]
    assert World().judge(*drafts(NEAR[:2], "a"), *drafts(NEAR[2:])) == ["", "", "near-duplicate"]
    assert World().judge(*drafts([NEAR[0], NEAR[0]], "a")) == ["", "duplicate"], "exact duplicates are compared"


def test_the_last_rows_of_a_batch_are_compared_with_the_next_batch() -> None:
    """Accepted rows of one batch are in the novelty index when the next is judged."""
    world = World()
    world.judge(*drafts(NEAR[:1], "a"))
    assert world.judge(*drafts(NEAR[1:2], "a")) == ["near-duplicate"]


def test_a_group_that_contradicts_itself_is_rejected_as_a_whole() -> None:
    """Two answers to one question reject every row of the group, and no row of another group."""
    contradictory = [Draft(row(FAR[0], answer), "", group="a") for answer in ("yes", "no")]
    other = [Draft(row(FAR[1]), "", group="a"), Draft(row(FAR[2]), "", group="b")]
    assert World().judge(*contradictory, *other) == ["contradiction"] * 3 + [""]


def test_rejected_drafts_keep_their_reason_and_contradict_nothing() -> None:
    """A draft with a rejection is neither part of a contradiction nor accepted."""
    rejected = Draft(row(FAR[0], "no"), "", rejection=Rejection("judge", "too short"), group="a")
    assert World().judge(Draft(row(FAR[0]), "", group="a"), rejected) == ["", "judge"]


def test_rows_without_a_group_are_not_a_contradiction_of_a_group() -> None:
    """Two answers in two groups are left to the checks: the second contradicts the pool."""
    first, second = (Draft(row(FAR[0], answer), "", group=group) for answer, group in (("yes", "a"), ("no", "b")))
    assert World().judge(first, second) == ["", "contradiction"]


def test_a_batch_never_exceeds_the_quota() -> None:
    """Rows accepted earlier in the same batch count, and the planner counts them once the batch is finished."""
    world = World(quota=2)
    assert world.judge(*drafts(FAR)) == ["", "", "quota"]
    state = world.progress["all"]
    assert (state.accepted, state.in_flight) == (2, 0)
    assert len(world.pool.grown["all"]) == 2


def test_a_draft_that_is_not_a_row_is_rejected() -> None:
    """Its problem is the message of the rejection."""
    assert World().judge(Draft(None, "see above", "not an object")) == ["schema"]


def test_with_attribute_categories_a_row_belongs_to_the_category_of_its_batch() -> None:
    """The attributes of a row are known from its batch only."""
    world = World()
    categories = world.recipe.categories.model_copy(update={"by": "attribute"})
    recipe = world.recipe.model_copy(update={"categories": categories})
    world.criteria = Criteria(recipe, {"all": 0.7}, lambda row: "")
    assert world.judge(*drafts(FAR[:1])) == [""]
    assert world.progress["all"].accepted == 1
