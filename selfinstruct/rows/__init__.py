r"""Reading and writing row files without changing a value.

Does not handle: type inference ("0042" stays a string), other encodings than UTF-8, compressed files, tables
without a header line. A value that could not be written again as it was read is an error, never a loss.

>>> parse_rows(b'id,text\n0042,"a, b"\n', "x.csv").rows
[{'id': '0042', 'text': 'a, b'}]
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from selfinstruct.errors import RowError
from selfinstruct.files import open_whole
from selfinstruct.records import Row
from selfinstruct.rows.exact import MAX_NESTING, copy_row, to_json
from selfinstruct.rows.json_text import json_array, json_lines
from selfinstruct.rows.table import find_delimiter, table

__all__ = ["MAX_NESTING", "RowFile", "parse_rows", "read_rows", "rows_from_objects", "to_json", "write_rows"]

_CONTENT = re.compile(rb"[^ \t\r\n]")
_READABLE = "Rows are read from JSON Lines, a JSON array of objects, or CSV/TSV with a header line."
_FOREIGN = (  # UTF-32's mark begins with UTF-16's, so it comes first
    (codecs.BOM_UTF32_LE, "UTF-32 text", "Convert it: iconv -f UTF-32 -t UTF-8 OLD > NEW"),
    (codecs.BOM_UTF32_BE, "UTF-32 text", "Convert it: iconv -f UTF-32 -t UTF-8 OLD > NEW"),
    (codecs.BOM_UTF16_LE, "UTF-16 text", "Convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW"),
    (codecs.BOM_UTF16_BE, "UTF-16 text", "Convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW"),
    (b"\x1f\x8b", "gzip-compressed", "Unpack it first: gunzip -c OLD > NEW"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet", "Unpack it, or save the sheet as CSV in UTF-8."),
    (b"PAR1", "a Parquet file", "Save it as JSON Lines or CSV first."),
)


@dataclass(frozen=True)
class RowFile:
    """The rows of one file, in file order, with what error messages need to point into it.

    ``path`` is the name that messages use. ``format`` is how the rows were written: ``jsonl``, ``json``,
    ``csv``, ``tsv``, or ``python`` for rows that were given as objects. ``lines[i]`` is the line, counted from
    1, where ``rows[i]`` starts. ``fields`` are the first row's, in its order (and after them, where differing
    rows were allowed, the others' in the order of their first occurrence).
    """

    path: str
    format: str
    rows: list[Row]
    lines: list[int]
    fields: tuple[str, ...]


def read_rows(path: str | Path, *, uniform: bool = True) -> RowFile:
    """Read the row file at ``path``; ``-`` reads standard input. See ``parse_rows``.

    Raises:
        RowError: the file cannot be opened, or ``parse_rows`` refuses its content.
    """
    if str(path) == "-":
        return parse_rows(sys.stdin.buffer.read(), "<stdin>", uniform=uniform)
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as exc:
        raise RowError(str(path), "there is no such file", hint="Check the name and the directory.") from exc
    except IsADirectoryError as exc:
        raise RowError(str(path), "is a directory, not a row file", hint="Name a file in it.") from exc
    except OSError as exc:
        raise RowError(str(path), f"cannot be read: {exc.strerror or exc}", hint="Check its permissions.") from exc
    return parse_rows(data, str(path), uniform=uniform)


def parse_rows(data: bytes, name: str, *, uniform: bool = True) -> RowFile:
    """Read rows from the content of a file that messages call ``name``.

    The content tells the format: ``{`` begins JSON Lines (or objects over several lines), ``[`` a JSON array of
    objects, anything else a table by RFC 4180 with a header line, whose delimiter (comma, tab or semicolon) is
    the one that splits the header into most names. UTF-8, with or without a byte order mark, with LF or CRLF;
    blank lines are skipped. Table values are strings. A JSON number keeps its value, though not its spelling:
    1.50 is written again as 1.5.

    Raises:
        RowError: with file:line, where the content is broken, empty, not UTF-8, or holds a value that would
            change; and, if ``uniform``, where a row's fields differ from the first row's.
    """
    _refuse_foreign(data, name)
    body = data.removeprefix(codecs.BOM_UTF8)
    first = _CONTENT.search(body)
    if first is None:
        raise RowError(name, "is empty", hint=_READABLE)
    try:
        if first[0] == b"{":
            return _collect(json_lines(body, name), name, "jsonl", uniform)
        if first[0] == b"[":
            return _collect(json_array(body.decode(), name), name, "json", uniform)
        delimiter = find_delimiter(body)
        return _collect(table(body, name, delimiter), name, "tsv" if delimiter == "\t" else "csv", uniform)
    except UnicodeDecodeError as exc:
        raise _not_utf8(data, name) from exc


def rows_from_objects(rows: Iterable[Row], name: str = "<rows>", *, uniform: bool = True) -> RowFile:
    """Rows given as Python objects, copied through JSON so that what is judged is what will be written.

    Messages count the rows from 1, as ``name:number``.

    Raises:
        RowError: a row is not a dict with string keys, or holds a value that JSON cannot keep (NaN, a date, a
            tuple), or, if ``uniform``, differs in its fields from the first row.
    """
    copies = ((number, copy_row(row, f"{name}:{number}")) for number, row in enumerate(rows, 1))
    return _collect(copies, name, "python", uniform)


def write_rows(path: str | Path, rows: Iterable[Row]) -> None:
    """Write rows as a JSON Lines file, all of them or nothing.

    Raises:
        StorageError: the file cannot be written.
        TypeError, ValueError: as ``to_json``.
    """
    with open_whole(path) as handle:
        for row in rows:
            handle.write(to_json(row).encode() + b"\n")


def _collect(source: Iterator[tuple[int, Row]], name: str, form: str, uniform: bool) -> RowFile:
    rows: list[Row] = []
    lines: list[int] = []
    fields: dict[str, None] = {}
    for line, row in source:
        if row.keys() != fields.keys():
            if rows and uniform:
                raise _differing(f"{name}:{line}", row, lines[0], fields)
            fields.update(dict.fromkeys(row))
        if not row:
            raise RowError(f"{name}:{line}", "the row has no fields", hint="Fill it in, or take it out.")
        rows.append(row)
        lines.append(line)
    if not rows:
        raise RowError(name, "holds no rows", hint=_READABLE)
    return RowFile(name, form, rows, lines, tuple(fields))


def _differing(where: str, row: Row, first: int, fields: dict[str, None]) -> RowError:
    import difflib

    missing = [field for field in fields if field not in row]
    extra = [field for field in row if field not in fields]
    parts = [f"no {', '.join(map(repr, missing))}"] if missing else []
    parts += [f"unknown {', '.join(map(repr, extra))}"] if extra else []
    hint = "Every row must have the same fields."
    known = {field.casefold(): field for field in fields}
    for field in extra:
        if near := difflib.get_close_matches(field.casefold(), known, 1):
            hint = f"Is {field!r} meant to be {known[near[0]]!r}? {hint}"
            break
    return RowError(where, f"fields differ from line {first}: {'; '.join(parts)}", hint=hint)


def _refuse_foreign(data: bytes, name: str) -> None:
    for mark, what, hint in _FOREIGN:
        if data.startswith(mark):
            raise RowError(name, f"is {what}, not UTF-8 text", hint=hint)
    if b"\0" in data[:4]:
        hint = "Convert it: iconv -f UTF-16LE -t UTF-8 OLD > NEW (or from UTF-16BE)"
        raise RowError(name, "is not UTF-8 text: NUL bytes at its beginning, as in UTF-16", hint=hint)


def _not_utf8(data: bytes, name: str) -> RowError:
    try:
        data.decode()
    except UnicodeDecodeError as exc:
        line = 1 + data.count(b"\n", 0, exc.start)
        message = f"not UTF-8 text: byte 0x{data[exc.start]:02x} at offset {exc.start} of the file"
        hint = "Convert it from the encoding that it is in, such as: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
        return RowError(f"{name}:{line}", message, hint=hint)
    return RowError(name, "not UTF-8 text")
