"""The process that reads one PDF: ``python -m selfinstruct.documents.pdf_worker FIRST MEMORY CPU_SECONDS < FILE``.

Writes one JSON object a line: ``{"pages": n}``, then for each page from FIRST on ``{"page": k, "lines": [[text, left,
bottom, right, top], ...], "images": n}`` or ``{"page": k, "problem": why}``, and at last ``{"peak": KiB}``. A file
that cannot be opened gives ``{"refused": slug}`` alone. Boxes are in points, from the lower left of the page.

It imports nothing of the package but its root, since it must not be able to do what the run can.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: A page of more characters than this is skipped; a page of small print has ten thousand.
MAX_CHARACTERS = 200_000
_LINE_ENDS = (0x0A, 0x0D)
# PDFium gives a hyphen at a line's end as this, and leaves out the line break.
_HYPHEN = 0x02
_REFUSALS = {2: "unreadable", 3: "format", 4: "password", 5: "security"}


def main(arguments: list[str]) -> None:
    """Read the PDF on standard input and tell of it on standard output."""
    first, memory, seconds = map(int, arguments)
    _limit(memory, seconds)
    try:
        import pypdfium2
    except ImportError as exc:
        _tell(refused="library", detail=str(exc)[:500])
        return
    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer)
        count = len(document)
    except pypdfium2.PdfiumError as exc:
        _tell(refused=_REFUSALS.get(getattr(exc, "err_code", None) or 0, "format"))
        return
    _tell(pages=count)
    for number in range(first, count + 1):
        try:
            page = document[number - 1]
            images = sum(1 for _ in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE], max_depth=2))
            text = page.get_textpage()
            length = text.count_chars()
            if length > MAX_CHARACTERS:
                _tell(page=number, problem=f"it has {length} characters, more than {MAX_CHARACTERS}")
            else:
                _tell(page=number, lines=list(_lines(pypdfium2.raw, text.raw, length)), images=images)
            text.close()
            page.close()
        except pypdfium2.PdfiumError:
            _tell(page=number, problem="it is broken: the PDF library cannot load it")
        except MemoryError:
            _tell(page=number, problem="it needs more memory than a page may take")
    _tell(peak=_peak())


def _limit(memory: int, seconds: int) -> None:
    """Let this process have so many bytes and so much time of the processor, write no file and leave no core dump."""
    import resource

    limits = [(resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)]
    for kind, most in [*limits, (resource.RLIMIT_AS, memory)]:
        with contextlib.suppress(ValueError, OSError):  # not every system has each; a lower one may be in force
            resource.setrlimit(kind, (most, most))


def _lines(raw: Any, text: Any, length: int) -> Iterator[list[Any]]:
    """Each line of a page that has visible text, with the box about its first and last character."""
    units: list[int] = []
    at: list[int] = []
    for index in range(length + 1):
        unit = raw.FPDFText_GetUnicode(text, index) if index < length else _LINE_ENDS[0]
        if unit == _HYPHEN:
            units.append(ord("-"))
            at.append(index)
        if unit in _LINE_ENDS or unit == _HYPHEN:
            said = "".join(map(chr, units))
            if said.strip():
                visible = [place for place, character in zip(at, said, strict=True) if not character.isspace()]
                yield [_joined(said).strip(), *_box(raw, text, visible)]
            units, at = [], []
        elif unit >= 0x20 and unit not in (0xFFFE, 0xFFFF):  # others are glyphs that stand for no character
            units.append(unit)
            at.append(index)


def _joined(said: str) -> str:
    """Surrogate pairs as characters, and lone surrogates as the replacement character."""
    return said.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _box(raw: Any, text: Any, places: list[int]) -> list[float]:
    """Left and right of the outer two characters, foot and head of the middle one: the first may be a bullet."""
    boxes = []
    for index in (places[0], places[len(places) // 2], places[-1]):
        rectangle = raw.FS_RECTF()
        raw.FPDFText_GetLooseCharBox(text, index, ctypes.byref(rectangle))
        boxes.append(rectangle)
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    return [round(value, 2) for value in (left, boxes[1].bottom, right, boxes[1].top)]


def _peak() -> int:
    """The most memory that was resident, in KiB; 0 where the system does not say."""
    # Not ru_maxrss alone: on Linux that counts the process that this one was forked from.
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def _tell(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
