"""A person's decisions in a damaged journal: those that can be read, about the rows as they are numbered anew.

Does not handle: decisions on rows that are lost, or whose reply is judged again: such a row gets another number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from selfinstruct.journal.decisions import ACTIONS, Decision
from selfinstruct.journal.entries import decode_text


def readable_decisions(records: Mapping[int, tuple[Any, ...]], names: Mapping[int, str]) -> Iterator[Decision]:
    """The decisions in these records of the table, in order; ``names`` are those of categories."""
    for number, record in sorted(records.items()):
        _, key, row, rejection, action, reason, person, at, line, spans, category, after_call = record
        target = row or -(rejection or 0)
        if target and action in ACTIONS and (line is None or category in names):
            said = decode_text(reason), decode_text(person)
            yield Decision(key, target, action, *said, at, line, spans, names.get(category, ""), after_call, number)


def renumbered(
    decisions: Iterable[Decision], rows: Mapping[int, int], rejections: Mapping[int, int]
) -> Iterator[Decision | None]:
    """Each decision about the new number of its row, or None where the row is gone."""
    for decision in decisions:
        old = decision.target
        new = rows.get(old) if old > 0 else rejections.get(-old)
        yield None if new is None else replace(decision, target=new if old > 0 else -new)
