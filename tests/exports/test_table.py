"""CSV: what a cell contains, and what a spreadsheet must not run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.cli import main
from selfinstruct.exports import ExportRow, ExportRows, Settings
from selfinstruct.exports.table import cell, write_table
from selfinstruct.records import JSON, Reply, Request

LOGQA = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"


def table(
    *lines: str, fields: tuple[str, ...] = ("a", "b"), keep_formulas: bool = False, bom: bool = False
) -> tuple[str, str]:
    """The CSV of rows given as JSON, and the note."""
    file = io.BytesIO()
    rows = ExportRows(iter([ExportRow(line, "") for line in lines]), fields)
    count, note = write_table(rows, file, Settings(keep_formulas=keep_formulas, bom=bom))
    assert count == len(lines) and not file.closed
    return file.getvalue().decode(), note


@pytest.mark.parametrize("text", ["=1+2", "+x", "-x", "@SUM(A1)", "\tx", "\rx", "-12.5x", "=12"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    """Every character that begins a formula in a spreadsheet is defused, unless formulas are kept."""
    assert cell(text) == f"'{text}" and cell(text, keep_formulas=True) == text


@pytest.mark.parametrize(
    ("value", "written"),
    [("-12.5", "-12.5"), ("+3e-4", "+3e-4"), ("a=b", "a=b"), (None, ""), (True, "true"), (1.5, "1.5"), ([1], "[1]")],
)
def test_other_values_stay_as_they_are(value: JSON, written: str) -> None:
    """Plain numbers are not formulas; values that are not strings are written as JSON, null as an empty cell."""
    assert cell(value) == written


def test_lines_end_in_crlf_and_values_are_quoted_where_needed() -> None:
    """RFC 4180, byte by byte; a missing field is an empty cell."""
    text, note = table('{"a": "x, y", "b": "two\\nlines"}', '{"a": "say \\"hi\\""}')
    assert text == 'a,b\r\n"x, y","two\nlines"\r\n"say ""hi""",\r\n' and note == ""


def test_the_note_counts_changed_cells() -> None:
    """One or several cells, in words; none where formulas are kept. The header is defused too."""
    text, note = table('{"=a": "=1", "b": "-2"}', fields=("=a", "b"))
    assert text == "'=a,b\r\n'=1,-2\r\n" and note.startswith("1 cell looks like a formula: ")
    assert table('{"a": "=1", "b": "@x"}')[1].startswith("2 cells look like formulas: ")
    assert table('{"=a": "=1"}', fields=("=a",), keep_formulas=True) == ("=a\r\n=1\r\n", "")


def test_the_command_names_its_option_in_the_note(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The note of a CSV with formulas tells how to keep them, as an option of the command line."""
    rows = [{"text": f"=the {word} ship sails at {n}"} for n, word in enumerate(("red", "old", "big"))]
    api.run(rows, rows=4, out=tmp_path / "o")
    assert main(["export", str(tmp_path / "o"), "--format", "csv", "-o", str(tmp_path / "x.csv")]) == 0
    assert "4 cells look like formulas" in (said := capfd.readouterr().err) and "--keep-formulas writes values" in said
    assert main(["export", str(tmp_path / "o"), "--format", "csv", "--keep-formulas"]) == 0
    out, said = capfd.readouterr()
    assert "\r\n=the " in out and "formula" not in said


def test_seeds_come_first_where_they_are_included(tmp_path: Path) -> None:
    """Without seeds only grown rows are written; with them, the seeds in their order, then the same rows."""
    api.run(LOGQA, rows=8, out=tmp_path / "o")
    files = [tmp_path / name for name in ("without", "with")]
    for file, with_seeds in zip(files, (False, True), strict=True):
        api.export(tmp_path / "o", file, format="jsonl", with_seeds=with_seeds)
    without, all_rows = (file.read_text().splitlines() for file in files)
    assert len(without) == 8 and all_rows[10:] == without
    assert [line.replace(" ", "") for line in all_rows[:10]] == [
        line.replace(" ", "") for line in LOGQA.read_text().splitlines()
    ]


def test_a_byte_order_mark_is_written_on_request() -> None:
    """Once, before the header."""
    assert table('{"a": "\u00e9"}', fields=("a",), bom=True)[0] == "\ufeffa\r\n\u00e9\r\n"


class Silent:
    """A backend whose replies contain no rows."""

    name = "silent"
    reads_messages = False

    async def complete(self, request: Request) -> Reply:
        """No rows."""
        return Reply(text='{"rows": []}', model=self.name)

    async def close(self) -> None:
        """Nothing to close."""


def test_a_run_without_accepted_rows_has_the_header_of_its_seeds(tmp_path: Path) -> None:
    """Where nothing was grown, the fields are those of the seeds."""
    lines = "".join(f'{{"text": "the task {n} has ended", "n": {n}}}\n' for n in range(3))
    (tmp_path / "s.jsonl").write_text(lines)
    (tmp_path / "r.toml").write_text(
        '[seeds]\nfile = "s.jsonl"\n[fields.text]\n[fields.n]\ntype = "integer"\n[quota]\nrows = 9\n'
    )
    assert api.run(tmp_path / "r.toml", out=tmp_path / "o", backend=Silent()).summary.accepted == 0
    assert api.export(tmp_path / "o", tmp_path / "x.csv", format="csv").rows == 0
    assert (tmp_path / "x.csv").read_bytes() == b"text,n\r\n"
