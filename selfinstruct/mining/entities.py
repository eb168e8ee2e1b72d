"""Entities: the values of a known form in a text (a number, an address, a time...).

Does not handle: words. The form of a word does not show whether it is a value; see ``vocabulary``.

>>> for entity in scan("task 28.0 of rdd_42_18 from 10.0.0.7:5001"):
...     print(entity.kind, entity.text, repr(entity.key))
number 28.0 'task '
number 42 'rdd_'
number 18 'rdd_#_'
ipv4 10.0.0.7 'from '
port 5001 'from @:'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from selfinstruct.text import is_unspaced

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_LONG_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
# Formats of times, the most specific first: a pattern, and the strptime format that reads and writes it.
_TIMES = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "%Y-%m-%dT%H:%M:%S"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%d %H:%M:%S"),
    (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "%Y/%m/%d %H:%M:%S"),
    (r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d", "%y/%m/%d %H:%M:%S"),
    (rf"\d\d/{_MONTH}/\d{{4}}:\d\d:\d\d:\d\d", "%d/%b/%Y:%H:%M:%S"),
    (rf"{_MONTH} [ 123]\d \d\d:\d\d:\d\d", "%b %d %H:%M:%S"),
    (r"\d{6} \d{6}", "%y%m%d %H%M%S"),
    (r"(?:19|20)\d{12}", "%Y%m%d%H%M%S"),
    (r"(?:19|20)\d{10}", "%Y%m%d%H%M"),
    (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"),
    (r"\d{4}/\d\d/\d\d", "%Y/%m/%d"),
    (r"\d{4}年\d{1,2}月\d{1,2}日", "%Y年%m月%d日"),
    (r"\d{1,2}月\d{1,2}日", "%m月%d日"),
    (rf"\d{{1,2}} {_LONG_MONTH} \d{{4}}", "%d %B %Y"),
    (rf"{_LONG_MONTH} \d{{1,2}}, \d{{4}}", "%B %d, %Y"),
    (rf"\d{{1,2}} {_LONG_MONTH}", "%d %B"),
    (rf"{_LONG_MONTH} \d{{1,2}}", "%B %d"),
    (rf"\d{{1,2}} {_MONTH}", "%d %b"),
    (rf"{_MONTH} \d{{1,2}}", "%b %d"),
    (r"\d\d:\d\d:\d\d", "%H:%M:%S"),
    (r"\d{1,2}:\d\d", "%H:%M"),
)
_ZH_DIGITS = "一二三四五六七八九十百千万零〇两"
_ZH_MEASURES = "卷篇回章部首年岁人个代世里斤尺丈卦爻名次页册字种"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_KINDS = (
    *((f"time{index}", rf"(?<!\d){pattern}(?!\d)") for index, (pattern, _) in enumerate(_TIMES)),
    ("uuid", r"(?<![0-9a-zA-Z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-zA-Z])"),
    ("mac", r"(?<![0-9a-zA-Z:])[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}(?![0-9a-zA-Z:])"),
    ("ipv4", rf"(?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}(?!\.?\d)"),
    ("hex", r"(?<=0x)[0-9a-fA-F]+|(?<![0-9a-zA-Z])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}(?![0-9a-zA-Z])"),
    ("number", r"(?<![A-Za-z\d.])-?\d+\.\d+(?!\.?\d)|(?:(?<![^\W_])-)?\d+"),
    ("zhnumber", rf"[{_ZH_DIGITS}]+(?=[{_ZH_MEASURES}])|(?<=第)[{_ZH_DIGITS}]+"),
)
_ENTITY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _KINDS))
_DIGITS = re.compile(r"\d+")
# A number right after letters is part of a name (ssh2, sha256, x86_64, HTTP/1.1) and does not vary on its own.
_NAME_BEFORE = re.compile(r"(?:[A-Za-z]|[A-Za-z]+/|x86_)$")
_UNIT = re.compile(r"\s?([KMGT]i?B|kB|B|bytes|ns|us|ms|s|%)(?!\w)")
_LEFT_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Entity:
    """A value in a text at [start, end) code points.

    ``key`` is the word before it with its digits masked (``rdd_#_``): equal keys mean the same
    kind of place.
    ``format`` is the strptime format of a time, ``unit`` the unit after a number. ``is_name``
    marks a number that is part of a name (``ssh2``).
    """

    start: int
    end: int
    kind: str
    text: str
    key: str
    format: str = ""
    unit: str = ""
    is_name: bool = False


def find_entities(text: str) -> list[Entity]:
    """Return the entities of ``text`` from left to right, without overlaps."""
    entities: list[Entity] = []
    for match in _ENTITY.finditer(text):
        kind, value, form = match.lastgroup or "", match.group(), ""
        if kind.startswith("time"):
            form = _TIMES[int(kind[4:])][1]
            if not is_time(value, form):
                entities.extend(_numbers(text, match.start(), match.end(), entities))
                continue
            kind = "time"
        entities.append(_make_entity(text, match.start(), match.end(), kind, form, entities))
    return entities


def _numbers(text: str, start: int, end: int, before: list[Entity]) -> list[Entity]:
    """The numbers in a text that looks like a time but is not a valid one."""
    return [
        _make_entity(text, start + m.start(), start + m.end(), "number", "", before)
        for m in _DIGITS.finditer(text[start:end])
    ]


def _make_entity(text: str, start: int, end: int, kind: str, form: str, before: list[Entity]) -> Entity:
    left = text[max(0, start - _LEFT_CHARACTERS) : start]
    key = preceding_word(left)
    if kind == "number":
        if before and before[-1].kind == "ipv4" and before[-1].end == start - 1 and text[start - 1] == ":":
            kind, key = "port", before[-1].key + "@:"
        elif key.lower().endswith("port "):
            kind = "port"
    padded = end - start > 1 and text[start] == "0"  # web01 varies, ssh2 does not
    is_name = (kind == "number" and not padded and _NAME_BEFORE.search(left) is not None) or text[start:end] == "一"
    found = _UNIT.match(text, end)
    unit = text[end : end + 1] if kind == "zhnumber" else found.group(1) if found else ""
    return Entity(start, end, kind, text[start:end], key, form, unit, is_name)


def preceding_word(left: str) -> str:
    """Return the last word of ``left``, its digits masked: the key of a value that follows it."""
    if any(map(is_unspaced, left[-2:])):
        return left[-3:]
    words = left.split()
    glued = "" if left[-1:].isspace() else words.pop() if words else ""
    while words and not any(c.isalpha() for c in glued):
        glued = f"{words.pop()} {glued}"
    return _DIGITS.sub("#", glued if glued or not words else words[-1] + " ")


def is_time(value: str, form: str) -> bool:
    """Whether ``value`` is a valid time in ``form``, in a plausible year (1970 to 2069)."""
    moment = read_time(value, form)
    return moment is not None and (("%Y" not in form and "%y" not in form) or 1970 <= moment.year <= 2069)


def read_time(value: str, form: str) -> datetime | None:
    """``value`` as a time, or None.

    A form without a year is read in 2021: neither that year nor the next has a leap day.
    """
    try:
        moment = datetime.strptime(value, form)
    except ValueError:
        return None
    return moment if "%Y" in form or "%y" in form else moment.replace(year=2021)
