"""The same file is refused by every command with the same words; streaming keeps the bytes and holds one row."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import RowError
from selfinstruct.rows import Record, open_rows, parse_rows

ROW = b'{"a": "x"}\n'
REFUSED = {
    "empty": b"",
    "gzip": b"\x1f\x8b\x08\x00rest\n",
    "zstd": b"\x28\xb5\x2f\xfdrest",
    "xz": b"\xfd7zXZ\0rest",
    "zip": b"PK\x03\x04rest",
    "Parquet": b"PAR1rest",
    "UTF-16": '{"a": 1}\n'.encode("utf-16"),
    "UTF-32": '{"a": 1}\n'.encode("utf-32"),
    "UTF-16 without a mark": '{"a": 1}\n'.encode("utf-16-le"),
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
    "broken JSON": ROW + b'{"a": \n',
    "Latin-1": ROW + b'{"a": "\xe9"}\n',
    "list": ROW + b"[1]\n",
    "deep": ROW + b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}\n",
    "ragged": b"a,b\n" + b"1,2\n" * 30 + b"1,2,3\n",
    "open quote": b"a,b\n" + b"1,2\n" * 30 + b'1,"2\n',
    "NUL": b"a,b\n" + b"1,2\n" * 30 + b"1,\0\n",
}


@pytest.mark.parametrize("case", REFUSED)
def test_run_check_init_and_dedup_refuse_the_same_files_with_the_same_words(case: str, tmp_path: Path) -> None:
    """Message and place are the same, whichever command reads the file; every refusal has a hint."""
    path = tmp_path / "rows"
    path.write_bytes(REFUSED[case])
    messages = []
    for read in (lambda: api.plan(path), lambda: api.check(path), lambda: api.init(path), lambda: api.dedup(path)):
        with pytest.raises(RowError) as error:
            read()
        assert error.value.hint
        messages.append(error.value.message)
    assert messages[0].startswith(str(path))
    assert len(set(messages)) == 1


@pytest.mark.parametrize("read", [api.plan, api.check, api.init, api.dedup])
@pytest.mark.parametrize(("name", "message"), [("gone", "no such file"), ("", "no row files in this folder")])
def test_a_path_that_is_no_file_is_refused_with_the_same_words(
    read: object, name: str, message: str, tmp_path: Path
) -> None:
    """A missing file and a directory."""
    with pytest.raises(RowError, match=message):
        read(tmp_path / name)  # type: ignore[operator]


def test_a_copying_reader_accepts_values_that_only_a_writer_would_change() -> None:
    """NaN, a long number and a repeated name are copied as bytes; a reader of values refuses them."""
    for data in (b'{"a": NaN}\n', b'{"a": 1.00000000000000000001}\n', b'{"a": 1, "a": 2}\n'):
        assert [record.raw for record in open_rows(io.BytesIO(data), "x", by_line=True).records] == [data]
        with pytest.raises(RowError):
            parse_rows(data, "x")


def test_objects_over_several_lines_are_refused_by_line() -> None:
    """Their rows have no bytes of their own; the hint has a command that converts them."""
    with pytest.raises(RowError, match="x:2: objects over several lines cannot be read line by line") as error:
        open_rows(io.BytesIO(b'\n{\n"a": 1\n}\n'), "x", by_line=True)
    assert "jq -c" in error.value.hint


class Endless(io.RawIOBase):
    """A pipe that never ends: the same rows again and again."""

    def __init__(self, head: bytes, row: bytes) -> None:
        self.data, self.row = head, row

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: object) -> int:
        """As many bytes as fit."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        while len(self.data) < len(view):
            self.data += self.row
        view[:], self.data = self.data[: len(view)], self.data[len(view) :]
        return len(view)


@pytest.mark.parametrize(
    ("head", "row", "value"),
    [
        (b"", b'{"a": "x"}\n', {"a": "x"}),
        (b"a,b\n", b'1,"x\n2"\n', {"a": "1", "b": "x\n2"}),
        (b"", b"a line of text.\n", "a line of text."),
    ],
)
def test_rows_are_yielded_before_the_end_of_the_file_is_read(head: bytes, row: bytes, value: object) -> None:
    """A file without end is streamed: no format reads ahead further than the head."""
    stream = open_rows(io.BufferedReader(Endless(head, row)), "x", by_line=True)
    records = [next(stream.records) for _ in range(1000)]
    assert {(record.raw, str(record.value)) for record in records} == {(row, str(value))}
    assert records[1].line - records[0].line == row.count(b"\n")
    assert stream.header == head


def test_blank_lines_and_line_ends_are_reported_as_they_are() -> None:
    """Blank lines belong to no row; a row without a line end has none in its bytes."""
    stream = open_rows(io.BytesIO(b'\xef\xbb\xbf\r\n{"a": "x"}\r\n \t\n{"a": "y"}'), "x", by_line=True)
    assert stream.header == b"\xef\xbb\xbf"
    assert list(stream.records) == [
        Record(2, b'{"a": "x"}\r\n', {"a": "x"}),
        Record(4, b'{"a": "y"}', {"a": "y"}),
    ]


def test_many_blank_lines_before_the_rows_do_not_hide_the_format() -> None:
    """The format is that of the first line with content, however far down."""
    assert open_rows(io.BytesIO(b"\n" * 100 + ROW), "x", by_line=True).format == "jsonl"
    assert parse_rows(b"\n" * 100 + b"a;b\n1;2\n", "x").rows == [{"a": "1", "b": "2"}]


def test_blank_lines_before_the_header_of_a_table_are_kept() -> None:
    """They are part of the header; blank lines between rows belong to no row."""
    stream = open_rows(io.BytesIO(b"\n\na,b\n\n1,2\n\n3,4\n"), "x", by_line=True)
    assert stream.header == b"\n\na,b\n"
    assert [record.raw for record in stream.records] == [b"1,2\n", b"3,4\n"]


def test_a_quoted_row_that_crosses_the_end_of_the_head_is_still_a_table() -> None:
    """The head ends inside a value with line breaks; the format is detected from the rows before it."""
    data = b"a,b\n" + b"1,2\n" * 15 + b'1,"' + b"x\n" * 10 + b'"\n'
    assert open_rows(io.BytesIO(data), "x", by_line=True).format == "csv"
