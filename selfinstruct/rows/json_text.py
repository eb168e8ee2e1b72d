"""Rows written as JSON: one object a line, objects over several lines, or an array of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.rows.exact import decode, decode_error, decode_lossy
from selfinstruct.rows.json_cursor import DECODE_ERRORS, JsonCursor, not_object
from selfinstruct.rows.lines import Lines
from selfinstruct.rows.record import Record

ONE_OBJECT_PER_LINE = (
    "Write one object per line: jq -c '.[]' OLD > NEW "
    "(jq -c . for objects over several lines, jq -c '.data[]' for the list `data` of one object)"
)
_SPACE = " \t\r\n"  # white space in JSON; str.strip() would remove form feeds too
_SPACE_BYTES = _SPACE.encode()


def json_lines(lines: Lines, *, by_line: bool = False) -> Iterator[Record]:
    """Each row of JSON Lines.

    A file whose first object continues on the next line is read as objects over several lines, unless ``by_line``;
    then values that would change when written again are allowed, too.

    Raises:
        RowError: a line is not one object or not UTF-8, or contains a value that would change.
    """
    read = decode_lossy if by_line else decode
    first = True
    for raw in lines:
        text = lines.decode(raw).strip(_SPACE)
        if not text:
            continue
        line = lines.number
        try:
            row, end = read(text)
            if end < len(text):
                raise json.JSONDecodeError("Extra data", text, end)
        except DECODE_ERRORS as exc:
            following = _next_content(lines) if first and isinstance(exc, json.JSONDecodeError) else []
            if following and (text[-1] in "{[,:" or following[-1].lstrip(_SPACE_BYTES)[:1] not in (b"", b"{")):
                if by_line:
                    message = "objects over several lines cannot be read line by line"
                    raise RowError(f"{lines.name}:{line}", message, hint=ONE_OBJECT_PER_LINE) from exc
                yield from _objects(lines.decode_all([raw, *following]), lines.name, line)
                return
            indent = len(raw) - len(raw.lstrip(_SPACE_BYTES))
            raise decode_error(exc, f"{lines.name}:{line}", indent) from exc
        if not isinstance(row, dict):
            raise not_object(f"{lines.name}:{line}", row)
        first = False
        yield Record(line, raw, row)


def json_array(lines: Lines) -> Iterator[Record]:
    """Each object of a JSON array, with the line that it starts on.

    Raises:
        RowError: the array is broken or not UTF-8, or contains other values than objects, or a value that would
            change.
    """
    cursor = JsonCursor(lines.decode_all([]), lines.name)
    cursor.move(cursor.at + 1)
    if cursor.here != "]":
        yield cursor.take_object()
        while cursor.here == ",":
            cursor.move(cursor.at + 1)
            yield cursor.take_object()
    if cursor.here != "]":
        problem = Phrase("expected ',' or ']' after an object") if cursor.here else Phrase("the array is not closed")
        raise RowError(cursor.where, "invalid JSON: {problem}", hint="Fix the array there.", problem=problem)
    cursor.move(cursor.at + 1)
    if cursor.here:
        raise RowError(cursor.where, "invalid JSON: text after the end of the array", hint="Remove it.")


def _objects(text: str, name: str, line: int) -> Iterator[Record]:
    """Objects over several lines; the bytes of an object are kept if it is the only one."""
    cursor = JsonCursor(text, name, line)
    first = cursor.take_object()
    yield first if cursor.here else first._replace(raw=text.encode())
    while cursor.here:
        yield cursor.take_object()


def _next_content(lines: Lines) -> list[bytes]:
    """The next line that is not blank, after the blank lines before it."""
    read: list[bytes] = []
    for raw in lines:
        read.append(raw)
        if raw.strip(_SPACE_BYTES):
            break
    return read
