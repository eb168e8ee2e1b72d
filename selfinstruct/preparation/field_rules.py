"""Rules of single fields that the seeds follow: types, grounding, identifiers, labels, lengths.

A rule holds if at least nine of ten rows that have a value follow it, and at least three (or all, of fewer rows). A
limit or a set of labels must also fit the seeds' own halves: taken from one half, it must not refuse the other.

Does not handle: relations between the values of several fields, or rules that the seeds follow by chance.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from selfinstruct.checks.grounding import find, has_value, items
from selfinstruct.messages import Phrase
from selfinstruct.mining import split_words
from selfinstruct.preparation.categories import folded, spellings
from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import leaf_text, leaves
from selfinstruct.text import find_span

FieldType: TypeAlias = Literal["string", "integer", "number", "boolean", "array", "object", "any"]

#: A rule is inferred if at least this share of the rows with a value follows it.
_SHARE = 0.9
_LEAST_ROWS = 3
# In fewer rows one exception is more than a tenth; it is believed if it and all the other values are numbers.
_LEAST_OF_FEW = 4
# Numbers occur in texts by chance; a rule must be this unlikely among the values of other rows.
_CHANCE = 0.05
_SHIFTS = 10
# A label has few values, each short, most of them repeated.
_LABEL_CHARACTERS = 40
_LABEL_VALUES = 50
# The maximum length of a value: this many times the longest seed, and at least ``_LEAST_MAX_CHARS``.
_MAX_LENGTH_RATIO = 4
_LEAST_MAX_CHARS = 200
#: Files with fewer seeds are not split in halves.
_LEAST_SPLIT = 20


def holds(kept: int, total: int, rows: int) -> bool:
    """Whether a rule that ``kept`` of the ``total`` rows with a value follow is inferred, in a file of ``rows``."""
    return total > 0 and kept >= _SHARE * total and kept >= min(_LEAST_ROWS, rows)


def fits_halves(rows: Sequence[Row], refused: Callable[[Sequence[Row], Sequence[Row]], int], share: float = 0) -> bool:
    """Whether a rule fits the seeds' own halves.

    ``refused`` returns the number of rows of the second half that the rule of the first one refuses: at most ``share``
    of them, both ways. Too few rows to split fit.
    """
    if len(rows) < _LEAST_SPLIT:
        return True
    halves = rows[::2], rows[1::2]
    return all(refused(one, other) <= share * len(other) for one, other in (halves, halves[::-1]))


def field_type(values: Sequence[JSON]) -> FieldType:
    """Return the JSON type of at least nine of ten values and at least three, or of all; else "any".

    Integers and numbers together are numbers. "any" without values: a key of so few rows that no sample has one.
    """
    if not values:
        return "any"
    kinds = Counter(_json_type(value) for value in values)
    if kinds["integer"] and kinds["number"]:
        kinds["number"] += kinds.pop("integer")
    kind, count = kinds.most_common(1)[0]
    if count == len(values) or holds(count, len(values), max(len(values), _LEAST_ROWS)):
        return kind
    return "any"


def _json_type(value: JSON) -> FieldType:
    names: dict[type, FieldType] = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    return names.get(type(value), "any")


def are_of(rows: Sequence[Row], name: str, types: type | tuple[type, ...]) -> bool:
    """Whether a field has a value in some row, and values of these types only besides null."""
    values = [row[name] for row in rows if row[name] is not None]
    return bool(values) and all(isinstance(value, types) for value in values)


def plain_lists(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """The fields that are lists of texts or numbers alone, in some row with an item."""

    def is_plain(value: JSON) -> bool:
        return isinstance(value, list) and all(type(item) in (str, int, float) for item in value)

    return [
        name
        for name in names
        if all(row[name] is None or is_plain(row[name]) for row in rows) and any(row[name] for row in rows)
    ]


def has_texts(rows: Sequence[Row], name: str) -> bool:
    """Whether a list or an object contains text in most rows."""
    count = sum(
        isinstance(row[name], list | dict)
        and any(isinstance(leaf, str) and leaf.strip() for leaf in leaves({name: row[name]}).values())
        for row in rows
    )
    return holds(count, len(rows), len(rows))


def may_be_blank(rows: Sequence[Row], name: str) -> bool:
    """Whether the field is blank or null in some seed, so that it may be so in new rows."""
    return any(name in row and not has_value(row[name]) for row in rows)


def max_chars(rows: Sequence[Row], name: str) -> int | None:
    """Return the maximum length of a field's texts; None if one half of the seeds exceeds that of the other."""

    def limit(some: Sequence[Row]) -> int:
        longest = max((len(row[name]) for row in some if row[name] is not None), default=0)
        return max(_MAX_LENGTH_RATIO * longest, _LEAST_MAX_CHARS)

    def refused(one: Sequence[Row], other: Sequence[Row]) -> int:
        most = limit(one)
        return sum(len(row[name] or "") > most for row in other)

    return limit(rows) if fits_halves(rows, refused) else None


def grounding(
    rows: Sequence[Row], names: Sequence[str], contexts: Sequence[str], reasons: dict[str, str]
) -> dict[str, str]:
    """Map each field of ``names`` to the field of ``contexts`` that contains its value in the rows that have one."""
    grounded: dict[str, str] = {}
    for name in names:
        best, most = None, 0
        filled = [row for row in rows if has_value(row[name]) and row[name] != []]
        for other in contexts:
            if other == name or grounded.get(other) == name:
                continue
            inside = list(_inside(filled, name, other, len(rows)))
            kept = sum(inside)
            if (
                len(inside) < len(filled)
                or kept <= most
                or not (holds(kept, len(filled), len(rows)) or _is_one_odd_number(filled, name, inside))
            ):
                continue
            if any(isinstance(item, str) for item in items(filled[0][name])) or not _is_chance(
                filled, name, other, kept
            ):
                best, most = other, kept
        if best is not None:
            grounded[name] = best
            are_items = isinstance(filled[0][name], list)
            reasons[f"fields.{name}.appears_in"] = Phrase(
                "items are spans of {field} ({count} of {seeds} seeds)"
                if are_items
                else "a span of {field} ({count} of {seeds} seeds)",
                field=best,
                count=most,
                seeds=len(filled),
            )
    return grounded


def _inside(filled: Sequence[Row], name: str, other: str, total: int) -> Iterator[bool]:
    """Whether each row's value is in its context, up to the row that decides that too few are."""
    missing = 0
    for row in filled:
        found = _is_inside(row[name], row[other])
        missing += not found
        if missing > 1 and not holds(len(filled) - missing, len(filled), total):
            return
        yield found


def _is_inside(value: JSON, context: JSON) -> bool:
    return isinstance(context, str) and value != context and _occurs(value, context)


def _occurs(value: JSON, context: str) -> bool:
    """Whether a context contains a value, or every item of a list, of which there is one."""
    single = items(value)
    return bool(single) and all(find(item, context, "exact") is not None for item in single)


def _is_one_odd_number(rows: Sequence[Row], name: str, inside: Sequence[bool]) -> bool:
    """Whether a single number of a few is not in its context while all the others are: an error, not a habit."""
    if inside.count(False) != 1 or len(inside) <= _LEAST_OF_FEW:
        return False
    return all(type(row[name]) in (int, float) for row in rows)


def _is_chance(rows: Sequence[Row], name: str, other: str, kept: int) -> bool:
    """Whether as many numbers could be in their contexts by chance: a binomial test.

    The chance of one is how often the values of other rows occur in a context.
    """
    shifts = range(1, min(len(rows), _SHIFTS + 1))
    pairs = [(rows[at - shift][name], row[other]) for shift in shifts for at, row in enumerate(rows)]
    foreign = [(value, context) for value, context in pairs if isinstance(context, str)]
    chance = sum(_occurs(value, context) for value, context in foreign) / max(len(foreign), 1)
    return _tail(len(rows), kept, chance) > _CHANCE


def _tail(count: int, least: int, chance: float) -> float:
    """The probability of at least ``least`` successes in ``count`` trials."""
    return math.fsum(math.comb(count, n) * chance**n * (1 - chance) ** (count - n) for n in range(least, count + 1))


def identifier_sources(
    rows: Sequence[Row], names: Sequence[str], sources: Iterable[str], reasons: dict[str, str]
) -> dict[str, str]:
    """Map each field to the source that contains its words with digits in the rows that have some."""
    identified = {}
    for name in names:
        found = [(words, row) for row in rows if (words := list(filter(_has_digit, split_words(leaf_text(row[name])))))]
        for source in dict.fromkeys(sources):
            if source == name:
                continue
            kept = sum(all(find_span(word, leaf_text(row[source])) for word in words) for words, row in found)
            if holds(kept, len(found), len(found)):
                identified[name] = source
                reasons[f"fields.{name}.identifiers_in"] = Phrase(
                    "numbers and ids must occur in {field} ({count} of {seeds} seeds)",
                    field=source,
                    count=kept,
                    seeds=len(found),
                )
    return identified


def _has_digit(piece: str) -> bool:
    return any(map(str.isdigit, piece))


def find_label(rows: Sequence[Row], names: Sequence[str]) -> str | None:
    """Return the last field with few short values, most of them in several rows; labels usually come last.

    Values that differ only by case or blanks are one.
    """

    def refused(one: Sequence[Row], other: Sequence[Row]) -> int:
        known = {folded(row[name]) for row in one}
        return sum(folded(row[name]) not in known for row in other)

    for name in reversed(names):
        groups = spellings([row[name] for row in rows])
        counts = [sum(group.values()) for group in groups]
        short = all(len(value) <= _LABEL_CHARACTERS and value.strip() for group in groups for value in group)
        few = 2 <= len(groups) <= min(_LABEL_VALUES, len(rows) // 2)
        again = sum(count for count in counts if count > 1)
        if short and few and len(names) > 1 and again >= _SHARE * len(rows) and fits_halves(rows, refused, 1 - _SHARE):
            return name
    return None
