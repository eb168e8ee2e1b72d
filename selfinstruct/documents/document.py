"""Reads one file as pages of text. The type (text, including Markdown; HTML; PDF) is detected from the content.

Does not handle: standard input (offsets need a file that remains), compressed files, finding out an encoding.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase
from selfinstruct.rows.encoding import UTF_8, as_utf8
from selfinstruct.rows.likely_encoding import around, encoding_hint, likely_encoding

# A PDF's header is in its first kilobyte (PDF 1.7, appendix H, note 13).
_HEAD_BYTES = 1024
_HEAD_CHARACTERS = 4096
_PDF = b"%PDF-"
_HTML = ("<!doctype html", "<html", "<head", "<body")
_SAVE_AS_TEXT = Phrase("Save it as PDF, HTML or plain text in UTF-8 first.")
_OCR = Phrase("Run OCR first, and use the resulting text.")
_UNSUPPORTED = (  # UTF-32 first: its byte order mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, Phrase("UTF-32 text"), Phrase('Name its encoding: `encoding="utf-32"`.')),
    (codecs.BOM_UTF32_BE, Phrase("UTF-32 text"), Phrase('Name its encoding: `encoding="utf-32"`.')),
    (codecs.BOM_UTF16_LE, Phrase("UTF-16 text"), Phrase('Name its encoding: `encoding="utf-16"`.')),
    (codecs.BOM_UTF16_BE, Phrase("UTF-16 text"), Phrase('Name its encoding: `encoding="utf-16"`.')),
    (b"\x1f\x8b", "gzip-compressed", Phrase("Unpack it first: gunzip -c OLD > NEW")),
    (b"PK\x03\x04", Phrase("an office document, an e-book or a zip archive"), _SAVE_AS_TEXT),
    (b"\xd0\xcf\x11\xe0", Phrase("an old office document"), _SAVE_AS_TEXT),
    (b"{\\rtf", "RTF", _SAVE_AS_TEXT),
    (b"%!PS", "PostScript", Phrase("Convert it: ps2pdf OLD NEW")),
    (b"\x89PNG", Phrase("an image"), _OCR),
    (b"\xff\xd8\xff", Phrase("an image"), _OCR),
    (b"GIF8", Phrase("an image"), _OCR),
    (b"II*\0", Phrase("an image"), _OCR),
    (b"MM\0*", Phrase("an image"), _OCR),
)


@dataclass(frozen=True, slots=True)
class Page:
    """The extracted text of a page; ``number`` counts from 1, and is None if the format has no pages."""

    number: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A page without text (the document if ``page`` is None), and the reason."""

    document: str
    page: int | None
    reason: str

    @property
    def location(self) -> str:
        """The document and the page, for messages."""
        return self.document if self.page is None else f"{self.document}, page {self.page}"


@dataclass(frozen=True, slots=True)
class Document:
    """One file as text; ``kind`` is ``text``, ``html`` or ``pdf``. Pages without text are in ``skipped``."""

    name: str
    kind: str
    pages: tuple[Page, ...]
    skipped: tuple[Skipped, ...] = ()


def read_document(path: str | Path, name: str | None = None, encoding: str = UTF_8) -> Document:
    """Read the file at ``path``; messages and passages refer to it as ``name`` (default: its path).

    Text is in ``encoding``, with or without a byte order mark; all line ends and form feeds become LF. HTML is
    reduced to its text (see ``markup``). A PDF is read in a separate process (see ``pdf``).

    Raises:
        InputError: the file cannot be opened, has an unsupported format, or is damaged.
    """
    name = str(path) if name is None else name
    try:
        if not Path(path).is_file():
            raise _not_a_file(Path(path), name)
        with Path(path).open("rb") as file:
            head = file.read(_HEAD_BYTES)
            file.seek(0)
            data = b"" if is_pdf(head) else as_utf8(file, name, encoding).read()
    except OSError as exc:
        raise InputError(
            "{name}: cannot read: {strerror}", hint="Check its permissions.", name=name, strerror=exc.strerror or exc
        ) from exc
    if is_pdf(head):
        from selfinstruct.documents.pdf import read_pdf

        found = read_pdf(path, name)
        skipped = tuple(Skipped(name, number, reason) for number, reason in found.skipped)
        return Document(name, "pdf", tuple(Page(number, text) for number, text in found.pages), skipped)
    text = _decode(data, name)
    kind = "html" if is_html(text) else "text"
    if Path(name).suffix.lower() == ".pdf":
        what = "HTML" if kind == "html" else "plain text" if text.strip() else "empty"
        hint = "Download or export it again; if it is text or HTML, rename it."
        raise InputError(Phrase("{name}: named .pdf, but the content is {what}", name=name, what=what), hint=hint)
    if kind == "html":
        from selfinstruct.documents.markup import html_text

        text = html_text(text)
    if not text.strip():
        return Document(name, kind, (), (Skipped(name, None, "contains no text"),))
    return Document(name, kind, (Page(None, text),))


def is_pdf(head: bytes) -> bool:
    """Whether these are the first bytes of a PDF; other binary data may precede the header."""
    if head.lstrip().removeprefix(codecs.BOM_UTF8).startswith(_PDF):
        return True
    if _PDF not in head:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return True
    return b"\0" in head


def is_html(text: str) -> bool:
    """Whether these are the first characters of an HTML page."""
    head = text[:_HEAD_CHARACTERS].lstrip()
    while head.startswith(("<!--", "<?")):
        head = head.partition("-->" if head.startswith("<!--") else ">")[2].lstrip()
    return head.lower().startswith(_HTML)


def _decode(data: bytes, name: str) -> str:
    for mark, what, hint in _UNSUPPORTED:
        if data.startswith(mark):
            raise InputError(
                Phrase("{name}: unsupported format: {what}; expected UTF-8 text, HTML or PDF", name=name, what=what),
                hint=hint,
            )
    if b"\0" in data[:_HEAD_BYTES]:
        hint = Phrase("Use text, Markdown, HTML or PDF.")
        if likely_encoding(data[:_HEAD_BYTES]) is not None:
            hint = encoding_hint(data[:_HEAD_BYTES])
        raise InputError(
            Phrase("{name}: not text: contains NUL bytes, as binary files and UTF-16 do", name=name), hint=hint
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        at = exc.start + (len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0)
        line = 1 + data.count(b"\n", 0, at)
        message = Phrase(
            "{name}:{line}: not UTF-8 text: byte 0x{data:02x} at offset {at}",
            name=name,
            line=line,
            data=data[at],
            at=at,
        )
        raise InputError(message, hint=encoding_hint(around(exc) + data)) from exc
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")


def _not_a_file(path: Path, name: str) -> InputError:
    if path.is_dir():
        return InputError("{name}: is a directory, not a document", hint="Name a file in it.", name=name)
    if path.exists():
        return InputError(
            "{name}: is a device or pipe, not a file", hint="Save its content to a file first.", name=name
        )
    return InputError("{name}: no such file", hint="Check the name and the directory.", name=name)
