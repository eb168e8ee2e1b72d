r"""Chat messages for OpenAI fine-tuning, TRL, LLaMA-Factory and Axolotl: ``{"messages": [...]}`` on each line.

A row becomes a chat by the first of these shapes that fits: ``messages`` as they are; ``conversations`` of ShareGPT,
whose speakers get the names of roles; an instruction and its output, with an input or a context that the instruction
does not contain; a question and its answer, with the text it is about; a text of turns that begin with a speaker
(``C:`` and ``A:``, ``User:`` and ``Assistant:``).

Does not handle: other speaker names; system messages that are not in the row.

>>> turns("C: It hums.\nSince when?\nA: Send it in.")
[{'role': 'user', 'content': 'It hums.\nSince when?'}, {'role': 'assistant', 'content': 'Send it in.'}]
"""

from __future__ import annotations

import json
import re
from typing import Any, BinaryIO

from selfinstruct.errors import InputError
from selfinstruct.exports.rows import ExportRows
from selfinstruct.records import Row
from selfinstruct.text import value_text

_SPEAKERS = {
    **dict.fromkeys(("c", "u", "user", "customer", "human", "client", "q", "用户", "客户"), "user"),
    **dict.fromkeys(("a", "assistant", "agent", "bot", "ai", "助手", "客服"), "assistant"),
    "system": "system",
}
_ROLES = {"human": "user", "gpt": "assistant", **dict.fromkeys(("user", "assistant", "system", "tool"), "")}
_TURN = re.compile(rf"^({'|'.join(_SPEAKERS)})[ \t]*[:：][ \t]*", re.IGNORECASE | re.MULTILINE)
_CONTEXT_NAMES = ("context", "上下文")
#: Names of the question, its context and the answer; the first triple with a question and an answer counts.
_PAIRS = (
    (("instruction", "指令"), ("input", "输入", *_CONTEXT_NAMES), ("output", "response", "输出")),
    (("prompt",), (), ("completion", "response")),
    (("question", "问题"), ("context", "rawlog", "passage", "原文", "上下文"), ("answer", "答案")),
)


def turns(text: str) -> list[dict[str, str]] | None:
    """Return the messages of a text whose turns begin with a speaker; None for any other text."""
    found = list(_TURN.finditer(text))
    if not found or text[: found[0].start()].strip():
        return None
    ends = [*(turn.start() for turn in found[1:]), len(text)]
    messages = [
        {"role": _SPEAKERS[turn[1].lower()], "content": text[turn.end() : end].strip()}
        for turn, end in zip(found, ends, strict=True)
    ]
    return messages if {"user", "assistant"} <= {each["role"] for each in messages} else None


def chat(row: Row) -> list[dict[str, Any]] | None:
    """Return the messages of a row, or None if no shape fits."""
    messages = row.get("messages")
    if isinstance(messages, list) and all(isinstance(each, dict) and "role" in each for each in messages):
        return messages
    if (shared := _sharegpt(row)) is not None:
        return shared
    named = {name.lower(): value for name, value in row.items()}
    for questions, contexts, answers in _PAIRS:
        question, answer = _first(named, questions), _first(named, answers)
        if question and answer:
            parts = [question, *_context(named, contexts, question)]
            if "instruction" not in questions:
                parts.reverse()
            return [{"role": "user", "content": "\n\n".join(parts)}, {"role": "assistant", "content": answer}]
    # After the pairs: the context of a question may be a dialogue.
    texts = (value for value in row.values() if isinstance(value, str))
    return next((messages for text in texts if (messages := turns(text))), None)


def _sharegpt(row: Row) -> list[dict[str, Any]] | None:
    """The messages of ``conversations``, after the text of ``system`` if the row has one; None for other rows."""
    shared = row.get("conversations")
    if not isinstance(shared, list) or not shared:
        return None
    if not all(isinstance(each, dict) and each.get("from") in _ROLES and "value" in each for each in shared):
        return None
    messages = [{"role": _ROLES[each["from"]] or each["from"], "content": each["value"]} for each in shared]
    system = row.get("system")
    if isinstance(system, str) and system and messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": system})
    return messages


def _context(named: Row, names: tuple[str, ...], question: str) -> list[str]:
    """The context of a question, if any; one that the question contains is not repeated."""
    text = _first(named, names)
    inside = text == _first(named, _CONTEXT_NAMES) and text in question
    return [text] if text and not inside else []


def write_messages(items: ExportRows, file: BinaryIO) -> tuple[int, str]:
    """Write each row as ``{"messages": [...]}``; return their number.

    Raises InputError for a row that is not a chat.
    """
    count = 0
    for item in items.each:
        messages = chat(item.row)
        if messages is None:
            raise InputError(
                f"`format=messages`: row {count + 1} is not a chat; its fields are {', '.join(item.row)}",
                hint="Use another format, or rows with messages or conversations, with instruction and output, with "
                "question and answer, or with a text of turns (User: ..., Assistant: ...).",
            )
        line = json.dumps({"messages": messages}, ensure_ascii=False)
        file.write(f"{line}\n".encode("utf-8", "backslashreplace"))
        count += 1
    return count, ""


def _first(named: Row, names: tuple[str, ...]) -> str:
    """The text of the first of these fields that the row has."""
    return next((value_text(named[name]) for name in names if named.get(name) not in (None, "")), "")
