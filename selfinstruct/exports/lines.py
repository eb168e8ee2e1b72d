"""JSON Lines: one row per line, exactly as recorded in the journal."""

from __future__ import annotations

from typing import BinaryIO

from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings


def write_lines(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write each row as a line of JSON; return their number, and no note."""
    count = 0
    for item in items.each:
        file.write(f"{item.line}\n".encode())
        count += 1
    return count, ""
