"""Row files: what is read is what was written, and what cannot be kept is refused with its line."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from selfinstruct.errors import RowError
from selfinstruct.rows import MAX_NESTING, parse_rows, read_rows, rows_from_objects, to_json
from selfinstruct.rows.shapes import find_shape

texts = st.text(st.characters(exclude_categories=()), max_size=12).filter(lambda text: not _has_pair(text))
surrogates = st.sampled_from(["\ud800", "\udfff", "a\udc80b", "\ud83dx\ude00", "\u2028", "\x00", "\x85", "\ufeff"])
strings = texts | surrogates
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | strings
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(strings, inner, max_size=2), max_leaves=8
)
rows_of_json = st.lists(st.dictionaries(strings, values, min_size=1, max_size=3), min_size=1, max_size=3)


def _has_pair(text: str) -> bool:
    return any("\ud800" <= a <= "\udbff" and "\udc00" <= b <= "\udfff" for a, b in itertools.pairwise(text))


def _same(left: Any, right: Any) -> bool:
    """Equal in value, type and order of keys: plain == takes 1 for True, 1.0 for 1, -0.0 for 0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right) and (not isinstance(left, float) or math.copysign(1, left) == math.copysign(1, right))


@given(rows_of_json, st.booleans(), st.sampled_from([b"\n", b"\r\n", b"\n \t\n"]), st.booleans())
def test_json_lines_come_back_as_they_were(rows: list[Any], bom: bool, end: bytes, final: bool) -> None:
    """Any JSON rows survive a JSON Lines file in value, type and order, with BOM, CRLF, blank lines or without."""
    assume(len(rows) > 1 or not _is_many(rows[0]))
    data = (b"\xef\xbb\xbf" if bom else b"") + end.join(to_json(row).encode() for row in rows) + (end if final else b"")
    file = parse_rows(data, "x", uniform=False)
    assert _same(file.rows, rows)
    assert file.format == "jsonl"
    assert file.fields == tuple(dict.fromkeys(key for row in rows for key in row))
    step = 2 if end.count(b"\n") == 2 else 1
    assert file.lines == [1 + step * number for number in range(len(rows))]


@given(rows_of_json, st.sampled_from([None, 0, 2]), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_json_arrays_come_back_as_they_were(rows: list[Any], indent: int | None, ascii_only: bool, end: str) -> None:
    """Any JSON rows survive an array, compact or pretty-printed, and each row's line is where its brace stands."""
    text = "\n" + json.dumps(rows, indent=indent, ensure_ascii=True if _lone(rows) else ascii_only)
    file = parse_rows(text.replace("\n", end).encode(), "x", uniform=False)
    assert _same(file.rows, rows)
    assert file.format == "json"
    if indent is not None:
        lines = text.split("\n")
        margin = " " * indent
        opening = [number for number, line in enumerate(lines, 1) if line in (f"{margin}{{", f"{margin}{{}},")]
        assert indent == 0 or file.lines == opening
    else:
        assert set(file.lines) == {2}


def _is_many(row: Any) -> bool:
    """Whether an object alone in a file is read as many rows."""
    try:
        return find_shape(row) is not None
    except RowError:
        return True


def _lone(rows: list[Any]) -> bool:
    try:
        json.dumps(rows, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


@given(rows_of_json)
def test_a_row_as_text_is_one_line_of_utf_8(rows: list[Any]) -> None:
    """to_json always encodes as UTF-8, holds no line break, and is json.dumps' text but for lone surrogates."""
    for row in rows:
        line = to_json(row)
        assert b"\n" not in line.encode("utf-8")
        assert _same(json.loads(line), row)
        if not _lone([row]):
            assert line == json.dumps(row, ensure_ascii=False)


@given(rows_of_json)
def test_objects_are_copied_unchanged(rows: list[Any]) -> None:
    """Rows given as Python objects are taken as equal copies, numbered from 1."""
    file = rows_from_objects(rows, uniform=False)
    assert _same(file.rows, rows)
    assert all(copy is not row for copy, row in zip(file.rows, rows, strict=True))
    assert (file.path, file.format, file.lines) == ("<rows>", "python", list(range(1, len(rows) + 1)))


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["0042", "None", "", " x ", 'a"b', "a,b", "a;b", "a\tb", "two\r\nlines", "\r", "\u2028", "NaN", "1e400"]
)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=5),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_tables_come_back_as_they_were(table: list[list[str]], delimiter: str, end: str, bom: bool) -> None:
    """Any cells survive a CSV or TSV written by RFC 4180, as strings, with every row at the line where it starts."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "the text"])
    lines = []
    for cells_of_row in table:
        lines.append(1 + buffer.getvalue().count("\n"))
        writer.writerow(cells_of_row)
    file = parse_rows((b"\xef\xbb\xbf" if bom else b"") + buffer.getvalue().encode(), "x")
    assert file.rows == [{"id": first, "the text": second} for first, second in table]
    assert file.lines == lines
    assert file.format == ("tsv" if delimiter == "\t" else "csv")


@given(st.binary(max_size=60) | st.text('{}[],:"ab1.e-\n\r\t ;\\u', max_size=60).map(str.encode))
@example(b"{")
@example(b'"')
@example(b"[{}]")
def test_any_bytes_are_rows_or_a_row_error(data: bytes) -> None:
    """Any content of a file raises only RowError, and all rows that are read can be written."""
    try:
        file = parse_rows(data, "x", uniform=False)
    except RowError as error:
        assert error.where.split(":")[0] == "x"
        assert error.hint
    else:
        assume(len(file.rows) > 1 or not _is_many(file.rows[0]))
        again = parse_rows("\n".join(map(to_json, file.rows)).encode(), "x", uniform=False)
        assert _same(again.rows, file.rows)


@given(
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?\Z")
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
)
@example("0.1")
@example("1e400")
@example("1e-400")
@example("0.1000000000000000055511151231257827")
@example("1e99999999999999999999")
@example("12345678901234567890")
def test_a_number_is_kept_exactly_or_refused(text: str) -> None:
    """A number is read only where the number that is written again has the same decimal value."""
    from decimal import Decimal, InvalidOperation

    def kept() -> bool:
        value = json.loads(text)
        try:
            return isinstance(value, int) or Decimal(text) == Decimal(repr(value))
        except InvalidOperation:
            return False

    data = b'{"n": %s}' % text.encode()
    if kept():
        assert Decimal(json.loads(to_json(parse_rows(data, "x").rows[0]), parse_float=Decimal)["n"]) == Decimal(text)
    else:
        with pytest.raises(RowError, match=r"x:1: the number .* would become"):
            parse_rows(data, "x")


def test_strings_that_look_like_something_else_stay_strings() -> None:
    """Identifiers with leading zeros or 20 digits, "None", "" and a null next to them are all kept apart."""
    row = {"id": "0042", "n": 12345678901234567890, "none": "None", "empty": "", "null": None, "big": 10**4299}
    assert _same(parse_rows(json.dumps(row).encode(), "x").rows, [row])


def test_a_file_ending_says_nothing(tmp_path: Path) -> None:
    """The format is told by the content: JSON Lines in a .json.train file, a table in a .jsonl file."""
    lines, table = tmp_path / "qa.json.train", tmp_path / "t.jsonl"
    lines.write_bytes(b'{"a": "1"}\n{"a": "2"}\n')
    table.write_bytes(b"a;b\n1;2\n")
    assert read_rows(lines).rows == [{"a": "1"}, {"a": "2"}]
    assert read_rows(str(table)).rows == [{"a": "1", "b": "2"}]
    assert read_rows(table).path == str(table)


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` reads bytes from standard input, and messages call it <stdin>."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a": "\xe4\xb9\xbe"}\n{')))
    with pytest.raises(RowError, match="<stdin>:2: invalid JSON"):
        read_rows("-")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO('{"a": "乾"}'.encode()), encoding="latin-1"))
    assert read_rows("-").rows == [{"a": "乾"}]


def test_objects_over_several_lines_are_read_one_after_another() -> None:
    """Pretty-printed objects, one or more, are rows too, each at the line of its opening brace; only LF is a line."""
    one, two = {"a": "1", "b": [1, {}]}, {"a": "2", "b": None}
    file = parse_rows(f"{json.dumps(one, indent=2)}\n\n{json.dumps(two, indent=2)}\n".encode(), "x")
    assert file.rows == [one, two]
    assert file.lines == [1, 9]
    assert parse_rows(b'{"a":\r1}\n{"a": 2}', "x").lines == [1, 2]


def test_the_first_row_gives_the_order_of_fields() -> None:
    """Fields are the first row's in its order; a row with another order is kept as it is."""
    file = parse_rows(b'{"b": 1, "a": 2}\n{"a": 3, "b": 4}', "x")
    assert file.fields == ("b", "a")
    assert list(file.rows[1]) == ["a", "b"]


def test_one_column_and_blank_lines_make_a_table() -> None:
    """A single column needs no delimiter; blank lines are skipped and counted; a quoted empty cell is a row."""
    file = parse_rows(b'\ntext\n\nhello world\n\n""\n', "x")
    assert file.rows == [{"text": "hello world"}, {"text": ""}]
    assert file.lines == [4, 6]


def test_the_delimiter_is_the_one_that_splits_the_header() -> None:
    """A comma inside a quoted name, or in the rows below, does not make the table comma-separated."""
    file = parse_rows(b'"a,b,c";d\n1,5;2,5\n', "x")
    assert file.rows == [{"a,b,c": "1,5", "d": "2,5"}]


def _nested(levels: int) -> bytes:
    return b'{"a": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def test_nesting_is_bounded_and_brackets_in_text_do_not_count() -> None:
    """At most MAX_NESTING levels are read; brackets in strings do not count."""
    assert parse_rows(_nested(MAX_NESTING), "x").rows
    assert parse_rows(b'{"a": "' + b"[{" * 500 + b'"}', "x").rows
    with pytest.raises(RowError, match=f"x:1: nested more than {MAX_NESTING} levels"):
        parse_rows(_nested(MAX_NESTING + 1), "x")


ROW = b'{"a": 1}\n'
BAD = {
    "empty": (b"", "x: the file is empty"),
    "blank": (b"\xef\xbb\xbf \r\n\t\n", "x: the file is empty"),
    "header alone": (b"a,b\r\n", "x: no rows found"),
    "empty array": (b"[ ]", "x: no rows found"),
    "empty object": (ROW + b"{}", "x:2: fields differ from line 1: no 'a'"),
    "empty objects": (b"\n{}\n{}", "x:2: the row has no fields"),
    "broken line": (ROW + b'\n  {"a": 1 "b": 2}\n', "x:3: invalid JSON: Expecting ',' delimiter (column 11)"),
    "cut line": (b'{"a": 1\n{"a": 1}\n', "x:1: invalid JSON: Expecting ',' delimiter (column 8)"),
    "cut line later": (ROW + b'{"a":\n1}', "x:2: invalid JSON: Expecting value (column 6)"),
    "break in a string": (b'{"a": "b\nc"}', "x:1: invalid JSON: Invalid control character at (column 9)"),
    "form feed": (ROW + b'\x0c{"a": 1}', "x:2: invalid JSON: Expecting value (column 1)"),
    "cut file": (ROW + b'{"a": "', "x:2: invalid JSON: Unterminated string starting at (column 7)"),
    "two a line": (ROW + b'{"a": 1} {"a": 2}', "x:2: invalid JSON: Extra data (column 9)"),
    "raw tab": (b'{"a": "b\tc"}', "x:1: invalid JSON: Invalid control character at (column 9)"),
    "broken object over lines": (b'{\n"a": 1\n}\n{\n"a" 1}', "x:5: invalid JSON: Expecting ':' delimiter (column 5)"),
    "broken object over lines after blank lines": (b'\n\n{\n"a" 1}', "x:4: invalid JSON: Expecting ':' delimiter"),
    "list line": (ROW + b"[1]\n", "x:2: expected a JSON object, got a list"),
    "null line": (ROW + b"null\n", "x:2: expected a JSON object, got null"),
    "bool line": (ROW + b"true\n", "x:2: expected a JSON object, got true or false"),
    "array of strings": (b'[{"a": 1},\n"b"]', "x:2: expected a JSON object, got a string"),
    "broken array": (b'[\n{"a": 1},\n{"a": }\n]', "x:3: invalid JSON: Expecting value (column 7)"),
    "no comma": (b'[{"a": 1}\n{"a": 1}]', "x:2: invalid JSON: expected ',' or ']' after an object"),
    "trailing comma": (b'[{"a": 1},\n]', "x:2: invalid JSON: Expecting value (column 1)"),
    "open array": (b'[\n{"a": 1}\n\n', "x:4: invalid JSON: the array is not closed"),
    "text after array": (b'[{"a": 1}]\n\n[]', "x:3: invalid JSON: text after the end of the array"),
    "twice": (ROW + b'{"a": 1, "a": 1}', "x:2: 'a' occurs twice in one object"),
    "twice inside": (b'[{"a":\n{"b": 1, "b": 2}}]', "x:1: 'b' occurs twice in one object"),
    "nan": (ROW + b'{"a": NaN}', "x:2: NaN is not a JSON value"),
    "infinity": (b'[{"a": [-Infinity]}]', "x:1: -Infinity is not a JSON value"),
    "huge float": (ROW + b'{"a": 1e400}', "x:2: the number 1e400 would become inf"),
    "tiny float": (b'{"a": -1e-400}', "x:1: the number -1e-400 would become -0.0"),
    "long float": (b'{"a": 3.14159265358979323846}', "x:1: the number 3.14159265358979323846 would become 3.14159265"),
    "huge integer": (ROW + b'{"a": %s}' % (b"1" * 4301), "x:2: an integer of more than 4300 digits"),
    "deep": (ROW + _nested(200_000), f"x:2: nested more than {MAX_NESTING} levels deep"),
    "deep in array": (b"[" + _nested(200_000) + b"]", f"x:1: nested more than {MAX_NESTING} levels deep"),
    "missing field": (b'{"a": 1, "b": 2}\n{"a": 1}', "x:2: fields differ from line 1: no 'b'"),
    "other field": (b'\n{"Answer": 1}\n{"anser": 1}', "x:3: fields differ from line 2: no 'Answer'; unknown 'anser'"),
    "latin-1": (b'\xef\xbb\xbf{"a": 1}\n{"a": "\xe9"}', "x:2: not UTF-8 text: byte 0xe9 at offset 19 of the file"),
    "latin-1 array": (b'[{"a":\n"\xe9"}]', "x:2: not UTF-8 text: byte 0xe9 at offset 8 of the file"),
    "latin-1 table": (b"a\n1\n\xe9\n", "x:3: not UTF-8 text: byte 0xe9 at offset 4 of the file"),
    "latin-1 header": (b"\xe9\n1\n", "x:1: not UTF-8 text: byte 0xe9 at offset 0 of the file"),
    "utf-16": ('{"a": 1}'.encode("utf-16"), "x: expected UTF-8 text, got UTF-16 text"),
    "utf-16-be": ("\ufeffa,b".encode("utf-16-be"), "x: expected UTF-8 text, got UTF-16 text"),
    "utf-32": ('{"a": 1}'.encode("utf-32"), "x: expected UTF-8 text, got UTF-32 text"),
    "utf-16 without a mark": ('{"a": 1}'.encode("utf-16-le"), "x: expected UTF-8 text, got NUL bytes"),
    "gzip": (b"\x1f\x8b\x08\x00", "x: damaged gzip data"),
    "ragged": (b'a,b\n"1\n2",3\n1,2,3\n', "x:4: expected 2 values as in the header, got 3"),
    "short": (b"a\tb\n1\n", "x:2: expected 2 values as in the header, got 1"),
    "open quote": (b'a,b\n1,2\n1,"2\n3,4\n', "x:3: a quote is opened in this row and never closed"),
    "stray quote": (b'a,b\n1,"2"3\n', "x:2: invalid CSV"),
    "long cell": (b"a,b\n1,%s\n" % (b"x" * 200_000), "x:2: a value of more than 131072 characters"),
    "old mac": (b"a,b\r1,2\r", "x:1: a carriage return without a line feed"),
    "nul": (b"a,b\n1,2\n\0,2\n", "x:3: a NUL byte"),
    "nameless column": (b"a,,c\n1,2,3\n", "x:1: column 2 of the header has no name"),
    "column twice": (b"\na,b,a\n1,2,3\n", "x:2: the header names 'a' twice"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_its_line(case: str) -> None:
    """Unreadable content raises RowError with file:line, the problem and a hint."""
    data, message = BAD[case]
    with pytest.raises(RowError) as caught:
        parse_rows(data, "x")
    assert caught.value.message.startswith(message)
    assert caught.value.hint


def test_a_misspelt_field_is_told_by_its_nearest_name() -> None:
    """The remedy for an unknown field names the field that was probably meant."""
    with pytest.raises(RowError, match="Did you mean 'Answer' instead of 'anser'"):
        parse_rows(b'{"Question": 1, "Answer": 1}\n{"Question": 1, "anser": 1}', "x")


@pytest.mark.parametrize(
    ("name", "message"),
    [("absent.jsonl", "no such file"), (".", "no row files in this folder"), ("n" * 300, "cannot read")],
)
def test_a_path_that_cannot_be_read_is_named(tmp_path: Path, name: str, message: str) -> None:
    """A missing file, a directory or an impossible name is a RowError that begins with the path."""
    path = tmp_path / name
    with pytest.raises(RowError, match=message) as caught:
        read_rows(path)
    assert caught.value.where == str(path)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"a": math.inf}, "not JSON: Out of range float"),
        ({"a": {1}}, "not JSON: Object of type set"),
        ({"a": 10**4300}, "not JSON: Exceeds the limit"),
        ({"a": (1, 2)}, "would change"),
        ({1: "a"}, "would change"),
        ({"a": "\ud83d" + "\ude00"}, "would change"),
        (["a"], "expected a dict, got list"),
        (json.loads(_nested(MAX_NESTING + 1)), "nested more than"),
        ({"b": 1}, "fields differ from line 1"),
    ],
)
def test_an_object_that_json_would_change_is_refused_by_number(row: Any, message: str) -> None:
    """A Python row that could not be written and read back equal is refused, counted from 1."""
    with pytest.raises(RowError, match=f"^<rows>:2: .*{message}"):
        rows_from_objects([{"a": "fine"}, row])


def test_a_row_that_contains_itself_is_refused() -> None:
    """A circular object is a RowError, not an endless loop."""
    row: dict[str, Any] = {"a": []}
    row["a"].append(row)
    with pytest.raises(RowError, match="<rows>:1: nested more than"):
        rows_from_objects([row])
