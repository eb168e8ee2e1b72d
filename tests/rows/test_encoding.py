"""Files in other encodings: read when told so, recognised in the hint, never guessed."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.cli import main
from selfinstruct.documents import read_document, read_passage_files
from selfinstruct.errors import InputError, RowError
from selfinstruct.rows import read_rows
from selfinstruct.rows.encoding import as_utf8, known_encoding
from selfinstruct.rows.likely_encoding import likely_encoding

SEEDS = Path(__file__).parents[2] / "seeds"
CLASSICS = SEEDS / "classics-zh.jsonl"
TRADITIONAL = "請問這個產品的保固期是多久？本公司提供兩年保固，期間內免費維修。"
SAMPLES = {
    "gb18030": "《资治通鉴》由北宋司马光所撰，共二百九十四卷。",
    "big5": TRADITIONAL,
    "shift_jis": "データベースの接続に失敗しました。もう一度やり直してください。",
    "euc_jp": "データベースの接続に失敗しました。もう一度やり直してください。",
    "cp949": "데이터베이스에 연결하지 못했습니다. 다시 시도하십시오.",
    "cp1252": "Le café “naïve” à Zürich coûte 5 €.",
    "utf-16": "学而时习之，不亦说乎？",
}


class _Trickle(io.RawIOBase):
    """A stream that returns a few bytes at a time, like a pipe."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = io.BytesIO(data), size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._data.readinto(buffer[: self._size])


def _converted(data: bytes, encoding: str, size: int = 1 << 16) -> bytes:
    return as_utf8(io.BufferedReader(_Trickle(data, size)), "f", encoding).read()


@given(
    text=st.text(st.characters(codec="gb18030", exclude_categories=["Cs"]), min_size=1),
    encoding=st.sampled_from(["gb18030", "big5", "gbk", "shift_jis", "cp1252", "utf-16", "utf-16-be", "utf-32"]),
    size=st.integers(1, 7),
)
def test_any_text_survives_whatever_the_pieces_it_is_read_in(text: str, encoding: str, size: int) -> None:
    """Encode, convert, compare; a byte order mark is dropped, and text that is UTF-8 as well stays as it is."""
    data = text.encode(encoding, "ignore")
    expected = data.decode(encoding).removeprefix("\ufeff").encode()
    got = _converted(data, encoding, size)
    assert got in (expected, data)
    if got == data != expected:
        data.decode()


@given(
    before=st.text(st.sampled_from("学而时习之\nab"), max_size=30),
    bad=st.sampled_from([b"\xff", b"\x80 ", b"\xb0\x20"]),
    size=st.integers(1, 9),
)
def test_a_byte_that_does_not_decode_is_an_error_with_its_line(before: str, bad: bytes, size: int) -> None:
    """The line and the offset are those of the file, whatever the pieces it is read in."""
    data = before.encode("gb18030") + bad + b"\nmore\n"
    with pytest.raises(UnicodeDecodeError) as oracle:
        data.decode("gb18030")
    with pytest.raises(RowError) as error:
        _converted(data, "gb18030", size)
    at = oracle.value.start
    line = 1 + before.count("\n")
    assert error.value.message == f"f:{line}: not gb18030 text: byte 0x{data[at]:02x} at offset {at} of the file"


@pytest.mark.parametrize("encoding", SAMPLES)
def test_the_encoding_is_recognised_for_the_hint(encoding: str, tmp_path: Path) -> None:
    """Rows and documents in another encoding are refused, and the hint names what reads them."""
    text = SAMPLES[encoding]
    assert likely_encoding(text.encode(encoding)) == encoding
    rows, page = tmp_path / "rows.csv", tmp_path / "page.txt"
    rows.write_bytes(f"id,text\n1,{text}\n".encode(encoding))
    page.write_bytes(text.encode(encoding))
    for read in (lambda: read_rows(rows), lambda: read_document(page)):
        with pytest.raises(InputError) as error:
            read()
        assert f'encoding="{encoding}"' in error.value.hint, error.value
    assert read_rows(rows, encoding=encoding).rows == [{"id": "1", "text": text}]
    assert read_document(page, encoding=encoding).pages[0].text == text


def test_long_chinese_texts_are_recognised() -> None:
    """Every seed row in Chinese, in GB18030; its lists of single words are too short to tell."""
    files = [*SEEDS.rglob("*zh*.jsonl"), *SEEDS.rglob("*.zh.*")]
    lines = {line for file in files for line in file.read_text().splitlines() if sum(c > "⺀" for c in line) > 12}
    assert len(lines) >= 150
    wrong = [line for line in lines if likely_encoding(line.encode("gb18030")) != "gb18030"]
    assert wrong == []


def test_utf8_is_recognised_beside_other_encodings() -> None:
    """One name serves files of both kinds: UTF-8 is no likely text in GB18030."""
    for text in ("你好", "\ufeffabc", "plain", "école été naïve à côté garçon œuvre"):
        assert _converted(text.encode(), "gb18030") == text.encode()
    assert _converted("汉字".encode("gbk"), "gb18030") == "汉字".encode()


@pytest.mark.parametrize("name", ["klingon", "rot13", "base64", "idna", "utf-7", "unicode_escape", ""])
def test_a_name_of_no_encoding_is_refused(name: str) -> None:
    """Also codecs of Python that are no encoding of text files."""
    with pytest.raises(InputError, match="unknown value"):
        known_encoding(name)


# ---- Through the commands ----


def _in(encoding: str, text: str, file: Path) -> Path:
    data = text.encode(encoding)
    file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)
    return file


def test_a_run_has_the_same_rows_in_every_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds in GB18030, compressed, and in UTF-16 grow the rows of the file in UTF-8; the recipe names the encoding."""
    monkeypatch.chdir(tmp_path)
    text = CLASSICS.read_text(encoding="utf-8")
    runs = {}
    for name, encoding in (("a.jsonl", None), ("b.jsonl.gz", "gb18030"), ("c.jsonl", "UTF-16")):
        file = _in(encoding or "utf-8", text, tmp_path / name)
        runs[name] = api.run(file, rows=20, out=tmp_path / f"out-{name}", encoding=encoding).directory
    first, *others = ((run / "rows.jsonl").read_bytes() for run in runs.values())
    assert others == [first, first]
    assert 'encoding = "gb18030"' in (runs["b.jsonl.gz"] / "recipe.toml").read_text()
    again = api.run(runs["b.jsonl.gz"] / "recipe.toml", rows=20, out=tmp_path / "again").directory
    assert (again / "rows.jsonl").read_bytes() == first


def test_init_check_and_dedup_read_an_encoding(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """They do as with the file in UTF-8, and what they write is UTF-8."""
    plain = _in("utf-8", CLASSICS.read_text(encoding="utf-8"), tmp_path / "plain.jsonl")
    other = _in("gb18030", CLASSICS.read_text(encoding="utf-8"), tmp_path / "other.jsonl")
    told = ["--encoding", "GB18030"]
    outputs = []
    for file, option in ((plain, []), (other, told)):
        assert main(["check", str(file), "--against", str(plain), "--format", "json", *option]) == 1
        outputs.append(json.loads(capfd.readouterr().out.replace(str(file), "FILE"))["measures"])
        assert main(["dedup", str(file), "-o", str(tmp_path / f"kept-{file.name}"), *option]) == 0
        assert main(["init", str(file), "-o", str(tmp_path / f"{file.stem}.toml"), *option]) == 0
    assert outputs[0] == outputs[1]
    assert (tmp_path / "kept-plain.jsonl").read_bytes() == (tmp_path / "kept-other.jsonl").read_bytes()
    assert 'encoding = "gb18030"' in (tmp_path / "other.toml").read_text()
    assert "encoding" not in (tmp_path / "plain.toml").read_text()
    capfd.readouterr()
    assert main(["run", str(tmp_path / "other.toml"), "--dry-run", "-q", *told]) == 2
    assert "in the table of the recipe" in capfd.readouterr().err
    assert main(["run", str(tmp_path / "other.toml"), "--dry-run"]) == 0


def test_documents_and_lists_of_a_recipe_have_an_encoding(tmp_path: Path) -> None:
    """Passages and word lists in Big5 and GB18030 are the prompts' text."""
    _in("big5", TRADITIONAL, tmp_path / "page.txt")
    _in("gb18030", "猫\n狗\n", tmp_path / "animals.txt")
    (tmp_path / "r.toml").write_text(
        '[attributes.animal]\nfile = "animals.txt"\nencoding = "gb18030"\n[documents]\nfiles = ["page.txt"]\n'
        'encoding = "big5"\n[fields.q]\n[[steps]]\nname = "s"\nprompt = "{animal} {passage}"\nwrites = ["q"]\n'
        '[novelty]\nmax_rouge_l = 0.7\n[model]\nname = "m"\n'
    )
    inputs = api.plan(tmp_path / "r.toml").inputs
    assert inputs.lists["animal"] == ["猫", "狗"]
    assert [each["passage"] for each in inputs.passages] == [TRADITIONAL]
    (tmp_path / "r.toml").write_text((tmp_path / "r.toml").read_text().replace('"big5"', '"klingon"'))
    with pytest.raises(InputError, match=r'documents.encoding: expected the name of an encoding.*, got "klingon"'):
        api.plan(tmp_path / "r.toml")


def test_the_lines_of_a_log_in_another_encoding(tmp_path: Path) -> None:
    """A line that does not decode is left out; a log in another encoding is refused with the name of it."""
    lines = [f"2026-01-0{n} 磁盘 {n} 已满，请清理" for n in range(1, 9)]
    ascii_lines = [f"2026-01-0{n} disk {n} is full" for n in range(1, 9)]
    log = tmp_path / "app.log"
    log.write_bytes("\n".join([*ascii_lines, *lines]).encode("gb18030") + b"\n2026-01-09 \xff\n")
    found = read_passage_files([str(log)], field="RawLog", encoding="gb18030")
    assert list(found.passages.texts) == [*ascii_lines, *lines]
    assert found.dropped == {"not gb18030": 1} and found.first["not gb18030"] == f"{log}:17"
    log.write_bytes("\n".join([*ascii_lines, *ascii_lines, *lines]).encode("gb18030"))
    with pytest.raises(InputError) as error:
        read_passage_files([str(log)], field="RawLog")
    assert 'encoding="gb18030"' in error.value.hint
