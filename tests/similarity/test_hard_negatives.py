"""Hard negatives: the nearest passages, in turn by query and by passage, without those that may answer the query."""

from __future__ import annotations

from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.similarity.hard_negatives import HardNegatives
from selfinstruct.similarity.rouge import rouge_l

LOANS = [
    "Books are lent for 28 days and can be renewed twice.",
    "Films are lent for 7 days and cannot be renewed.",
    "Magazines are lent for 14 days and can be renewed once.",
    "Long loans: atlases are lent for 28 DAYS as well.",
    "The café sells soup from noon on.",
    "Books are lent for 28 days and can be renewed twice!",
]


def slowly(texts: list[str], positive: str, query: str, answer: str, count: int, most: float) -> list[str]:
    """What the index finds, by comparing everything with everything."""
    rankings = []
    for text in filter(None, (query, positive)):
        scores = [-rouge_l(text, other).f1 for other in texts]
        rankings.append([at for _, at in sorted((score, at) for at, score in enumerate(scores))])
    found: list[str] = []
    for at in (at for pair in zip_longest(*rankings) for at in pair):
        answers = bool(answer) and f" {answer} " in f" {texts[at]} "
        if not answers and rouge_l(positive, texts[at]).f1 <= most and texts[at] not in found:
            found.append(texts[at])
    return found[:count]


texts = st.lists(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=40)


@given(texts, st.data(), st.sampled_from(["", "a b", "c"]), st.integers(1, 6), st.sampled_from([0.4, 0.7, 1.0]))
def test_they_are_those_of_brute_force(
    some: list[str], data: st.DataObject, answer: str, count: int, most: float
) -> None:
    """Whatever the collection, the result is that of the two full rankings, taken in turn and filtered."""
    positive = data.draw(st.sampled_from(some))
    query = data.draw(st.sampled_from(["", "a c e", "g f"]))
    assert HardNegatives(some).find(positive, query, answer, count, most) == slowly(
        some, positive, query, answer, count, most
    )


def test_passages_that_may_answer_the_query_are_left_out() -> None:
    """Not the passage, no near-duplicate of it, and none with the words of the answer, in any case or width."""
    found = HardNegatives(LOANS).find(LOANS[0], "how long may I keep books", "28 days", 9, 0.95)
    assert set(found) == {LOANS[1], LOANS[2], LOANS[4]}
    assert found[-1] == LOANS[4], "the least similar comes last"
    wide = HardNegatives(["借期２８天的书", "借期7天的影碟"])
    assert wide.find("图书借期28天", "", "28天", 3, 0.9) == ["借期7天的影碟"]


def test_few_passages_give_few_negatives() -> None:
    """There may be none."""
    assert HardNegatives(LOANS[:1]).find(LOANS[0], "books", "28 days", 3, 0.7) == []
    assert len(HardNegatives(LOANS).find(LOANS[4], "soup", "noon", 3, 0.7)) == 3
