"""What a text states literally: its dates, times, numbers, quoted words and names; and the names in a query.

>>> stated("Sold 3 of 29.5 kg on 2023-03-01 to 'Ann Lee'")
['2023-03-01', '3', '29.5', 'Ann Lee']
>>> names_in_query("SELECT COUNT(*) FROM trips AS t WHERE t.city = 'Rome' AND days > 3")
['trips', 'city', 'days']
"""

from __future__ import annotations

import re

from selfinstruct.text import is_bound
from selfinstruct.values.moments import CLOCK, DATE
from selfinstruct.values.numbers import NUMBER, NUMBER_WITH_COMMA

_NUMBER = re.compile(f"{NUMBER_WITH_COMMA}|{NUMBER}")
#: A quotation of some words; an apostrophe within a word opens none.
_QUOTED = re.compile(r"(?<!\w)'([^'\n]{1,80})'(?!\w)|\"([^\"\n]{1,80})\"|“([^”\n]{1,80})”|「([^」\n]{1,80})」")
_LITERAL = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w*|\"[^\"]+\"|`[^`]+`|\[[^\]]+\]")
_ALIAS = re.compile(
    r"\b(?:from|join)\s+[\w.\"`]+\s+(?!\w+\s*\()([^\W\d]\w*)|\bas\s+([\w\"`]+)|\bwith\s+(\w+)\s+as\b", re.I
)
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-ž\u0400-\u042f]"
_NAMED = re.compile(rf"(?<!\w){_CAPITAL}[^\W\d_]+(?:[ -]{_CAPITAL}[^\W\d_]+)*")
#: How a query and a schema begin.
QUERY = re.compile(r"\s*(?:select|insert\s+into|update|delete\s+from|with)\s", re.IGNORECASE)
SCHEMA = re.compile(r"\bcreate\s+table\b", re.IGNORECASE)
#: Words of SQL (ISO/IEC 9075 and what the common engines add) that name no table and no column.
_SQL = """
    all and any as asc between by case cast check collate create cross current_date current_timestamp default delete
    desc distinct do drop else end except exists false fetch first following for from full glob group having if ilike
    in inner insert integer intersect interval into is isnull join key last lateral left like limit natural next not
    notnull null nulls offset on only or order outer over partition preceding primary range regexp replace returning
    right row rows select set similar some table text then ties to top true unbounded union unique update using values
    varchar view when where window with without year month day hour minute second date time timestamp real numeric
    decimal float int boolean char
"""
_WORDS = frozenset(_SQL.split())


def stated(text: str) -> list[str]:
    """Return the dates, times, numbers and quoted words that a text contains, as they are written."""
    pieces: list[str] = []
    for form in (DATE, CLOCK):
        pieces += [found[0] for found in form.finditer(text)]
        text = form.sub(lambda found: " " * len(found[0]), text)
    # "12" is no number of "rdd_12".
    numbers = [n for n in _NUMBER.finditer(text) if is_bound(text, n.start()) and is_bound(text, n.end())]
    pieces += [number[0] for number in numbers]
    pieces += [next(filter(None, quoted.groups())) for quoted in _QUOTED.finditer(text)]
    return list(dict.fromkeys(pieces))


def named(text: str) -> list[str]:
    """Return the names in a text: runs of capitalised words that begin no sentence.

    >>> named("How high is Mount Rosa? The Fram is a ship.")
    ['Mount Rosa', 'Fram']
    """
    return list(dict.fromkeys(found[0] for found in _NAMED.finditer(text) if not _begins(text, found.start())))


def _begins(text: str, at: int) -> bool:
    before = text[:at].rstrip("\"'“„«( ")
    return not before or before[-1] in ".!?:\n。！？"


def names_in_query(query: str) -> list[str]:
    """Return the names of tables and columns in an SQL query, without its keywords, functions and aliases."""
    code = _LITERAL.sub(" ", query)
    aliases = {name.strip('"`').lower() for found in _ALIAS.finditer(code) for name in found.groups() if name}
    names = []
    for found in _NAME.finditer(code):
        name = found[0].strip('"`[]')
        is_function = code[found.end() :].lstrip().startswith("(") and not re.search(
            r"\binto\s+$", code[: found.start()], re.IGNORECASE
        )
        if name.lower() not in _WORDS and name.lower() not in aliases and not is_function:
            names.append(name)
    return list(dict.fromkeys(names))
