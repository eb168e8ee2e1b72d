"""Rows written as JSON: one object a line, objects over several lines, or an array of objects."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

from selfinstruct.errors import RowError
from selfinstruct.records import JSON, Row
from selfinstruct.rows.exact import LossyValueError, decode, decode_error_message

_SPACE = b" \t\r\n"  # what JSON calls white space; bytes.strip() would take form feeds too
_AFTER_SPACE = re.compile(r"[^ \t\r\n]|\Z")
_UNTAKEN = (ValueError, RecursionError, LossyValueError)
_KINDS = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "true or false"}


def json_lines(body: bytes, name: str) -> Iterator[tuple[int, Row]]:
    """Each row of a JSON Lines text with its line, counted from 1.

    A text whose first object goes on in the next line is read as objects over several lines.

    Raises:
        RowError: a line is not one object, or holds a value that would change.
        UnicodeDecodeError: a line is not UTF-8.
    """
    first = True
    for line, raw in enumerate(io.BytesIO(body), 1):
        content = raw.strip(_SPACE)
        if not content:
            continue
        text = content.decode()
        try:
            row, end = decode(text)
            if end < len(text):
                raise json.JSONDecodeError("Extra data", text, end)
        except _UNTAKEN as exc:
            if first and _goes_on(exc, body, line):
                yield from _objects(body.decode(), name)
                return
            indent = len(raw) - len(raw.lstrip(_SPACE))
            raise decode_error_message(exc, f"{name}:{line}", indent) from exc
        if not isinstance(row, dict):
            raise _not_object(f"{name}:{line}", row)
        first = False
        yield line, row


def json_array(text: str, name: str) -> Iterator[tuple[int, Row]]:
    """Each object of a JSON array with the line, counted from 1, where it starts.

    Raises:
        RowError: the array is broken, holds something else than objects, or a value that would change.
    """
    cursor = _Cursor(text, name)
    cursor.move(cursor.at + 1)
    if cursor.here != "]":
        yield cursor.take_object()
        while cursor.here == ",":
            cursor.move(cursor.at + 1)
            yield cursor.take_object()
    if cursor.here != "]":
        problem = "expected ',' or ']' after an object" if cursor.here else "the array is not closed"
        raise RowError(cursor.where, f"not valid JSON: {problem}", hint="Mend the array there.")
    cursor.move(cursor.at + 1)
    if cursor.here:
        raise RowError(cursor.where, "not valid JSON: text after the end of the array", hint="Take it out.")


def _objects(text: str, name: str) -> Iterator[tuple[int, Row]]:
    cursor = _Cursor(text, name)
    while cursor.here:
        yield cursor.take_object()


def _goes_on(exc: Exception, body: bytes, line: int) -> bool:
    """Whether the first object goes on in the next line, rather than being broken in its own."""
    if not isinstance(exc, json.JSONDecodeError):
        return False
    rest = b"".join(body.split(b"\n", line)[line:]).lstrip(_SPACE)
    return rest[:1] not in (b"", b"{")


class _Cursor:
    """A place in a JSON text that moves forward from one thing to the next, and knows its line."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name, self.at, self.line = text, name, 0, 1
        self.move(0)

    @property
    def where(self) -> str:
        return f"{self.name}:{self.line}"

    @property
    def here(self) -> str:
        """The character at this place, "" at the end."""
        return self.text[self.at : self.at + 1]

    def move(self, to: int) -> None:
        """Go to ``to``, and on past white space."""
        found = _AFTER_SPACE.search(self.text, to)
        end = found.start() if found else len(self.text)
        self.line += self.text.count("\n", self.at, end)
        self.at = end

    def take_object(self) -> tuple[int, Row]:
        """The object that begins here, with its line; goes on to what follows it."""
        line = self.line
        try:
            row, end = decode(self.text, self.at)
        except json.JSONDecodeError as exc:
            raise decode_error_message(exc, f"{self.name}:{exc.lineno}") from exc
        except _UNTAKEN as exc:
            raise decode_error_message(exc, self.where) from exc
        if not isinstance(row, dict):
            raise _not_object(self.where, row)
        self.move(end)
        return line, row


def _not_object(where: str, value: JSON) -> RowError:
    message = f"a row must be a JSON object, not {_KINDS.get(type(value), 'null')}"
    return RowError(where, message, hint='Write it as an object, such as {"text": "..."}.')
