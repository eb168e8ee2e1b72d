"""Compressed files, shards, one object of many rows, and tables with odd headers."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.errors import RowError
from selfinstruct.rows import compressed, open_rows, parse_rows, read_rows

ROWS = [{"id": "0042", "text": "Ann lives in Rome."}, {"id": "0043", "text": "Bob works in Oslo."}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def _zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


PACKED: dict[str, bytes] = {
    "gzip": gzip.compress(LINES),
    "gzip of two members": gzip.compress(LINES[:30]) + gzip.compress(LINES[30:]),
    "bzip2": bz2.compress(LINES),
    "xz": lzma.compress(LINES),
    "zip": _zipped(("folder/", b""), ("folder/rows.jsonl", LINES), ("__MACOSX/folder/._rows.jsonl", b"\0")),
}


@pytest.mark.parametrize("kind", PACKED)
def test_compressed_rows_are_read_by_content(kind: str, tmp_path: Path) -> None:
    """The name of the file plays no part; lines count in the unpacked text; dedup writes the unpacked bytes."""
    path, out = tmp_path / "rows.jsonl", tmp_path / "kept"
    path.write_bytes(PACKED[kind])
    file = read_rows(path)
    assert (file.rows, file.lines, file.format) == (ROWS, [1, 2], "jsonl")
    api.dedup(path, out=out)
    assert out.read_bytes() == LINES


def test_compressed_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip archive needs to be searched, which a pipe does not allow: it is read whole first."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    for data in PACKED.values():
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Pipe(data))))
        assert read_rows("-").rows == ROWS


BROKEN = {
    "cut gzip": (PACKED["gzip"][:-12], "damaged gzip data"),
    "cut bzip2": (PACKED["bzip2"][:-6], "damaged bzip2 data"),
    "cut xz": (PACKED["xz"][:40], "damaged xz data"),
    "changed gzip": (PACKED["gzip"][:-6] + b"\0\0\0\0\0\0", "damaged gzip data"),
    "cut zip": (PACKED["zip"][:60], "damaged zip data"),
    "two files": (
        _zipped(("a.csv", b"a\n1\n"), ("b.csv", b"a\n1\n")),
        "the zip archive contains 2 files: a.csv, b.csv",
    ),
    "no files": (_zipped(), "the zip archive is empty"),
    "a spreadsheet": (
        _zipped(("[Content_Types].xml", b"<x/>"), ("xl/a.xml", b"")),
        "expected UTF-8 text, got a spread",
    ),
    "twice": (gzip.compress(PACKED["gzip"]), "compressed twice"),
    "a tar archive": (
        gzip.compress(b"a\0".ljust(257, b"\0") + b"ustar\0" + b"\0" * 300),
        "expected UTF-8 text, got a tar",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("read", [api.plan, api.check, api.init, api.dedup])
def test_a_compressed_file_that_cannot_be_read_is_refused(kind: str, read: Callable[..., Any], tmp_path: Path) -> None:
    """Every command refuses it with the same words, and with a hint."""
    path = tmp_path / "rows"
    path.write_bytes(BROKEN[kind][0])
    with pytest.raises(RowError) as error:
        read(path)
    assert error.value.message.startswith(f"{path}: {BROKEN[kind][1]}")
    assert error.value.hint


def test_unpacking_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that unpacks to more than 200 times its size is refused while it is read; up to a limit it may."""
    monkeypatch.setattr(compressed, "FREE_BYTES", 1 << 20)
    data = b'{"a": "b"}\n' * 400_000
    for pack, kind in ((gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")):
        stream = open_rows(io.BytesIO(pack(data)), "x", by_line=True)
        with pytest.raises(RowError, match=f"x: the {kind} data unpacks to more than 200 times its size"):
            for _ in stream.records:
                pass
    assert len(parse_rows(gzip.compress(data[: 11 * 95_000]), "x").rows) > 90_000


FOREIGN = {
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
    "PDF document": b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n",
    "HTML page": b"\n<!-- saved --><!DOCTYPE html>\n<html><body>\n",
    "XML document": b'<?xml version="1.0"?>\n<rows/>\n',
    "PNG image": b"\x89PNG\r\n\x1a\n\0\0\0",
    "SQLite database": b"SQLite format 3\0\x10\0",
    "binary data": b"abc\n\0\1\2\xff\xfe\n",
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("read", [api.plan, api.check, api.init, api.dedup])
def test_what_is_no_row_file_is_refused_by_name(kind: str, read: Callable[..., Any], tmp_path: Path) -> None:
    """The message names the kind, the hint what to do; runs and recipes are for documents as well, in another way."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(FOREIGN[kind])
    expected = f"expected UTF-8 text, got (an? )?{kind}"
    if kind == "PDF document" and read in (api.plan, api.init):
        expected = "a document, not rows"
    with pytest.raises(RowError, match=expected) as error:
        read(path)
    assert error.value.hint


def _article(number: int) -> dict[str, Any]:
    answers = [{"text": "1901", "answer_start": 9}]
    question = {"question": f"When {number}?", "id": f"q{number}", "answers": answers, "is_impossible": False}
    return {"title": "T", "paragraphs": [{"qas": [question], "context": "Found in 1901."}]}


SQUAD_ROW = {"title": "T", "context": "Found in 1901.", "question": "When 1?", "id": "q1"}
SQUAD_ROW |= {"answers": {"text": ["1901"], "answer_start": [9]}, "is_impossible": False}  # type: ignore[dict-item]
TEXTS = [{"text": row["text"]} for row in ROWS]
MANY: dict[str, tuple[Any, list[dict[str, Any]], str]] = {
    "a list": ({"data": ROWS}, ROWS, "read the list `data` of one object: 2 rows"),
    "a list beside others": ({"version": 1, "rows": ROWS}, ROWS, "2 rows; left out `version`"),
    "a list by another name": ({"claims": ROWS}, ROWS, "read the list `claims`"),
    "a list of one": ({"data": ROWS[:1]}, ROWS[:1], "read the list `data`"),
    "SQuAD": ({"data": [_article(1), _article(2)]}, [SQUAD_ROW], "flattened SQuAD's nesting in `data`: one row"),
    "SQuAD's articles": ([_article(1), _article(2)], [SQUAD_ROW], "flattened SQuAD's nesting: one row"),
    "rows by id": ({"0042": TEXTS[0], "0043": TEXTS[1]}, ROWS, "its keys are the field `id`"),
    "rows by their own id": ({row["id"]: row for row in ROWS}, ROWS, "read an object of 2 rows by `id`"),
    "rows by another key": ({"x": ROWS[0], "y": ROWS[1]}, [{"key": "x", **ROWS[0]}], "its keys are the field `key`"),
    "rows by number": ({"0": ROWS[0], "1": ROWS[1]}, ROWS, "left out its keys, which count from 0"),
    "columns": ({key: [row[key] for row in ROWS] for key in ROWS[0]}, ROWS, "read an object of columns: 2 rows"),
    "columns of pandas": (
        {key: {str(at): row[key] for at, row in enumerate(ROWS)} for key in ROWS[0]},
        ROWS,
        "left out the index, which counts from 0",
    ),
    "split of pandas": (
        {"columns": ["id", "text"], "index": [0, 1], "data": [list(row.values()) for row in ROWS]},
        ROWS,
        "read columns and data as pandas writes them",
    ),
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("kind", MANY)
def test_one_object_of_many_rows_is_taken_apart(kind: str, indent: int | None) -> None:
    """The rows are the same, compact or indented; a note says how they were read."""
    value, rows, note = MANY[kind]
    file = parse_rows(json.dumps(value, indent=indent).encode(), "x")
    assert file.rows[: len(rows)] == rows
    assert [list(row) for row in file.rows[: len(rows)]] == [list(row) for row in rows]
    assert len(file.rows) == (1 if kind == "a list of one" else 2)
    assert note in file.notes[0]


def test_a_row_of_one_object_has_its_own_line() -> None:
    """Lines are those where the rows begin; a list that begins on the first line is no broken JSON Lines."""
    text = '{"version": 2, "data": [\n' + ",\n".join(json.dumps(row) for row in ROWS) + "\n]}\n"
    assert parse_rows(text.encode(), "x").lines == [2, 3]
    squad = json.dumps({"data": [_article(1), _article(2)]}, indent=0)
    expected = [at for at, line in enumerate(squad.split("\n")) if line.startswith('"question"')]
    assert parse_rows(squad.encode(), "x").lines == expected


ONE_ROW: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
    {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
    {"text": "Ann lives in Rome, Italy.", "entities": [{"start": 0, "end": 3}, {"start": 13, "end": 17}]},
    {"tokens": ["Ann", "lives"], "tags": ["PER", "O"]},
    {"question": "Which?", "choices": ["a", "b"], "gold": [0]},
    {"context": "In 1901.", "answers": {"text": ["1901"]}},
    {"a": {"x": 1}, "b": {"y": 1}},
    {"text": "Ann"},
]


@pytest.mark.parametrize("row", ONE_ROW)
def test_one_object_that_is_one_row_stays_one_row(row: dict[str, Any]) -> None:
    """A chat, an annotated text, lists of unequal lengths: none is many rows."""
    for indent in (None, 1):
        file = parse_rows(json.dumps(row, indent=indent).encode(), "x")
        assert (file.rows, file.notes) == ([row], ())


def test_several_lists_of_rows_are_refused() -> None:
    """Splits in one object: the hint writes one of them."""
    with pytest.raises(RowError, match=r"^x: one object with several lists of rows: `train`, `test`") as error:
        parse_rows(json.dumps({"train": ROWS, "test": ROWS}).encode(), "x")
    assert "jq -c '.train[]'" in error.value.hint


def test_many_rows_in_one_object_are_refused_by_line() -> None:
    """Rows without lines of their own cannot be copied byte for byte; the hint has the command."""
    with pytest.raises(RowError, match="one object with many rows cannot be read line by line") as error:
        open_rows(io.BytesIO(json.dumps({"data": ROWS}).encode()), "x", by_line=True)
    assert "jq -c '.data[]'" in error.value.hint


def test_an_index_column_of_pandas_is_left_out(tmp_path: Path) -> None:
    """A column without a name that counts from 0 is no value; dedup copies it."""
    data = b",text,label\n0,a b,x\n1,c d,y\n"
    file = parse_rows(data, "x")
    assert file.rows == [{"text": "a b", "label": "x"}, {"text": "c d", "label": "y"}]
    assert file.fields == ("text", "label")
    assert "pandas" in file.notes[0]
    (tmp_path / "t.csv").write_bytes(data)
    api.dedup(tmp_path / "t.csv", out=tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == data
    with pytest.raises(RowError, match="x:1: column 1 of the header has no name"):
        parse_rows(b",text\n0,a\n2,b\n", "x")


def test_a_folder_of_shards_is_read_as_one_file(tmp_path: Path) -> None:
    """In the order of names, by folder or by glob; notes and messages name the shard; other files are no shards."""
    (tmp_path / "part-1.jsonl.gz").write_bytes(gzip.compress(LINES.splitlines(keepends=True)[1]))
    (tmp_path / "part-0.jsonl").write_bytes(LINES.splitlines()[0])
    for name in ("_SUCCESS", ".hidden", "README.md"):
        (tmp_path / name).write_bytes(b"x")
    for source in (tmp_path, tmp_path / "part-*"):
        file = read_rows(source)
        assert file.rows == ROWS
        assert [file.place(at) for at in (0, 1)] == [f"{tmp_path}/part-0.jsonl:1", f"{tmp_path}/part-1.jsonl.gz:1"]
        assert "read 2 files as one" in file.notes[0]
    api.dedup(tmp_path, out=tmp_path / ".out", dropped=tmp_path / ".dropped", max_rouge_l=0.1)
    assert (tmp_path / ".out").read_bytes() == LINES.splitlines(keepends=True)[0]
    (dropped,) = read_rows(tmp_path / ".dropped").rows
    assert dropped["file"].endswith("part-1.jsonl.gz")
    assert (dropped["nearest_file"][-12:], dropped["line"], dropped["nearest"]) == ("part-0.jsonl", 1, 1)


def test_messages_about_shards_name_the_shard(tmp_path: Path) -> None:
    """A broken line, other fields, a duplicate of a row in another shard, and a finding."""
    one, two = tmp_path / "0.jsonl", tmp_path / "1.jsonl"
    one.write_bytes(LINES)
    two.write_bytes(b'{"id": "1", "text": \n')
    with pytest.raises(RowError, match=r"1\.jsonl:1: invalid JSON"):
        read_rows(tmp_path)
    two.write_bytes(b'{"id": "1", "texts": "x"}\n')
    with pytest.raises(RowError, match=r"1\.jsonl:1: fields differ from .*0\.jsonl:1: no 'text'; unknown 'texts'"):
        read_rows(tmp_path)
    two.write_bytes(LINES)
    with pytest.raises(RowError, match=r"1\.jsonl:1: the same row as .*0\.jsonl:1"):
        api.plan(tmp_path)
    found = api.check(tmp_path)
    assert {(Path(each.file).name, each.line) for each in found.findings} == {("1.jsonl", 1), ("1.jsonl", 2)}
    assert found.notes
    two.write_bytes(b"id,text\n1,x\n")
    with pytest.raises(RowError, match=r"1\.jsonl: csv, unlike .*0\.jsonl"):
        api.dedup(tmp_path)


def test_shards_of_tables_share_their_header(tmp_path: Path) -> None:
    """Dedup writes the header once; another header is refused."""
    (tmp_path / "0.csv").write_bytes(b"id,text\n1,Ann lives in Rome")
    (tmp_path / "1.csv").write_bytes(b"id,text\n2,Bob works here\n")
    api.dedup(tmp_path, out=tmp_path / ".out")
    assert (tmp_path / ".out").read_bytes() == b"id,text\n1,Ann lives in Rome\n2,Bob works here\n"
    (tmp_path / "1.csv").write_bytes(b"id,other\n2,Bob works here\n")
    for read in (read_rows, api.dedup):
        with pytest.raises(RowError, match=r"1\.csv: .*(fields differ|another header)"):
            read(tmp_path)


def test_paths_without_rows_are_refused(tmp_path: Path) -> None:
    """An empty folder and a glob that matches nothing; a file whose name looks like a glob is a file."""
    with pytest.raises(RowError, match="no row files in this folder"):
        read_rows(tmp_path)
    with pytest.raises(RowError, match="no file matches"):
        read_rows(tmp_path / "*.jsonl")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.sqlite").touch()
    with pytest.raises(RowError, match="a run directory, not a folder of row files"):
        read_rows(tmp_path / "run")
    (tmp_path / "a[1].jsonl").write_bytes(LINES)
    assert read_rows(tmp_path / "a[1].jsonl").rows == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_headers_with_full_stops_are_headers(delimiter: str, tmp_path: Path) -> None:
    """Every delimiter; run and dedup agree that the file is a table."""
    path = tmp_path / "faq"
    lines = [("Nr.", "Frage", "user.id"), ("1", "Wie lange?", "u1"), ("2", "Wie viel.", "u2")]
    path.write_text("".join(delimiter.join(cells) + "\n" for cells in lines))
    assert read_rows(path).rows[0] == {"Nr.": "1", "Frage": "Wie lange?", "user.id": "u1"}
    cleaned = api.dedup(path, max_rouge_l=1)
    assert (cleaned.format == "text", cleaned.rows) == (False, 2)


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"What does the fox say today,Nothing\na,b\n", "the header looks like text"),
        (b"2023-05-03,12.5,ok\n2023-05-04,13,ok\n", "the header looks like a row of values: '2023-05-03'"),
        (b'a,b\nx, "y"\n', "quotes after a blank"),
        (b'"a,b"\n"1,2"\n"3,4"\n', "one column, and its values contain commas"),
    ],
)
def test_what_looks_like_a_mistake_in_a_table_is_a_note(data: bytes, note: str, tmp_path: Path) -> None:
    """Rows are read all the same; check and the plan show the note."""
    file = parse_rows(data, "x")
    assert len(file.notes) == 1
    assert note in file.notes[0]
    (tmp_path / "t.csv").write_bytes(data)
    assert note in api.check(tmp_path / "t.csv").notes[0]


def test_a_plain_table_has_no_notes() -> None:
    """Numbers as names, long names and quoted values are no mistakes."""
    for data in (b"0,1\na,b\n", b'Datum,Betrag in Euro\n1,"a, b"\n', b"text\nhello\n", LINES):
        assert parse_rows(data, "x").notes == ()
