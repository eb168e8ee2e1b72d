"""The near-duplicate index gives brute force's verdicts and scores."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from selfinstruct.similarity import bounds, exact_index, filing, pair_postings, postings, together
from selfinstruct.similarity.bounds import cell_of, least_common, length_classes, most_missed, probe_plan
from selfinstruct.similarity.exact_index import NoveltyIndex
from selfinstruct.similarity.rouge import rouge_l

#: Rows filed under pairs in pools of any size.
PAIRS = {"_PAIR_ROWS": 1, "_PAIR_SHARE": 0, "TEMPLATES": 2, "_SAMPLES": 1, "_LEAST_BITS": 2}
#: As shipped; with rows filed at once, in blocks, anew after every few that were read, by classes of length that change
#: meanwhile, and read slice by slice or piece by piece; with filings that are made in the course of many calls; with
#: rows filed under pairs.
SIZES = [
    {},
    {"_WAITING": 1, "_BLOCK": 7, "_FEW": 0},
    {"_WAITING": 3, "_READS_PER_ROW": 1, "_MIDDLE_ROWS": 4, "_MANY_ENTRIES": 8},
    {"_WAITING": 17, "_FEW": 0},
    {"_WAITING": 2, "_FEW": 0, "_LONG": 0, "_PIECE": 40},
    {"_WAITING": 1, "_BLOCK": 1, "_CALLS_PER_STEP": 1, "_READS_PER_ROW": 1},
    {"_WAITING": 2, "_BLOCK": 2, "_CALLS_PER_STEP": 3},
    *(
        pytest.param(PAIRS | sizes, marks=pytest.mark.slow)
        for sizes in (
            {"_WAITING": 2, "_FEW": 0, "_CALLS_PER_STEP": 1},
            {"_WAITING": 1, "_BLOCK": 2, "_PAIR_BLOCK": 3, "_CALLS_PER_STEP": 3, "_CHUNK": 16, "_LONG": 0},
            {"_WAITING": 4, "_CALLS_PER_STEP": 1, "_PER_CELL": 1, "_CHUNK": 32},
        )
    ),
]
THRESHOLDS = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 0.7, 0.75, 0.8, 6 / 7, 0.95, 1.0]), st.floats(0.0, 1.0))
WORDS = ["task", "stage", "in", "found", "28", "29", "0", "元", "亨", "é", "?!"]
#: The same words in several forms, words that differ by a mark or a joiner, emoji, and text from right to left.
FORMS = [
    *(
        "café",
        "cafe\u0301",
        "cafe",
        "\uff43\uff41\uff46\u00e9",
        "ca\u00adfé",
        "CAFÉ",
        "28",
        "\uff12\uff18",
        "2\u200b8",
        "\u0662\u0668",
    ),
    *("मेरी", "मेरे", "राम", "क्\u200dष", "क्ष", "ガ", "\uff76\uff9e", "か\u3099", "が", "가", "\u1100\u1161", "ที่", "ที"),
    *(
        "👍🏽",
        "❤\ufe0f",
        "👨\u200d👩",
        "שָׁלוֹם",
        "שלום",
        "كِتَاب",
        "كتاب",
        "می\u200cروم",
        "میروم",
        "\u200f?!",
        "ǰ",
        "J\u030c",
        "İ",
        "元",
        "，",
    ),
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
MIXED = st.lists(st.sampled_from([*WORDS, *FORMS]), max_size=10).map(" ".join)


def brute_nearest(pool: list[str], text: str, threshold: float) -> tuple[int, float] | None:
    """The oracle: every row by the readable reference, the first of the nearest."""
    best: tuple[int, float] | None = None
    for row, other in enumerate(pool):
        score = rouge_l(text, other).f1
        if score > (threshold if best is None else best[1]):
            best = (row, score)
    return best


@pytest.fixture(params=SIZES, ids=str)
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way in which rows wait, are filed, and are filed anew, in pools that a test can afford."""
    for name, value in request.param.items():
        for module in (bounds, pair_postings, exact_index, filing, postings):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(TEXTS, max_size=25),
    st.lists(st.tuples(TEXTS, THRESHOLDS), max_size=6),
    st.sampled_from([0.0, 0.7, 0.9, 1.0]),
)
@pytest.mark.usefixtures("sizes")
def test_nearest_is_brute_force(pool: list[str], queries: list[tuple[str, float]], minimum: float) -> None:
    """The row and score are equal for any pool, text, threshold and hint."""
    index = NoveltyIndex(min_threshold=minimum)
    index.add_all(pool)
    for text, threshold in queries:
        assert index.nearest(text, threshold) == brute_nearest(pool, text, threshold)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.tuples(TEXTS, THRESHOLDS), max_size=40))
@pytest.mark.usefixtures("sizes")
def test_stream_is_brute_force(stream: list[tuple[str, float]]) -> None:
    """Asking and adding by turns, as the loop does, with another threshold each time."""
    index, pool = NoveltyIndex(), list[str]()
    for text, threshold in stream:
        found = index.nearest(text, threshold)
        assert found == brute_nearest(pool, text, threshold)
        if found is None:
            assert index.add(text) == len(pool)
            pool.append(text)
    assert len(index) == len(pool)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(TEXTS, max_size=20),
    st.lists(st.lists(st.tuples(TEXTS, THRESHOLDS), max_size=8), max_size=6),
    st.sampled_from([(4096, 16), (4096, 1), (0, 16)]),
)
@pytest.mark.usefixtures("sizes")
def test_looking_ahead_changes_no_answer(
    pool: list[str], groups: list[list[tuple[str, float]]], limits: tuple[int, int]
) -> None:
    """Texts looked up together are answered as by brute force, also after some of them have been added."""
    index, pool = NoveltyIndex(min_threshold=0.3), list(pool)
    index.add_all(pool)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(together, "_MOST_ENTRIES", limits[0])
        patched.setattr(exact_index, "_AT_ONCE", limits[1])
        for group in groups:
            index.look_ahead(group)
            for text, threshold in group:
                found = index.nearest(text, threshold)
                assert found == brute_nearest(pool, text, threshold)
                if found is None:
                    index.add(text)
                    pool.append(text)


def test_no_call_files_the_whole_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows there are, a call that adds or asks files a few hundred of them at most."""
    monkeypatch.setattr(exact_index, "_BLOCK", 64)
    monkeypatch.setattr(filing, "_BLOCK", 64)
    monkeypatch.setattr(exact_index, "_CALLS_PER_STEP", 4)
    filed: list[int] = []
    buckets_of = filing.Filing._buckets

    def count(self: filing.Filing, start: int, depths: NDArray[np.int64]) -> NDArray[np.uint32]:
        filed[-1] += len(depths)
        return buckets_of(self, start, depths)

    monkeypatch.setattr(filing.Filing, "_buckets", count)
    index = NoveltyIndex()
    for number in range(6000):
        filed.append(0)
        index.add(f"task {number} in stage {number % 7} found {number * 31} of {number * 17} on host {number % 97}")
    assert max(filed) <= 256 + 64
    assert index._filing.ordered_at > 6000 / 2.6  # each filing is finished soon after the pool has doubled


def test_rows_are_filed_anew_where_that_reduces_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that keep their frequencies: only as the pool doubles. Other words become frequent: before that too."""
    monkeypatch.setattr(exact_index, "_READS_PER_ROW", 1)
    orders: list[set[int]] = []
    for turn in (0, 20):
        rng, index, seen = random.Random(5), NoveltyIndex(), set[int]()
        for number in range(1500):
            first = number // 125 * turn
            text = " ".join(f"w{first + int(40 * rng.random() ** 2)}" for _ in range(12))
            index.nearest(text, 0.7)
            index.add(text)
            seen.add(index._filing.ordered_at)
        orders.append(seen)
    assert len(orders[0]) <= 6
    assert len(orders[1]) > len(orders[0])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(MIXED, max_size=20), st.lists(st.tuples(MIXED, THRESHOLDS), max_size=6), st.sampled_from(["NFC", "NFD"])
)
def test_other_forms_of_the_same_text_are_equally_near(
    pool: list[str], queries: list[tuple[str, float]], form: Literal["NFC", "NFD"]
) -> None:
    """Marks, widths, joiners, emoji, right-to-left text: the row and score of brute force, also after normalising."""
    index = NoveltyIndex(min_threshold=0.7)
    index.add_all(pool)
    for text, threshold in queries:
        nearest = brute_nearest(pool, text, threshold)
        assert index.nearest(text, threshold) == nearest
        assert index.nearest(unicodedata.normalize(form, text), threshold) == nearest


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=25), TEXTS, st.integers(0, 30))
def test_k_nearest_is_a_sorted_scan(pool: list[str], text: str, k: int) -> None:
    """The k best of the whole pool, nearest first, equals in row order."""
    index = NoveltyIndex()
    index.add_all(pool)
    scores = [(row, rouge_l(text, other).f1) for row, other in enumerate(pool)]
    assert index.k_nearest(text, k) == sorted(scores, key=lambda one: (-one[1], one[0]))[:k]


def test_bulk_and_single_adding_give_the_same_index() -> None:
    """A pool indexed again on resume answers as the one that grew."""
    rng = random.Random(7)
    pool = [" ".join(rng.choices(WORDS, k=rng.randrange(15))) for _ in range(300)]
    grown, rebuilt = NoveltyIndex(), NoveltyIndex()
    for text in pool:
        grown.add(text)
    rebuilt.add_all(pool)
    for text in pool[::7]:
        changed = text + " stage"
        assert grown.nearest(changed, 0.7) == rebuilt.nearest(changed, 0.7) == brute_nearest(pool, changed, 0.7)


@pytest.mark.parametrize("text", ["", "?!", "___"])
def test_text_without_tokens_is_near_to_nothing(text: str) -> None:
    """Not even to itself: its ROUGE-L is 0 and 0 is not strictly above any threshold."""
    index = NoveltyIndex()
    index.add(text)
    index.add("task")
    assert index.nearest(text, 0.0) is None
    assert index.nearest("task", 0.0) == (1, 1.0)


def test_equal_to_the_threshold_is_not_above_it() -> None:
    """A near-duplicate is strictly nearer than the threshold: 7 of 10 tokens pass at 0.7."""
    index = NoveltyIndex()
    index.add("a b c d e f g 1 2 3")
    assert index.nearest("a b c d e f g 4 5 6", 0.7) is None
    assert index.nearest("a b c d e f g 4 5 6", 0.6999) == (0, 0.7)


@pytest.mark.usefixtures("sizes")
def test_streams_of_variants_are_brute_force() -> None:
    """Seeded streams of long and short texts and their variants, some 200,000 pairs, by rapidfuzz's LCS."""
    for seed in range(8):
        rng = random.Random(seed)
        words = [chr(0x4E00 + number) for number in range(rng.choice([3, 30, 400]))]
        index, pool = NoveltyIndex(min_threshold=rng.choice([0.5, 0.7, 0.857])), list[str]()
        for _ in range(220):
            text = rng.choices(words, k=rng.randrange(1, 60))
            if pool and rng.random() < 0.5:
                text = [word if rng.random() < 0.8 else rng.choice(words) for word in rng.choice(pool)]
            threshold, asked = rng.choice([0.6, 0.7, 0.75, 0.857, 0.95]), "".join(text)
            scores = [
                (2 * LCSseq.similarity(asked, other) / (len(asked) + len(other)), -row)
                for row, other in enumerate(pool)
            ]
            score, row = max(scores, default=(0.0, 0))
            assert index.nearest(asked, threshold) == ((-row, score) if score > threshold else None)
            if score < 1:
                index.add(asked)
                pool.append(asked)


def test_pairs_change_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of few characters, filed a few at a time while others wait, and anew as the pool doubles."""
    sizes = PAIRS | {"_WAITING": 3, "_CALLS_PER_STEP": 1, "_CHUNK": 20_000}
    for name, value in sizes.items():
        for module in (pair_postings, exact_index, filing):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    rng, index, pool = random.Random(2), NoveltyIndex(min_threshold=0.6), list[str]()
    merged, merge = 0, pair_postings.PairPostings.merge

    def count(*given: Any) -> Iterator[None]:
        nonlocal merged
        merged += 1
        return merge(*given)

    monkeypatch.setattr(pair_postings.PairPostings, "merge", count)
    for _ in range(200):
        text = "".join(chr(0x4E00 + int(60 * rng.random() ** 2)) for _ in range(rng.randrange(1, 30)))
        if pool and rng.random() < 0.5:
            near = rng.choice(pool)
            text = near[: rng.randrange(len(near) + 1)] + text[:6]
        scores = [
            (2 * LCSseq.similarity(text, other) / (len(text) + len(other)), -row) for row, other in enumerate(pool)
        ]
        score, row = max(scores, default=(0.0, 0))
        assert index.nearest(text, 0.65) == ((-row, score) if score > 0.65 else None)
        index.add(text)
        pool.append(text)
    assert merged > 10


def test_rows_that_share_all_but_one_token() -> None:
    """The worst pool for a filter by shared tokens: each row has one of its own, and all are equally near."""
    constants = [f"w{number}" for number in range(24)]
    index = NoveltyIndex(min_threshold=0.9)
    index.add_all(" ".join([*constants[: row % 25], f"x{row}", *constants[row % 25 :]]) for row in range(3000))
    asked = " ".join([*constants[:9], "y", *constants[9:]])
    assert index.nearest(asked, 0.95) == (0, 0.96)
    assert index.nearest(asked, 0.96) is None


def test_more_tokens_than_characters() -> None:
    """Beyond 1.1 million distinct tokens a character no longer stands for each; verdicts and scores stay."""
    index = NoveltyIndex()
    index.add_all(" ".join(f"{letter}{number}" for number in range(120_000)) for letter in "abcdefghij")
    index.add("k1 k2 k3 k4")
    assert index.nearest("k1 k2 k3 k5", 0.7) == (10, 0.75)
    assert index.nearest("k1 k2 a3 k4", 0.7) == (10, 0.75)
    index.add("a1 k2 a3 k4")
    assert index.nearest("a1 k2 a3 k9", 0.7) == (11, 0.75)


def test_texts_of_ten_thousand_tokens() -> None:
    """Long texts keep exact scores, where every bit of a signature is set."""
    rng = random.Random(3)
    texts = [[str(rng.randrange(3000)) for _ in range(10_000)] for _ in range(4)]
    index = NoveltyIndex()
    index.add_all(" ".join(text) for text in texts)
    index.add_all("one two three" for _ in range(300))  # more than wait to be filed
    changed = [*texts[2][:9_000], *(f"x{number}" for number in range(1000))]
    assert index.nearest(" ".join(changed), 0.7) == (2, 0.9)
    assert index.nearest(" ".join(changed), 0.9) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.floats(0.2, 1.0), st.sampled_from([0, 1_000_000]))
def test_probe_plan_leaves_no_partner_out(length: int, threshold: float, rows: int) -> None:
    """For every length that may be near, every pair of places where the first shared element may stand is probed."""
    classes = length_classes(threshold, rows)
    plan = probe_plan(threshold, length, classes)
    probes = zip(plan.positions.tolist(), plan.cells.tolist(), strict=True)
    allowed = dict(zip(probes, enumerate(plan.misses.tolist()), strict=True))
    assert plan.most_missed == max(plan.misses, default=0)
    for other in range(1, 10 * length):
        least = least_common(threshold, length + other)
        if least > min(length, other):
            continue
        assert other - least <= most_missed(threshold, other)
        places = np.arange(other - least + 1)
        for cell in set(cell_of(np.full_like(places, other), places, classes).tolist()):
            for position in range(length - least + 1):
                probe, misses = allowed[position, cell]
                assert misses >= length - least
                ours = 0 if probe < plan.shorter else length - least
                theirs = 0 if probe >= plan.longer else other - least
                assert plan.differences[probe] >= min(ours + theirs, 255), "what only one of the two has"
                kind = int(probe >= plan.shorter) + int(probe >= max(plan.shorter, plan.longer))
                assert plan.most_different[kind] >= plan.differences[probe]


def test_of_equally_near_rows_the_first_wins_even_if_its_upper_bound_is_lower() -> None:
    """The second row has all the tokens in another order: a higher bound, and the same F1."""
    index = NoveltyIndex()
    index.add_all(["a b x y", "b a d c"])
    assert index.k_nearest("a b c d", 1) == [(0, 0.5)]
