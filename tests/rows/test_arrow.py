"""Parquet, Arrow, Feather and saved data sets: values as JSON has them, or an error that names the column."""

from __future__ import annotations

import datetime
import decimal
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.errors import RowError
from selfinstruct.rows import parse_rows, read_rows

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
feather = pytest.importorskip("pyarrow.feather")

MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5, 6000)
TABLE = pa.table(
    {
        "id": ["0042", None],
        "n": [7, 2**60],
        "share": [0.5, float("nan")],
        "price": [decimal.Decimal("1.50"), None],
        "when": pa.array([MOMENT, None], pa.timestamp("us")),
        "day": [MOMENT.date(), None],
        "kind": pa.array(["a", "a"]).dictionary_encode(),
        "answers": [{"text": ["x"], "at": [1]}, {"text": [], "at": []}],
    }
)
ARROW_ROWS = [
    {"id": "0042", "n": 7, "share": 0.5, "price": "1.50", "when": "2026-01-02T03:04:05.006000", "day": "2026-01-02"}
    | {"kind": "a", "answers": {"text": ["x"], "at": [1]}},
    {"id": None, "n": 2**60, "share": None, "price": None, "when": None, "day": None}
    | {"kind": "a", "answers": {"text": [], "at": []}},
]


def _parquet(path: Path, table: Any) -> None:
    parquet.write_table(table, path)


def _feather(path: Path, table: Any) -> None:
    feather.write_feather(table, str(path))


def _stream(path: Path, table: Any) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize("write", [_parquet, _feather, _stream])
def test_parquet_and_arrow_values_are_unchanged(write: Callable[[Path, Any], None], tmp_path: Path) -> None:
    """Strings and integers stay as they are, times become ISO 8601 text, NaN null; rows count from 1."""
    path = tmp_path / "rows"
    write(path, TABLE)
    file = read_rows(path)
    assert file.rows == ARROW_ROWS
    assert file.lines == [1, 2]
    assert parse_rows(gzip.compress(path.read_bytes()), "x").rows == ARROW_ROWS
    out = tmp_path / "out"
    api.dedup(path, fields=["id", "kind"], max_rouge_l=1, out=out)
    assert read_rows(out).rows == ARROW_ROWS


@pytest.mark.parametrize("values", [[b"x"], [datetime.timedelta(1)], [{"a": [b"x"]}]])
def test_a_column_without_a_json_type_is_refused(values: list[Any], tmp_path: Path) -> None:
    """Binary values and durations, at any depth: the message names the column."""
    _parquet(tmp_path / "rows", pa.table({"a": ["x"], "odd": values}))
    with pytest.raises(RowError, match="column 'odd' has the type"):
        read_rows(tmp_path / "rows")


def test_damaged_parquet_is_a_row_error(tmp_path: Path) -> None:
    """A cut file, and one with an infinity."""
    path = tmp_path / "rows"
    _parquet(path, TABLE)
    with pytest.raises(RowError, match="x: damaged Parquet or Arrow data"):
        parse_rows(path.read_bytes()[:-20], "x")
    _parquet(path, pa.table({"a": [1.0, float("inf")]}))
    with pytest.raises(RowError, match="rows:2: contains inf"):
        read_rows(path)


def test_without_pyarrow_the_error_names_the_install_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly the command that installs the extra."""
    _parquet(tmp_path / "rows", TABLE)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(RowError, match="needs pyarrow") as error:
        read_rows(tmp_path / "rows")
    assert error.value.hint == "Install it: pip install 'selfinstruct[parquet]'"


def test_an_index_column_of_pandas_is_left_out(tmp_path: Path) -> None:
    """Pandas names it __index_level_0__ where it is not a range."""
    _parquet(tmp_path / "rows", pa.table({"text": ["a"], "__index_level_0__": [5]}))
    file = read_rows(tmp_path / "rows")
    assert (file.rows, len(file.notes)) == ([{"text": "a"}], 1)


def test_a_saved_data_set_is_read_in_its_own_order(tmp_path: Path) -> None:
    """As the datasets library saves one: a split, or a folder with one split; several are refused by name."""
    split = tmp_path / "train"
    split.mkdir()
    names = ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    _stream(split / names[1], TABLE.slice(0, 1))
    _stream(split / names[0], TABLE.slice(1, 1))
    (split / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in reversed(names)]}))
    (split / "dataset_info.json").write_text("{}")
    assert read_rows(split).rows == ARROW_ROWS
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    assert read_rows(tmp_path).rows == ARROW_ROWS
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(RowError, match="several splits: train, test"):
        read_rows(tmp_path)
