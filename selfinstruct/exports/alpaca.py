"""Alpaca: a JSON array of ``{"instruction", "input", "output"}``, perhaps with ``system`` and ``history``.

Loaders join instruction and input. Where the roles of fields are known, the instruction is what the user asks and the
input the text it is about; of a chat of several turns, the instruction is the last question, and the turns before are
the history. All rows of a file have the same keys.
"""

from __future__ import annotations

from typing import BinaryIO

from selfinstruct.exports.chats import chats, exchanges, said, unanswered_note
from selfinstruct.exports.json_files import write_array
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.records import Row

#: The keys that rows have only where one of them needs it, and their value in the others.
_OPTIONAL = ("system", "history")


def write_alpaca(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write the rows; return their number and a note on messages that were left out.

    Raises InputError for a row that is not a chat in which the user and the assistant take turns.
    """
    rows: list[Row] = []
    unanswered = 0
    for number, (row, messages) in enumerate(chats(items, settings), 1):
        parts = exchanges(messages, number, settings)
        unanswered += parts.unanswered
        *history, (question, answer) = parts.pairs
        instruction, given = question, ""
        if (texts := said(row, settings.roles, settings.fallback)) is not None:
            instruction, given = texts.user, "\n\n".join(filter(None, (texts.context, texts.input)))
        rows.append(
            {
                "instruction": instruction,
                "input": given,
                "output": answer,
                "system": parts.system,
                "history": [list(pair) for pair in history],
            }
        )
    unused = [key for key in _OPTIONAL if not any(row[key] for row in rows)]
    for row in rows:
        for key in unused:
            del row[key]
    return write_array(rows, file), unanswered_note(unanswered)
