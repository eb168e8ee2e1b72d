"""How the numbers of a row depend on each other: what holds in every seed is kept, even by chance.

    order     the smaller of two numbers stays the smaller one: used 120 of 500, min and max, a sorted list
    result    one number of a text, or of the fields, follows from others by a formula (see ``formulas`` and
              ``derivations``); where it seems to, but no formula is found, all stay (see ``unexplained``)
    kept      numbers in a fixed proportion, and lists that are alike in all rows or go up in equal steps, do not vary
    summary   a field is the maximum, the sum, the length ... of a list

Numbers that name things (roles ``code`` and ``id``) depend on nothing. Keeping an order that holds by chance costs a
little variety; not keeping one that does not, truth. So there is no test of chance, unlike in ``relations``.

Does not handle: dependence on several rows or on words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, pairwise, permutations
from typing import NamedTuple, TypeAlias, TypeVar

from selfinstruct.mining.derivations import derive
from selfinstruct.mining.entities import Entity
from selfinstruct.mining.evidence import Columns, Evidence
from selfinstruct.mining.formulas import COMMON, FORMULAS, Formula, find_formula, places_of
from selfinstruct.mining.leaf_texts import any_position, leaf_texts
from selfinstruct.mining.list_summaries import SUMMARIES, summary_of
from selfinstruct.mining.number_roles import FIXED, ID
from selfinstruct.mining.numerals import ascii_digits, in_digits_of
from selfinstruct.mining.unexplained import Unexplained, unexplained
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path

#: A number of a row: the path of its leaf, and its position among the leaf's entities.
Spot: TypeAlias = tuple[Path, int]

_Column: TypeAlias = dict[int, Decimal]
#: The numbers of one list in each row, in order.
_Lists: TypeAlias = list[tuple[int, list[Decimal]]]

_MOST_SPOTS = 16
# Every three of these numbers are tried in every formula, in the first rows.
_MOST_OPERANDS, _MOST_OPERANDS_OF_ONE = 12, 6
_FIRST_ROWS = 12
_MOST_FIELDS = 40
_MOST_DERIVED = 16
_MOST_ROWS = 500
_LEAST_ROWS = 2
# Of two fields, chance gives an order in two rows too often.
_LEAST_ROWS_OF_FIELDS = 3
_LONGEST_ROW = 8
# Two numbers of one text that stand like this: 3 of 5, 120/500, 512Mi of limit 500Mi, 31 s above the limit of 30 s,
# 满 1 年不满 10 年.
_JOINED = re.compile(
    r"[^.;!?。]{0,24}(?:\b(?:of|von|sur|из|limit|max|maximum|threshold|quota|above|below|over|under|than|exceed\w*)\b"
    r"|/|不满|不足|不到|至|到|上限|阈值|配额|超过|超出|高于|低于|以上)"
    r"[^.;!?。\d]{0,16}"
)
_PAIRING = frozenset(["/", "of", "von", "sur", "из"])
_NARROW = Decimal("0.03")
_SPREAD = Decimal("1.3")


class Result(NamedTuple):
    """A number that follows from others by a formula, with at most ``places`` decimal places."""

    target: Spot
    formula: Formula
    operands: tuple[Spot, ...]
    places: int


class Summary(NamedTuple):
    """The path of a number that is a summary (see ``list_summaries``) of those at other paths."""

    path: Path
    kind: str
    items: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties the numbers of a row: the first of two in an order is at most the second."""

    orders: tuple[tuple[Spot, Spot], ...] = ()
    results: tuple[Result, ...] = ()
    kept: frozenset[Spot] = frozenset()
    summaries: tuple[Summary, ...] = ()


class NumberTies:
    """The ties that a set of rows shows: ``found`` are the entities of each row's leaves, ``evidence`` that of all."""

    def __init__(self, found: Sequence[Mapping[Path, Sequence[Entity]]], evidence: Evidence) -> None:
        self._evidence = evidence
        sample = found[:: max(len(found) // _MOST_ROWS, 1)]
        self._fields, lists = _numbers(sample)
        self._orders = tuple(_field_orders(self._fields))
        self._results = tuple(_field_results(self._fields))
        self._rising = {pattern: sign for pattern, each in lists.items() if (sign := _direction(each))}
        self._kept = {pattern for pattern, each in lists.items() if _are_alike(each)}
        self._summaries = dict(_summaries(self._fields, lists))
        derived, self.not_understood = _derived(self._fields, self._results, self._summaries)
        self._results = tuple(_ordered((*self._results, *derived)))
        self._listed = {*self._rising, *self._kept, *(pattern for _, pattern in self._summaries.values())}
        self._texts: dict[tuple[Path, str], Ties] = {}

    def of(
        self, found: Mapping[Path, Sequence[Entity]], texts: Mapping[Path, str], masked: Callable[[Path], str]
    ) -> Ties:
        """The ties of a row: the entities and the text of its leaves, by path, and what gives their masked text."""
        orders = [((one, 0), (other, 0)) for one, other in self._orders if one in found and other in found]
        results = [each for each in self._results if all(path in found for path, _ in (each.target, *each.operands))]
        kept: set[Spot] = set()
        for path, entities in found.items():
            if len(entities) > 1:
                ties = self._of_text(path, masked(path), texts[path], entities)
                orders += [((path, one), (path, other)) for (_, one), (_, other) in ties.orders]
                results += [_at(path, each) for each in ties.results]
                kept |= {(path, at) for _, at in ties.kept}
        lists = _lists(path for path in found if any_position(path) in self._listed)
        for pattern, paths in lists.items():
            pairs = [((one, 0), (other, 0)) for one, other in pairwise(paths)]
            orders += [pair if self._rising[pattern] > 0 else pair[::-1] for pair in pairs if pattern in self._rising]
            kept |= {(path, 0) for path in paths if pattern in self._kept}
        for each in self.not_understood:
            kept |= {(path, 0) for path in (each.target, *each.operands) if path in found}
        summaries = [
            Summary(path, kind, tuple(lists[pattern]))
            for path, (kind, pattern) in self._summaries.items()
            if path in found and pattern in lists
        ]
        return Ties(tuple(orders), tuple(results), frozenset(kept), tuple(summaries))

    def _of_text(self, path: Path, masked: str, text: str, entities: Sequence[Entity]) -> Ties:
        columns = self._evidence.columns(path, masked)
        key = any_position(path), masked
        if columns is None:
            return text_ties(text, entities, None)
        if key not in self._texts:
            self._texts[key] = text_ties(text, entities, columns)
        return self._texts[key]


def text_ties(text: str, entities: Sequence[Entity], columns: Columns | None) -> Ties:
    """The ties between the numbers of a text; ``columns`` has those of all texts with the same words."""
    spots = [at for at, each in enumerate(entities) if is_quantity(each)][:_MOST_SPOTS]
    values = {at: [number(each) for each in (columns.values[at] if columns else [entities[at].text])] for at in spots}
    orders: list[tuple[Spot, Spot]] = []
    kept: set[Spot] = set()
    for one, other in combinations(spots, 2):
        first, second = entities[one], entities[other]
        pairs = list(zip(values[one], values[other], strict=True))
        if _is_proportion(pairs):
            kept |= {((), one), ((), other)}
        # The unit of 3/24 GB is written once.
        unit = second.unit if not first.unit and text[first.end : second.start].strip() in _PAIRING else first.unit
        if (first.kind, unit) != (second.kind, second.unit):
            continue
        if len(pairs) >= _LEAST_ROWS or _JOINED.fullmatch(text, first.end, second.start) is not None:
            if all(a <= b for a, b in pairs):
                orders.append((((), one), ((), other)))
            elif all(a >= b for a, b in pairs):
                orders.append((((), other), ((), one)))
    return Ties(tuple(orders), tuple(_results(entities, values)), frozenset(kept))


def is_quantity(entity: Entity) -> bool:
    """Whether an entity is a number that may depend on others: not a code, and not the name of something."""
    return entity.kind in ("number", "year") and entity.role not in FIXED | {ID} and not entity.is_name


def number(text: str) -> Decimal:
    """The value of a number as ``entities`` finds it."""
    return Decimal(ascii_digits(text))


def summary_text(row: Row, summary: Summary) -> str:
    """The text of a summary of the numbers of ``row``, in the form of the one that is in it."""
    texts = leaf_texts(row)
    own, items = texts[summary.path], [number(texts[path]) for path in summary.items]
    return in_digits_of(f"{summary_of(summary.kind, items, like=number(own)):.{len(own.partition('.')[2])}f}", own)


def _at(path: Path, result: Result) -> Result:
    operands = tuple((path, at) for _, at in result.operands)
    return result._replace(target=(path, result.target[1]), operands=operands)


def _results(entities: Sequence[Entity], values: Mapping[int, Sequence[Decimal]]) -> Iterator[Result]:
    """The numbers of a text that follow from two others."""
    rows = max(map(len, values.values()), default=0)
    values = dict(list(values.items())[: _MOST_OPERANDS if rows > 1 else _MOST_OPERANDS_OF_ONE])

    def kinds(target: int, one: int, other: int) -> Collection[str]:
        if entities[target].kind == "year":
            return ()
        if entities[one].kind == entities[other].kind == "year":
            return ("difference",)
        if rows >= _LEAST_ROWS_OF_FIELDS:
            return COMMON
        if rows == _LEAST_ROWS:
            return ("sum", "product", "share")
        alike = len({entities[at].unit for at in (target, one, other)}) == 1
        return ("sum", "product") if alike else ("share",) if entities[target].unit == "%" else ()

    for target, kind, one, other in _formulas(values, kinds):
        yield Result(((), target), FORMULAS[kind], (((), one), ((), other)), places_of(values[target]))


def _field_results(fields: Mapping[Path, _Column]) -> Iterator[Result]:
    """The fields that follow from two others in at least three rows, all of which have these."""
    plain = {path: column for path, column in fields.items() if not _is_listed(path)}
    rows = set.intersection(*(set(column) for column in plain.values())) if plain else set()
    if len(rows) < _LEAST_ROWS_OF_FIELDS:
        return
    order = sorted(rows)
    values = {path: [column[row] for row in order] for path, column in plain.items()}
    values = {path: each for path, each in values.items() if len(set(each)) > 1}
    for target, kind, one, other in _formulas(dict(list(values.items())[:_MOST_OPERANDS]), lambda *_: COMMON):
        yield Result((target, 0), FORMULAS[kind], ((one, 0), (other, 0)), places_of(values[target]))


def _ordered(results: Sequence[Result]) -> Iterator[Result]:
    """The results, each after those that give its operands."""
    waiting = list(results)
    while waiting:
        targets = {each.target for each in waiting}
        ready = [each for each in waiting if targets.isdisjoint(each.operands)] or waiting[:1]
        yield from ready
        waiting = [each for each in waiting if each not in ready]


def _derived(
    fields: Mapping[Path, _Column], results: Sequence[Result], summaries: Collection[Path]
) -> tuple[tuple[Result, ...], tuple[Unexplained, ...]]:
    """The further fields that follow from others in all rows, and those that seem to, but by no known formula."""
    plain = {path: column for path, column in fields.items() if not _is_listed(path)}
    most = max(map(len, plain.values()), default=0)
    plain = {path: column for path, column in plain.items() if len(column) == most and len(set(column.values())) > 1}
    if most < _LEAST_ROWS_OF_FIELDS:
        return (), ()
    values = {path: [column[row] for row in sorted(column)] for path, column in list(plain.items())[:_MOST_DERIVED]}
    known: dict[Path, tuple[Path, ...]] = dict.fromkeys(summaries, ())
    known |= {each.target[0]: tuple(path for path, _ in each.operands) for each in results}
    found = list(derive(values, known))
    certain = [each for each in found if each.is_certain]
    doubtful = [Unexplained(each.target, each.operands) for each in found if not each.is_certain]
    explained = known | {each.target: each.operands for each in certain}
    derived = [
        Result((each.target, 0), each.formula, tuple((path, 0) for path in each.operands), each.places)
        for each in certain
    ]
    return tuple(derived), (*doubtful, *unexplained(values, explained))


_Name = TypeVar("_Name", bound=Hashable)


def _formulas(
    values: Mapping[_Name, Sequence[Decimal]], kinds: Callable[[_Name, _Name, _Name], Collection[str]]
) -> Iterator[tuple[_Name, str, _Name, _Name]]:
    """Yield numbers that follow from two others in every row; no number of one is in an earlier one.

    Exact sums and products come first: nights x rate = total, of which total / nights = rate is but another form. Of
    other numbers, the one with the most decimal places, or else the last one, is taken for the rounded result.
    """
    used: set[_Name] = set()
    position = {name: at for at, name in enumerate(values)}
    targets = sorted(values, key=lambda name: (-places_of(values[name]), -position[name]))
    first = {name: each[:_FIRST_ROWS] for name, each in values.items()}
    operands = [name for name, each in values.items() if all(each)]
    for exact in (True, False):
        for target in targets:
            for one, other in permutations(operands, 2):
                if target in (one, other) or used & {target, one, other}:
                    continue
                allowed = [kind for kind in kinds(target, one, other) if kind in ("sum", "product") or not exact]
                kind = find_formula(first[target], first[one], first[other], allowed, exact=exact)
                if kind and find_formula(values[target], values[one], values[other], (kind,), exact=exact):
                    used |= {target, one, other}
                    yield target, kind, one, other


def _is_proportion(pairs: Sequence[tuple[Decimal, Decimal]]) -> bool:
    """Whether the second number is the first one times a factor, within their printed precision, and both vary."""
    if len(pairs) < _LEAST_ROWS_OF_FIELDS or any(a <= 0 or b <= 0 for a, b in pairs):
        return False
    if max(a for a, _ in pairs) < _SPREAD * min(a for a, _ in pairs):
        return False
    low = max((b - _half(b)) / (a + _half(a)) for a, b in pairs)
    high = min((b + _half(b)) / (a - _half(a)) for a, b in pairs)
    return low <= high and high - low <= _NARROW * high


def _half(value: Decimal) -> Decimal:
    """Half a unit of the last place that a number is printed with; nothing for a whole number, which is exact."""
    exponent = value.as_tuple().exponent
    return Decimal(5).scaleb(exponent - 1) if isinstance(exponent, int) and exponent < 0 else Decimal(0)


def _numbers(rows: Sequence[Mapping[Path, Sequence[Entity]]]) -> tuple[dict[Path, _Column], dict[Path, _Lists]]:
    """The numbers that are whole leaves, by path and row, and those of lists by pattern.

    A list that is equally long and short in all rows is like fields side by side: its positions are paths too.
    """
    fields: dict[Path, _Column] = defaultdict(dict)
    lists: dict[Path, _Lists] = defaultdict(list)
    lengths: dict[Path, set[int]] = defaultdict(set)
    for row, found in enumerate(rows):
        whole = {path: each[0] for path, each in found.items() if len(each) == 1 and each[0].is_whole}
        whole = {path: each for path, each in whole.items() if is_quantity(each)}
        for path, each in whole.items():
            fields[path][row] = number(each.text)
        for pattern, paths in _lists(whole).items():
            lists[pattern].append((row, [fields[path][row] for path in paths]))
            lengths[pattern].add(len(paths))
    long = {pattern for pattern, each in lengths.items() if len(each) > 1 or max(each) > _LONGEST_ROW}
    kept = {path: column for path, column in fields.items() if not _is_listed(path) or any_position(path) not in long}
    return dict(list(kept.items())[:_MOST_FIELDS]), lists


def _is_listed(path: Path) -> bool:
    return any(isinstance(step, int) for step in path)


def _lists(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    """The paths of each list, by pattern; only those in one list, not in lists of lists."""
    lists: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        if sum(isinstance(step, int) for step in path) == 1:
            lists[any_position(path)].append(path)
    return lists


def _field_orders(fields: Mapping[Path, _Column]) -> Iterator[tuple[Path, Path]]:
    """The pairs of fields of which the first is never greater, where it could be: their ranges overlap."""
    for one, other in combinations(fields, 2):
        first, second = fields[one], fields[other]
        pairs = [(first[row], second[row]) for row in first.keys() & second.keys()]
        if len(pairs) < _LEAST_ROWS_OF_FIELDS:
            continue
        for (low, high), each in (((one, other), pairs), ((other, one), [(b, a) for a, b in pairs])):
            if all(a <= b for a, b in each) and max(a for a, _ in each) > min(b for _, b in each):
                yield low, high


def _direction(lists: _Lists) -> int:
    """1 if no number of a list is below the one before it, -1 if none is above it, else 0; three steps show it."""
    steps = [after - before for _, each in lists for before, after in pairwise(each)]
    if len(lists) < _LEAST_ROWS or len(steps) < _LEAST_ROWS_OF_FIELDS or not any(steps):
        return 0
    return int(all(step >= 0 for step in steps)) - int(all(step <= 0 for step in steps))


def _are_alike(lists: _Lists) -> bool:
    """Whether all lists are the same, or all go up in equal steps."""
    if len(lists) < _LEAST_ROWS or max(len(each) for _, each in lists) < _LEAST_ROWS:
        return False
    if len({tuple(each) for _, each in lists}) == 1:
        return True
    long = [each for _, each in lists if len(each) > _LEAST_ROWS]
    return bool(long) and all(len({b - a for a, b in pairwise(each)}) == 1 for each in long)


def _summaries(fields: Mapping[Path, _Column], lists: Mapping[Path, _Lists]) -> Iterator[tuple[Path, tuple[str, Path]]]:
    """The fields that summarise a list in every row, with the first kind and list that fit."""
    for path, column in fields.items():
        if _is_listed(path) or len(set(column.values())) < _LEAST_ROWS:
            continue
        for pattern, each in lists.items():
            pairs = [(column[row], items) for row, items in each if row in column]
            if len(pairs) < _LEAST_ROWS or max(len(items) for _, items in pairs) < _LEAST_ROWS:
                continue
            kinds = [k for k in SUMMARIES if all(summary_of(k, items, like=value) == value for value, items in pairs)]
            if kinds and (len(pairs) > _LEAST_ROWS or kinds[0] not in ("first", "last")):
                yield path, (kinds[0], pattern)
                break
