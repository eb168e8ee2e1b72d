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

import ipaddress
import re
from dataclasses import dataclass
from functools import cache

from selfinstruct.mining.number_roles import number_role
from selfinstruct.mining.times import is_time
from selfinstruct.text import is_unspaced
from selfinstruct.values.durations import length_of, length_pattern
from selfinstruct.values.time_forms import form_of, time_pattern
from selfinstruct.values.written_times import has_date

_ZH_DIGITS = "一二三四五六七八九十百千万零〇两"
_ZH_MEASURES = "卷篇回章部首年岁人个代世里斤尺丈卦爻名次页册字种"
_HEX = "[0-9A-Fa-f]"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_MAIL = r"[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
_PHONES = (
    r"\+\d{1,3}[ -]?(?:\(\d{1,4}\)[ -]?)?\d{1,5}(?:[ -]\d{2,8}){1,5}",
    r"\(\d{3}\) ?\d{3}-\d{4}",
    r"(?<![\d-])\d{3}-\d{3}-\d{4}",
    r"\b0\d{2,5}[/ -]\d{5,8}",
    r"\b1[3-9]\d{9}",
    r"\b0\d{2,3}-\d{7,8}",
)
# Parts of a date or time of no known form, and dates of no calendar: they are kept.
_KEPT = (
    r"(?:(?<=UTC)|(?<=GMT))[+-]\d{1,2}(?::?\d\d)?(?!\d)",
    r"(?<![\w.:-])\d{1,4}(?:-\d{1,2}-|/\d{1,2}/)\d{1,4}(?![\w-])",
    r"(?:令和|平成|昭和|大正|明治) ?\d+",
)
_ZH_NUMBER = rf"[{_ZH_DIGITS}]+(?=[{_ZH_MEASURES}])|(?<=第)[{_ZH_DIGITS}]+"
# Numbers with check digits that are not known to be right: they are kept too.
_UNCHECKED = (
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){3,7}(?: ?[A-Z\d]{1,3})?\b",
    r"\b97[89][- ]\d{1,5}[- ]\d{1,7}[- ]\d{1,6}[- ]\d\b",
    r"(?<![\d-])\d{4}[ -]\d{4}(?:[ -]\d{4}){2}(?![\d-])",
)
# The patterns of the kinds, in the order in which they are tried; those of times are made on first use.
_KINDS = (
    ("email", _MAIL),
    ("time", ""),
    ("duration", ""),
    ("phone", "|".join(f"{pattern}(?![\\w-])" for pattern in _PHONES)),
    ("uuid", r"(?<![0-9a-zA-Z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-zA-Z])"),
    ("mac", r"(?<![0-9a-zA-Z:-])[0-9a-fA-F]{2}(?:(?::[0-9a-fA-F]{2}){5}|(?:-[0-9a-fA-F]{2}){5})(?![0-9a-zA-Z:-])"),
    ("cidr", rf"(?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}/(?:[12]?\d|3[0-2])(?![\d.])"),
    ("ipv4", rf"(?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}(?!\.?\d)"),
    (
        "ipv6",
        r"(?<![\w:])(?=[0-9A-Fa-f]*:[0-9A-Fa-f:]*(?::|[A-Fa-f]))(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:])",
    ),
    ("kept", "|".join((*_KEPT, *_UNCHECKED))),
    ("hex", r"(?<=0x)[0-9a-fA-F]+|(?<![0-9a-zA-Z])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}(?![0-9a-zA-Z])"),
    ("number", r"(?<![A-Za-z\d.])-?\d+\.\d+(?!\.?\d)|(?:(?<![^\W_])-)?\d+"),
    ("zhnumber", _ZH_NUMBER),
)
# Every entity contains one of these: a digit, or a mark of addresses and ids of letters alone.
_IN_EVERY = re.compile(rf"[\d@:{_ZH_DIGITS}-]")
_DIGITS = re.compile(r"\d+")
# A number right after letters is part of a name (ssh2, sha256, x86_64, HTTP/1.1) and does not vary on its own.
_NAME_BEFORE = re.compile(r"(?:[A-Za-z]|[A-Za-z]+/|x86_)$")
_AGE = r"(?:y/?o\b|years? old|years? of age|-year-old|-jährig|Jahre?\b|岁|歲|años\b|ans\b|anni\b|лет\b|साल)"
_PERCENT = r"(?:percent|per cent|Prozent|pct)\b"
_COUNTED_UNIT = re.compile(rf"[ \u00a0-]?(?:(?P<age>{_AGE})|(?P<percent>{_PERCENT}))")
# A word that a number counts: not one that goes on after it.
_COUNTED = re.compile(
    r" (?!(?:in|on|to|at|of|by|is|as|or|and|the|for|from|with|was|has|not|are|via|into|after|before|until|und|von|mit|"
    r"bis|ist|auf|an|aus|per|size|src|dest|port|user|host|stage|task|failed|done)\b)[a-zäöüß]{2,}+(?!=)|[\u4e00-\u9fff]"
)
# A year: four digits after one of these words or marks, or before these.
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_YEAR_BEFORE = re.compile(
    r"(?:^|[^\w])(?:in|since|by|until|till|before|after|from|to|of|year|early|late|around|during|between|founded|born|"
    r"died|built|seit|im Jahre?|Jahr|bis|ab|von|anno|um|en|de|desde|depuis|année|año|ano|год[уа]?|"
    r"سنة|عام|السنة|العام|سنوات|سن|सन|सन्|वर्ष|साल) $|\($|©\s?$",
    re.IGNORECASE,
)
_YEAR_AFTER = re.compile(r"\s?[年년]|[–-](?:1[5-9]|20)\d\d\b")
# A unit, but not the key of the next value (200 bytes=1532).
_UNIT = re.compile(r"\s?([KMGT]i?B|kB|B|bytes|ns|us|ms|s|%)(?![\w=])")
_PORT = re.compile(r"(?:\bports?|端口|ポート|포트|المنفذ)(?:\b|(?<!t))[\s=:#\"'：]*$", re.IGNORECASE)
_LEFT_CHARACTERS = 40
_RIGHT_CHARACTERS = 24
_LONGEST_WORD = 8


@dataclass(frozen=True, slots=True)
class Entity:
    """A value in a text at [start, end) code points.

    ``key`` is the word before it with its digits masked (``rdd_#_``): equal keys mean the same
    kind of place.
    ``format`` is the form of a time (see ``values.time_forms``), ``unit`` the unit after a number, ``role`` what a
    number is for (see ``number_roles``). ``is_name``
    marks a number that is part of a name (``ssh2``), ``is_counted`` one before a word that it counts (3 apples),
    ``is_whole`` one that is all of its field.
    """

    start: int
    end: int
    kind: str
    text: str
    key: str
    format: str = ""
    unit: str = ""
    is_name: bool = False
    is_counted: bool = False
    is_whole: bool = False
    role: str = ""


def find_entities(text: str) -> list[Entity]:
    """Return the entities of ``text`` from left to right, without overlaps."""
    entities: list[Entity] = []
    if _IN_EVERY.search(text) is None:
        return []
    for match in _pattern("@" in text, text.isascii()).finditer(text):
        kind, value, form = match.lastgroup or "", match.group(), ""
        if kind == "duration" and length_of(value) is None:
            continue
        if kind in ("kept", "cidr") or (kind == "ipv6" and not is_open_address(value)):
            continue
        if kind == "time":
            form = form_of(match, "time")
            if not is_time(value, form):
                if not has_date(form):  # 3:75 is no time
                    entities.extend(_numbers(text, match.start(), match.end(), entities))
                continue
        entities.append(_make_entity(text, match.start(), match.end(), kind, form, entities))
    return entities


def is_open_address(text: str) -> bool:
    """Whether another IPv6 address may take the place of one: not of the unspecified and the loopback address."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


@cache  # compiled on first use: each takes longer than most other imports
def _pattern(mail: bool, ascii_only: bool) -> re.Pattern[str]:
    """The pattern of all kinds; for texts without addresses one that takes half the time, and a smaller one for ASCII.

    Most letters inside a word begin none of the other kinds, and are skipped there.
    """
    patterns = dict(_KINDS)
    patterns["time"] = time_pattern(ascii_only=ascii_only)
    patterns["duration"] = length_pattern(ascii_only=ascii_only)
    for name in (*(() if mail else ("email",)), *(("zhnumber",) if ascii_only else ())):
        del patterns[name]
    kinds = "|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns.items())
    return re.compile(kinds if mail else rf"(?=[^\W_]|[-+(:])(?!(?<=[A-Za-z])(?<!0x)[B-OQ-Zb-oq-z])(?:{kinds})")


def _numbers(text: str, start: int, end: int, before: list[Entity]) -> list[Entity]:
    """The numbers in a text that looks like a time of day but is not a valid one."""
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
        elif _PORT.search(key) is not None:
            kind = "port"
    padded = end - start > 1 and text[start] == "0"  # web01 varies, ssh2 does not
    is_name = (kind == "number" and not padded and _NAME_BEFORE.search(left) is not None) or text[start:end] == "一"
    unit = text[end : end + 1] if kind == "zhnumber" else _unit(text, end)
    if kind == "number" and not unit and _is_year(text, start, end, left):
        kind = "year"
    counted = kind == "number" and not unit and _COUNTED.match(text, end) is not None
    role = ""
    if kind == "number":
        # Where no blank divides words, the key is short.
        word = left[-_LONGEST_WORD:] if any(map(is_unspaced, left[-2:])) else key
        role = number_role(word, text[end : end + _RIGHT_CHARACTERS], unit, is_name=is_name)
    return Entity(start, end, kind, text[start:end], key, form, unit, is_name, counted, role=role)


def _unit(text: str, end: int) -> str:
    """The unit after a number: one of ``_UNIT``, ``age`` for years of age, ``%`` also for its words."""
    found = _UNIT.match(text, end)
    if found is not None:
        return found.group(1)
    counted = _COUNTED_UNIT.match(text, end)
    return "" if counted is None else "age" if counted["age"] else "%"


def _is_year(text: str, start: int, end: int, left: str) -> bool:
    """Whether a number is a year, by its digits and the words around it."""
    if _YEAR.fullmatch(text, start, end) is None:
        return False
    if _YEAR_AFTER.match(text, end) is not None:
        return True
    after = text[end : end + 2]
    closed = not after.strip() or after[0] in ".,;:)?!" or (after[0] == " " and not after[1].isdigit())
    return closed and _YEAR_BEFORE.search(left) is not None


def preceding_word(left: str) -> str:
    """Return the last word of ``left``, its digits masked: the key of a value that follows it."""
    if any(map(is_unspaced, left[-2:])):
        return left[-3:]
    words = left.split()
    glued = "" if left[-1:].isspace() else words.pop() if words else ""
    while words and not any(c.isalpha() for c in glued):
        glued = f"{words.pop()} {glued}"
    return _DIGITS.sub("#", glued if glued or not words else words[-1] + " ")
