"""JSON Lines: a row a line, as the journal has it; nothing is ever altered."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from selfinstruct.exports import ExportRows


def write_lines(items: ExportRows, file: BinaryIO) -> tuple[int, str]:
    """Write each row as a line of JSON; how many."""
    count = 0
    for item in items.each:
        file.write(f"{item.line}\n".encode())
        count += 1
    return count, ""
