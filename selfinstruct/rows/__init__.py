"""Row files: JSON Lines, JSON, CSV, TSV, Parquet, Arrow and Python objects -> rows, without changing a value.

``read_rows`` reads everything at a path (a file, a folder of shards, a glob), ``open_source`` streams it, and
``open_rows`` streams an open file; all are the same reader. A value that could not be written again as it was read is
an error, never a loss.

Does not handle: type inference ("0042" stays a string), finding out an encoding, tables without a header line, writing
files.
"""

from __future__ import annotations

from selfinstruct.rows.encoding import UTF_8, known_encoding
from selfinstruct.rows.exact import MAX_NESTING, to_json
from selfinstruct.rows.objects import rows_from_objects
from selfinstruct.rows.reader import RowStream, open_rows
from selfinstruct.rows.record import Record
from selfinstruct.rows.row_file import RowFile, parse_rows, read_rows
from selfinstruct.rows.sources import file_name, find_shards, open_row_file, open_shard, open_source, open_unpacked

__all__ = [
    "MAX_NESTING",
    "UTF_8",
    "Record",
    "RowFile",
    "RowStream",
    "file_name",
    "find_shards",
    "known_encoding",
    "open_row_file",
    "open_rows",
    "open_shard",
    "open_source",
    "open_unpacked",
    "parse_rows",
    "read_rows",
    "rows_from_objects",
    "to_json",
]
