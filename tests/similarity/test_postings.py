"""Postings hold what was filed, whether all at once or bit by bit, and read it back either way."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfinstruct.similarity import postings
from selfinstruct.similarity.postings import Entries, Postings

_BUCKETS = st.lists(st.integers(0, 15), max_size=60)


@pytest.fixture(params=[(0, 8192), (3, 8192), (1000, 8192), (3, 1), (1000, 5)])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices always copied, copied or gathered by their length, and entries always gathered; in one piece, in many."""
    monkeypatch.setattr(postings, "_LONG", request.param[0])
    monkeypatch.setattr(postings, "_PIECE", request.param[1])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_BUCKETS, max_size=4), st.lists(_BUCKETS, max_size=6), _BUCKETS)
@pytest.mark.usefixtures("way")
def test_entries_are_those_of_a_dictionary(known: list[list[int]], later: list[list[int]], asked: list[int]) -> None:
    """Blocks that were known beforehand and blocks that came later: each bucket asked for has its rows in order."""
    index, oracle, row = Postings(bits=4, words=2), defaultdict[int, list[int]](list), 0
    blocks: list[Entries] = []
    for block in [*known, *later]:
        rows = np.arange(row, row + len(block), dtype=np.uint32)
        blocks.append((rows, np.stack((rows.astype(np.uint64) * np.uint64(3), rows.astype(np.uint64) << 40), axis=1)))
        for bucket in block:
            oracle[bucket].append(row)
            row += 1
    for _ in index.fill(np.array(list(chain.from_iterable(known)), np.uint32), iter(blocks[: len(known)])):
        pass
    for block, entries in zip(later, blocks[len(known) :], strict=True):
        index.extend(np.array(block, np.uint32), *entries)

    pieces = list(index.find(np.array(asked, np.uint32)))

    expected = [each for bucket in asked for each in oracle[bucket]]
    held = [place for found in pieces for place in found.held.tolist()]
    assert held == [place for place, bucket in enumerate(asked) if oracle[bucket]]
    returned = [row for found in pieces for row in index.rows(found, np.arange(len(found.signatures))).tolist()]
    assert returned == expected
    signatures = [words for found in pieces for words in found.signatures.tolist()]
    assert signatures == [[3 * each, each << 40] for each in expected]
    for place in range(len(asked) + 1):
        before = sum(found.before(place) for found in pieces)
        assert before == sum(len(oracle[bucket]) for bucket in asked[:place])
    for found in pieces:
        assert len(found.signatures) <= max(postings._PIECE, found.counts[0])


def test_a_slice_that_was_left_is_used_again() -> None:
    """Buckets that grow one after the other take up little more than what they hold."""
    index = Postings(bits=8, words=1)
    for bucket in range(200):
        for row in range(8):
            rows = np.array([row], np.uint32)
            index.extend(np.array([bucket], np.uint32), rows, rows.astype(np.uint64)[:, None])
    assert index._rows.size < 1.1 * 200 * 8
