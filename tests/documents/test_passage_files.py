"""Passages of files: lines of logs, chunks of prose, fields of row files."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.documents import PackedPassages, PassageReading, read_passage_files
from selfinstruct.errors import InputError

LOG = [f"worker w{at} finished after {at * 7} ms" for at in range(40)]
PROSE = (
    "The ferry leaves the harbour at dawn. It carries letters, bread and, on most\n"
    "days, a dozen passengers. Nobody remembers when the service began.\n"
    "\n"
    "In winter the crossing takes an hour. The captain keeps a diary of the ice, and\n"
    "reads it to anyone who asks.\n"
)


def read(path: Path, **options: Any) -> PassageReading:
    """The passages of a file, by the field ``RawLog``."""
    return read_passage_files([str(path)], **{"field": "RawLog", **options})


def texts(found: PassageReading) -> list[str]:
    """The texts of the passages."""
    return list(found.passages.texts)


def test_a_log_has_a_passage_per_line_with_its_number(tmp_path: Path) -> None:
    """Empty lines count as lines but are no passages; CRLF and a byte order mark are not part of a passage."""
    path = tmp_path / "app.log"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([LOG[0], "", "  ", *LOG[1:]]).encode())
    found = read(path)
    assert texts(found) == LOG
    assert [found.passages[at]["start"] for at in (0, 1)] == [1, 4]
    assert found.dropped == {"empty": 2}


def test_a_repeated_line_is_one_passage(tmp_path: Path) -> None:
    """The first one counts, also over several files; blanks at the start distinguish lines."""
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    one.write_text("\n".join([*LOG[:3], LOG[0]]), encoding="utf-8")
    two.write_text("\n".join([LOG[1], " " + LOG[1]]), encoding="utf-8")
    found = read_passage_files([str(one), str(two)], field="RawLog")
    assert texts(found) == [*LOG[:3], " " + LOG[1]]
    assert (found.dropped["repeated"], found.first["repeated"]) == (2, f"{one}:4")
    assert found.files == (one.as_posix(), two.as_posix())


def test_prose_is_divided_into_chunks_of_sentences(tmp_path: Path) -> None:
    """Running text, Markdown and HTML are told from logs by their content; ``by`` overrides that."""
    path = tmp_path / "diary.txt"
    path.write_text(PROSE, encoding="utf-8")
    found = read(path)
    assert found.read == {"chunk": 1}
    assert found.passages[0]["template"] == "prose"
    assert read(path, by="line").read == {"line": 5}
    (tmp_path / "page").write_text(f"<!doctype html><p>{PROSE}</p>", encoding="utf-8")
    assert texts(read(tmp_path / "page"))[0].startswith("The ferry leaves")
    chinese = tmp_path / "故事.md"
    chinese.write_text(
        "# 渡口\n\n渡船清晨离港。船上有信件和面包。\n\n冬天要走一个小时。船长记日记。\n", encoding="utf-8"
    )
    assert read(chinese).read == {"chunk": 1}


@pytest.mark.parametrize(
    "lines",
    [
        LOG,
        ["[info] started", "[warn] disk 3 is full", "[info] stopped"],
        ["用户 3 登录成功", "用户 17 登录失败", "磁盘 2 空间不足"],
        ['{"level": "info", "msg": "started"}', '{"level": "warn", "msg": "disk full"}'],
        ["{worker-1} started, then stopped", "{worker-2} started"],
        ["a, b failed, c passed", "x; y", "z"],
    ],
)
def test_logs_of_any_form_are_read_by_line(tmp_path: Path, lines: list[str]) -> None:
    """JSON objects without the field of the passage are log lines too."""
    path = tmp_path / "any"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert texts(read(path)) == lines


def test_row_files_are_read_by_their_field(tmp_path: Path) -> None:
    """JSON Lines, JSON and CSV; a missing field is an error that lists the others."""
    rows = [{"RawLog": line, "level": "info"} for line in LOG[:3]]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    (tmp_path / "c.csv").write_text("level,RawLog\n" + "\n".join(f"info,{line}" for line in LOG[:3]), encoding="utf-8")
    for name in ("a.jsonl", "b.json", "c.csv"):
        assert texts(read(tmp_path / name)) == LOG[:3]
    assert texts(read(tmp_path / "a.jsonl", field="level", named=True)) == ["info"]
    with pytest.raises(InputError, match=r"c\.csv:2: no field text") as raised:
        read(tmp_path / "c.csv", field="text")
    assert "level, RawLog" in str(raised.value.hint)
    with pytest.raises(InputError, match=r"a\.jsonl:1: no field text"):
        read(tmp_path / "a.jsonl", field="text", named=True)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_logs_are_unpacked(tmp_path: Path, pack: Any) -> None:
    """By their content, whatever their names are."""
    (tmp_path / "log").write_bytes(pack("\n".join(LOG).encode()))
    assert texts(read(tmp_path / "log")) == LOG


def test_hostile_lines_are_kept_or_skipped_and_counted(tmp_path: Path) -> None:
    """Markup and right-to-left text stay as they are; lines that no prompt can contain are skipped."""
    kept = ["<script>alert(1)</script> | ![x](y) ```", "فشل تسجيل الدخول \u202efrom 10.0.0.7", "a\rb\u2028c"]
    bad = [b"x" * 1_000_000, b"nul \0 byte", b"caf\xe9", b"y" * 10_001]
    path = tmp_path / "app.log"
    path.write_bytes(b"\n".join([*(line.encode() for line in kept), *bad, *(line.encode() for line in LOG)]))
    found = read(path)
    assert texts(found) == [*kept, *LOG]
    assert found.dropped == {"too long": 2, "with NUL characters": 1, "not UTF-8": 1}
    assert found.first == {
        "too long": f"{path}:4",
        "with NUL characters": f"{path}:5",
        "not UTF-8": f"{path}:6",
    }
    assert found.passages[3]["start"] == 8


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        ("a b\n".encode("utf-16"), "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
        (b"caf\xe9 one\ncaf\xe9 two\nplain\n", "app.log:1: not UTF-8 text"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    """With the reason and what to do."""
    (tmp_path / "app.log").write_bytes(data)
    with pytest.raises(InputError) as raised:
        read(tmp_path / "app.log")
    assert words in raised.value.message
    assert raised.value.hint


def test_passages_that_are_kept_out_are_counted_by_reason(tmp_path: Path) -> None:
    """If none is left, that is an error with the counts."""
    (tmp_path / "app.log").write_text("\n".join(LOG), encoding="utf-8")
    found = read(tmp_path / "app.log", keep_out=lambda text: "held out" if text in LOG[:5] else "")
    assert (texts(found), found.dropped) == (LOG[5:], {"held out": 5})
    with pytest.raises(InputError, match="no passages: 40 held out"):
        read(tmp_path / "app.log", keep_out=lambda text: "held out")


@given(st.lists(st.tuples(st.text(), st.sampled_from(["a", "b"]), st.integers(0, 9), st.sampled_from(["", "t"]))))
def test_packed_passages_are_the_rows_that_they_were_packed_from(rows: list[tuple[str, str, int, str]]) -> None:
    """Any text, also with lone surrogates, comes back unchanged, at each position and in order."""
    given_rows = [
        {"passage": text, "document": name, "page": line or None, "start": line, "end": line}
        | ({"template": template} if template else {})
        for text, name, line, template in rows
    ]
    packed = PackedPassages.of(given_rows)
    assert list(packed) == given_rows
    assert [packed[at] for at in range(len(packed))] == given_rows
    assert packed[1:] == given_rows[1:]
    assert list(packed.texts) == [row["passage"] for row in given_rows]
    names, of = packed.templates
    assert [names[number] for number in of] == [template for *_, template in rows]
