r"""Chat messages, as OpenAI's fine-tuning, TRL, LLaMA-Factory and Axolotl read them: ``{"messages": [...]}`` a line.

Rows are taken for chats in one of these shapes, whichever fits first: ``messages`` as they are; an instruction with its
output, and perhaps an input or a context that it does not hold itself; a question with its answer, and perhaps the text
that it is about; one text of turns that begin with a speaker (``C:`` and ``A:``, ``User:`` and ``Assistant:``).

Does not handle: speakers of other names, system messages that are not in the row.

>>> turns("C: It hums.\nSince when?\nA: Send it in.")
[{'role': 'user', 'content': 'It hums.\nSince when?'}, {'role': 'assistant', 'content': 'Send it in.'}]
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, BinaryIO

from selfinstruct.errors import InputError
from selfinstruct.records import Row
from selfinstruct.text import value_text

if TYPE_CHECKING:
    from selfinstruct.exports import ExportRows

_SPEAKERS = {
    **dict.fromkeys(("c", "u", "user", "customer", "human", "client", "q", "用户", "客户"), "user"),
    **dict.fromkeys(("a", "assistant", "agent", "bot", "ai", "助手", "客服"), "assistant"),
    "system": "system",
}
_TURN = re.compile(rf"^({'|'.join(_SPEAKERS)})[ \t]*[:：][ \t]*", re.IGNORECASE | re.MULTILINE)
_CONTEXT = ("context", "上下文")
#: What is asked, what it is asked about, what is answered; the first for which a row has question and answer.
_PAIRS = (
    (("instruction", "指令"), ("input", "输入", *_CONTEXT), ("output", "response", "输出")),
    (("prompt",), (), ("completion", "response")),
    (("question", "问题"), ("context", "rawlog", "passage", "原文", "上下文"), ("answer", "答案")),
)


def turns(text: str) -> list[dict[str, str]] | None:
    """The messages of a text whose turns begin with their speakers; None where it is no such text."""
    found = list(_TURN.finditer(text))
    if not found or text[: found[0].start()].strip():
        return None
    ends = [*(turn.start() for turn in found[1:]), len(text)]
    said = [
        {"role": _SPEAKERS[turn[1].lower()], "content": text[turn.end() : end].strip()}
        for turn, end in zip(found, ends, strict=True)
    ]
    return said if {"user", "assistant"} <= {turn["role"] for turn in said} else None


def chat(row: Row) -> list[dict[str, Any]] | None:
    """A row's messages, or None where it has none of the shapes."""
    messages = row.get("messages")
    if isinstance(messages, list) and all(isinstance(each, dict) and "role" in each for each in messages):
        return messages
    named = {name.lower(): value for name, value in row.items()}
    for asking, about, answering in _PAIRS:
        question, answer = _first(named, asking), _first(named, answering)
        if question and answer:
            parts = [question, *_matter(named, about, question)]
            if "instruction" not in asking:
                parts.reverse()
            return [{"role": "user", "content": "\n\n".join(parts)}, {"role": "assistant", "content": answer}]
    # After the pairs: a passage that is asked about may be a dialogue.
    texts = (value for value in row.values() if isinstance(value, str))
    return next((said for text in texts if (said := turns(text))), None)


def _matter(named: Row, about: tuple[str, ...], question: str) -> list[str]:
    """What is asked about, where there is any; a context that the question holds is not said twice."""
    said = _first(named, about)
    inside = said == _first(named, _CONTEXT) and said in question
    return [said] if said and not inside else []


def write_messages(items: ExportRows, file: BinaryIO) -> tuple[int, str]:
    """Write each row as ``{"messages": [...]}``; how many. Raises InputError for rows that are no chats."""
    count = 0
    for item in items.each:
        messages = chat(item.row)
        if messages is None:
            raise InputError(
                f"--format messages: row {count + 1} is no chat; its fields are {', '.join(item.row)}",
                hint="Chats are rows with messages, with a text of turns (C: ..., A: ...), with instruction and "
                "output, or with question and answer.",
            )
        line = json.dumps({"messages": messages}, ensure_ascii=False)
        file.write(f"{line}\n".encode("utf-8", "backslashreplace"))
        count += 1
    return count, ""


def _first(named: Row, names: tuple[str, ...]) -> str:
    """The text of the first of these names that the row has."""
    return next((value_text(named[name]) for name in names if named.get(name) not in (None, "")), "")
