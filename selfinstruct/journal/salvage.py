"""Read a damaged SQLite file page by page, without SQLite, which stops at the first error.

Follows https://sqlite.org/fileformat2.html: leaf pages of tables (section 1.6), records (2.1), overflow pages, and of
the write-ahead log every frame up to its last complete commit (4.1). The table of a page that no tree leads to is
found by the types of its records.

Does not handle: indexes (they are rebuilt), encryption, files of other programs, deleted rows.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from selfinstruct.journal.database import SCHEMA

#: The stored values of one row; an INTEGER PRIMARY KEY is stored as None, since it is the id of the row.
Record: TypeAlias = tuple[Any, ...]
#: The rows of each table by their ids.
Tables: TypeAlias = dict[str, dict[int, Record]]

_LEAF, _INTERIOR = 13, 5
_PAGE_SIZE = 4096  # of a damaged header: SQLite's default, which we use
_MAGIC = b"SQLite format 3\0"
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_NONE, _INT, _REAL, _TEXT, _BLOB = type(None), int, (int, float), str, bytes
_MAYBE: Any = (type(None), int, float)
_KEY: Any = (type(None), int)
_LINE: Any = (type(None), str)


class _JSONList(str):
    """The text of a JSON list, as the type of a column."""


class _JSONObject(str):
    """The text of a JSON object, as the type of a column."""


#: The types of each table's columns.
_FORMS: dict[str, tuple[Any, ...]] = {
    "notes": (_TEXT, _TEXT),
    "categories": (_NONE, _BLOB),
    "seeds": (_NONE, _INT, _INT, _TEXT),
    "batches": (_NONE, _INT, _INT, _INT, _JSONList, _JSONObject),
    "calls": (_NONE, _INT, _TEXT, _BLOB, _BLOB, _INT, _INT, _INT, _REAL, _INT, _INT),
    "replies": (_NONE, _BLOB),
    "failures": (_NONE, _TEXT, _BLOB),
    "judged": (_NONE, (type(None), int)),
    "rows": (_NONE, _INT, _INT, _INT, _JSONObject, _JSONObject),
    "rejections": (_NONE, _INT, _INT, _INT, _TEXT, _BLOB, _MAYBE, _MAYBE, _BLOB),
    "passages": (_NONE, _JSONObject),
    "decisions": (_NONE, _TEXT, _KEY, _KEY, _TEXT, _BLOB, _BLOB, _TEXT, _LINE, _JSONObject, _KEY, _INT),
    "jobs": (_NONE, _BLOB, _TEXT, _TEXT, _JSONList),
}
#: Tables with columns that later schemas added, and how many: earlier records lack some of them.
_EXTENDED = {"batches": 1, "calls": 2}
#: Tables that an upgraded journal has elsewhere than a new one: their pages are found by their records.
_ANYWHERE = ("jobs",)
# Categories and replies have the same types; the few categories fit on the root page, which is never a stray one.
_STRAY = [name for name in _FORMS if name != "categories"]


class Damage(Exception):
    """A page or a record cannot be read."""


def salvage(main: bytes, log: bytes = b"") -> Tables:
    """All readable rows of a journal and its write-ahead log."""
    stored = int.from_bytes(main[16:18], "big") if main.startswith(_MAGIC) else 0
    size = 65536 if stored == 1 else stored
    if size < 512 or size & (size - 1):
        size = _PAGE_SIZE
    pages = _Pages(main, size, _frames(log))
    tables: Tables = {name: {} for name in _FORMS}
    claimed: set[int] = set()
    for name, root in _roots(main).items():
        if name in _ANYWHERE:
            continue
        for page in pages.leaves(root, claimed):
            tables[name].update((key, record) for key, record in pages.rows(page) if _fits(record, name))
    for page in pages.numbers():
        if page not in claimed:
            for key, record in pages.rows(page):
                fitting = next((name for name in _STRAY if _fits(record, name)), None)
                if fitting is not None:
                    tables[fitting].setdefault(key, record)
    return tables


def _roots(main: bytes) -> dict[str, int]:
    """The root page of each table: tables are created in the order of the schema, and never dropped.

    A journal of an older schema has no page for the tables of later ones.
    """
    version = int.from_bytes(main[60:64], "big") if main.startswith(_MAGIC) else 0
    connection = sqlite3.connect(":memory:")
    try:
        for script in SCHEMA[:version] if 0 < version < len(SCHEMA) else SCHEMA:
            connection.executescript(script)
        return dict(connection.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'"))
    finally:
        connection.close()


def _fits(record: Record, name: str) -> bool:
    """Whether a record has the types of a table's columns."""
    form = _FORMS[name]
    if not len(form) - _EXTENDED.get(name, 0) <= len(record) <= len(form):
        return False
    return all(_is(*pair) for pair in zip(record, form, strict=False))


def _is(value: Any, kind: Any) -> bool:
    """Whether a value has the type of a column."""
    if kind is _JSONList or kind is _JSONObject:
        return isinstance(value, str) and value.startswith("[" if kind is _JSONList else "{")
    return isinstance(value, kind)


class _Pages:
    """The pages of a file, of ``size`` bytes each, by number from 1; those of the log replace those of the file."""

    def __init__(self, main: bytes, size: int, log: dict[int, bytes]) -> None:
        self._main = main
        self._size = size
        self._usable = size - (main[20] if main.startswith(_MAGIC) else 0)
        self._log = log

    def numbers(self) -> Iterable[int]:
        """The numbers of all pages."""
        return sorted({*range(1, -(-len(self._main) // self._size) + 1), *self._log})

    def page(self, number: int) -> bytes:
        """One page, padded with zeros if the file is truncated."""
        found = self._log.get(number) or self._main[(number - 1) * self._size : number * self._size]
        return found.ljust(self._size, b"\0")

    def leaves(self, root: int, claimed: set[int]) -> Iterator[int]:
        """The leaf pages of the tree with this root, each once; ``claimed`` gains all pages of the tree."""
        waiting = [root]
        while waiting:
            number = waiting.pop()
            page = self.page(number)
            if number in claimed or page[0] not in (_LEAF, _INTERIOR):
                continue
            claimed.add(number)
            if page[0] == _LEAF:
                yield number
                continue
            children = [int.from_bytes(page[at : at + 4], "big") for at in self._cells(page, 12)]
            waiting += [*children, int.from_bytes(page[8:12], "big")]

    def rows(self, number: int) -> Iterator[tuple[int, Record]]:
        """The readable rows of a leaf page of a table, with their ids; none of any other page."""
        page = self.page(number)
        if number == 1 or page[0] != _LEAF:
            return
        for at in self._cells(page, 8):
            try:
                length, at = _varint(page, at)
                key, at = _varint(page, at)
                yield key, _record(self._payload(page, at, length))
            except (Damage, IndexError, struct.error, UnicodeDecodeError):
                continue

    def _cells(self, page: bytes, start: int) -> list[int]:
        """The offsets of the cells of a page."""
        count = int.from_bytes(page[3:5], "big")
        if start + 2 * count > self._usable:
            return []
        return [at for (at,) in struct.iter_unpack(">H", page[start : start + 2 * count]) if start < at < self._usable]

    def _payload(self, page: bytes, at: int, length: int) -> bytes:
        """A payload of ``length`` bytes: on its page, and on overflow pages if it is long."""
        usable = self._usable
        if length <= usable - 35:
            return page[at : at + length]
        least = (usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (usable - 4)
        if local > usable - 35:
            local = least
        parts, left = [page[at : at + local]], length - local
        following = int.from_bytes(page[at + local : at + local + 4], "big")
        while left > 0:
            if not following or left > len(self._main) + self._size * len(self._log):
                raise Damage
            page = self.page(following)
            parts.append(page[4 : min(usable, 4 + left)])
            left -= len(parts[-1])
            following = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer, and the offset of its end."""
    value = 0
    for place in range(9):
        byte = data[at + place]
        if place == 8:
            return (value << 8 | byte) - (1 << 64 if value >> 55 else 0), at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    raise Damage


def _record(data: bytes) -> Record:
    """The values of a record."""
    end, at = _varint(data, 0)
    body, values = end, []
    while at < end:
        kind, at = _varint(data, at)
        length = _LENGTHS[kind] if kind < 10 else (kind - 12) // 2
        if kind in (10, 11) or body + length > len(data):
            raise Damage
        values.append(_value(kind, data[body : body + length]))
        body += length
    if body != len(data):
        raise Damage
    return tuple(values)


#: The number of bytes of serial types 0 to 9.
_LENGTHS = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)


def _value(kind: int, data: bytes) -> Any:
    match kind:
        case 0:
            return None
        case 7:
            return struct.unpack(">d", data)[0]
        case 8 | 9:
            return kind - 8
        case _ if kind < 7:
            return int.from_bytes(data, "big", signed=True)
        case _:
            return data.decode() if kind % 2 else data


def _frames(log: bytes) -> dict[int, bytes]:
    """The pages in a write-ahead log: the last version of each in its complete commits."""
    if len(log) < 32 or int.from_bytes(log[:4], "big") not in _WAL_MAGIC:
        return {}
    order = ">" if log[3] & 1 else "<"
    size, salts = int.from_bytes(log[8:12], "big"), log[16:24]
    summed = _checksum(order, log[:24], (0, 0))
    if size < 512 or struct.unpack(">II", log[24:32]) != summed:
        return {}
    committed: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    for at in range(32, len(log) - 24 - size + 1, 24 + size):
        header, page = log[at : at + 24], log[at + 24 : at + 24 + size]
        number, after = struct.unpack(">II", header[:8])
        summed = _checksum(order, header[:8] + page, summed)
        if header[8:16] != salts or struct.unpack(">II", header[16:24]) != summed:
            break
        waiting[number] = page
        if after:
            committed.update(waiting)
            waiting.clear()
    return committed


def _checksum(order: str, data: bytes, start: tuple[int, int]) -> tuple[int, int]:
    """The log's running checksum (section 4.2): two sums over 32-bit words in the byte order of its header."""
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
