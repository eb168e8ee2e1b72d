"""Agreements between values of seed rows: equal, contained, counted, at a position, in order, of a format.

Each is a hypothesis about two or three columns that is weighed as ``significance`` describes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, permutations

from selfinstruct.mining.columns import Cell, Column, list_paths, mean_length, together
from selfinstruct.mining.significance import LEAST_FOR_STRICT_EXCEPTION, Evidence, weigh
from selfinstruct.recipe import Relation
from selfinstruct.recipe.relation_paths import parse_pattern, places
from selfinstruct.recipe.violations import in_order, is_at, is_weekday, length_of
from selfinstruct.records import JSON, Row
from selfinstruct.text import value_text
from selfinstruct.values import FORMATS, matches_format, number_of, occurs_in
from selfinstruct.values.dated import accident
from selfinstruct.values.readings import mentions, same_meaning

#: Longer values are texts of their own, which are not looked for in other texts.
_LONGEST_PART = 200
#: Longer texts are not searched for dates.
_LONGEST_DATED = 2000
#: The probability that a random text of the right shape is valid: its check digits match, or it is a calendar date.
_FORMAT_PRIORS = {
    **{"iban": 0.01, "isbn": 0.1, "luhn": 0.1, "uuid": 1e-3, "mac": 1e-3, "ip": 0.02, "email": 0.01, "url": 0.01},
    **{"json": 1e-3, "datetime": 0.01, "date": 0.04, "time": 0.15},
}
#: Above this share of crossed pairs in order, two columns are merely of different sizes.
_MOST_SHUFFLED_ORDER = 0.75


def equal_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the columns that mean the same, each with the first such column."""
    usable = [column for column in columns if column.varies]
    pairs = [pair for pair in combinations(usable, 2) if _comparable(*pair)]
    known: set[str] = set()
    for first, second in pairs:
        if second.path in known:
            continue
        values, owners = together((first, second))
        prior = max(_rarity(first.cells), _rarity(second.cells))
        evidence = weigh(values, owners, same_meaning, prior=prior, hypotheses=len(pairs))
        if evidence is not None and evidence.is_believed:
            known.add(second.path)
            yield Relation(equal=(first.path, second.path)), evidence


def contained_relations(
    columns: Sequence[Column], grounded: Mapping[str, str], same: Mapping[str, str]
) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the columns whose values occur in a text of their row.

    ``grounded`` are the fields that the recipe already requires to occur in another, which are left out; ``same`` maps
    a column to an equal one, whose relations hold for it too.
    """
    known = {*same, *grounded}
    parts = [column for column in columns if column.varies and column.path not in known and _is_part(column)]
    wholes = [column for column in columns if column.is_prose and column.varies and column.path not in same]
    pairs = [
        (part, whole)
        for part in parts
        for whole in wholes
        if part is not whole
        and (not whole.depth or part.inner == whole.inner)
        # An item of a list may be looked for in the text of its row; a part is shorter than the whole.
        and 2 * mean_length(part) <= mean_length(whole)
    ]
    for part, whole in pairs:
        values, owners = together((part, whole))
        prior = _part_prior(part, whole)
        evidence = weigh(values, owners, _occurs, prior=prior, hypotheses=len(pairs))
        if evidence is not None and evidence.is_believed:
            yield Relation(contained=(part.path, whole.path)), evidence


def count_relations(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the numbers that are lengths of lists, or numbers of words, lines, items or characters."""
    numbers = [column for column in columns if not column.depth and column.is_integer and column.varies]
    lists = list_paths(columns)
    texts = [column for column in columns if not column.depth and column.is_text and column.varies]
    hypotheses = len(numbers) * (len(lists) + 4 * len(texts))
    for number in numbers:
        for path in lists:
            pattern = parse_pattern(path)
            cells = [Cell(at, (), value) for at, row in enumerate(rows) for value in places(row, pattern).values()]
            yield from _counted(number, path, cells, "items", hypotheses)
        for text in texts:
            if text is number:
                continue
            for unit in ("items", "words", "lines", "characters"):
                if _has_unit(text, unit):
                    yield from _counted(number, text.path, text.cells, unit, hypotheses)


def offset_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the numbers that are positions of a value in a text, with the ends of these values if there are some."""
    starts = [column for column in columns if column.is_integer and not column.is_text]
    values = [column for column in columns if column.is_text]
    texts = [column for column in values if column.is_prose and not column.depth]
    triples = [
        (start, value, text)
        for start in starts
        for value in values
        for text in texts
        if value is not text and start.depth == value.depth and value.varies
    ]
    for start, value, text in triples:
        tuples, owners = together((start, value, text))
        if not any(cell.value for cell in start.cells):
            continue
        length = sum(len(whole) for *_, whole in tuples) / len(tuples) if tuples else 1
        evidence = weigh(tuples, owners, is_at, prior=1 / max(length, 2), hypotheses=len(triples))
        if evidence is None or not evidence.is_believed:
            continue
        end = next((column for column in starts if column is not start and _ends(start, value, column)), None)
        yield Relation(offset=(start.path, value.path, text.path), end=None if end is None else end.path), evidence


def weekday_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the weekdays of dates."""
    dates = [column for column in columns if column.is_moment and column.varies]
    days = [column for column in columns if column.is_text and column.varies and not column.is_moment]
    pairs = [(day, date) for day in days for date in dates if _comparable(day, date)]
    for day, date in pairs:
        values, owners = together((day, date))
        evidence = weigh(values, owners, is_weekday, prior=1 / 7, hypotheses=len(pairs))
        if evidence is not None and evidence.is_believed and evidence.total >= 0.9 * len(values):
            yield Relation(weekday=(day.path, date.path)), evidence


def order_relations(
    columns: Sequence[Column], explained: Sequence[frozenset[str]], same: Mapping[str, str]
) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the numbers, dates and times of which one is never below the other.

    ``explained`` are the paths of relations by which one value is computed from others, ``same`` those of equal ones.
    """
    usable = [c for c in columns if c.varies and c.path not in same and (c.is_numeric or c.is_moment)]
    pairs = [
        (first, second)
        for first, second in permutations(usable, 2)
        if _comparable(first, second) and first.is_moment == second.is_moment
    ]
    found: list[tuple[str, str, Evidence]] = []
    for first, second in pairs:
        if any({first.path, second.path} <= members for members in explained) and not first.is_moment:
            continue
        values, owners = together((first, second))
        evidence = weigh(values, owners, in_order, prior=0.5, hypotheses=len(pairs))
        # One exception shows that there may be more: correlated numbers are often in order.
        if evidence is None or not evidence.is_believed or evidence.hits < evidence.total:
            continue
        if _crossed_order(values) <= _MOST_SHUFFLED_ORDER:
            found.append((first.path, second.path, evidence))
    direct = {(one, other) for one, other, _ in found}
    for one, other, evidence in found:
        # a <= b and b <= c say that a <= c.
        if not any((one, middle) in direct and (middle, other) in direct for _, middle in direct):
            yield Relation(order=(one, other)), evidence


def format_relations(columns: Sequence[Column], same: Mapping[str, str]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the formats that every value of a column has; what equals another value may be a duration, not a time."""
    for column in columns:
        if not column.varies or not (column.is_text or column.is_integer) or mean_length(column) > _LONGEST_DATED:
            continue
        for name in FORMATS if mean_length(column) <= _LONGEST_PART else ("json", "dated"):
            if name == "time" and column.path in {*same, *same.values()}:
                continue
            cells = column.cells
            if name == "dated":
                # A text without dates says nothing of them.
                cells = [cell for cell in cells if accident(value_text(cell.value)) < 1]
            valid = [value_text(cell.value) for cell in cells if matches_format(cell.value, name)]
            distinct = len(set(valid))
            chance = min(1.0, _accident(name, set(valid)) * len(columns) * (1 if name == "dated" else len(FORMATS)))
            evidence = Evidence(len(valid), len(cells), distinct, chance)
            if valid and evidence.is_believed and evidence.is_strict and _are_alike(column, valid, name):
                yield Relation.model_validate({"format": {column.path: name}}), evidence
                break


def _accident(name: str, texts: Collection[str]) -> float:
    """The chance that random texts of the right shape are all valid."""
    return math.prod(accident(text) if name == "dated" else _FORMAT_PRIORS[name] for text in texts)


def _are_alike(column: Column, valid: Sequence[str], name: str) -> bool:
    """Whether the values without a format look like those with it: a wrong date is a date, a host name no address."""
    if name == "dated":
        return True
    if name == "email" and len(column.cells) - len(valid) > len(column.cells) // 50:
        return all("@" in value_text(cell.value) for cell in column.cells)
    if name == "email":
        return True
    shapes = {_shape(text) for text in valid}
    others = (cell.value for cell in column.cells if not matches_format(cell.value, name))
    return all(_shape(value_text(value)) in shapes for value in others)


def _shape(text: str) -> str:
    """The marks between the words of a text, or its length if there are none."""
    shape = re.sub(r"\w+", "x", text)
    return shape if shape != "x" else f"{len(text)} characters"


def _counted(
    number: Column, path: str, cells: Sequence[Cell], unit: str, hypotheses: int
) -> Iterator[tuple[Relation, Evidence]]:
    lengths = {cell.row: length_of(cell.value, unit) for cell in cells}
    if len(set(lengths.values())) < 2:
        return
    together = [(cell.value, lengths[cell.row]) for cell in number.cells if cell.row in lengths]
    owners = [cell.row for cell in number.cells if cell.row in lengths]
    prior = 1 / len(set(lengths.values()))
    evidence = weigh(together, owners, _is_number, prior=prior, hypotheses=hypotheses)
    if evidence is not None and evidence.is_believed:
        given = {"count": (number.path, path)} | ({} if unit == "items" else {"unit": unit})
        yield Relation.model_validate(given), evidence


def _is_number(value: JSON, length: int) -> bool:
    return number_of(value) == length


def _occurs(value: JSON, text: JSON) -> bool:
    return occurs_in(value, value_text(text))


def _has_unit(text: Column, unit: str) -> bool:
    sample = [value_text(cell.value) for cell in text.cells[:20]]
    marks = {"items": ",;|", "words": " ", "lines": "\n"}
    return unit == "characters" or any(mark in value for value in sample for mark in marks[unit])


def _comparable(first: Column, second: Column) -> bool:
    """Whether the values of two columns belong together: both of the row, or of the same list."""
    return first.inner == second.inner


def _is_part(column: Column) -> bool:
    return not any(isinstance(cell.value, bool) for cell in column.cells) and mean_length(column) <= _LONGEST_PART


def _rarity(cells: Sequence[Cell]) -> float:
    """The chance that two values of this kind are the same: few digits or letters leave few possibilities."""
    sample = cells[:50]
    return sum(_chance_of(value_text(cell.value)) for cell in sample) / len(sample)


def _chance_of(text: str) -> float:
    digits = sum(character.isdigit() for character in text)
    if digits == len(text.replace(".", "").replace(",", "")):
        return float(10.0 ** -min(max(digits, 1), 4))
    return float(4.0 ** -min(len(text), 7))


def _part_prior(part: Column, whole: Column) -> float:
    """The chance that a text has a random value of this kind: the number of places for it, times its rarity."""
    sample = whole.cells[:20]
    if part.is_numeric:
        most = sum(len(mentions(value_text(cell.value))) for cell in sample) / len(sample)
    else:
        most = sum(len(value_text(cell.value).split()) for cell in sample) / len(sample)
    return min(0.5, (most + 1) * _rarity(part.cells))


def _crossed_order(values: Sequence[tuple[JSON, ...]]) -> float:
    """The share of pairs of different rows that are in order too."""
    count = len(values)
    verdicts = [
        in_order(values[at][0], values[(at + shift) % count][1])
        for shift in {1, 1 + count // 3, 1 + count // 2}
        for at in range(0, count, max(1, count // 100))
    ]
    known = [verdict for verdict in verdicts if verdict is not None]
    return sum(known) / len(known) if known else 1.0


def _ends(start: Column, value: Column, end: Column) -> bool:
    if end.depth != start.depth:
        return False
    tuples, _ = together((start, value, end))
    right = sum(stop == at + len(value_text(span)) for at, span, stop in tuples)
    odd = max(len(tuples) // 50, int(len(tuples) >= LEAST_FOR_STRICT_EXCEPTION))
    return bool(tuples) and right >= len(tuples) - odd
