"""PDF -> the text of its pages, read by PDFium in a process of its own.

A PDF comes from a stranger, and its reader is a million lines of C++: the process has a limit on memory and time, no
secret in its environment, the file as its standard input, and only lines of JSON to answer in. Where it dies or
hangs, the page is skipped and another process goes on with the next.

Does not handle: scanned pages (they are skipped and named), forms, annotations; a broken stream of drawing commands
gives as much text as PDFium finds in it, which may be none.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from selfinstruct.documents.layout import Line, page_texts
from selfinstruct.errors import InputError
from selfinstruct.platform_support import is_readable

# Nothing else of the environment is the reader's business; these are where shared libraries are looked for.
_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
# A page of the most characters that the worker sends, each as \uXXXX and with boxes, is a tenth of this.
_MAX_LINE = 16 << 20
_TAIL_BYTES = 1024
_WORKER = "selfinstruct.documents.pdf_worker"
_REPAIR = "Fetch or export it again, or repair it: qpdf OLD NEW"
_REFUSALS = {
    "password": ("is protected by a password", "Remove it first: qpdf --password=PASSWORD --decrypt OLD NEW"),
    "security": ("is protected in a way that cannot be read", "Save it again without protection."),
    "format": ("is a broken PDF", _REPAIR),
    "unreadable": ("cannot be read", _REPAIR),
}


@dataclass(frozen=True, slots=True)
class PdfLimits:
    """What reading one PDF may take. ``memory`` is address space in bytes; seconds are of the clock on the wall.

    ``crashes`` is how many pages may kill the reader, or outlast ``page_seconds``, before the file is refused.
    """

    memory: int = 1 << 30
    page_seconds: float = 30.0
    seconds: float = 600.0
    pages: int = 20_000
    characters: int = 100_000_000
    crashes: int = 20


@dataclass(frozen=True, slots=True)
class PdfText:
    """The pages that gave text, those that did not and why, and the most memory that the reader had (KiB).

    Page numbers count from 1 to ``count``.
    """

    count: int
    pages: tuple[tuple[int, str], ...]
    skipped: tuple[tuple[int, str], ...]
    peak_memory: int


def read_pdf(path: str | Path, name: str, limits: PdfLimits | None = None) -> PdfText:
    """The text of every page of the PDF at ``path``, which messages call ``name``.

    Raises:
        InputError: the extra ``pdf`` is not installed; the file is cut short, broken, protected by a password, or
            takes more than ``limits``.
    """
    if importlib.util.find_spec("pypdfium2") is None:
        hint = "Install the extra: pip install 'selfinstruct[pdf]'"
        raise InputError(f"{name}: is a PDF, and reading one needs pypdfium2", hint=hint)
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - (1 << 16)))
        # A reader must look for the mark in the last kilobyte (PDF 1.7, appendix H, note 18); padding does not count.
        if b"%%EOF" not in file.read().rstrip(b"\0\r\n\t ")[-_TAIL_BYTES:]:
            raise InputError(f"{name}: is cut short: no %%EOF at the end of {size} bytes of PDF", hint=_REPAIR)
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
        return "nothing on it but its head, its foot or the end of a sentence of the page before"
    if images:
        return "no text on it but a picture: a scanned page?"
    return "no text on it: it is empty, or what draws it is broken"


@dataclass
class _Reading:
    """One PDF on its way through as many processes as it takes."""

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
                message = f"{self.name}: reading it took more than {self.limits.seconds:g} s, up to page {first}"
                raise InputError(message, hint="Split it into smaller files, or leave it out.")
            if self.count == 0 or crashes > self.limits.crashes:
                message = f"{self.name}: the PDF library cannot read it: {problem}"
                raise InputError(message, hint=_REPAIR)
            self.skipped[first] = problem
            first += 1
            if first > self.count:
                return

    def read_from(self, first: int, deadline: float) -> str | None:
        """Read pages from ``first`` on; says what went wrong with the next page where the process did not end well."""
        with self.process(first, deadline) as process:
            messages = _Messages(process, self.limits.page_seconds, deadline)
            try:
                for said in messages:
                    if "peak" in said:
                        self.peak_memory = max(self.peak_memory, _parse_count(said["peak"]))
                        return None
                    self.handle(said)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                return "the PDF library answered nonsense to it"
            return messages.problem

    @contextmanager
    def process(self, first: int, deadline: float) -> Iterator[subprocess.Popen[bytes]]:
        self.file.seek(0)
        seconds = max(1, round(deadline - time.monotonic()) + 1)
        worker = ["-m", _WORKER, str(first), str(self.limits.memory), str(seconds)]
        passed_on = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
        # The same packages are found there as here, however this process came by them.
        passed_on["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
        process = subprocess.Popen(
            [sys.executable, "-P", "-B", *worker],
            stdin=self.file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=passed_on,
            start_new_session=True,  # an interrupt at the keyboard is for the run, which ends this one
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def handle(self, said: dict[str, Any]) -> None:
        """One message. The process may have been taken over: nothing of it is trusted beyond its form."""
        if "refused" in said:
            if said["refused"] == "library":
                hint = "Install it again: pip install --force-reinstall 'selfinstruct[pdf]'"
                raise InputError(f"pypdfium2 cannot be used: {str(said.get('detail'))[:500]!r}", hint=hint)
            what, hint = _REFUSALS.get(str(said["refused"]), _REFUSALS["format"])
            raise InputError(f"{self.name}: {what}", hint=hint)
        if "pages" in said:
            self.count = _parse_count(said["pages"])
            if self.count > self.limits.pages:
                message = f"{self.name}: has {self.count} pages, more than {self.limits.pages}"
                raise InputError(message, hint="Split it into smaller files.")
            return
        number = _parse_count(said.get("page"))
        if not 1 <= number <= self.count or number in self.lines or number in self.skipped:
            raise ValueError("not the next page")
        if "problem" in said:
            self.skipped[number] = str(said["problem"])[:200]
            return
        self.lines[number] = [_parse_line(line) for line in said["lines"]]
        self.images[number] = _parse_count(said.get("images"))
        self.characters += sum(len(line.text) for line in self.lines[number])
        if self.characters > self.limits.characters:
            message = f"{self.name}: has more than {self.limits.characters} characters of text, up to page {number}"
            raise InputError(message, hint="Split it into smaller files.")


class _Messages:
    """What a reader says, as it comes; ``problem`` is why it ended, where it did not say that it had done."""

    def __init__(self, process: subprocess.Popen[bytes], page_seconds: float, deadline: float) -> None:
        self.process = process
        self.page_seconds = page_seconds
        self.deadline = deadline
        self.problem = ""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        rest = b""
        until = self.next_deadline()
        while True:
            line, found, rest = rest.partition(b"\n")
            if found:
                yield json.loads(line)
                until = self.next_deadline()
                continue
            more = self.receive(until)
            if not more:
                return
            rest = line + more
            if len(rest) > _MAX_LINE:
                self.problem = "the PDF library gave too much text for it"
                return

    def next_deadline(self) -> float:
        return min(time.monotonic() + self.page_seconds, self.deadline)

    def receive(self, until: float) -> bytes:
        output = self.process.stdout
        if output is None or not is_readable(output, until - time.monotonic()):
            self.problem = f"the PDF library took more than {self.page_seconds:g} s for it"
            return b""
        data = os.read(output.fileno(), 1 << 16)
        if not data:
            status = self.process.wait()
            self.problem = f"the PDF library crashed on it ({f'signal {-status}' if status < 0 else f'exit {status}'})"
        return data


def _parse_count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def _parse_line(value: Any) -> Line:
    text, left, bottom, right, top = value
    if not isinstance(text, str) or not text:
        raise ValueError("not a line of text")
    return Line(text.encode("utf-8", "replace").decode(), float(left), float(bottom), float(right), float(top))
