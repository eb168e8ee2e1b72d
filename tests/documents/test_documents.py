"""Documents and passages: no text is lost, no limit exceeded, no sentence cut unnecessarily."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfinstruct.documents import Chunking, find_documents, read_document, read_documents, samples
from selfinstruct.documents.markup import html_text
from selfinstruct.documents.sentences import boundaries
from selfinstruct.errors import InputError
from tests.linear_time import assert_linear

#: Text as documents have it: words, stops, breaks, fences, Chinese, marks, an emoji of three code points.
_PARTS = st.sampled_from(
    ["word ", "Word", ". ", "! ", "。", "，", "\n", "\n\n", " \n\t\n", "\n# Head\n", "```\n", "- ", "12. ", "Dr. ",
     "乾卦", "e\u0301", "\U0001f469\u200d\U0001f680", ", ", "x" * 30, "\u3000", "No. 5 ", "“好。”", "1.5", "\n\n\n\n"]
)  # fmt: skip
texts = st.lists(_PARTS, max_size=60).map("".join) | st.text(max_size=200)


def _tokens(text: str) -> int:
    return (len(text.encode()) + 3) // 4


def _sentences(text: str) -> list[str]:
    places = [0, *(place for place, _ in boundaries(text))]
    return [text[a:b].strip() for a, b in pairwise(places) if text[a:b].strip()]


@given(texts, st.integers(1, 60), st.integers(0, 59), st.none() | st.integers(2, 20))
@example("a" * 50 + "\u0301" * 50, 7, 3, None)
@example("```\n\n" * 3 + "x", 9, 8, 3)
def test_chunks_cover_the_text_within_the_limits(text: str, most: int, overlap: int, tokens: int | None) -> None:
    """Every visible character is in a chunk, in order; no chunk is too long or overlaps too much."""
    chunking = Chunking(most, tokens, min(overlap, most - 1), _tokens)
    spans = chunking.spans(text)
    covered = {place for start, end in spans for place in range(start, end)}
    assert all(place in covered for place, character in enumerate(text) if not character.isspace())
    for start, end in spans:
        chunk = text[start:end]
        assert 0 < len(chunk) <= most and chunk == chunk.strip()
        assert tokens is None or _tokens(chunk) <= tokens
    for (start, end), (after, later) in pairwise(spans):
        assert start < after and end < later
        assert end - after <= chunking.overlap
    assert chunking.spans(text) == spans


@given(texts, st.integers(1, 60), st.integers(0, 59))
def test_a_sentence_that_fits_is_never_cut(text: str, most: int, overlap: int) -> None:
    """Each sentence no longer than a chunk is complete in one of them, with and without overlap."""
    chunks = [text[start:end] for start, end in Chunking(most, None, min(overlap, most - 1)).spans(text)]
    for sentence in _sentences(text):
        assert len(sentence) > most or any(sentence in chunk for chunk in chunks)


@given(st.text(st.sampled_from("ae\u0301\u0323乾 "), max_size=80), st.integers(1, 20))
def test_marks_stay_with_their_base(text: str, most: int) -> None:
    """A character is not separated from its combining marks unless together they exceed a chunk."""
    starts = {start for start, _ in Chunking(most).spans(text)}
    for character in re.finditer("[^ ][\u0301\u0323]*", text):
        inside = range(character.start() + 1, character.end())
        assert len(character[0]) > most or starts.isdisjoint(inside)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Dr. Low paid 3.5 p.m. Then he left.", ["Dr. Low paid 3.5 p.m.", "Then he left."]),
        ("See Fig. 3, No. 7. J. Low of the U.S. Army.", ["See Fig. 3, No. 7.", "J. Low of the U.S. Army."]),
        ("Use tools, e.g. Hammers. He message no. Why?", ["Use tools, e.g. Hammers.", "He message no.", "Why?"]),
        ("“Stop!” she cried. (Really.) Yes", ["“Stop!” she cried.", "(Really.)", "Yes"]),
        ("乾，元亨利贞。潜龙勿用！何谓也？“龙德。”隐", ["乾，元亨利贞。", "潜龙勿用！", "何谓也？", "“龙德。”", "隐"]),
        ("Steps:\n1. Go.\n2. Come.", ["Steps:", "1. Go.", "2. Come."]),
        ("Wait... and see. In 1999. So", ["Wait... and see.", "In 1999.", "So"]),
        ("यह है। वह है।", ["यह है।", "वह है।"]),
    ],
)  # fmt: skip
def test_ends_of_sentences(text: str, sentences: list[str]) -> None:
    """Abbreviations, initials, decimals, list numbers and quotations do not end a sentence; stops of any script do."""
    assert _sentences(text) == sentences


def test_paragraphs_and_headings_are_preferred() -> None:
    """A half-full chunk ends at a paragraph, preferably before a heading; no chunk ends with a heading."""
    text = "One one one. Two two two.\n\nThree three. Four four four."
    assert [text[a:b] for a, b in Chunking(40).spans(text)] == [
        "One one one. Two two two.",
        "Three three. Four four four.",
    ]
    text = "A first sentence.\n\nA second one here.\n\n# Head\n\nBelow it, this."
    assert [text[a:b] for a, b in Chunking(50).spans(text)] == [
        "A first sentence.\n\nA second one here.",
        "# Head\n\nBelow it, this.",
    ]
    text = "A sentence of the first.\n\n# Head\n\nBelow it."
    assert [text[a:b] for a, b in Chunking(35).spans(text)] == ["A sentence of the first.", "# Head\n\nBelow it."]


def test_code_blocks_are_not_cut() -> None:
    """A fenced block that fits is never cut; a longer one is cut between lines."""
    code = "```python\nx = 1. \n\ny = 2\n# Note. Here\n```"
    text = f"Some words before it. And more.\n\n{code}\n\nAfter it. The end."
    assert any(code in text[a:b] for a, b in Chunking(50).spans(text))
    for start, _ in Chunking(20).spans(code)[1:]:
        assert code[start - 1] == "\n"


def test_chunks_overlap_by_complete_sentences() -> None:
    """A chunk begins with the last sentences of the previous one that fit in the overlap."""
    text = "One one. Two two. Three three. Four four. Five five."
    assert [text[a:b] for a, b in Chunking(32, overlap=14).spans(text)] == [
        "One one. Two two. Three three.",
        "Three three. Four four.",
        "Four four. Five five.",
    ]


@pytest.mark.parametrize("text", ["x", "乾", "e\u0301", ".", '."', "a, ", "\n \n x", "```\n", "word ", "# \n", "\n- a"])
def test_cutting_takes_linear_time(text: str) -> None:
    """Up to a megabyte, without boundaries and with boundaries only."""
    chunking = Chunking(max_characters=2000, max_tokens=400, overlap=200, count_tokens=_tokens)
    short, long = (text * (size // len(text)) for size in (250_000, 1_000_000))
    assert chunking.spans(short)
    assert_linear(chunking.spans, short, long)


@pytest.mark.parametrize(
    ("limits", "message"), [
        ({"max_characters": 0}, "max_characters"), ({"overlap": 2000}, "overlap"), ({"max_tokens": 0}, "max_tokens"),
    ],
)  # fmt: skip
def test_invalid_limits_are_rejected(limits: dict[str, int], message: str) -> None:
    """A limit of zero or an overlap as long as a chunk is an input error that names the parameter."""
    with pytest.raises(InputError, match=message):
        Chunking(**limits, count_tokens=_tokens)
    with pytest.raises(InputError, match="max_tokens = 1 is less"):
        Chunking(max_tokens=1, count_tokens=lambda text: 3 * len(text)).spans("a")


@given(st.lists(st.sampled_from(["a", "b c", "乾\n卦", "\n", "\n \t\n", "\u3000\n", " "]), max_size=20).map("\n".join))
def test_blank_lines_separate_samples(text: str) -> None:
    """Equal to a reference implementation; several blank lines count as one, and no sample is empty."""
    expected: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            expected[-1].append(line)
        else:
            expected.append([])
    assert [text[a:b] for a, b in samples(text)] == ["\n".join(lines).strip() for lines in expected if lines]


def test_html_becomes_text() -> None:
    """Entities are decoded, blocks become paragraphs, and invisible content is dropped."""
    assert (
        html_text(
            "<!DOCTYPE html><html><head><title>T</title><style>p{}</style></head><body><nav><p>Home</nav>"
            "<script>if (a<b) s = '<p>no</p>'</script><h1>A <em>head</em></h1>"
            "<p>Caf&eacute; &amp;\n co<!-- x -->de &#x4e7e;"
            "<p>1 < 2<br>line</p><ul><li>one<li><p>two</p></ul><p hidden>ignore</p><p style='display: none'>too</p>"
            "<table><tr><td>a<td>b<tr><td>c</table><pre>x\n  y</pre><footer>foot</footer>"
        )
        == "# A head\n\nCafé & code 乾\n\n1 < 2\nline\n\n- one\n- two\n\na | b\nc\n\n```\nx\n  y\n```"
    )


@pytest.mark.parametrize(
    "mark", ["<", "<a ", "<a b='", "<!--", "<![", "<script>", "</x", "<a>", "&#", "<a b=\"<a c='", "<p hidden>"]
)
def test_unclosed_html_takes_linear_time(mark: str) -> None:
    """Nearly half a megabyte of any markup; Python's own parser takes hours for some."""
    short, long = (mark * (size // len(mark)) for size in (100_000, 400_000))
    assert_linear(html_text, short, long)


def test_the_type_of_a_document_is_detected_from_its_content(tmp_path: Path) -> None:
    """Names do not matter; byte order marks are removed, and line ends normalised."""
    (tmp_path / "page.txt").write_bytes(b"\xef\xbb\xbf <!-- c -->\n<HTML><p>Hello</HTML>")
    (tmp_path / "text.html").write_bytes(b"\xef\xbb\xbfOne\r\nline\r\rTwo <b>\fThree")
    assert read_document(tmp_path / "page.txt").kind == "html"
    assert read_document(tmp_path / "page.txt").pages[0].text == "Hello"
    document = read_document(tmp_path / "text.html", "t")
    assert (document.name, document.kind, document.pages[0].text) == ("t", "text", "One\nline\n\nTwo <b>\nThree")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"ok\ncaf\xe9", r"d:2: not UTF-8 text: byte 0xe9 at offset 6.*\n.*looks like cp1252"),
        ("x".encode("utf-16"), "UTF-16 text"),
        (b"x\0y\0", "NUL bytes"),
        (b"PK\x03\x04..", "office document(.|\n)*Save it as PDF"),
        (b"\x89PNG\r\n", "image(.|\n)*OCR"),
        (b" \n", "no text in 1 document; d: contains no text"),
        (b"<html><script>x</script></html>", "contains no text"),
    ],
)
def test_unsupported_files_are_rejected(tmp_path: Path, data: bytes, message: str) -> None:
    """Other encodings and formats, and files without text, are input errors with a location and a hint."""
    (tmp_path / "d").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_documents(["d"], samples, base=tmp_path)


def test_directories_and_globs_match_sorted_files(tmp_path: Path) -> None:
    """Each file occurs once, named relative to the recipe."""
    for name in ("docs/b.md", "docs/a.txt", "docs/sub/c.md", "docs/.hidden", "docs/.git/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert find_documents(["docs"], base=tmp_path) == ["docs/a.txt", "docs/b.md", "docs/sub/c.md"]
    assert find_documents(["docs/b.md", "docs"], base=tmp_path) == ["docs/b.md", "docs/a.txt", "docs/sub/c.md"]
    assert find_documents(["docs/**/*.md"], base=tmp_path) == ["docs/b.md", "docs/sub/c.md"]
    for name, message in (
        ("docs/*.x", "no file matches"),
        ("none.md", "no such file"),
        ("docs/.git/y", "no such file"),
    ):
        with pytest.raises(InputError, match=message):
            find_documents([name], base=tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the directory contains no files"):
        find_documents(["empty"], base=tmp_path)


def test_passages_have_exact_locations(tmp_path: Path) -> None:
    """A passage is exactly the span of its document; a document without text is skipped and reported."""
    (tmp_path / "a.txt").write_text("First.\n\n\nSecond 乾.\n")
    (tmp_path / "b.txt").write_text("\n")
    reading = read_documents(["a.txt", "b.txt"], samples, base=tmp_path)
    assert [(one.document, one.page, one.start, one.end, one.text) for one in reading.passages] == [
        ("a.txt", None, 0, 6, "First."),
        ("a.txt", None, 9, 18, "Second 乾."),
    ]
    assert reading.pages == 1
    assert [(one.location, one.reason) for one in reading.skipped] == [("b.txt", "contains no text")]


def test_documents_are_imported_only_when_needed() -> None:
    """Neither the package nor ``--help`` imports ``documents``, which does not import PDFium."""
    for code, name in (("selfinstruct", "selfinstruct.documents"), ("selfinstruct.documents", "pypdfium2")):
        script = f"import sys, {code}; print([name for name in sys.modules if name.startswith({name!r})])"
        assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"
    script = (
        "import sys, runpy; sys.argv = ['selfinstruct', '--help']\n"
        "try: runpy.run_module('selfinstruct', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if 'selfinstruct.documents' in name or 'pypdfium2' in name])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
