"""A position in a JSON text that knows its line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from selfinstruct.errors import RowError
from selfinstruct.records import JSON
from selfinstruct.rows.exact import LossyValueError, decode, decode_error
from selfinstruct.rows.record import Record

DECODE_ERRORS = (ValueError, RecursionError, LossyValueError)
_AFTER_SPACE = re.compile(r"[^ \t\r\n]|\Z")
_KINDS = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "true or false"}


class JsonCursor:
    """A position in a JSON text that moves forward from token to token; the text begins on ``line``."""

    def __init__(self, text: str, name: str, line: int = 1) -> None:
        self.text, self.name, self.at, self.line = text, name, 0, line
        self._first = line
        self.move(0)

    @property
    def where(self) -> str:
        """The position as ``file:line``."""
        return f"{self.name}:{self.line}"

    @property
    def here(self) -> str:
        """The character at this position, "" at the end."""
        return self.text[self.at : self.at + 1]

    def move(self, to: int) -> None:
        """Go to ``to`` and past white space."""
        found = _AFTER_SPACE.search(self.text, to)
        end = found.start() if found else len(self.text)
        self.line += self.text.count("\n", self.at, end)
        self.at = end

    def take_object(self) -> Record:
        """Read the object that begins here and move past it."""
        line = self.line
        try:
            row, end = decode(self.text, self.at)
        except json.JSONDecodeError as exc:
            raise decode_error(exc, f"{self.name}:{self._first + exc.lineno - 1}") from exc
        except DECODE_ERRORS as exc:
            raise decode_error(exc, self.where) from exc
        if not isinstance(row, dict):
            raise not_object(self.where, row)
        self.move(end)
        return Record(line, b"", row)


def not_object(where: str, value: JSON) -> RowError:
    """The error for a value where a row is expected."""
    message = f"expected a JSON object, got {_KINDS.get(type(value), 'null')}"
    return RowError(where, message, hint='Write it as an object, such as {"text": "..."}.')


class Members:
    """The lines on which the members of a JSON object begin, found again in its text, to a depth."""

    def __init__(self, text: str, line: int, depth: int) -> None:
        self._line = line
        self._tree = _walk(JsonCursor(text, "", line), depth) if "\n" in text.strip() else []

    def line(self, place: Sequence[int]) -> int:
        """Return the line of the member at ``place``: positions among the members, from the outermost inwards."""
        line, below = self._line, self._tree
        for position in place:
            if not below:
                break
            line, below = below[position]
        return line


_Tree = list[tuple[int, "_Tree"]]


def _walk(cursor: JsonCursor, depth: int) -> _Tree:
    """The line of each member of the valid object or list at ``cursor``, with those of its own members."""
    members: _Tree = []
    closing = "}" if cursor.here == "{" else "]"
    cursor.move(cursor.at + 1)
    while cursor.here != closing:
        if closing == "}":
            cursor.move(decode(cursor.text, cursor.at)[1])
            cursor.move(cursor.at + 1)
        line, below = cursor.line, []
        if depth > 1 and cursor.here in ("{", "["):
            below = _walk(cursor, depth - 1)
        else:
            cursor.move(decode(cursor.text, cursor.at)[1])
        members.append((line, below))
        if cursor.here == ",":
            cursor.move(cursor.at + 1)
    cursor.move(cursor.at + 1)
    return members
