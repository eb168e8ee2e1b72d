"""Pages of rows and of rejections, filtered, in a time that does not depend on the size of the run.

A page starts after a number, by the primary key, and looks at a limited range of numbers: a filter that nothing in this
range matches gives an empty page with a place to go on from. An index for each filter would slow down every run.

Does not handle: letters that differ in case outside ASCII, which a search takes for different letters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from selfinstruct.journal.decisions import Standing
from selfinstruct.journal.entries import GrownRow, RefusedCandidate, encode_text, grown_row, refused_candidate
from selfinstruct.journal.history import History
from selfinstruct.text import value_text

T = TypeVar("T")
#: Which decisions are wanted: any or none at all, or what stands of the row.
Decided: TypeAlias = Literal["any", "none", "accept", "reject", "edit"]

#: The numbers that one page looks at: a search reads every row (about 1 us each), a category its record alone.
_SEARCHED, _FILTERED, _DECIDED = 20_000, 50_000, 2_000
_ROWS = """
    SELECT r.number, r.call, r.position, g.name, r.row, r.spans
    FROM rows r JOIN categories g ON g.id = r.category
    WHERE r.number > ?1 AND r.number <= ?2
      AND ((?3 IS NULL OR r.category = (SELECT id FROM categories WHERE name = ?3))
           AND (?4 IS NULL OR r.row LIKE ?4 ESCAPE '\\')
           OR r.number IN (SELECT value FROM json_each(?5)))
      AND r.number NOT IN (SELECT value FROM json_each(?7))
    ORDER BY r.number LIMIT ?6"""
_REJECTIONS = """
    SELECT r.id, r.call, r.position, g.name, r.reason, r.message, r.nearest, r.score, r.text
    FROM rejections r JOIN categories g ON g.id = r.category
    WHERE r.id > ?1 AND r.id <= ?2 {reason}
      AND (?3 IS NULL OR r.category = (SELECT id FROM categories WHERE name = ?3))
      AND (?4 IS NULL OR CAST(r.text AS TEXT) LIKE ?4 ESCAPE '\\' OR CAST(r.text AS TEXT) LIKE ?5 ESCAPE '\\')
      AND r.id NOT IN (SELECT value FROM json_each(?7))
    ORDER BY r.id LIMIT ?6"""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is wanted: rows of a ``category``, with ``text`` in a value, refused for ``reason``; "" is all of them."""

    category: str | None = None
    text: str = ""
    reason: str = ""
    decided: Decided = "any"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page: ``next`` is the number to go on after, None at the end; ``scanned`` numbers were looked at."""

    items: Sequence[T]
    next: int | None
    scanned: int


def page_of_rows(history: History, after: int, limit: int, wanted: Filter) -> Page[tuple[GrownRow, Standing | None]]:
    """The grown rows after a number, with a person's values, and what stands of the decisions on them."""
    standing, last = history.decisions.standing, history.last_row()
    if wanted.decided not in ("any", "none"):
        targets = sorted(number for number in standing if number > after)
        chosen = _chosen(targets, standing, wanted, limit)
        decided = [(_as_it_stands(row, standing), standing[n]) for n in chosen.items if (row := history.row(n))]
        return Page([pair for pair in decided if _fits(pair[0], wanted)], chosen.next, chosen.scanned)
    until = min(after + (_SEARCHED if wanted.text else _FILTERED), last)
    edited = [number for number, each in standing.items() if number > 0 and each.line is not None]
    category = None if wanted.category is None else encode_text(wanted.category)
    pattern = _pattern(json.dumps(wanted.text, ensure_ascii=False)[1:-1]) if wanted.text else None
    # Without a filter the list of edited rows would only be in the way.
    also = edited if category is not None or pattern is not None else []
    without = _without(standing, wanted, 1)
    values = (after, until, category, pattern, json.dumps(also), limit, without)
    found = [grown_row(*each) for each in history.query(_ROWS, *values)]
    rows = [(_as_it_stands(row, standing), standing.get(row.number)) for row in found]
    kept = [pair for pair in rows if _fits(pair[0], wanted)]
    end = found[-1].number if len(found) == limit else until
    return Page(kept, end if end < last else None, max(end - after, 0))


def page_of_rejections(
    history: History, after: int, limit: int, wanted: Filter
) -> Page[tuple[RefusedCandidate, Standing | None]]:
    """The rejections after an id, and what stands of the decisions on them."""
    standing, last = history.decisions.standing, history.last_rejection()
    if wanted.decided not in ("any", "none"):
        ids = sorted(-target for target in standing if -target > after)
        chosen = _chosen([-number for number in ids], standing, wanted, limit)
        decided = [(refused, standing[n]) for n in chosen.items if (refused := history.rejection(-n))]
        end = None if chosen.next is None else -chosen.next
        return Page([pair for pair in decided if _is_wanted(pair[0], wanted)], end, chosen.scanned)
    # Ids of one reason stand together in its index, so that its pages need no limit of their own.
    until = min(after + (_SEARCHED if wanted.text else _FILTERED), last)
    if wanted.reason and not wanted.text and wanted.category is None:
        until = last
    sql = _REJECTIONS.format(reason="AND r.reason = ?8" if wanted.reason else "")
    category = None if wanted.category is None else encode_text(wanted.category)
    patterns = [
        _pattern(text) if wanted.text else None
        for text in (wanted.text, json.dumps(wanted.text, ensure_ascii=False)[1:-1])
    ]
    values = (after, until, category, *patterns, limit, _without(standing, wanted, -1))
    more = (wanted.reason,) if wanted.reason else ()
    found = [refused_candidate(*each) for each in history.query(sql, *values, *more)]
    kept = [(each, standing.get(-each.id)) for each in found]
    end = found[-1].id if len(found) == limit else until
    return Page(kept, end if end < last else None, max(end - after, 0))


def _chosen(targets: Sequence[int], standing: Mapping[int, Standing], wanted: Filter, limit: int) -> Page[int]:
    """The first targets that stand as wanted."""
    found: list[int] = []
    for at, target in enumerate(targets):
        if len(found) == limit or at == _DECIDED:
            return Page(found, targets[at - 1], at)
        if standing[target].action == wanted.decided:
            found.append(target)
    return Page(found, None, len(targets))


def _without(standing: Mapping[int, Standing], wanted: Filter, sign: int) -> str:
    """The numbers to leave out, as JSON: those that a person has decided on, where these are not wanted."""
    return json.dumps([sign * target for target in standing if sign * target > 0 and wanted.decided == "none"])


def _as_it_stands(row: GrownRow, standing: Mapping[int, Standing]) -> GrownRow:
    """A row with a person's values, also where the person rejected it."""
    found = standing.get(row.number)
    if found is None or found.line is None:
        return row
    return row._replace(category=found.category, line=found.line, spans_line=found.spans_line)


def _fits(row: GrownRow, wanted: Filter) -> bool:
    """Whether the text is in a value, and not only in a name; and whether an edited row still matches."""
    if wanted.category is not None and row.category != wanted.category:
        return False
    return not wanted.text or _contains(map(value_text, row.row.values()), wanted.text)


def _is_wanted(refused: RefusedCandidate, wanted: Filter) -> bool:
    if wanted.reason and refused.reason != wanted.reason:
        return False
    if wanted.category is not None and refused.category != wanted.category:
        return False
    return not wanted.text or _contains([refused.text], wanted.text)


def _contains(texts: Iterable[str], wanted: str) -> bool:
    sought = wanted.lower()
    return any(sought in text.lower() for text in texts)


def _pattern(text: str) -> str:
    """The LIKE pattern of texts that contain this one."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
