"""PDFs: the text of pages, skipped pages with reasons; no PDF can hang or crash the run or exhaust its memory."""

from __future__ import annotations

import time
import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from selfinstruct.documents import Chunking, read_document, read_documents, samples
from selfinstruct.documents import pdf as pdf_module
from selfinstruct.documents.layout import Line, join_lines, page_texts
from selfinstruct.documents.pdf import PdfLimits, read_pdf
from selfinstruct.errors import InputError

pytest.importorskip("pypdfium2")

_FONTS = (  # F: Latin; C: Chinese by a predefined encoding; U: any script, by a ToUnicode map of each code to itself
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>",
    b"<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 8 0 R >>",
    b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 "
    b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>",
    b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any /DW 600 "
    b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
)
_TO_UNICODE = (
    b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /U def /CMapType 2 def "
    b"1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfrange <0000> <FFFF> <0000> endbfrange endcmap"
)
_RESOURCES = b"<< /Font << /F 3 0 R /C 4 0 R /U 5 0 R >> >>"
_IMAGE = b"q 400 0 0 600 72 100 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \x80 EI Q"
_GARBAGE = b"BT /F 12 Tf (never closed \xff\xfe <<< [[[ Tj ET"


def _stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n" % (len(data), extra) + data + b"\nendstream"


def _pdf(pages: list[bytes | None], trailer: bytes = b"", more: tuple[bytes, ...] = ()) -> bytes:
    """Return a PDF with these content streams: commands, or complete stream objects; None is a missing page."""
    kids = b" ".join(b"%d 0 R" % (9 + len(more) + 2 * index) for index in range(len(pages)))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids)]
    objects += [*_FONTS, _stream(_TO_UNICODE), *more]
    for page in pages:
        content = len(objects) + 2
        form = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources %s /Contents %d 0 R >>"
        objects.append(b"null" if page is None else form % (_RESOURCES, content))
        objects.append(page if page and page.startswith(b"<<") else _stream(page or b""))
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content_of in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + content_of + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    out += b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def _text(lines: list[str], font: str = "F", top: int = 770, left: int = 72) -> bytes:
    """Commands that write lines below each other, 14 points apart; an empty line is a gap."""
    commands = [b"BT /%s 11 Tf %d %d Td 14 TL" % (font.encode(), left, top)]
    for line in lines:
        commands.append(b"<%s> Tj T*" % line.encode("cp1252" if font == "F" else "utf-16-be").hex().encode())
    return b"\n".join([*commands, b"ET\n"])


_PAGES = (
    ("F", ["The harbour opens at %d in the morning, and the café on the", "quay an hour later. Nobody waits."]),
    ("C", ["第%d号码头每天早上六点开放，晚上十点关闭，节假日也不例外。夜", "间只有灯塔的光。"]),
    ("U", ["Гавань номер %d открыта с утра до вечера каждый", "день. Ελληνικά και हिन्दी।"]),
)


def _hundred() -> bytes:
    pages: list[bytes | None] = []
    for number in range(1, 101):
        font, lines = _PAGES[number % 3]
        head = _text(["The Handbook"], top=810) + _text([f"page {number}"], top=40)
        pages.append(head + _text([lines[0] % number, *lines[1:], "", lines[0] % 7, *lines[1:]], font))
    pages[41], pages[56], pages[70], pages[80] = b"", _IMAGE, _GARBAGE, None
    return _pdf(pages)


def test_a_hundred_pages(tmp_path: Path) -> None:
    """Pages of any script are read, in order; empty, scanned, damaged and missing ones are reported with reasons."""
    (tmp_path / "handbook").write_bytes(_hundred())
    began = time.perf_counter()
    found = read_pdf(tmp_path / "handbook", "handbook")
    chunking = Chunking(max_characters=120, overlap=40)
    reading = read_documents(["handbook"], chunking.spans, base=tmp_path)
    print(f"{len(found.pages)} pages, {len(reading.passages)} chunks, {time.perf_counter() - began:.2f} s for two")
    print(f"peak {found.peak_memory} KiB")
    assert [(one.page, one.reason.split(":")[0]) for one in reading.skipped] == [
        (42, "no text"),
        (57, "no text, but an image"),
        (71, "no text"),
        (81, "damaged"),
    ]
    assert reading.pages == len(found.pages) == 96 and found.count == 100
    texts = dict(found.pages)
    assert texts[1] == (
        "第1号码头每天早上六点开放，晚上十点关闭，节假日也不例外。夜间只有灯塔的光。\n\n"
        "第7号码头每天早上六点开放，晚上十点关闭，节假日也不例外。夜间只有灯塔的光。"
    )
    assert texts[2].startswith("Гавань номер 2 открыта с утра до вечера каждый день. Ελληνικά και हिन्दी।\n\n")
    assert texts[99].startswith(
        "The harbour opens at 99 in the morning, and the café on the quay an hour later. Nobody"
    )
    for passage in reading.passages:
        assert passage.page is not None and passage.text == texts[passage.page][passage.start : passage.end]
        assert passage.text.endswith((".", "。", "।")), "no sentence is cut"
    assert all((a.page or 0, a.start) < (b.page or 0, b.start) for a, b in pairwise(reading.passages))
    assert 0 < found.peak_memory < 200_000


_SECRET = (  # the standard handler, 40-bit RC4; the hashes are of no password that anybody knows
    b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"5a" * 32 + b"> /U <" + b"a5" * 32 + b"> >>"
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_pdf([_text(["x"])], b"/Encrypt 9 0 R /ID [<00> <00>]", (_SECRET,)), "protected by a password(.|\n)*qpdf"),
        (_hundred()[:-3000], r"truncated PDF: no %%EOF at the end of \d+ bytes(.|\n)*qpdf"),
        (b"%PDF-1.7\nnothing\n%%EOF", "damaged PDF(.|\n)*qpdf"),
        (b"<!doctype html><title>404</title>", "named .pdf, but the content is HTML(.|\n)*Download"),
        (b"Just text.", "named .pdf, but the content is plain text"),
        (b"\x89PNG\r\n\x1a\n", "unsupported format: an image"),
        (_pdf([b"", _IMAGE]), "no text in 1 document; d.pdf, page 1: (.|\n)*OCR"),
    ],
)
def test_unreadable_pdfs_are_rejected(tmp_path: Path, data: bytes, message: str) -> None:
    """The error for a protected, truncated or damaged PDF, or another file named .pdf, has a hint."""
    (tmp_path / "d.pdf").write_bytes(data)
    with pytest.raises(InputError, match=r"d\.pdf: (.|\n)*" + message):
        read_documents(["d.pdf"], samples, base=tmp_path)


def test_a_pdf_is_detected_from_its_content(tmp_path: Path) -> None:
    """With any name and with bytes before its header; text about PDFs is text."""
    (tmp_path / "a.txt").write_bytes(b"\x00\x01junk\n" + _pdf([_text(["Hello there."])]))
    (tmp_path / "b.txt").write_bytes(b"A file that begins with %PDF-1.7 is a PDF.")
    assert read_document(tmp_path / "a.txt").pages[0].text == "Hello there."
    assert read_document(tmp_path / "b.txt").kind == "text"


def test_the_missing_library_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pypdfium2 the hint is the command that installs it."""
    (tmp_path / "d").write_bytes(_pdf([_text(["x"])]))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install pypdfium2"):
        read_document(tmp_path / "d")


def test_a_page_that_exceeds_the_time_limit_is_skipped(tmp_path: Path) -> None:
    """A page that expands to endless commands takes only its time limit; the other pages are read."""
    endless = zlib.compress(zlib.compress(b"q BT /F 9 Tf (abc) Tj ET Q " * 8_000_000, 1), 9)
    page = _stream(endless, b"/Filter [/FlateDecode /FlateDecode]")
    (tmp_path / "d").write_bytes(_pdf([_text(["First."]), page, _text(["Last."])]))
    began = time.monotonic()
    found = read_pdf(tmp_path / "d", "d", PdfLimits(page_seconds=1.0))
    assert time.monotonic() - began < 8
    assert [number for number, _ in found.pages] == [1, 3]
    assert [number for number, _ in found.skipped] == [2]


def test_a_worker_cannot_exceed_its_memory_limit(tmp_path: Path) -> None:
    """The worker is stopped at a page that expands to gigabytes, and the other pages are read."""
    bomb = zlib.compress(b" " * 600_000_000, 9)
    (tmp_path / "d").write_bytes(_pdf([_stream(bomb, b"/Filter /FlateDecode"), _text(["Last."])]))
    found = read_pdf(tmp_path / "d", "d", PdfLimits(memory=300 << 20, page_seconds=10))
    assert found.pages == ((2, "Last."),)
    assert found.peak_memory < 300_000


_WORKERS = {
    "killed": "import os, signal\nif page == 2: os.kill(os.getpid(), signal.SIGSEGV)",
    "silent": "import time\nif page == 2: time.sleep(60)",
    "ended": "import sys\nif page == 2: sys.exit(3)",
    "nonsense": "if page == 2: print('{]', flush=True)",
    "foreign": "if page == 2: print(json.dumps({'page': 77, 'lines': [], 'images': 0}), flush=True)",
    "nested": "if page == 2: print('[' * 100000, flush=True)",
    "endless": "if page == 2: print('x' * 20_000_000, end='', flush=True)",
}
_WORKER = """
import json, sys
print(json.dumps({{"pages": 3}}), flush=True)
for page in range(int(sys.argv[1]), 4):
{body}
    print(json.dumps({{"page": page, "lines": [[f"Page {{page}}.", 0, 0, 9, 9]], "images": 0}}), flush=True)
print(json.dumps({{"peak": 1}}))
"""


@pytest.mark.parametrize("kind", _WORKERS)
def test_a_failing_worker_costs_one_page(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the worker crashes, hangs or writes invalid output, the page is skipped, and the next page is read."""
    body = "\n".join(f"    {line}" for line in _WORKERS[kind].splitlines())
    (tmp_path / "worker_of_test.py").write_text(_WORKER.format(body=body))
    (tmp_path / "d").write_bytes(b"%PDF-\n%%EOF")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(pdf_module, "_WORKER", "worker_of_test")
    found = read_pdf(tmp_path / "d", "d", PdfLimits(page_seconds=1.5))
    assert found.pages == ((1, "Page 1."), (3, "Page 3."))
    assert [number for number, _ in found.skipped] == [2]
    with pytest.raises(InputError, match="cannot read the file"):
        read_pdf(tmp_path / "d", "d", PdfLimits(page_seconds=1.5, crashes=0))


def test_a_worker_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment, the worker gets only the search paths of its libraries."""
    worker = "import json, os\nprint(json.dumps({'refused': 'library', 'detail': sorted(os.environ)}))"
    (tmp_path / "worker_of_test.py").write_text(worker)
    (tmp_path / "d").write_bytes(b"%PDF-\n%%EOF")
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(pdf_module, "_WORKER", "worker_of_test")
    with pytest.raises(InputError) as caught:
        read_pdf(tmp_path / "d", "d")
    assert "PYTHONPATH" in str(caught.value) and "OPENAI" not in str(caught.value)


def _lines(*texts: str, step: float = 14.0, top: float = 700.0) -> list[Line]:
    return [
        Line(text, 72, top - step * number, 72 + 5.0 * len(text), top - step * number + 12)
        for number, text in enumerate(texts)
    ]


def test_lines_become_paragraphs() -> None:
    """A line with room for the next word, a gap, and a bullet end a paragraph; hyphens are removed."""
    lines = _lines(
        "A paragraph that fills its lines to the mar-",
        "gin and ends here.",
        "Another that does so over two of these lines",
        "for sure. It",
        "• item one of a list",
        "• item two",
    )
    assert page_texts([lines])[0].split("\n\n") == [
        "A paragraph that fills its lines to the margin and ends here.",
        "Another that does so over two of these lines for sure. It",
        "• item one of a list",
        "• item two",
    ]
    assert join_lines(["乾卦", "元亨，", "AB"]) == "乾卦元亨，AB"


def test_a_sentence_belongs_to_the_page_where_it_begins() -> None:
    """A sentence across a page break is complete on the first page, without headers and footers in between."""
    pages = [
        [Line("HANDBOOK", 72, 800, 130, 812), *_lines(*texts), Line(f"- {number} -", 280, 40, 300, 52)]
        for number, texts in enumerate(
            [("This sentence goes on", "over the end of"), ("the page. This one does not.",), ("New page here.",)], 9
        )
    ]
    assert page_texts(pages) == [
        "This sentence goes on over the end of the page.",
        "This one does not.",
        "New page here.",
    ]
