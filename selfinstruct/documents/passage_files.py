"""Reads the passages of files: a line of a log, a chunk of a text document, a field of a row file.

What a file is follows from its content, also of a compressed one. Empty lines and repeated passages are dropped, and
lines that no prompt could contain are skipped; all of them are counted.

Does not handle: standard input, finding out an encoding, records of several lines (a stack trace is its lines).
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from io import BufferedReader
from typing import Literal, TypeAlias

from selfinstruct.documents.chunks import Chunking
from selfinstruct.documents.document import is_html, is_pdf, read_document
from selfinstruct.documents.packed import PROSE, PackedPassages
from selfinstruct.documents.passages import find_documents
from selfinstruct.documents.raw_text import is_log
from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase, joined
from selfinstruct.rows import UTF_8, open_rows, open_unpacked
from selfinstruct.rows.foreign import refuse_foreign
from selfinstruct.rows.likely_encoding import around, encoding_hint, likely_encoding

#: A longer line is skipped: it is a dump rather than a message, and no prompt should contain it.
MAX_CHARACTERS = 10_000
_MAX_BYTES = 4 * MAX_CHARACTERS  # of UTF-8
_HEAD = 1 << 16
_MARK = b"\xff"  # of what cannot be decoded in a line: no byte of UTF-8
_ARRAY = re.compile(rb"\[\s*(\{|\]|$)")  # other than in a log line such as "[info] started"
_OBJECT = re.compile(rb"\{\s*(\"|$)")  # over several lines
_BINARY_TABLES = (b"PAR1", b"ARROW1")
_LINE_END = re.compile(rb"[\r\n]+$")
#: How the text of a file is divided.
Division: TypeAlias = Literal["line", "chunk"]


@dataclass(frozen=True, slots=True)
class PassageReading:
    """The passages of all files and what was dropped.

    ``read`` counts what was read: ``line``, ``chunk`` and ``row``. ``dropped`` counts ``empty`` and ``repeated``
    passages, ``too long`` lines, those ``with NUL characters``, ``not UTF-8`` (or not the encoding), and
    those kept out, by the reason that ``keep_out`` returned. ``first`` is ``file:line`` of the first passage dropped
    for a reason.
    """

    passages: PackedPassages
    files: tuple[str, ...]
    read: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)


def read_passage_files(
    names: Sequence[str],
    *,
    field: str,
    named: bool = False,
    by: Division | None = None,
    chunking: Chunking | None = None,
    keep_out: Callable[[str], str] = lambda text: "",
    encoding: str = UTF_8,
) -> PassageReading:
    """Read the passages of files, directories and globs, in their order.

    ``field`` is the field of row files that contains the passage; unless it was ``named`` by the user, the lines of
    JSON Lines without it are passages themselves. ``keep_out`` returns why a passage is kept out, or "".

    Raises:
        InputError: a name matches no file; a file cannot be read, is damaged or not UTF-8 text; a row file lacks the
            field; or no passage is left.
    """
    files = find_documents(names)
    found = PassageReading(PackedPassages(), tuple(files))
    reader = _Reader(found, field, named, by, chunking or Chunking(), keep_out, encoding)
    for name in files:
        reader.read(name)
    if not len(found.passages):
        message = Phrase("{names}: no passages", names=joined(names))
        if found.dropped:
            dropped = [
                Phrase("{count:,} {reason}", count=count, reason=Phrase(reason))
                for reason, count in found.dropped.items()
            ]
            message = Phrase("{what}: {reasons}", what=message, reasons=joined(dropped))
        raise InputError(message, hint="Name files of text, with a passage per line for logs.")
    return found


@dataclass(slots=True)
class _Reader:
    """Collects the passages of one file after another."""

    found: PassageReading
    column: str
    named: bool
    by: Division | None
    chunking: Chunking
    keep_out: Callable[[str], str]
    encoding: str
    seen: set[bytes] = field(default_factory=set)

    def read(self, name: str) -> None:
        """Read the passages of one file."""
        with open_unpacked(name, self.encoding, mark=_MARK) as file:
            head = _peek(file)
        if is_pdf(head) or is_html(head.decode("utf-8", "replace")):
            self._read_document(name)
            return
        self._refuse(head, name)
        form = _form(head, name)
        if form == "text":
            self._read_text(name, head)
        elif form == "json" and not self.named and not self._has_field(head):
            self._read_lines(name)
        else:
            self._read_rows(name)

    def _refuse(self, head: bytes, name: str) -> None:
        """Raise InputError for content that is not text; a log may have a few bytes that are not."""
        if not head.strip():
            raise InputError("{name}: the file is empty", hint="Name a file with text.", name=name)
        if not head.startswith(_BINARY_TABLES):
            refuse_foreign(head[:1024], name)

    def _has_field(self, head: bytes) -> bool:
        line = head.lstrip().partition(b"\n")[0]
        return f'"{self.column}"'.encode() in line

    def _read_document(self, name: str) -> None:
        document = read_document(name, encoding=self.encoding)
        for page in document.pages:
            for start, end in self.chunking.spans(page.text):
                self._add("chunk", page.text[start:end], name, 0, page=page.number)

    def _read_text(self, name: str, head: bytes) -> None:
        by = self.by or ("line" if is_log(head) else "chunk")
        if by == "line":
            self._read_lines(name)
            return
        with open_unpacked(name, self.encoding) as file:
            data = file.read().removeprefix(codecs.BOM_UTF8)
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise _not_utf8(name, 1 + data.count(b"\n", 0, error.start), around(error) + data) from error
        line, at = 1, 0
        for start, end in self.chunking.spans(text):
            line, at = line + text.count("\n", at, start), start
            self._add("chunk", text[start:end], name, line, line + text.count("\n", start, end))

    def _read_lines(self, name: str) -> None:
        undecodable = Phrase("not {encoding}", encoding="UTF-8" if self.encoding == UTF_8 else self.encoding)
        lines = broken = decoded = first = 0
        sample = bytearray()
        with open_unpacked(name, self.encoding, mark=_MARK) as file:
            for number, raw in _lines(file):
                lines += 1
                self.found.read["line"] += 1
                place = f"{name}:{number}"
                if raw is None:
                    self._drop(Phrase("too long"), place)
                elif not raw.strip():
                    self._drop(Phrase("empty"), place)
                elif b"\0" in raw:
                    self._drop(Phrase("with NUL characters"), place)
                else:
                    try:
                        text = raw.decode()
                    except UnicodeDecodeError:
                        self._drop(undecodable, place)
                        broken += 1
                        first = first or number
                        sample += raw + b"\n" if len(sample) < _HEAD else b""
                    else:
                        decoded += not raw.isascii()
                        self._add_line(text, name, number)
        # A few broken lines are left out; a text in another encoding has no line of UTF-8 that is not also ASCII.
        if 2 * broken > lines or (broken and not decoded and likely_encoding(sample) not in (None, "cp1252")):
            raise InputError(
                Phrase("{name}:{first}: {undecodable} text", name=name, first=first, undecodable=undecodable),
                hint=encoding_hint(sample, other_than=self.encoding),
            )

    def _add_line(self, text: str, name: str, number: int) -> None:
        if len(text) > MAX_CHARACTERS:
            self._drop(Phrase("too long"), f"{name}:{number}")
        else:
            self._add("line", text, name, number)

    def _read_rows(self, name: str) -> None:
        with open_unpacked(name, self.encoding) as file:
            stream = open_rows(file, name)
            for record in stream.records:
                row = record.value
                value = row.get(self.column) if isinstance(row, dict) else None
                if isinstance(row, dict) and self.column not in row:
                    hint = Phrase(
                        'Name the field in the recipe: [passages] field = "..."; the row has {row}.', row=", ".join(row)
                    )
                    raise InputError(
                        Phrase("{name}:{line}: no field {column}", name=name, line=record.line, column=self.column),
                        hint=hint,
                    )
                if not isinstance(value, str):
                    raise InputError(
                        "{name}:{line}: {column} is not text",
                        hint="Name a field with text.",
                        name=name,
                        line=record.line,
                        column=self.column,
                    )
                self.found.read["row"] += 1
                place = f"{name}:{record.line}"
                if len(value) > MAX_CHARACTERS:
                    self._drop(Phrase("too long"), place)
                elif not value.strip():
                    self._drop(Phrase("empty"), place)
                else:
                    self._add("row", value, name, record.line)

    def _add(self, kind: str, text: str, name: str, start: int, end: int = 0, *, page: int | None = None) -> None:
        if kind == "chunk":
            self.found.read[kind] += 1
        place = f"{name}:{start}" if start else name
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if digest in self.seen:
            self._drop(Phrase("repeated"), place)
            return
        self.seen.add(digest)
        if reason := self.keep_out(text):
            self._drop(reason, place)
        else:
            template = PROSE if kind == "chunk" else ""
            self.found.passages.add(text, name, start, end or start, page=page, template=template)

    def _drop(self, reason: str, place: str) -> None:
        self.found.dropped[reason] += 1
        self.found.first.setdefault(reason, place)


def _peek(file: BufferedReader) -> bytes:
    """The first bytes of a file, which is read again afterwards."""
    return file.read(_HEAD)


def _form(head: bytes, name: str) -> Literal["text", "json", "rows"]:
    """What the content that begins with ``head`` is: text, an object of JSON per line, or rows in another format."""
    first, line_end, _ = head.lstrip().partition(b"\n")
    if head.startswith(_BINARY_TABLES) or _ARRAY.match(first):
        return "rows"
    if first.startswith(b"{"):
        try:
            json.loads(first)
        except ValueError:
            return "rows" if _OBJECT.match(first) else "text"
        return "json" if line_end else "rows"
    return "rows" if open_rows(io.BytesIO(head), name, by_line=True).format != "text" else "text"


def _lines(file: BufferedReader) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a file, numbered from 1, without line ends; None for a line that is too long."""
    number = 0
    while raw := file.readline(_MAX_BYTES):
        number += 1
        if not raw.endswith(b"\n") and len(raw) == _MAX_BYTES:
            while (more := file.readline(_MAX_BYTES)) and not more.endswith(b"\n"):
                pass
            yield number, None
            continue
        raw = _LINE_END.sub(b"", raw)
        yield number, raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw


def _not_utf8(name: str, line: int, sample: bytes) -> InputError:
    return InputError(Phrase("{name}:{line}: not UTF-8 text", name=name, line=line), hint=encoding_hint(sample))
