"""The decisions that a journal has, and how those that stand change its counts.

Does not handle: the inbox (``inbox``), what a decision means by itself (``decisions``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from selfinstruct.journal.decisions import BY_PERSON, Decision, Decisions
from selfinstruct.journal.entries import CategoryCounts, decode_text

#: Runs a query and returns all of its rows.
Query = Callable[..., list[Any]]

_DECISIONS = """
    SELECT d.id, d.key, COALESCE(d.row, -d.rejection), d.action, d.reason, d.person, d.at, d.line, d.spans,
           COALESCE(g.name, X''), d.after_call
    FROM decisions d LEFT JOIN categories g ON g.id = d.category ORDER BY d.id"""
_TARGETS = """
    SELECT r.{key}, g.name, {reason}, p.name, c.model
    FROM {table} r JOIN calls c ON c.id = r.call JOIN batches b ON b.number = c.batch
         JOIN categories g ON g.id = r.category JOIN categories p ON p.id = b.category
    WHERE r.{key} IN (SELECT value FROM json_each(?))"""
_ROWS = _TARGETS.format(key="number", table="rows", reason="''")
_REJECTIONS = _TARGETS.format(key="id", table="rejections", reason="r.reason")


class Effect(NamedTuple):
    """What decisions change for one row.

    ``recorded`` is the category in which the run accepted it, ``now`` the one in which it counts; None where it does
    not. ``reason`` is that of a recorded rejection. ``requested`` is the category of its batch, ``model`` wrote it.
    """

    target: int
    recorded: str | None
    now: str | None
    reason: str
    requested: str
    model: str


def read_decisions(query: Query) -> Iterator[Decision]:
    """The decisions in the table, in order."""
    for number, key, target, action, reason, person, at, line, spans, category, after in query(_DECISIONS):
        texts = decode_text(reason), decode_text(person)
        yield Decision(key, target, action, *texts, at, line, spans, decode_text(category), after, number)


def effects(query: Query, decisions: Decisions) -> list[Effect]:
    """What the standing decisions change, by row; a row that the journal does not have is left out."""
    standing = decisions.standing
    if not standing:
        return []
    rows = json.dumps([target for target in standing if target > 0])
    rejections = json.dumps([-target for target in standing if target < 0])
    found = []
    for sign, recorded in ((1, query(_ROWS, rows)), (-1, query(_REJECTIONS, rejections))):
        for number, category, reason, requested, model in recorded:
            each = standing[sign * number]
            own = decode_text(category) if sign > 0 else None
            now = (each.category or own) if each.counts else None
            found.append(Effect(sign * number, own, now, reason, decode_text(requested), decode_text(model)))
    return found


def changed_rejections(recorded: Mapping[str, int], changed: Iterable[Effect]) -> dict[str, int]:
    """The rejections by reason, with those by a person and without those that count now."""
    counts = Counter(recorded)
    for each in changed:
        if each.recorded is not None and each.now is None:
            counts[BY_PERSON] += 1
        elif each.recorded is None and each.now is not None:
            counts[each.reason] -= 1
    return {reason: count for reason, count in sorted(counts.items()) if count}


def changed_categories(recorded: Mapping[str, CategoryCounts], changed: Iterable[Effect]) -> dict[str, CategoryCounts]:
    """The counts of each category, with the rows that count now."""
    counts = dict(recorded)
    for each in changed:
        for name, one in ((each.recorded, -1), (each.now, 1)):
            if name is not None:
                before = counts.get(name, CategoryCounts())
                hit = one * (each.requested == name)
                counts[name] = replace(before, accepted=before.accepted + one, hits=before.hits + hit)
    return counts


def more_rows(changed: Iterable[Effect], model: str | None = None) -> int:
    """How many more rows count than the run accepted, of all or of one model."""
    return sum((each.now is not None) - (each.recorded is not None) for each in changed if model in (None, each.model))
