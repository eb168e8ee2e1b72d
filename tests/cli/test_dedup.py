"""``dedup``: any file without its near-duplicates, what is kept unchanged to the byte."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.analysis.cleaning import Cleaning
from selfinstruct.cli import main
from selfinstruct.errors import InputError, RowError
from selfinstruct.rows import open_rows
from selfinstruct.similarity.rouge import rouge_l

WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd", "42", "乾", '"', ",", "<p>"]), max_size=7).map(" ".join)


def dedup(
    data: bytes, tmp_path: Path | None = None, **options: object
) -> tuple[bytes, list[dict[str, object]], Cleaning]:
    """What is kept of a file, what is dropped, and the counts."""
    with tempfile.TemporaryDirectory() as folder:
        file, dropped = Path(folder) / "f", Path(folder) / "d"
        file.write_bytes(data)
        out = io.BytesIO()
        done = api.dedup(file, out=out, dropped=dropped, **options)  # type: ignore[arg-type]
        return out.getvalue(), [json.loads(line) for line in dropped.read_text().splitlines()], done


def brute(texts: list[str], threshold: float) -> list[int]:
    """The places of the texts to keep, by comparing each with all that are kept."""
    kept: list[int] = []
    for at, text in enumerate(texts):
        if not any(rouge_l(text, texts[other]).f1 > threshold or text == texts[other] for other in kept):
            kept.append(at)
    return kept


@given(st.lists(WORDS, min_size=1, max_size=15), st.sampled_from([0.3, 0.5, 0.7, 0.9]))
def test_json_lines_are_kept_as_brute_force_keeps_them(texts: list[str], threshold: float) -> None:
    """The rows that are kept are those of a comparison of all pairs, in order, each with its own bytes."""
    lines = [json.dumps({"n": at, "text": text}).encode() + b"\n" for at, text in enumerate(texts)]
    kept, dropped, done = dedup(b"".join(lines), fields=["text"], max_rouge_l=threshold)
    places = brute(texts, threshold)
    assert kept == b"".join(lines[at] for at in places)
    assert (done.rows, done.kept, done.dropped) == (len(lines), len(places), len(lines) - len(places))
    assert [row["line"] for row in dropped] == [at + 1 for at in range(len(lines)) if at not in places]
    for row in dropped:
        near = int(str(row["nearest"])) - 1
        text = texts[int(str(row["line"])) - 1]
        assert near in places
        assert row["score"] == pytest.approx(1.0 if text == texts[near] else rouge_l(text, texts[near]).f1)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12))
def test_tables_are_kept_byte_for_byte(rows: list[tuple[str, str]]) -> None:
    """Quotes, delimiters and line breaks within values come out as they went in, under the same header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["first", "second"])
    writer.writerows([(f"{one}\n{two}", two) for one, two in rows])
    data = text.getvalue().encode()
    kept, _, done = dedup(data, max_rouge_l=1.0)
    assert done.format == "csv" and kept == data


def test_plain_lines_need_not_be_utf8() -> None:
    """A log with stray bytes and mixed line ends is kept as it is; blank lines are no rows."""
    data = b"started caf\xe9 one\r\n\n[2024] stopped with code 7\nstarted caf\xe9 one\nlast line, no end"
    kept, dropped, done = dedup(data)
    assert kept == b"started caf\xe9 one\r\n[2024] stopped with code 7\nlast line, no end"
    assert (done.format, done.rows) == ("text", 4)
    assert dropped == [{"line": 4, "nearest": 1, "score": 1.0, "row": "started caf\udce9 one"}]


@pytest.mark.parametrize(
    ("data", "form", "fields"),
    [
        (b'{"a": "x"}\n', "jsonl", ("a",)),
        (b'\xef\xbb\xbf\n{"a": "x", "b": 1}', "jsonl", ("a", "b")),
        (b"id,text\n1,x\n", "csv", ("id", "text")),
        (b"id\ttext\n1\tx\n", "tsv", ("id", "text")),
        (b"one line of text\nand another\n", "text", ()),
        (b"Yes, it is.\nNo, it is not.\n", "text", ()),
        (b"2024-05-01 12:00:00,123 started\n2024-05-01 12:00:01,456 stopped\n", "text", ()),
        (b"[info] started\n[info] stopped\n", "text", ()),
        (b"a,b\n1,2\n1,2,3\n", "text", ()),
    ],
)
def test_the_content_tells_the_format(data: bytes, form: str, fields: tuple[str, ...]) -> None:
    """JSON Lines by the brace, a table by named columns that every row has, all else is lines of text."""
    stream = open_rows(io.BytesIO(data), "f", by_line=True)
    assert (stream.format, stream.fields) == (form, fields)
    assert stream.header + b"".join(record.raw for record in stream.records) == data.replace(
        b"\xef\xbb\xbf\n", b"\xef\xbb\xbf"
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "f: the file is empty"),
        (b"\n \n", "f: the file is empty"),
        (b'{"a": 1}\n{"a": \n', "f:2: invalid JSON"),
        (b'{"a": 1}\n[1]\n', "f:2: expected a JSON object, got a list"),
        (b'[\n{"a": 1}]\n', "f: a JSON array cannot be read line by line"),
        (b'[{"a": 1}]\n', "f: a JSON array cannot be read line by line"),
        (b'{"a": "\xff"}\n', "f:1: not UTF-8 text: byte 0xff at offset 7"),
        (b"a,b\n" + b"1,2\n" * 30 + b"1,2,3\n", "f:32: expected 2 values"),
        (b"a,b\n" + b"1,2\n" * 30 + b'1,"2\n', "f:32: a quote is opened in this row"),
        (b"a,b\n" + b"1,2\n" * 30 + b"1,\xff\n", "f:32: not UTF-8 text: byte 0xff at offset 126"),
    ],
)
def test_a_broken_row_is_told_with_its_line(data: bytes, says: str) -> None:
    """What cannot be read is an error with file, line and remedy, also far into the stream."""
    with pytest.raises(RowError) as error:
        list(open_rows(io.BytesIO(data), "f", by_line=True).records)
    assert str(error.value).startswith(says) and error.value.hint


def test_the_default_fields_are_those_that_are_text() -> None:
    """Numbers, such as an id, do not make rows differ; where nothing is text, everything is compared."""
    _, _, done = dedup(b'{"id": 1, "text": "a b c"}\n{"id": 2, "text": "a b c"}\n')
    assert done.fields == ("text",) and done.kept == 1
    assert dedup(b'{"x": 1, "y": 2}\n{"x": 1, "y": 3}\n', max_rouge_l=0.9)[2].kept == 2


def test_values_of_dropped_rows_do_not_change() -> None:
    """What is dropped is written with the row as it stood: a 20-digit id, 1.50, a key that occurs twice."""
    data = b'{"text": "a b c", "id": 12345678901234567890, "x": 1.50}\n' * 2
    with_text = dedup(data)[1]
    assert len(with_text) == 1 and with_text[0]["row"] == json.loads(data.splitlines()[0])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "f").write_bytes(data)
        api.dedup(Path(folder) / "f", dropped=Path(folder) / "d")
        assert b'"row": ' + data.splitlines()[0] + b"}\n" in (Path(folder) / "d").read_bytes()


def test_the_file_may_be_cleaned_in_place(tmp_path: Path) -> None:
    """-o may name the file itself: it is replaced when all is done, and left alone when a row is broken."""
    file = tmp_path / "f.jsonl"
    file.write_text('{"t": "a b"}\n{"t": "a b"}\n')
    assert main(["dedup", str(file), "-o", str(file)]) == 0
    assert file.read_text() == '{"t": "a b"}\n'
    file.write_text('{"t": "a b"}\n{"t": "a b"}\n{"t"\n')
    before = file.read_text()
    assert main(["dedup", str(file), "-o", str(file)]) == 2
    assert file.read_text() == before and [path.name for path in tmp_path.iterdir()] == ["f.jsonl"]


def test_the_command_gives_rows_or_counts(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Rows go to stdout and words to stderr; with --json stdout has the counts alone."""
    file = tmp_path / "f.txt"
    file.write_text("the first line\nthe first line\nanother thing altogether\n")
    assert main(["dedup", str(file)]) == 0
    out, err = capfd.readouterr()
    assert out == "the first line\nanother thing altogether\n"
    assert "kept 2 of 3 rows, dropped 1 with ROUGE-L above 0.7 over lines of text (text)" in err
    assert main(["dedup", str(file), "--json"]) == 0
    counts = json.loads(capfd.readouterr().out)
    assert counts == {
        **{"rows": 3, "kept": 2, "dropped": 1, "not_utf8": 0, "unique": [], "notes": []},
        **{"format": "text", "fields": [], "max_rouge_l": 0.7},
    }


def test_lines_that_are_not_utf8_are_kept_and_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Invalid bytes in a log are accepted; a file in another encoding gets a note on why little was found."""
    file = tmp_path / "f.txt"
    file.write_bytes("磁盘已满\n磁盘已满了\n".encode("gb18030") + "磁盘已满\n".encode())
    assert main(["dedup", str(file), "-o", str(tmp_path / "kept")]) == 0
    assert (tmp_path / "kept").read_bytes() == file.read_bytes()
    said = capfd.readouterr().err
    assert "kept 3 of 3 rows" in said and "2 lines are not UTF-8" in said and "--encoding gb18030" in said


def test_fields_that_are_not_there_are_told(tmp_path: Path) -> None:
    """A field that no row has, and any field of plain lines."""
    with pytest.raises(InputError, match="no field txt") as error:
        dedup(b'{"text": "a"}\n', fields=["txt"])
    assert "Did you mean text?" in error.value.hint
    with pytest.raises(InputError, match="plain lines"):
        dedup(b"a line\n", fields=["text"])


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5, float("nan")])
def test_a_likeness_is_between_0_and_1(threshold: float) -> None:
    """What is no ROUGE-L F1 to compare with is refused before anything is read."""
    with pytest.raises(InputError, match="`max_rouge_l`"):
        api.dedup("nowhere", max_rouge_l=threshold)


def test_dropped_rows_are_not_written_over_others(tmp_path: Path) -> None:
    """Neither the file itself nor the kept rows are overwritten, under any path; no data is lost."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"one two\none two\n")
    for out, dropped in [(tmp_path / "k", tmp_path / "k"), (None, path), (tmp_path / "k", tmp_path / "." / "k")]:
        with pytest.raises(InputError, match=r"`dropped`: .* is the (in|out)put file"):
            api.dedup(path, out=out, dropped=dropped)
    assert path.read_bytes() == b"one two\none two\n" and not (tmp_path / "k").exists()
