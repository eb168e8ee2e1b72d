"""ShareGPT: a JSON array of ``{"conversations": [{"from", "value"}], "system"}``, ``human`` and ``gpt`` in turn."""

from __future__ import annotations

from typing import BinaryIO

from selfinstruct.exports.chats import chats, exchanges, unanswered_note
from selfinstruct.exports.json_files import write_array
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.records import Row


def write_sharegpt(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write the rows; return their number and a note on messages that were left out.

    Raises InputError for a row that is not a chat in which the user and the assistant take turns.
    """
    rows: list[Row] = []
    unanswered = 0
    for number, (_, messages) in enumerate(chats(items, settings), 1):
        parts = exchanges(messages, number, settings)
        unanswered += parts.unanswered
        spoken = [
            {"from": speaker, "value": text}
            for pair in parts.pairs
            for speaker, text in zip(("human", "gpt"), pair, strict=True)
        ]
        rows.append({"conversations": spoken, "system": parts.system})
    return write_array(rows, file), unanswered_note(unanswered)
