"""The table of export formats. A new format is one more file here, and one more line in ``FORMATS``."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, TypeAlias

from selfinstruct.exports.lines import write_lines
from selfinstruct.exports.messages import write_messages
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.table import write_table
from selfinstruct.exports.triplets import write_triplets

#: Writes rows to an open file; returns their number and a note for the user ("" for none).
Writer: TypeAlias = Callable[[ExportRows, BinaryIO], tuple[int, str]]

#: The formats by name.
FORMATS: dict[str, Writer] = {
    "jsonl": write_lines,
    "csv": write_table,
    "messages": write_messages,
    "triplets": write_triplets,
}
