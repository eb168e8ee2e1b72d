"""Tells a file of raw text, such as a log or a document, from a file of rows.

Does not handle: reading it (``document``, ``passage_files``); a text in a table's form, which is taken for rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import PurePath
from typing import Literal

from selfinstruct.documents.document import is_html, is_pdf
from selfinstruct.errors import RowError
from selfinstruct.rows import open_rows
from selfinstruct.rows.compressed import peekable, unpacked
from selfinstruct.rows.encoding import UTF_8, as_utf8
from selfinstruct.rows.table import find_delimiter

_HEAD = 1 << 16
_HEAD_LINES = 400
_MARKDOWN = (".md", ".markdown", ".rst")
_LOGS, _TEXTS = (".log",), (".txt", ".text", *_MARKDOWN)
_TABLES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
_PAGES = (".html", ".htm", ".xhtml")
# A log is also named app.log.1 or app.log.gz.
_ADDED = re.compile(r"(?:\.(?:\d+|gz|bz2|xz|zip))+$")
_MOST_WORDS = 3
_DIGITS = re.compile(r"(?<!\S)[^\s\d]*+\d\S*+")
# A sentence that ends inside a line, and another one that begins.
_SENTENCES = re.compile(r"[a-z)\"”][.!?][\"”)]?\s+[\"“(]?[A-Z]|[。！？][”」』]?[^\s”」』]")
_LEAST_PROSE = 0.3
_LEAST_BLANK, _MOSTLY = 0.2, 0.8
_FENCE = "```"  # code in Markdown


def raw_kind(data: bytes, name: str, encoding: str = UTF_8) -> Literal["log", "document"] | None:
    """Return what a file named ``name`` is, if it is raw text; None if it has rows, or is to be refused as such.

    The ending of the name decides where the content may be both: one column without a header, for example.
    """
    try:
        head = as_utf8(unpacked(peekable(io.BytesIO(data)), name), name, encoding).read(_HEAD)
        if is_pdf(head):
            return "document"
        suffix = PurePath(_ADDED.sub("", name)).suffix.lower()
        if is_html(head.decode("utf-8", "replace")):
            return "document" if suffix in _PAGES else None
        if suffix in _TABLES or head.lstrip().startswith((b"{", b"[{", b"[\n", b"[]")):
            return None
        form = open_rows(io.BytesIO(head), name, by_line=True).format
    except RowError:
        return None
    text = head.decode("utf-8", "replace").removeprefix("\ufeff")
    kind: Literal["log", "document"] = (
        "log" if suffix in _LOGS or (suffix not in _MARKDOWN and is_log(head)) else "document"
    )
    if form != "text":
        return kind if suffix in _LOGS and _begins_like_the_rest(text) else None
    if suffix in (*_LOGS, *_TEXTS):
        return None if _is_broken_table(text, least=2) else kind
    return None if _is_broken_table(text, least=1) else kind


def _begins_like_the_rest(text: str) -> bool:
    """Whether the first line is a record like the others, rather than a header."""
    first, *others = [line for line in text.split("\n") if line.strip()]
    return _start(first) in map(_start, others)


def _is_broken_table(text: str, *, least: int) -> bool:
    """Whether a text is a table with a mistake: a header of at least ``least`` names, as many as most rows have."""
    lines = [line for line in text.split("\n")[:_HEAD_LINES] if line.strip()]
    try:
        rows = list(csv.reader(lines, delimiter=find_delimiter(line.encode() for line in lines)))
    except csv.Error:
        return False
    header, *others = rows or [[]]
    names = all(cell[:1].isalpha() and len(cell.split()) <= _MOST_WORDS for cell in map(str.strip, header))
    alike = sum(len(row) == len(header) for row in others)
    return len(header) >= least and names and 2 * alike >= len(others)


def is_log(head: bytes) -> bool:
    """Whether each line of a text is a record of its own, rather than a part of running text.

    Running text has blank lines between paragraphs, and sentences that end inside lines or continue on the next line;
    the lines of a log begin alike.
    """
    text = head.decode("utf-8", "replace")
    lines = text.rstrip().split("\n")[:_HEAD_LINES]
    written = [at for at, line in enumerate(lines) if line.strip()]
    starts = Counter(_start(lines[at]) for at in written)
    alike = sum(count for count in starts.values() if count > 1)
    paragraphs = len(lines) - len(written) >= _LEAST_BLANK * len(lines)
    if any(line.startswith(_FENCE) for line in lines) or (paragraphs and alike < _MOSTLY * len(written)):
        return False
    if alike >= len(written) / 2:
        return True
    prose = sum(1 for at in written if _is_prose(lines[at], lines[at + 1] if at + 1 < len(lines) else ""))
    return prose < _LEAST_PROSE * len(written)


def _start(line: str) -> str:
    """The first two words of a line, without those that have digits."""
    return " ".join(_DIGITS.sub("#", line).split()[:2])


def _is_prose(line: str, following: str) -> bool:
    continues = line.rstrip()[-1:].isalnum() or line.rstrip()[-1:] in ",;，、"
    return bool(_SENTENCES.search(line)) or (continues and len(line) > 40 and following[:1].islower())
