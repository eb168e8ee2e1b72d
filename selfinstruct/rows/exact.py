"""JSON that is the same after reading and writing: a value that would change is refused.

Does not handle: the spelling of numbers (1.50 is 1.5) and of escapes, the spaces between tokens.
"""

from __future__ import annotations

import json
import re
import sys

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.records import JSON, Row

#: Levels of lists and objects inside a row. Far below Python's own limit, which depends on the caller's stack and on
#: the release, so that every row that is read here can be copied, compared and written anywhere.
MAX_NESTING = 100

_SURROGATE = re.compile("[\ud800-\udfff]")
#: What the parser of Python says; `Phrase` looks these up.
PARSER_MESSAGES = (
    Phrase("Expecting value"),
    Phrase("Expecting property name enclosed in double quotes"),
    Phrase("Expecting ':' delimiter"),
    Phrase("Expecting ',' delimiter"),
    Phrase("Extra data"),
    Phrase("Invalid control character at"),
    Phrase("Unterminated string starting at"),
    Phrase("Invalid \\escape"),
    Phrase("Illegal trailing comma before end of object"),
    Phrase("Illegal trailing comma before end of array"),
)
_AS_STRING = Phrase("Write it as a string, in double quotes, to keep it unchanged.")
_TOO_DEEP = (
    Phrase("nested more than {count} levels deep", count=MAX_NESTING),
    Phrase("Flatten it, or keep the inner part as a string."),
)


class LossyValueError(Exception):
    """JSON that parses, but would change when written again: message and hint, without the line."""


def decode(text: str, at: int = 0) -> tuple[JSON, int]:
    """The JSON value that begins at ``text[at]``, and its end.

    Raises:
        json.JSONDecodeError: invalid JSON.
        LossyValueError, ValueError, RecursionError: it would change when written again; see ``decode_error``.
    """
    value, end = _raw_decode(text, at)
    if text.count("{", at, end) + text.count("[", at, end) > MAX_NESTING:  # cheap, and never too low
        _refuse_nesting(value)
    return value, end


def decode_lossy(text: str) -> tuple[JSON, int]:
    """As ``decode``, for callers that copy the text: NaN, long numbers and repeated names are accepted."""
    value, end = _lossy_raw_decode(text)
    if text.count("{") + text.count("[") > MAX_NESTING:
        _refuse_nesting(value)
    return value, end


def to_json(row: Row) -> str:
    r"""One row as one line of JSON, keys in order, that ``parse_rows`` reads back as an equal row.

    Text stays readable; only a lone surrogate is escaped (``\ud800``), so that the line always encodes as UTF-8.

    Raises:
        TypeError: a value has no JSON type.
        ValueError: NaN, an infinity, an integer of more than 4300 digits, or a row that contains itself.
    """
    text = _encode(row)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return text


def decode_error(exc: Exception, where: str, indent: int = 0) -> RowError:
    """The error of ``decode`` as a RowError; ``indent`` is added to the column."""
    if isinstance(exc, LossyValueError | RecursionError):
        message, hint = exc.args if isinstance(exc, LossyValueError) else _TOO_DEEP
        return RowError(where, message, hint=hint)
    if not isinstance(exc, json.JSONDecodeError):  # int() refuses it: sys.set_int_max_str_digits
        return RowError(where, "an integer of more than 4300 digits", hint=_AS_STRING)
    hint = "Fix the JSON there; in JSON Lines each line is one whole object."
    if exc.msg.startswith("Invalid control character"):
        hint = "Inside a string, write a tab as \\t and a line break as \\n."
    return RowError(
        where, Phrase("invalid JSON: {msg} (column {colno})", msg=Phrase(exc.msg), colno=exc.colno + indent), hint=hint
    )


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = {sys.intern(name): value for name, value in pairs}  # one string a name, not one a row
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise LossyValueError(Phrase("{twice!r} occurs twice in one object", twice=twice), "Keep one of the two.")
    return found


def _float(text: str) -> float:
    value = float(text)
    # 15 digits always survive IEEE 754's binary64
    if (len(text) > 15 or "e" in text or "E" in text) and not _same_number(text, value):
        shown = text if len(text) <= 40 else f"{text[:37]}..."
        raise LossyValueError(Phrase("the number {shown} would become {value!r}", shown=shown, value=value), _AS_STRING)
    return value


def _same_number(text: str, value: float) -> bool:
    import decimal  # late: most rows have no long numbers

    try:
        return decimal.Decimal(text) == decimal.Decimal(repr(value))
    except decimal.InvalidOperation:  # an exponent beyond the limits of Decimal
        return False


def _constant(text: str) -> float:
    raise LossyValueError(Phrase("{text} is not a JSON value", text=text), "Write null, or a string.")


def _refuse_nesting(value: JSON, depth: int = 0) -> None:
    if not isinstance(value, dict | list):
        return
    if depth == MAX_NESTING:
        raise LossyValueError(*_TOO_DEEP)
    for child in value.values() if isinstance(value, dict) else value:
        _refuse_nesting(child, depth + 1)


_raw_decode = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant).raw_decode
_lossy_raw_decode = json.JSONDecoder().raw_decode
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
