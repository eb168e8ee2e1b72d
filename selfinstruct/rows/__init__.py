"""Row files: JSON Lines, JSON, CSV, TSV and Python objects -> rows, without changing a value.

``read_rows`` reads a whole file, ``open_rows`` streams its rows with their bytes; both are the same reader. A value
that could not be written again as it was read is an error, never a loss.

Does not handle: type inference ("0042" stays a string), other encodings than UTF-8, compressed files, tables
without a header line, writing files.
"""

from __future__ import annotations

from selfinstruct.rows.exact import MAX_NESTING, to_json
from selfinstruct.rows.objects import rows_from_objects
from selfinstruct.rows.reader import RowStream, open_rows
from selfinstruct.rows.record import Record
from selfinstruct.rows.row_file import RowFile, file_name, open_row_file, parse_rows, read_rows

__all__ = [
    "MAX_NESTING",
    "Record",
    "RowFile",
    "RowStream",
    "file_name",
    "open_row_file",
    "open_rows",
    "parse_rows",
    "read_rows",
    "rows_from_objects",
    "to_json",
]
