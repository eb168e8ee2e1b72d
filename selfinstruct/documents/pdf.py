"""Reads the text of PDF pages with PDFium, in a separate process.

PDFs are untrusted input for a large C++ library: the process has limits on memory and time, no secrets in its
environment, the file as its standard input, and can answer only in lines of JSON. If it crashes or hangs, the page is
skipped, and a new process continues with the next page.

Does not handle: scanned pages (skipped and reported), forms, annotations. Of a damaged content stream PDFium returns
the text that it finds, which may be none.
"""

from __future__ import annotations

import importlib.util
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from selfinstruct.documents.layout import Line, page_texts
from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase
from selfinstruct.worker_process import Messages, worker_process

_TAIL_BYTES = 1024
_WORKER = "selfinstruct.documents.pdf_worker"
_REPAIR = Phrase("Download or export it again, or repair it: qpdf OLD NEW")
_REFUSALS = {
    "password": (
        Phrase("protected by a password"),
        Phrase("Remove it first: qpdf --password=PASSWORD --decrypt OLD NEW"),
    ),
    "security": (Phrase("unsupported protection"), Phrase("Save it again without protection.")),
    "format": ("damaged PDF", _REPAIR),
    "unreadable": (Phrase("cannot read the file"), _REPAIR),
}


@dataclass(frozen=True, slots=True)
class PdfLimits:
    """Limits for reading one PDF. ``memory`` is address space in bytes; seconds are wall-clock time.

    ``crashes`` is the number of pages that may crash the worker or exceed ``page_seconds`` before the file is rejected.
    """

    memory: int = 1 << 30
    page_seconds: float = 30.0
    seconds: float = 600.0
    pages: int = 20_000
    characters: int = 100_000_000
    crashes: int = 20


@dataclass(frozen=True, slots=True)
class PdfText:
    """The pages with text, the skipped pages with reasons, and the peak memory of the worker (KiB).

    Page numbers count from 1 to ``count``.
    """

    count: int
    pages: tuple[tuple[int, str], ...]
    skipped: tuple[tuple[int, str], ...]
    peak_memory: int


def read_pdf(path: str | Path, name: str, limits: PdfLimits | None = None) -> PdfText:
    """Read every page of the PDF at ``path``; messages refer to it as ``name``.

    Raises:
        InputError: pypdfium2 is not installed; the file is truncated, damaged, protected by a password, or
            exceeds ``limits``.
    """
    if importlib.util.find_spec("pypdfium2") is None:
        hint = "Install it: pip install pypdfium2"
        raise InputError(Phrase("{name}: reading PDF needs pypdfium2, which is not installed", name=name), hint=hint)
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - (1 << 16)))
        # Readers look for the marker in the last kilobyte (PDF 1.7, appendix H, note 18); padding does not count.
        if b"%%EOF" not in file.read().rstrip(b"\0\r\n\t ")[-_TAIL_BYTES:]:
            raise InputError(
                Phrase("{name}: truncated PDF: no %%EOF at the end of {size} bytes", name=name, size=size), hint=_REPAIR
            )
        reading = _Reading(file, name, limits or PdfLimits())
        reading.run()
    numbers = sorted(reading.lines)
    texts = dict(zip(numbers, page_texts([reading.lines[number] for number in numbers]), strict=True))
    for number in numbers:
        if not texts[number]:
            reading.skipped.setdefault(number, _why_no_text(reading.images.get(number, 0), reading.lines[number]))
    pages = tuple((number, text) for number, text in texts.items() if text)
    return PdfText(reading.count, pages, tuple(sorted(reading.skipped.items())), reading.peak_memory)


def _why_no_text(images: int, lines: list[Line]) -> str:
    if lines:
        return "no text except headers, footers or the end of a sentence of the previous page"
    if images:
        return "no text, but an image: a scanned page?"
    return "no text: empty, or a damaged content stream"


@dataclass
class _Reading:
    """Reads one PDF with as many processes as necessary."""

    file: IO[bytes]
    name: str
    limits: PdfLimits
    count: int = 0
    peak_memory: int = 0
    lines: dict[int, list[Line]] = field(default_factory=dict)
    images: dict[int, int] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)
    characters: int = 0

    def run(self) -> None:
        deadline = time.monotonic() + self.limits.seconds
        crashes = 0
        first = 1
        while True:
            problem = self.read_from(first, deadline)
            if problem is None:
                return
            first = 1 + max([*self.lines, *self.skipped], default=0)
            crashes += 1
            if time.monotonic() >= deadline:
                message = Phrase(
                    "{name}: reading took more than {seconds:g} s, up to page {first}",
                    name=self.name,
                    seconds=self.limits.seconds,
                    first=first,
                )
                raise InputError(message, hint="Split it into smaller files, or exclude it.")
            if self.count == 0 or crashes > self.limits.crashes:
                message = Phrase("{name}: cannot read the file: {problem}", name=self.name, problem=problem)
                raise InputError(message, hint=_REPAIR)
            self.skipped[first] = problem
            first += 1
            if first > self.count:
                return

    def read_from(self, first: int, deadline: float) -> str | None:
        """Read pages from ``first`` on; return the problem of the next page, or None if all pages are read."""
        seconds = max(1, round(deadline - time.monotonic()) + 1)
        arguments = [str(first), str(self.limits.memory), str(seconds)]
        with worker_process(_WORKER, arguments, self.file) as process:
            messages = Messages(process, "the PDF library", self.limits.page_seconds, deadline)
            try:
                for message in messages:
                    if "peak" in message:
                        self.peak_memory = max(self.peak_memory, _parse_count(message["peak"]))
                        return None
                    self.handle(message)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                return "invalid output of the PDF library"
            return messages.problem

    def handle(self, message: dict[str, Any]) -> None:
        """Handle one message, which is not trusted: the worker may be compromised."""
        if "refused" in message:
            if message["refused"] == "library":
                hint = "Reinstall it: pip install --force-reinstall pypdfium2"
                raise InputError(
                    Phrase("cannot import pypdfium2: {value!r}", value=str(message.get("detail"))[:500]), hint=hint
                )
            what, hint = _REFUSALS.get(str(message["refused"]), _REFUSALS["format"])
            raise InputError(Phrase("{name}: {what}", name=self.name, what=what), hint=hint)
        if "pages" in message:
            self.count = _parse_count(message["pages"])
            if self.count > self.limits.pages:
                problem = Phrase(
                    "{name}: has {count} pages, at most {pages} are supported",
                    name=self.name,
                    count=self.count,
                    pages=self.limits.pages,
                )
                raise InputError(problem, hint="Split it into smaller files.")
            return
        number = _parse_count(message.get("page"))
        if not 1 <= number <= self.count or number in self.lines or number in self.skipped:
            raise ValueError("unexpected page number")
        if "problem" in message:
            self.skipped[number] = str(message["problem"])[:200]
            return
        self.lines[number] = [_parse_line(line) for line in message["lines"]]
        self.images[number] = _parse_count(message.get("images"))
        self.characters += sum(len(line.text) for line in self.lines[number])
        if self.characters > self.limits.characters:
            problem = Phrase(
                "{name}: more than {characters} characters of text, up to page {number}",
                name=self.name,
                characters=self.limits.characters,
                number=number,
            )
            raise InputError(problem, hint="Split it into smaller files.")


def _parse_count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("expected a count")
    return value


def _parse_line(value: Any) -> Line:
    text, left, bottom, right, top = value
    if not isinstance(text, str) or not text:
        raise ValueError("expected a line of text")
    return Line(text.encode("utf-8", "replace").decode(), float(left), float(bottom), float(right), float(top))
