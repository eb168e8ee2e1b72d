"""TRL's types of data sets, as JSON Lines: texts, prompts with completions, preferences.

    chatml                  {"text"}: the whole chat as ChatML text, for trainers without a chat template
    text                    {"text"}: a text as it is
    prompt-completion       {"prompt", "completion"} as texts
    conversational          {"prompt", "completion"} as lists of messages
    preference              {"prompt", "chosen", "rejected"}, texts or lists of messages as the row has them

Does not handle: ``{"messages"}``, which is ``messages``; stepwise supervision.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from selfinstruct.errors import InputError
from selfinstruct.exports.chats import chats, exchanges
from selfinstruct.exports.columns import column, named_columns
from selfinstruct.exports.json_files import write_json_lines
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.messages import Phrase
from selfinstruct.records import JSON, Row

_MARKS = ("<|im_start|>", "<|im_end|>")
_TEXT_NAMES = ("text", "story", "content", "文本", "内容")
_PREFERENCE = {
    "prompt": ("prompt", "instruction", "question", "提示", "指令", "问题"),
    "chosen": ("chosen",),
    "rejected": ("rejected",),
}


def write_chatml(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write each chat as one ChatML text; return their number.

    Raises InputError for a row that is not a chat of texts, or that contains a mark of ChatML, which would begin or end
    a message.
    """

    def texts() -> Iterator[Row]:
        for number, (_, messages) in enumerate(chats(items, settings), 1):
            for each in messages:
                content = each.get("content")
                problem = Phrase("has a message that is not text") if not isinstance(content, str) else ""
                if isinstance(content, str) and (found := next((mark for mark in _MARKS if mark in content), "")):
                    problem = Phrase("contains {found}, which would be read as a mark and not as text", found=found)
                if problem:
                    raise InputError(
                        "`format={format}`: row {number} {problem}",
                        format=settings.format,
                        hint="Export chat messages, to which trainers apply a template: `format=messages`.",
                        number=number,
                        problem=problem,
                    )
            yield {"text": "".join(f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>\n" for each in messages)}

    return write_json_lines(texts(), file), ""


def write_text(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write the text of each row; return their number. Raises InputError for a row without one."""

    def texts() -> Iterator[Row]:
        for number, item in enumerate(items.each, 1):
            row = item.row
            only = [name for name, value in row.items() if isinstance(value, str)]
            names = _TEXT_NAMES if len(only) != 1 else tuple(only)
            name = column(row, "text", names, number, settings)
            value = row.get(name)
            if not isinstance(value, str) or not value:
                raise InputError(
                    "`format={format}`: row {number} has no text in {name}",
                    hint="Name a field that every row has: `columns`.",
                    format=settings.format,
                    number=number,
                    name=name,
                )
            yield {"text": value}

    return write_json_lines(texts(), file), ""


def write_prompts(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write each chat of one exchange as two texts; return their number.

    Raises InputError for a row of several exchanges, or with a system message.
    """

    def prompts() -> Iterator[Row]:
        for number, (_, messages) in enumerate(chats(items, settings), 1):
            parts = exchanges(messages, number, settings)
            if parts.system or len(parts.pairs) > 1 or parts.unanswered:
                raise InputError(
                    "`format={format}`: row {number} {problem}",
                    format=settings.format,
                    problem=Phrase("is more than one question and its answer"),
                    hint="Export lists of messages: `format=conversational`.",
                    number=number,
                )
            prompt, completion = parts.pairs[0]
            yield {"prompt": prompt, "completion": completion}

    return write_json_lines(prompts(), file), ""


def write_conversational(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write each chat as the messages before the last answer, and that answer; return their number.

    Raises InputError for a chat that does not end with a message of the assistant.
    """

    def split() -> Iterator[Row]:
        for number, (_, messages) in enumerate(chats(items, settings), 1):
            if len(messages) < 2 or messages[-1]["role"] != "assistant":
                raise InputError(
                    "`format={format}`: row {number} {problem}",
                    format=settings.format,
                    problem=Phrase("does not end with an answer of the assistant"),
                    hint="Export whole chats: `format=messages`.",
                    number=number,
                )
            yield {"prompt": messages[:-1], "completion": messages[-1:]}

    return write_json_lines(split(), file), ""


def write_preference(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write each row's prompt with its better and its worse answer; return their number.

    Raises InputError for a row that lacks one, or has texts where the rows before have lists of messages.
    """

    def preferences() -> Iterator[Row]:
        kinds: list[type] = []
        for number, item in enumerate(items.each, 1):
            row = item.row
            fields = named_columns(row, _PREFERENCE, number, settings)
            values: dict[str, JSON] = {role: row[name] for role, name in fields.items()}
            found = [type(value) for value in values.values()]
            if not all(values.values()) or not set(found) <= {str, list} or found != (kinds or found):
                raise InputError(
                    "`format={format}`: row {number} has other values than texts in {fields}",
                    format=settings.format,
                    hint="All rows need texts there, or all of them lists of messages.",
                    number=number,
                    fields=", ".join(fields.values()),
                )
            kinds = found
            yield values

    return write_json_lines(preferences(), file), ""
