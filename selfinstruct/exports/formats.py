"""The table of export formats. A new format is one more file here, and one more line in ``FORMATS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from selfinstruct.exports.alpaca import write_alpaca
from selfinstruct.exports.configs import AXOLOTL_NAME, DATASET_INFO_NAME
from selfinstruct.exports.label_studio import INTERFACE_NAME, write_tasks
from selfinstruct.exports.lines import write_lines
from selfinstruct.exports.messages import write_messages
from selfinstruct.exports.parquet import write_parquet
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.exports.sharegpt import write_sharegpt
from selfinstruct.exports.squad import write_flat_squad, write_squad
from selfinstruct.exports.table import write_table
from selfinstruct.exports.triplets import write_triplets
from selfinstruct.exports.trl import (
    write_chatml,
    write_conversational,
    write_preference,
    write_prompts,
    write_text,
)

#: Writes rows to an open file; returns the number of written rows and a note for the user ("" for none).
Writer: TypeAlias = Callable[[ExportRows, BinaryIO, Settings], tuple[int, str]]

#: The roles of chats, as in ``recipe.Roles``.
CHAT = ("user", "assistant", "context", "input", "system")
_CONFIGS = (DATASET_INFO_NAME, AXOLOTL_NAME)


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its writer, the suffix of its files, the roles that ``columns`` may name.

    ``beside`` are the files that a folder of this format has beside the data; ``is_folder`` is whether the format is
    useless without them.
    """

    write: Writer
    suffix: str
    roles: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    is_folder: bool = False

    @property
    def is_of_rows(self) -> bool:
        """Whether the rows are written with all their fields, under their names."""
        return not self.roles and not self.beside


#: The formats by name.
FORMATS: dict[str, Format] = {
    "jsonl": Format(write_lines, "jsonl"),
    "csv": Format(write_table, "csv"),
    "parquet": Format(write_parquet, "parquet"),
    "messages": Format(write_messages, "jsonl", CHAT),
    "alpaca": Format(write_alpaca, "json", CHAT, _CONFIGS),
    "sharegpt": Format(write_sharegpt, "json", CHAT, _CONFIGS),
    "chatml": Format(write_chatml, "jsonl", CHAT),
    "llama-factory": Format(write_messages, "jsonl", CHAT, (DATASET_INFO_NAME,), is_folder=True),
    "axolotl": Format(write_messages, "jsonl", CHAT, (AXOLOTL_NAME,), is_folder=True),
    "prompt-completion": Format(write_prompts, "jsonl", CHAT),
    "conversational": Format(write_conversational, "jsonl", CHAT),
    "text": Format(write_text, "jsonl", ("text",)),
    "preference": Format(write_preference, "jsonl", ("prompt", "chosen", "rejected"), (DATASET_INFO_NAME,)),
    "squad": Format(write_squad, "json", ("user", "context", "assistant")),
    "squad-flat": Format(write_flat_squad, "jsonl", ("user", "context", "assistant")),
    "triplets": Format(write_triplets, "jsonl", ("query", "positive", "negatives")),
    "label-studio": Format(write_tasks, "json", (), (INTERFACE_NAME,)),
}
