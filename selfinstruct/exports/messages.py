"""Chat messages for OpenAI fine-tuning, TRL, LLaMA-Factory and Axolotl: ``{"messages": [...]}`` on each line."""

from __future__ import annotations

from typing import BinaryIO

from selfinstruct.exports.chats import chats
from selfinstruct.exports.json_files import write_json_lines
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings


def write_messages(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write each row as ``{"messages": [...]}``; return their number. Raises InputError for a row that is no chat."""
    return write_json_lines(({"messages": messages} for _, messages in chats(items, settings)), file), ""
