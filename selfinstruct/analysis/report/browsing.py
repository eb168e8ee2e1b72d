"""The sample of rows to browse, each with where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from selfinstruct.growth import PASSAGE
from selfinstruct.journal import GrownRow, History, RecordedReply
from selfinstruct.records import Row

#: Rows to browse: enough to get an impression, and few enough that the page is small.
_ROWS = 300


@dataclass(frozen=True, slots=True)
class Browsed:
    """Rows to browse, in order, with the replies that they were read from by the id of the call.

    ``pool`` has the demonstrations of their batches by pool id, ``passages`` the passages by number.
    """

    rows: tuple[GrownRow, ...]
    replies: Mapping[int, RecordedReply]
    pool: Mapping[int, Row]
    passages: Mapping[int, Row]


def browse(history: History, sample: Sequence[GrownRow]) -> Browsed:
    """Return rows of a sample, about as many of each category, with their origins."""
    rows = tuple(sorted(_balanced(sample)[:_ROWS], key=lambda grown: grown.number))
    calls = dict.fromkeys(grown.call for grown in rows)
    replies = {call: reply for call in calls if (reply := history.reply(call)) is not None}
    shown = {demo for reply in replies.values() for demo in reply.batch.demos}
    numbers = {int(reply.batch.conditions.get(PASSAGE) or 0) for reply in replies.values()} - {0}
    passages = {number: passage for number in sorted(numbers) if (passage := history.passage(number)) is not None}
    return Browsed(rows, replies, history.pool_rows(sorted(shown)), passages)


def _balanced(sample: Sequence[GrownRow]) -> list[GrownRow]:
    """The sample in turns: the first row of each category, then the second of each."""
    by_category: dict[str, list[GrownRow]] = {}
    for grown in sample:
        by_category.setdefault(grown.category, []).append(grown)
    turns = chain.from_iterable(zip_longest(*by_category.values()))
    return [grown for grown in turns if grown is not None]
