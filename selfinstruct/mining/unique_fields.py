"""Fields whose values are unique by construction: counters, ids, hashes, and time stamps that only order the rows.

Such a field never makes a row new: two rows that differ in it alone are copies. Its values are all different and have
one of the shapes below.

    counter  consecutive numbers, alone or in one constant text: 1 2 3, c1 c2 c3, doc-0007.txt doc-0008.txt
    code     ascending numbers after one constant text: S-4410 S-4417 S-4423
    token    UUIDs, or hexadecimal or mixed letters and digits of one length: 9f86d081884c7d65
    time     ascending dates with a time of day, or ascending Unix times
    named    single words in a field that is called id, index, uuid or the like

Does not handle: ids without a digit.

>>> unique_fields([{"id": "c1", "text": "one"}, {"id": "c2", "text": "two"}])
('id',)
>>> sorted(unique_paths([{"id": "c1", "n": 4}, {"id": "c2", "n": 9}]))
[('id',)]
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from selfinstruct.mining.leaf_texts import leaf_texts
from selfinstruct.mining.serial_numbers import last_number
from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import Path, leaf_text
from selfinstruct.text import find_span, is_unspaced, value_text

#: Fewer numbers, or times, may be in order by chance (5! = 120); a field called id needs no more evidence.
_LEAST_IN_ORDER = 5
_SENTENCE_ENDS = ("?", "？", "。", "！", "吗", "呢")
# More characters of a script without spaces are words, not the name of an id.
_MOST_UNSPACED = 8
# Codes have at least as many digits.
_LEAST_DIGITS = 3
# Values of fields with these names are ids whatever their shape.
_ID = re.compile(
    r"_*(?:id|idx|index|uid|uuid|guid|hash|md5|sha\d*|digest)"
    r"|(?:row|line|record|example|sample|item|question|q|doc|entry)[ _-]?(?:id|idx|index)|编号",
    re.IGNORECASE,
)
# Values of fields with these names are row numbers if they are consecutive; a table's index has no name.
_NUMBER = re.compile(
    r"|#|(?:row|line|record|example|sample|item|question|q|doc|entry)?[ _-]?(?:no|nr|num|number)\.?|row|line"
    r"|unnamed: 0|__index_level_0__|序号",
    re.IGNORECASE,
)
_NAMED_TIME = re.compile(r"(?:.*[ _-])?(?:time|timestamp|ts|date|datetime|created|updated)(?:[ _-]at)?", re.IGNORECASE)
_COUNTED = re.compile(r"(\D*?)(\d{1,18})(\D*)", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[0-9A-Za-z_-]{16,}")
_HEX = re.compile(r"[0-9a-f]{8,}|[0-9A-F]{8,}")
_TIME = re.compile(r"\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
# 2001 to 2128 in seconds, and in milliseconds.
_UNIX_TIMES = (range(10**9, 5 * 10**9), range(10**12, 5 * 10**12))


# Names of leaves that are numbered; the values need no order then.
_NUMBERED = re.compile(
    r"(?:^|[_\W])(?:id|ids|uid|nr|no|num|number|nummer|index|idx|ref|key)\W*$|[a-z]I[Dd]$|[编序]号$|^$", re.IGNORECASE
)
# Counting numbers of fewer rows may agree by chance.
_LEAST_COUNTED = 3


def unique_fields(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the fields of ``rows``, all of the same fields, that are unique by construction, in order.

    None of fewer than two rows, or if no other field would be left.
    """
    if len(rows) < 2:
        return ()
    names = [name for name in rows[0] if _is_unique_field(name, [row.get(name) for row in rows])]
    found = [name for name in names if not _is_referred_to(name, rows)]
    # Several times of a row are a start and an end, and not the order of the rows.
    times = [name for name in found if all(_TIME.fullmatch(value_text(row[name])) for row in rows)]
    found = [name for name in found if name not in times or len(times) == 1]
    if _repeats(rows, found):  # without their codes, some rows are the same: a code is what they are about
        found = [name for name in found if not _are_codes([value_text(row[name]) for row in rows])]
    return tuple(found) if len(found) < len(rows[0]) else ()


def _repeats(rows: Sequence[Row], without: Collection[str]) -> bool:
    """Whether two rows agree in all other fields."""
    rest = [json.dumps([row.get(name) for name in rows[0] if name not in without]) for row in rows]
    return len(set(rest)) < len(rows)


def _is_unique_field(name: str, values: Sequence[JSON]) -> bool:
    if any(type(value) not in (str, int) for value in values):
        return False
    texts = list(map(value_text, values))
    if len(set(texts)) < len(texts) or not all(map(str.strip, texts)) or any(map(_is_sentence, texts)):
        return False
    named = _ID.fullmatch(name.strip()) is not None
    numbered = named or _NUMBER.fullmatch(name.strip()) is not None
    words = named and _are_words(texts)
    counted = _are_counted(texts, numbered) or _are_codes(texts)
    return words or counted or _are_tokens(texts) or _are_times(name, texts)


def _is_sentence(text: str) -> bool:
    """Whether a text says or asks something, though it may have no blanks (任务1101用了多少秒？)."""
    return text.rstrip().endswith(_SENTENCE_ENDS) or sum(map(is_unspaced, text)) > _MOST_UNSPACED


def _are_words(texts: Iterable[str]) -> bool:
    """Whether every text is one short word with a digit."""
    return all(len(text.split()) == 1 and len(text) <= 80 and any(map(str.isdigit, text)) for text in texts)


def _are_tokens(texts: Sequence[str]) -> bool:
    """Whether the texts are UUIDs or hashes."""
    if len({len(text) for text in texts}) > 1:
        return False
    if all(_HEX.fullmatch(text) for text in texts):
        return any(not text.isdigit() for text in texts)
    return all(map(_UUID.fullmatch, texts)) or all(map(_TOKEN.fullmatch, texts))


def _are_times(name: str, texts: Sequence[str]) -> bool:
    """Whether the texts are time stamps in ascending order."""
    stamps = all(map(_TIME.fullmatch, texts))
    if not stamps:
        stamps = all(text.isdecimal() and len(text) < 20 for text in texts) and any(
            all(int(text) in times for text in texts) for times in _UNIX_TIMES
        )
    enough = len(texts) >= _LEAST_IN_ORDER or _NAMED_TIME.fullmatch(name.strip()) is not None
    return stamps and enough and all(one < other for one, other in pairwise(texts))


def _are_counted(texts: Sequence[str], named: bool) -> bool:
    """Whether the texts are consecutive numbers, alone or in one constant text."""
    found = [_COUNTED.fullmatch(text) for text in texts]
    parts = [match.groups() for match in found if match is not None]
    if len(parts) < len(texts) or any(any(map(str.isspace, text)) for text in texts):
        return False
    if len({(before, after) for before, _, after in parts}) > 1:
        return False
    numbers = [int(number) for _, number, _ in parts]
    consecutive = all(later - earlier == 1 for earlier, later in pairwise(numbers))
    if not consecutive or named:
        return consecutive
    # Bare numbers may be anything that rows are sorted by, such as years: only those from 0 or 1 on are counters.
    return len(texts) >= _LEAST_IN_ORDER and (numbers[0] in (0, 1) or not texts[0].isdigit())


def _is_referred_to(name: str, rows: Sequence[Row]) -> bool:
    """Whether another field contains the value in at least half of the rows."""
    for other in rows[0]:
        if other != name:
            count = sum(find_span(value_text(row[name]), leaf_text(row.get(other))) is not None for row in rows)
            if 2 * count >= len(rows):
                return True
    return False


def unique_paths(rows: Sequence[Row], fixed: Collection[str] = ()) -> frozenset[Path]:
    """Return the paths of the leaves outside lists that are unique by construction."""
    if len(rows) < 2:
        return frozenset()
    texts = [leaf_texts(row, fixed) for row in rows]
    shared = [path for path in texts[0] if all(isinstance(step, str) for step in path)]
    unique = (path for path in shared if _is_unique_path(path, [each.get(path, "") for each in texts]))
    return frozenset(path for path in unique if not is_vote(path, rows))


def is_vote(path: Path, rows: Sequence[Row]) -> bool:
    """Whether a field called no is the opposite of yes, and not a number of rows."""
    return str(path[-1]).casefold() == "no" and any(name.casefold() in ("yes", "sí", "si") for name in rows[0])


def is_id_name(path: Path) -> bool:
    """Whether the last name of a path is that of an id or of a number of rows."""
    name = str(next((step for step in reversed(path) if isinstance(step, str)), ""))
    return path[-1] == name and (_ID.fullmatch(name) is not None or _NUMBERED.search(name) is not None)


def ranges_alike(values: Sequence[str]) -> bool:
    """Whether the values end in a number, and have the same text around it."""
    places = [last_number(value) for value in values]
    around = {(value[:start], value[end:]) for value, (start, end) in zip(values, places, strict=True)}
    return len(around) == 1 and all(start < end for start, end in places)


def _is_unique_path(path: Path, values: Sequence[str]) -> bool:
    if any(len(value) > 64 or any(map(str.isspace, value)) for value in values) or len(set(values)) < len(values):
        return False
    if any(map(_is_sentence, values)):
        return False
    places = [last_number(value) for value in values]
    numbers = [value[start:end] for value, (start, end) in zip(values, places, strict=True)]
    around = {
        (re.sub(r"\d", "0", value[:start]), value[end:]) for value, (start, end) in zip(values, places, strict=True)
    }
    if not all(numbers) or len(around) > 1 or any(value.startswith("-") for value in values):
        return False
    counted = [int(number) for number in numbers]
    steps = {after - before for before, after in pairwise(counted)}
    in_order = steps == {1} and counted[0] in (0, 1) and len(values) >= _LEAST_COUNTED
    return in_order or _are_codes(values) or _NUMBERED.search(str(path[-1])) is not None


def _are_codes(texts: Sequence[str]) -> bool:
    """Whether the texts are ascending numbers of several digits after one text with a letter."""
    if len(texts) < _LEAST_IN_ORDER or any(any(map(str.isspace, text)) for text in texts):
        return False
    places = [last_number(text) for text in texts]
    around = {(text[:start], text[end:]) for text, (start, end) in zip(texts, places, strict=True)}
    if (
        len(around) > 1
        or not any(map(str.isalpha, next(iter(around))[0]))
        or min(end - start for start, end in places) < _LEAST_DIGITS
    ):
        return False
    numbers = [int(text[start:end]) for text, (start, end) in zip(texts, places, strict=True)]
    return all(one < other for one, other in pairwise(numbers))
