"""ROUGE-L, the readable reference."""

from __future__ import annotations

import unicodedata
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.similarity.rouge import RougeL, f1_score, lcs_length, rouge_l

ASCII = st.sampled_from("abAB12 .,-_?\n")
WORDS = st.lists(st.sampled_from(["a", "b", "c", "28", "0"]), max_size=9)


def slow_lcs(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    """The definition itself, by recursion."""

    @cache
    def best(i: int, j: int) -> int:
        if i == len(first) or j == len(second):
            return 0
        if first[i] == second[j]:
            return 1 + best(i + 1, j + 1)
        return max(best(i + 1, j), best(i, j + 1))

    return best(0, 0)


def test_worked_example_of_the_docstring() -> None:
    """Six of eight tokens in common order give 0.75 three times."""
    score = rouge_l("Finished task 28.0 in stage 29.0", "Finished task 31.0 in stage 31.0")
    assert score == RougeL(0.75, 0.75, 0.75)


def test_precision_belongs_to_the_candidate_and_recall_to_the_reference() -> None:
    """A candidate that is the beginning of the reference is precise and recalls half."""
    assert rouge_l("stage 7", "stage 7 is running") == RougeL(1.0, 0.5, 2 / 3)


def test_order_counts() -> None:
    """The same tokens the other way round share one in order, not two."""
    assert rouge_l("task stage", "stage task").f1 == 0.5


def test_f1_is_the_nearest_double_of_the_fraction() -> None:
    """7 of 10 tokens is 0.7, not 0.7000000000000001, so that it is not strictly above a threshold of 0.7."""
    assert rouge_l("a b c d e f g 1 2 3", "a b c d e f g 4 5 6").f1 == 0.7


@pytest.mark.parametrize("pair", [("", ""), ("", "task"), ("?!", "?!"), ("task", "")])
def test_texts_without_tokens_score_nothing(pair: tuple[str, str]) -> None:
    """Empty against anything, empty included, is 0, as in rouge-score."""
    assert rouge_l(*pair) == RougeL(0.0, 0.0, 0.0)


def test_chinese_is_compared_by_characters() -> None:
    """Three of four characters in order: rouge-score would say 0."""
    assert rouge_l("元亨利贞", "元亨利害").f1 == 0.75


@given(WORDS, WORDS)
def test_lcs_is_that_of_the_definition(first: list[str], second: list[str]) -> None:
    """The table and the recursive definition agree, and order of the arguments does not matter."""
    expected = slow_lcs(tuple(first), tuple(second))
    assert lcs_length(first, second) == lcs_length(second, first) == expected


def test_scores_are_those_of_rouge_score() -> None:
    """On ASCII text every number is rouge-score's own, but for the last places of its F1."""
    from rouge_score.rouge_scorer import RougeScorer

    texts = [
        "What stage was the task 28.0 completed in? Finished task 28.0 in stage 29.0 (TID 1348).",
        "What stage was the task 3.0 completed in? Finished task 3.0 in stage 31.0 (TID 48). 2128 bytes",
        "How many kb is broadcast_24_piece0 free? estimated size 5.6 KB, free 393.0 KB",
        "Block broadcast_24_piece0 stored as bytes in memory",
        "x",
        "",
    ]
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    for candidate in texts:
        for reference in texts:
            theirs = scorer.score(target=reference, prediction=candidate)["rougeL"]
            ours = rouge_l(candidate, reference)
            assert ours.precision == pytest.approx(theirs.precision, abs=1e-15)
            assert ours.recall == pytest.approx(theirs.recall, abs=1e-15)
            assert ours.f1 == pytest.approx(theirs.fmeasure, abs=1e-15)


@given(st.text(ASCII, max_size=60), st.text(ASCII, max_size=60))
def test_scores_of_ascii_text_are_those_of_rouge_score(candidate: str, reference: str) -> None:
    """Precision and recall to the last bit, F1 but for its last places."""
    from rouge_score.rouge_scorer import RougeScorer

    theirs = RougeScorer(["rougeL"], use_stemmer=False).score(target=reference, prediction=candidate)["rougeL"]
    ours = rouge_l(candidate, reference)
    assert (ours.precision, ours.recall) == (theirs.precision, theirs.recall)
    assert ours.f1 == pytest.approx(theirs.fmeasure, abs=1e-15)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("près du café", unicodedata.normalize("NFD", "près du café")),
        ("task 12", "\uff54\uff41sk\u200b \uff11\uff12"),
        ("ガギグ", "\uff76\uff9e\uff77\uff9e\uff78\uff9e"),
    ],
)
def test_the_same_text_in_another_form_scores_one(one: str, other: str) -> None:
    """Composition, width and invisible characters do not count."""
    assert rouge_l(one, other).f1 == 1.0


def test_words_that_differ_by_a_mark_are_different() -> None:
    """Vowel signs are part of their word."""
    assert rouge_l("मेरी बेटी की किताब", "मेरे बेटा को कताब").f1 == 0.0


def test_texts_without_tokens_have_an_f1_of_zero() -> None:
    """Two empty texts are no division by zero."""
    assert f1_score(0, 0, 0) == 0.0
