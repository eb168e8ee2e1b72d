"""The role of a number in a text or field: what it is decides which other numbers may stand there.

    code        names something (HTTP status 404, exit code 1, version 4.2, the 3rd): it stays as it is
    id, size    names one of many things alike (order 5512, rdd_42_18), or measures (2128 bytes, 12.4s, $3): any number
                of the same form
    percent, month, day, hour, ...    has bounds: a number near those of the seeds, and within the bounds
    ""          not understood: a number between the least and the greatest of the seeds in that place

Does not handle: years, ages, ports, dates and addresses, which are kinds of entities of their own; or how numbers of a
row depend on each other.

>>> number_role("exit code ", " (SIGKILL)", "", is_name=False), number_role("broadcast_", " free", "", is_name=False)
('code', 'id')
>>> number_role("wrote ", " buffers", "", is_name=False), number_role("has ", " legs", "", is_name=False)
('size', '')
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from selfinstruct.mining.number_words import (
    ATTACHED_CODES,
    BOUNDED,
    CODE_ENDINGS,
    CODES,
    COUNTED,
    CURRENCY_AFTER,
    CURRENCY_BEFORE,
    ID_ENDINGS,
    IDS,
    NOT_ATTACHED,
    PARTS_OF_TIME,
    POSTAL_ENDINGS,
    POSTAL_WORDS,
    SIZES,
)

CODE: Final = "code"
#: A code of a place, which is that of no other place.
POSTAL: Final = "postal"
#: Roles of numbers that stay as they are.
FIXED: Final = frozenset((CODE, POSTAL))
ID: Final = "id"
SIZE: Final = "size"
#: Roles in which nothing depends on how large a number is.
OPEN: Final = frozenset((ID, SIZE))
#: The least and the most that numbers of some roles may be; the days are those that every month has.
BOUNDS: Final = {
    "percent": (0, 100),
    "month": (1, 12),
    "week": (1, 52),
    "day": (1, 28),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
}

# The key of a number has # for each run of digits before it.
_STATUS = re.compile(r'HTTP/#(?:\.#)?"?\s$')
_AFTER_STATUS = re.compile(r'HTTP/#(?:\.#)?"?\s#\s$')
# nginx/1.25.3, but not a path.
_PRODUCT = re.compile(r"[\"'(]?[A-Za-z][A-Za-z-]*/(?:#\.)*")
_WORD = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f\u064b-\u0652\u0900-\u0903\u093a-\u094f])+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Other numbers after the last word, with a blank between them: that word says nothing about the next one.
_OTHERS = re.compile(r"#[^\w#]*\s[^\w#]*$")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|re|e|ème|eme)\b|[ºª]")
# One letter after digits is a unit (12m, 5V), or part of a name (7a, 5G).
_LETTER = re.compile(r"(?![mglhstdVAWBCFM])[A-Za-z](?![^\W_])")
_LEVEL = re.compile(r"\s(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|[VDIWEF])\s")
_CLOCK = re.compile("#[:/-]#")
# 120/80 and 3/4 are two numbers, /users/4412/33 are names.
_PAIR = re.compile(r"(?:^|[\s=:(\[])#(?:\.#)?/$")
_CHROMOSOME = re.compile(r"\bchr(?:omosome)?[ _]?(?:[#XYM]T?:)?$", re.IGNORECASE)
_NUMBERS_BEFORE = re.compile(r"(?:#\.)+$")
_NUMBERS_AFTER = re.compile(r"(?:\.\d+)+")
_NEXT_WORD = re.compile(r"\s(\w+)")
_SEPARATORS = " \u00a0:：=＝\"'([#_-./"


def number_role(key: str, after: str, unit: str, *, is_name: bool) -> str:
    """Return the role of a number: ``code``, ``postal``, ``id``, ``size``, a kind with bounds, or "".

    ``key`` is the text before it (``preceding_word``), ``after`` some characters that follow it, ``unit`` the unit that
    was found there. ``is_name`` says that it stands right after letters.
    """
    if unit:
        return "percent" if unit == "%" else "" if unit == "age" else SIZE
    role = _role_before(key)
    if _dots(key, after) > 1:
        return CODE  # a version such as 1.25.3
    if role:
        return role
    part = PARTS_OF_TIME.match(after)
    if part is not None:
        return part.lastgroup or ""
    if CURRENCY_AFTER.match(after) is not None:
        return SIZE
    if _is_in_word(after):
        return CODE
    if is_name or (key[-1:] == "[" and after[:1] == "]") or (_is_header(key) and _LEVEL.match(after) is not None):
        return ID
    counted = _NEXT_WORD.match(after)
    return SIZE if counted is not None and counted[1].lower() in COUNTED else ""


def _dots(key: str, after: str) -> int:
    """The full stops in the run of numbers that a number is part of."""
    before, behind = _NUMBERS_BEFORE.search(key), _NUMBERS_AFTER.match(after)
    return sum(each is not None and each.group().count(".") for each in (before, behind))


def field_role(name: str) -> str:
    """Return the role of the numbers of a field by its name."""
    return _role_of_words(name)


def _is_in_word(after: str) -> bool:
    """Whether the characters after digits make them part of a word: 3rd, 7a, 5G, or letters of no known unit."""
    if _ORDINAL.match(after) is not None or ATTACHED_CODES.match(after) is not None:
        return True
    first = after[:1]
    return first.isalpha() and (_LETTER if first.isascii() else NOT_ATTACHED).match(after) is not None


def _is_header(key: str) -> bool:
    """Whether only numbers stand before: the time at the start of a line in a log."""
    return "#" in key and not any(map(str.isalpha, key))


@lru_cache(maxsize=16384)
def _role_before(key: str) -> str:
    if any(each is not None for each in (_STATUS.search(key), _PRODUCT.fullmatch(key), _CHROMOSOME.search(key))):
        return CODE
    if _AFTER_STATUS.search(key) is not None or CURRENCY_BEFORE.search(key) is not None:
        return SIZE
    if _is_header(key) and _CLOCK.search(key) is not None:
        return ID
    role = "" if _OTHERS.search(key) is not None else _role_of_words(key)
    if role or not key or key[-1].isspace() or _PAIR.search(key) is not None:
        return "" if role == ID and _PAIR.search(key) is not None else role
    return ID if key[-1] == "#" or (key[-1] in "_-/@" and any(map(str.isalpha, key))) else ""


def _role_of_words(text: str) -> str:
    written = text.replace("#", " ").rstrip(_SEPARATORS)
    if written.endswith(CODE_ENDINGS):
        return POSTAL if written.endswith(POSTAL_ENDINGS) else CODE
    if written.endswith(ID_ENDINGS):
        return ID
    words = _WORD.findall(_CAMEL.sub(" ", written))
    word = words[-1].lower() if words else ""
    if word in POSTAL_WORDS or word.endswith(("zipcode", "postcode", "postleitzahl")):
        return POSTAL
    if word in CODES or word.endswith(("code", "status", "version", "level", "klasse", "stufe", "ebene")):
        return CODE
    if word in BOUNDED:
        return BOUNDED[word]
    if word in IDS or word.endswith(("nummer", "number")):
        return ID
    return SIZE if word in SIZES or word.endswith(("size", "bytes", "length", "größe", "dauer")) else ""
