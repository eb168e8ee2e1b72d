"""The process that reads one PDF: ``python -m selfinstruct.documents.pdf_worker FIRST MEMORY CPU_SECONDS < FILE``.

Writes one JSON object per line: ``{"pages": n}``, then for each page from FIRST on ``{"page": k, "lines": [[text, left,
bottom, right, top], ...], "images": n}`` or ``{"page": k, "problem": reason}``, and finally ``{"peak": KiB}``. For a
file that cannot be opened, it writes only ``{"refused": slug}``. Boxes are in points, from the lower left of the page.

Imports only ``platform_support`` of this package, to have as little code and as few capabilities as possible.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Iterator
from typing import Any

from selfinstruct.platform_support import limit_process, peak_memory

#: Pages with more characters are skipped; a page of small print has ten thousand.
MAX_CHARACTERS = 200_000
_LINE_ENDS = (0x0A, 0x0D)
# PDFium's code for a hyphen at the end of a line, in place of the line break.
_HYPHEN = 0x02
_REFUSALS = {2: "unreadable", 3: "format", 4: "password", 5: "security"}


def main(arguments: list[str]) -> None:
    """Read the PDF on standard input and write its text to standard output."""
    first, memory, seconds = map(int, arguments)
    limit_process(memory=memory, cpu_seconds=seconds)
    try:
        import pypdfium2
    except ImportError as exc:
        _send(refused="library", detail=str(exc)[:500])
        return
    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer)
        count = len(document)
    except pypdfium2.PdfiumError as exc:
        _send(refused=_REFUSALS.get(getattr(exc, "err_code", None) or 0, "format"))
        return
    _send(pages=count)
    for number in range(first, count + 1):
        try:
            page = document[number - 1]
            images = sum(1 for _ in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE], max_depth=2))
            text = page.get_textpage()
            length = text.count_chars()
            if length > MAX_CHARACTERS:
                _send(page=number, problem=f"{length} characters, more than {MAX_CHARACTERS}")
            else:
                _send(page=number, lines=list(_lines(pypdfium2.raw, text.raw, length)), images=images)
            text.close()
            page.close()
        except pypdfium2.PdfiumError:
            _send(page=number, problem="damaged: the PDF library cannot load it")
        except MemoryError:
            _send(page=number, problem="exceeds the memory limit")
    _send(peak=peak_memory())


def _lines(raw: Any, text: Any, length: int) -> Iterator[list[Any]]:
    """Yield each line of a page with visible text, and the box around its first and last character."""
    units: list[int] = []
    at: list[int] = []
    for index in range(length + 1):
        unit = raw.FPDFText_GetUnicode(text, index) if index < length else _LINE_ENDS[0]
        if unit == _HYPHEN:
            units.append(ord("-"))
            at.append(index)
        if unit in _LINE_ENDS or unit == _HYPHEN:
            line = "".join(map(chr, units))
            if line.strip():
                visible = [place for place, character in zip(at, line, strict=True) if not character.isspace()]
                yield [_replace_surrogates(line).strip(), *_box(raw, text, visible)]
            units, at = [], []
        elif unit >= 0x20 and unit not in (0xFFFE, 0xFFFF):  # others are glyphs without a character
            units.append(unit)
            at.append(index)


def _replace_surrogates(text: str) -> str:
    """Replace surrogate pairs by their characters, and lone surrogates by the replacement character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _box(raw: Any, text: Any, places: list[int]) -> list[float]:
    """Return left and right of the outer characters, bottom and top of the middle one (the first may be a bullet)."""
    boxes = []
    for index in (places[0], places[len(places) // 2], places[-1]):
        rectangle = raw.FS_RECTF()
        raw.FPDFText_GetLooseCharBox(text, index, ctypes.byref(rectangle))
        boxes.append(rectangle)
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    return [round(value, 2) for value in (left, boxes[1].bottom, right, boxes[1].top)]


def _send(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
