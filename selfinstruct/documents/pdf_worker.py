"""The process that reads one PDF: ``python -m selfinstruct.documents.pdf_worker FIRST MEMORY CPU_SECONDS < FILE``.

Writes one JSON object per line: ``{"pages": n}``, then for each page from FIRST on ``{"page": k, "lines": [[text, left,
bottom, right, top], ...], "images": n}`` or ``{"page": k, "problem": reason}``, and finally ``{"peak": KiB}``. For a
file that cannot be opened, it writes ``{"refused": slug}`` only. Boxes are in points, from the lower left of the page.

It imports only the root of the package and ``platform_support``, because it must not have the capabilities of a run.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Iterator
from typing import Any

from selfinstruct.platform_support import limit_process, peak_memory

#: A page of more characters than this is skipped; a page of small print has ten thousand.
MAX_CHARACTERS = 200_000
_LINE_ENDS = (0x0A, 0x0D)
# PDFium's code for a hyphen at the end of a line; it leaves out the line break.
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
                _send(page=number, problem=f"it has {length} characters, more than {MAX_CHARACTERS}")
            else:
                _send(page=number, lines=list(_lines(pypdfium2.raw, text.raw, length)), images=images)
            text.close()
            page.close()
        except pypdfium2.PdfiumError:
            _send(page=number, problem="it is damaged: the PDF library cannot load it")
        except MemoryError:
            _send(page=number, problem="it exceeds the memory limit of a page")
    _send(peak=peak_memory())


def _lines(raw: Any, text: Any, length: int) -> Iterator[list[Any]]:
    """Each line of a page with visible text, and the box around its first and last character."""
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
                yield [_replace_surrogates(said).strip(), *_box(raw, text, visible)]
            units, at = [], []
        elif unit >= 0x20 and unit not in (0xFFFE, 0xFFFF):  # others are glyphs without a character
            units.append(unit)
            at.append(index)


def _replace_surrogates(said: str) -> str:
    """Replace surrogate pairs by their characters, and lone surrogates by the replacement character."""
    return said.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _box(raw: Any, text: Any, places: list[int]) -> list[float]:
    """Left and right of the outer two characters, bottom and top of the middle one: the first may be a bullet."""
    boxes = []
    for index in (places[0], places[len(places) // 2], places[-1]):
        rectangle = raw.FS_RECTF()
        raw.FPDFText_GetLooseCharBox(text, index, ctypes.byref(rectangle))
        boxes.append(rectangle)
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    return [round(value, 2) for value in (left, boxes[1].bottom, right, boxes[1].top)]


def _send(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
